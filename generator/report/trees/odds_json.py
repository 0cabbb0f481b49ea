"""The odds of a tree as JSON: `sluice/odds/v1`."""

from __future__ import annotations

import json
from typing import Annotated, Literal, TypedDict

from generator.odds.trees.codes import TRAPS
from generator.odds.trees.values import Ground, Harm, MetricOdds, ReleaseOdds, Span, Trap, TreeOdds
from generator.report.tables import Screen
from generator.report.trees.findings import codes_of
from generator.report.trees.words import guard, headline, pasted, templates

SCHEMA: Literal["sluice/odds/v1"] = "sluice/odds/v1"


class SpanRecord(TypedDict):
    """The lowest and the highest value over everything that is not known."""

    low: float
    high: float


class HarmRecord(TypedDict):
    """The odds of a version with more events than the stable one."""

    times: Annotated[float, "How many times the events of the stable version."]
    power: Annotated[SpanRecord | None, "Probability that it is stopped before the full promotion."]
    power_by_step: Annotated[list[SpanRecord | None], "The same by the end of each stage."]
    detect_mean_s: Annotated[SpanRecord | None, "Mean time until then; null where it is never stopped."]
    exposed_mean: Annotated[SpanRecord | None, "Mean requests that it answers."]


class StageRecord(TypedDict):
    """A stretch of a release at one weight."""

    weight: float
    seconds: float
    label: str
    waits: Annotated[bool, "It ends with an approval."]


class MeasureRecord(TypedDict):
    """What a query measures."""

    kind: Literal["share", "quantile", "mean", "rate", "count", "gauge", "verdict", "comparison", "unknown"]
    event: str
    version: Literal["canary", "stable", "both"]
    window_s: float
    limit: Annotated[float | None, "The quantity at which it starts to fail, such as a share of errors."]
    level: Annotated[float | None, "Of a quantile."]


class TrapRecord(TypedDict):
    """Why a verdict may not be what its author wants."""

    code: Annotated[str, "Stable; `sluice explain CODE` explains it."]
    trap: Trap
    text: str


class PairRecord(TypedDict):
    """The two numbers that are compared, at the traffic of the proposal."""

    false_rollback: float
    power: Annotated[float, "Against twice the events."]


class ProposalRecord(PairRecord):
    """A proposal with its odds."""

    yaml: str


class BetterRecord(TypedDict):
    """What would be better than a metric."""

    rps: Annotated[float, "Requests per second that were assumed."]
    baseline: Annotated[float, "Share of events of the stable version that was assumed."]
    today: PairRecord
    metric: Annotated[ProposalRecord | None, "Other limits on the same query; null where none is better."]
    guard: Annotated[ProposalRecord, "A guard of Sluice."]


class MetricRecord(TypedDict):
    """One metric at one place of a release."""

    name: str
    template: str
    file: str
    line: int
    when: Annotated[str | None, "Null where no release of the tree uses it."]
    step: str
    provider: str
    measures: MeasureRecord
    interval_s: float
    count: Annotated[int | None, "Null without an end."]
    failure_limit: Annotated[int, "-1 forgives all failures."]
    ground: Annotated[Ground, "Where the numbers come from."]
    false_rollback: Annotated[
        SpanRecord | None, "Probability that a good version is stopped; null without odds."
    ]
    paused: Annotated[float, "Probability that a good version waits for a person."]
    harms: list[HarmRecord]
    traps: list[TrapRecord]
    unknown: Annotated[str | None, "Why it has no odds."]
    assumed: list[str]
    fired_in_history: Annotated[float | None, "Share of the windows of the past that it would have stopped."]
    better: BetterRecord | None


class TemplateRecord(TypedDict):
    """An AnalysisTemplate with better limits, as YAML that can be applied."""

    name: str
    file: str
    yaml: str


