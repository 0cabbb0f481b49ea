"""A plan in sections: each knows how programs and how people read it."""

from __future__ import annotations

from generator.cli.sections.cost import cost
from generator.cli.sections.odds import odds
from generator.cli.sections.release import release
from generator.cli.sections.review import abort, authority, coverage, gates
from generator.cli.sections.section import Section
from generator.cli.sections.story import guards, story
from generator.cli.sections.values import values
from generator.plan.resolve import Planned

__all__ = ["SECTIONS", "Section", "sections"]

SECTIONS = (release, story, guards, odds, cost, gates, abort, coverage, authority, values)
"""Every section of a plan, in the order that people read them."""


def sections(planned: Planned) -> list[Section]:
    """All sections of one plan."""
    return [section(planned) for section in SECTIONS]
