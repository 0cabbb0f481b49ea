"""The odds of a tree as SARIF 2.1.0: one result for each release that stops good versions, and for each trap."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from generator import DOCUMENTATION, __version__
from generator.odds.trees.values import MetricOdds, TreeOdds
from generator.report.tables import Screen
from generator.report.trees.words import headline, measures
from generator.source.finding import Place

FALSE_STOP: Final = 0.05
"""The chance of a false stop from which a release is a warning."""
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def render(found: TreeOdds, screen: Screen) -> str:  # noqa: ARG001 - as every format
    """Write the odds of a tree."""
    results = list(_results(found))
    names = sorted({result["ruleId"] for result in results})
    for result in results:
        result["ruleIndex"] = names.index(result["ruleId"])
    driver = {
        "name": "sluice",
        "version": __version__,
        "informationUri": DOCUMENTATION,
        "rules": [_rule(name) for name in names],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _rule(name: str) -> dict[str, Any]:
    title = name.replace("-", " ")
    text = {"text": f"A release or a metric: {title}."}
    return {
        "id": name,
        "name": name,
        "shortDescription": {"text": title},
        "fullDescription": text,
        "help": text,
    }


def _results(found: TreeOdds) -> Iterator[dict[str, Any]]:
    for release in found.releases:
        item = release.release.object
        judged = release.false_stop is not None and release.false_stop.low > FALSE_STOP
        if judged or not release.release.metrics:
            name = "good-versions-are-stopped" if judged else "no-metric-decides"
            yield _result(name, f"{item}: {headline(release)}.", item.place(()), "warning")
    for metric in found.metrics:
        yield from _of(metric)


def _of(found: MetricOdds) -> Iterator[dict[str, Any]]:
    name = f"{found.metric.template} {found.metric.name}"
    for trap, text in found.traps:
        yield _result(trap.replace(" ", "-"), f"{name}: {text}.", found.metric.place, "warning")
    if found.measure.kind == "unknown":
        yield _result("unknown-metric", f"{name} is {measures(found)}.", found.metric.place, "note")


def _result(name: str, text: str, place: Place, level: str) -> dict[str, Any]:
    region = {"startLine": max(1, place.line), "startColumn": max(1, place.column)}
    where = {"physicalLocation": {"artifactLocation": {"uri": place.file}, "region": region}}
    return {"ruleId": name, "ruleIndex": 0, "level": level, "message": {"text": text}, "locations": [where]}
