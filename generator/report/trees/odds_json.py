"""The odds of a tree as JSON: `sluice/odds/v1`."""

from __future__ import annotations

import json
from typing import Any

from generator.odds.trees.values import Harm, MetricOdds, ReleaseOdds, Span, TreeOdds
from generator.report.tables import Screen
from generator.report.trees.words import guard, headline, pasted

SCHEMA = "sluice/odds/v1"


def render(found: TreeOdds, screen: Screen) -> str:  # noqa: ARG001 - as every format
    """Write the odds of a tree. Probabilities are fractions, times seconds; a span has `low` and `high`."""
    document = {
        "schema": SCHEMA,
        "releases": [_release(one) for one in found.releases],
        "unused": [_metric(one) for one in found.unused],
        "files": found.files,
        "unread": list(found.unread),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _release(found: ReleaseOdds) -> dict[str, Any]:
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
        "stages": [
            {"weight": stage.weight, "seconds": stage.seconds, "label": stage.label, "waits": stage.waits}
            for stage in release.stages
        ],
        "false_rollback": _span(found.false_stop),
        "exposed_if_missed": _span(found.exposed),
        "caught": {event: [_harm(harm) for harm in harms] for event, harms in found.caught},
        "metrics": [_metric(one) for one in found.metrics],
        "assumed": list(found.assumed),
        "notes": list(release.notes),
    }


def _metric(found: MetricOdds) -> dict[str, Any]:
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
        "traps": [{"trap": trap, "text": text} for trap, text in found.traps],
        "unknown": found.why or None,
        "assumed": list(found.assumed),
        "fired_in_history": found.fired,
        "better": _better(found),
    }


def _better(found: MetricOdds) -> dict[str, Any] | None:
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


def _harm(harm: Harm) -> dict[str, Any]:
    return {
        "times": harm.times,
        "power": _span(harm.power),
        "power_by_step": [_span(span) for span in harm.by_stage],
        "detect_mean_s": _span(harm.mean_s),
        "exposed_mean": _span(harm.exposed),
    }


def _span(span: Span | None) -> dict[str, float] | None:
    return None if span is None else {"low": span.low, "high": span.high}
