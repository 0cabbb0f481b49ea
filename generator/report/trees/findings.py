"""The odds of a tree as findings: what is wrong with its releases, traps, and metrics that are not recognized."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.lint import CODES, Object
from generator.odds.trees.codes import GOOD_STOPPED, NO_METRIC, TRAPS, UNKNOWN
from generator.odds.trees.values import MetricOdds, ReleaseOdds, TreeOdds
from generator.report.trees.words import headline, measures
from generator.source.finding import Finding, Place

FALSE_STOP: Final = 0.05
"""The chance of a false stop from which a release is a finding."""


def findings_of(found: TreeOdds) -> Iterator[Finding]:
    """Yield what is wrong with the releases and the metrics of a tree."""
    for release in found.releases:
        item = release.release.object
        for code in codes_of(release):
            yield _finding(code, f"{item}: {headline(release)}", item.place(()), item)
    for metric in found.metrics:
        yield from _of(metric)


def codes_of(found: ReleaseOdds) -> Iterator[str]:
    """Yield the codes of what is wrong with a release as a whole."""
    if not found.release.metrics:
        yield NO_METRIC
    elif found.false_stop is not None and found.false_stop.low > FALSE_STOP:
        yield GOOD_STOPPED


def _of(found: MetricOdds) -> Iterator[Finding]:
    template, name = found.metric.template, found.metric.name
    for trap, text in found.traps:
        yield _finding(TRAPS[trap], f"{template} {name}: {text}", found.metric.place, template, name)
    if found.measure.kind == "unknown":
        text = f"{template} {name} is {measures(found)}"
        yield _finding(UNKNOWN, text, found.metric.place, template, name)


def _finding(code: str, text: str, place: Place, item: Object, part: str = "") -> Finding:
    known = CODES[code]
    excerpt = item.file.excerpt(place.line)
    return Finding(
        code, known.severity, text, known.remedy, place, excerpt=excerpt, object=str(item), part=part
    )
