"""Models judged, each by itself and all side by side, without keeping the plans that this takes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from generator.odds.footprint import Footprint, footprint
from generator.pipeline.judging import judge_model
from generator.pipeline.session import Session
from generator.pipeline.spread import spread
from generator.pipeline.terminal import progress
from generator.plan.entries import Entry
from generator.render.outputs.gates import used_images
from generator.rules.evaluate import run_fleet_rules
from generator.source.finding import Finding
from generator.source.reader import display

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Judged:
    """What is kept of a model: its plans are not, or ten thousand models would fill the memory.

    Args:
        entry: the model.
        findings: about it alone; none where it was not asked for.
        footprints: of its plans; none when it can't be planned.
        images: names of the gate images that it uses.
    """

    entry: Entry
    findings: tuple[Finding, ...]
    footprints: tuple[Footprint, ...]
    images: frozenset[str]

    def file(self, root: Path) -> str:
        """Its spec, as findings name it."""
        return display(self.entry.spec, root)

    @property
    def can_be_rendered(self) -> bool:
        """Whether it has plans and no error of its own."""
        return bool(self.footprints) and not self._errors

    def lacks_only(self, code: str) -> bool:
        """Whether it has plans, and errors of this code alone."""
        return bool(self.footprints) and self._errors == {code}

    @property
    def _errors(self) -> set[str]:
        return {found.code for found in self.findings if found.severity == "error"}


def judge_models(
    session: Session, asked: Collection[Entry], label: str, environment: str = ""
) -> tuple[list[Judged], list[Finding]]:
    """Judge some models, and side by side with them all others of their teams.

    Args:
        session: with a valid platform.
        asked: the models.
        label: what a progress bar calls it.
        environment: the only one whose plans are judged, or empty for all.

    Returns:
        What became of each model of those teams, sorted; and the findings about platform and models side by side.
    """
    teams = {entry.team for entry in asked}
    wanted = frozenset(asked)
    models = [(entry, entry in wanted) for entry in session.entries if entry.team in teams]

    def judge_some(some: Sequence[tuple[Entry, bool]]) -> Iterator[Judged]:
        return (_judged(session, entry, environment, alone=alone) for entry, alone in some)

    # What every process needs is read once, before there are several.
    session.repository.platform  # noqa: B018
    with progress(spread(models, judge_some), len(models), label) as found:
        judged = sorted(_shared(found, session.entries), key=lambda one: one.entry)
    footprints = [footprint for one in judged for footprint in one.footprints]
    return judged, run_fleet_rules(footprints, session.repository, session.today)


def _shared(found: Iterable[Judged], entries: Iterable[Entry]) -> Iterator[Judged]:
    """What came from other processes, with one object for values that are equal: copies would be most of the memory."""
    own, seen = {entry: entry for entry in entries}, dict[Any, Any]()

    def once(value: T) -> T:
        known: T = seen.setdefault(value, value)
        return known

    for one in found:
        footprints = tuple(
            Footprint(
                team=once(each.team),
                model=each.model,
                environment=once(each.environment),
                tier=once(each.tier),
                most=once(each.most),
                usual=once(each.usual),
                scaled=once(each.scaled),
                hosts=each.hosts,
            )
            for each in one.footprints
        )
        findings = tuple(
            replace(each, message=once(each.message), hint=once(each.hint), related=once(each.related))
            for each in one.findings
        )
        yield Judged(own[one.entry], findings, footprints, once(one.images))


def _judged(session: Session, entry: Entry, environment: str, *, alone: bool) -> Judged:
    resolved = session.resolve(entry)
    plans = [planned.plan for planned in resolved.plans]
    if environment:
        resolved.plans = [one for one in resolved.plans if one.plan.identity.environment == environment]
    findings: list[Finding] = []
    if alone:
        findings = [*resolved.findings, *judge_model(resolved, session.repository, session.today)]
    images = frozenset(name for plan in plans for name in used_images(plan))
    return Judged(entry, tuple(findings), tuple(map(footprint, plans)), images)
