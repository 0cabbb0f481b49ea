"""A plan in sections: each knows how programs and how people read it."""

from __future__ import annotations

from collections.abc import Sequence

from generator.gates.gate_status import GateStatus
from generator.plan.resolve import Planned
from generator.report.sections.cost import cost
from generator.report.sections.odds import odds
from generator.report.sections.release import release
from generator.report.sections.review import abort, authority, coverage
from generator.report.sections.review import (
    gates as judgements,
)  # once imported, the module `gates` has that name
from generator.report.sections.section import Section
from generator.report.sections.story import guards, story
from generator.report.sections.values import values

__all__ = ["Section", "sections"]

_BEFORE = (release, story, guards, odds, cost)
_AFTER = (abort, coverage, authority, values)


def sections(planned: Planned, judged: Sequence[GateStatus]) -> list[Section]:
    """All sections of one plan, in the order that people read them.

    Args:
        planned: the plan.
        judged: what is known of its gates.
    """
    before, after = ([section(planned) for section in part] for part in (_BEFORE, _AFTER))
    return [*before, judgements(planned, judged), *after]
