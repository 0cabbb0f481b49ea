"""A plan in sections, each for programs and for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from generator.gates.gate_status import GateStatus
from generator.plan.resolve import Planned
from generator.report.sections.cost import cost
from generator.report.sections.odds import odds
from generator.report.sections.release import release
from generator.report.sections.review import abort, authority, coverage, gate_section
from generator.report.sections.section import Section
from generator.report.sections.story import guards, story
from generator.report.sections.values import values

if TYPE_CHECKING:
    from generator.spec.signers import SignedBy

__all__ = ["Section", "sections"]

_BEFORE = (release, story, guards, odds, cost)
_AFTER = (abort, coverage, authority, values)


def sections(
    planned: Planned, statuses: Sequence[GateStatus], signed: Sequence[SignedBy] = ()
) -> list[Section]:
    """Return all sections of one plan, in reading order.

    Args:
        planned: the plan.
        statuses: the status of its gates.
        signed: the valid signatures of its evidence and its lock.
    """
    before, after = ([section(planned) for section in part] for part in (_BEFORE, _AFTER))
    return [*before, gate_section(planned, statuses, signed), *after]
