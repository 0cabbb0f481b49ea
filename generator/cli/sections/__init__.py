"""A plan in sections: each knows how programs and how people read it."""

from __future__ import annotations

from collections.abc import Sequence

from generator.cli.sections.cost import cost
from generator.cli.sections.odds import odds
from generator.cli.sections.release import release
from generator.cli.sections.review import abort, authority, coverage
from generator.cli.sections.review import (
    gates as judgements,
)  # once imported, the module `gates` has that name
from generator.cli.sections.section import Section
from generator.cli.sections.story import guards, story
from generator.cli.sections.values import values
from generator.gates.standing import Standing
from generator.plan.resolve import Planned

__all__ = ["Section", "sections"]

_BEFORE = (release, story, guards, odds, cost)
_AFTER = (abort, coverage, authority, values)


def sections(planned: Planned, judged: Sequence[Standing]) -> list[Section]:
    """All sections of one plan, in the order that people read them.

    Args:
        planned: the plan.
        judged: what is known of its gates.
    """
    before, after = ([section(planned) for section in part] for part in (_BEFORE, _AFTER))
    return [*before, judgements(planned, judged), *after]