class ReleaseRecord(TypedDict):
    """One release."""

    kind: str
    namespace: str
    name: str
    file: str
    line: int
    tool: Literal["Argo Rollouts", "Flagger", "KServe"]
    strategy: Literal["canary", "blue-green", "traffic split"]
    summary: str
    codes: Annotated[list[str], "What is wrong with the release as a whole."]
    stages: list[StageRecord]
    false_rollback: Annotated[SpanRecord | None, "Probability that any metric stops a good version."]
    exposed_if_missed: Annotated[SpanRecord | None, "Requests of the new version in the whole release."]
    caught: Annotated[
        dict[str, list[HarmRecord]], "By event, the odds of the metric that catches its harms best."
    ]
    metrics: list[MetricRecord]
    better_templates: list[TemplateRecord]
    assumed: list[str]
    notes: list[str]


class OddsDocument(TypedDict):
    """The odds of a tree."""

    schema: Annotated[Literal["sluice/odds/v1"], "The version of this document; keys change only with it."]
    releases: list[ReleaseRecord]
    unused: Annotated[list[MetricRecord], "Metrics of templates that no release of the tree uses."]
    files: Annotated[int, "How many files were read."]
    unread: Annotated[list[str], "What could not be read."]


def render(found: TreeOdds, screen: Screen) -> str:  # noqa: ARG001 - as every format
    """Write the odds of a tree. Probabilities are fractions, times seconds; a span has `low` and `high`."""
    document: OddsDocument = {
        "schema": SCHEMA,
        "releases": [_release(one) for one in found.releases],
        "unused": [_metric(one) for one in found.unused],
        "files": found.files,
        "unread": list(found.unread),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _release(found: ReleaseOdds) -> ReleaseRecord:
    item, release = found.release.object, found.release
    place = item.place(())
    return {
        "kind": item.kind,
        "namespace": item.namespace,
        "name": item.name,
        "file": place.file,
        "line": place.line,
        "tool": release.tool,
        "strategy": release.strategy,
        "summary": headline(found),
        "codes": list(codes_of(found)),
        "stages": [
            {"weight": stage.weight, "seconds": stage.seconds, "label": stage.label, "waits": stage.waits}
            for stage in release.stages
        ],
        "false_rollback": _span(found.false_stop),
        "exposed_if_missed": _span(found.exposed),
        "caught": {event: [_harm(harm) for harm in harms] for event, harms in found.caught},
        "metrics": [_metric(one) for one in found.metrics],
        "better_templates": [
            {"name": str(item), "file": item.file.name, "yaml": text} for item, text in templates(found)
        ],
        "assumed": list(found.assumed),
        "notes": list(release.notes),
    }


def _metric(found: MetricOdds) -> MetricRecord:
    metric, measure, place = found.metric, found.measure, found.metric.place
    return {
        "name": metric.name,
        "template": str(metric.template),
        "file": place.file,
        "line": place.line,
        "when": metric.moment,
        "step": metric.step,
        "provider": metric.provider,
        "measures": {
            "kind": measure.kind,
            "event": measure.event,
            "version": measure.arm,
            "window_s": measure.window_s,
            "limit": found.limit,
            "level": measure.level or None,
        },
        "interval_s": metric.interval_s,
        "count": metric.count,
        "failure_limit": metric.failure_limit,
        "ground": found.ground,
        "false_rollback": _span(found.false_stop),
        "paused": found.paused,
        "harms": [_harm(harm) for harm in found.harms],
        "traps": [{"code": TRAPS[trap], "trap": trap, "text": text} for trap, text in found.traps],
        "unknown": found.why or None,
        "assumed": list(found.assumed),
        "fired_in_history": found.fired,
        "better": _better(found),
    }


def _better(found: MetricOdds) -> BetterRecord | None:
    one = found.better
    if one is None:
        return None
    return {
        "rps": one.rps,
        "baseline": one.base,
        "today": {"false_rollback": one.today[0], "power": one.today[1]},
        "metric": {"yaml": pasted(found), "false_rollback": one.false_stop, "power": one.power}
        if one.metric
        else None,
        "guard": {"yaml": guard(found), "false_rollback": one.guard_false, "power": one.guard_power},
    }


def _harm(harm: Harm) -> HarmRecord:
    return {
        "times": harm.times,
        "power": _span(harm.power),
        "power_by_step": [_span(span) for span in harm.by_stage],
        "detect_mean_s": _span(harm.mean_s),
        "exposed_mean": _span(harm.exposed),
    }


def _span(span: Span | None) -> SpanRecord | None:
    return None if span is None else {"low": span.low, "high": span.high}
