"""A postmortem as JSON (`sluice/postmortem/v1`): what git knows as values, and the page as it is read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Literal, TypedDict

from generator.report.formats.findings_json import Count
from generator.report.postmortems.document import Section
from generator.report.postmortems.incident import Incident
from generator.report.postmortems.remedy import Remedy, Variant, false_rollback
from generator.stats.timeline import Detection


class IncidentFacts(TypedDict):
    """What git knows of a release that was stopped or taken back; empty text is what it does not know."""

    model: str
    environment: str
    release: Annotated[str, "The release key."]
    version: Annotated[str, "The version of the model."]
    taken_back: Annotated[str, "Why a person took it back."]
    missing: Annotated[list[str], "Sources that are missing."]


class BlockRecord(TypedDict):
    """A part of a section: a paragraph, a list, a table or a diff; the others are empty."""

    text: str
    items: list[str]
    head: list[str]
    rows: list[list[str]]
    code: str


class SectionRecord(TypedDict):
    """A section of the page."""

    title: str
    blocks: list[BlockRecord]


class VariantRecord(TypedDict):
    """A plan that the harms could have met."""

    name: str
    stops: Annotated[
        dict[str, float | None],
        "Share of versions with a harm that it stops, by harm; null without a guard that has odds.",
    ]
    false_rollback: Annotated[float | None, "Upper bound for a good version; null without odds."]
    replay: Annotated[str | None, "What its guards decided on recorded traffic; null without a replay."]
    diff: Annotated[str, "The change of today's spec; empty for none."]


class PostmortemDocument(IncidentFacts):
    """The document of `sluice postmortem`."""

    schema: Literal["sluice/postmortem/v1"]
    verdict: Annotated[str | None, "Of its record; null without one."]
    exposed: Annotated[Count | None, "Requests to it up to the last check; null if nothing counted them."]
    harms: Annotated[dict[str, float], "Ratio of the event rates, new over stable, by outcome or metric."]
    variants: Annotated[list[VariantRecord], "The release as it was, today's spec, and changes of it."]
    sections: Annotated[list[SectionRecord], "The whole page."]


def facts(incident: Incident) -> IncidentFacts:
    """Return what git knows of a release."""
    return IncidentFacts(
        model=incident.model,
        environment=incident.environment,
        release=incident.key,
        version=incident.version,
        taken_back=incident.taken_back.reason if incident.taken_back else "",
        missing=list(incident.missing),
    )


def as_json(incident: Incident, found: Remedy, sections: Sequence[Section]) -> str:
    """Return the document."""
    record = incident.record
    document = PostmortemDocument(
        schema="sluice/postmortem/v1",
        **facts(incident),
        verdict=record.verdict if record else None,
        exposed=record.exposed if record else None,
        harms=dict(found.harms),
        variants=[_variant(one) for one in found.variants],
        sections=[_section(one) for one in sections],
    )
    return json.dumps(document, indent=2) + "\n"


def _variant(one: Variant) -> VariantRecord:
    stops = {
        harm: stop.probability if isinstance(stop, Detection) else None for harm, stop in one.caught.items()
    }
    return VariantRecord(
        name=one.name,
        stops=stops,
        false_rollback=false_rollback(one.plan),
        replay=one.course.outcome if one.course else None,
        diff=one.diff,
    )


def _section(section: Section) -> SectionRecord:
    blocks = [
        BlockRecord(
            text=block.text,
            items=list(block.items),
            head=list(block.head),
            rows=[list(line) for line in block.rows],
            code=block.code,
        )
        for block in section.blocks
    ]
    return SectionRecord(title=section.title, blocks=blocks)
