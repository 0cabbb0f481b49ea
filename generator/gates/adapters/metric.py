"""One offline metric from a JSON file (flat, or nested as DVC writes it) or an MLflow run, compared with the champion.

A file names its model under `model`, its test rows under `rows`, and may hold the champion's metrics under `champion`.
Tables of predictions (see `templates/gates/scipy/paired.py`) let both models be compared on the same rows; two scores
alone can't be, which the reason states.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from generator.gates.adapters import Outcome, Task
from generator.gates.document import digest_of
from generator.gates.errors import NoVerdictError
from generator.gates.inputs import source_of
from generator.gates.measures import measure
from generator.spec.evidence import Bound, Measure, Source
from generator.spec.gates import MetricGate, is_share
from generator.stats.binomial import Interval
from generator.stats.fairness import newcombe
from generator.stats.offline import TAIL, mcnemar_exact, paired_difference, share_interval

_FEWEST: Final = 30


@dataclass(frozen=True, slots=True)
class Scores:
    """One metric in a report.

    Args:
        value: the metric; None when it is not a number.
        rows: rows of the test set; None when that is not known.
        champion: the serving model's value; None when the report does not have it.
        models: the digests that the report names.
    """

    value: float | None
    rows: int | None = None
    champion: float | None = None
    models: list[str] = field(default_factory=list)


def run(task: Task) -> Outcome:
    """Compare the metric with its bounds, and with the champion."""
    gate = task.spec(MetricGate)
    scores, outcome = _from_run(task, gate) if gate.run_id else _from_file(task, gate)
    found = list(bounds(gate, scores, guaranteed=task.guaranteed))
    sources = list(outcome.sources)
    if gate.against:
        paired, tables = _paired(task, gate)
        found.append(not_worse(gate, scores, paired))
        sources += tables
    return Outcome(
        outcome.tool, outcome.version, outcome.binding, tuple(sources), tuple(found), outcome.environment
    )


def bounds(gate: MetricGate, scores: Scores, *, guaranteed: bool) -> Iterator[Measure]:
    """Yield the metric against `atLeast` and `atMost`, with an interval for a proportion of known rows."""
    rows = scores.rows or gate.rows
    interval = _share_interval(gate.metric, scores.value, rows, guaranteed=guaranteed)
    remark = ""
    if interval is None:
        remark = (
            "no interval: the metric is not a proportion of rows"
            if rows
            else "no interval: the number of rows is unknown"
        )
    limits: tuple[tuple[Bound, float | None], ...] = (("atLeast", gate.at_least), ("atMost", gate.at_most))
    for bound, limit in limits:
        if limit is not None:
            samples = {"rows": rows} if rows else {}
            yield measure(
                gate.metric, scores.value, bound, limit, interval=interval, samples=samples, remark=remark
            )


def not_worse(gate: MetricGate, scores: Scores, paired: dict[str, Any]) -> Measure:
    """Return the difference from the champion, against the accepted loss.

    Args:
        gate: the gate.
        scores: the scores of both models; None for one that the report lacks.
        paired: report on both models row by row; empty without one.
    """
    if "only" in paired:
        return _by_rows(gate, paired)
    if paired:
        champion = float(paired["champion"])
        return measure(
            f"{gate.metric} minus champion",
            paired["difference"],
            "atLeast",
            -margin(gate, champion),
            interval=Interval(paired["low"], paired["high"]),
            samples={"rows": paired["rows"], "draws": paired["draws"], "seed": paired["seed"]},
            details={"challenger": paired["value"], "champion": champion},
            doubt=_too_few(paired["rows"]),
            remark="paired bootstrap",
        )
    return _by_scores(gate, scores)


def margin(gate: MetricGate, champion: float) -> float:
    """Return the accepted loss in units of the metric: `1pp` is 0.01, `1%` is a share of the champion's value."""
    loss = gate.no_worse_by
    if loss is None:
        return 0.0
    return loss.value if loss.kind == "points" else loss.value * abs(champion)


def lookup(data: Any, metric: str) -> Scores:
    """Return a metric of a JSON document: at the top, or the only one of this name anywhere below.

    Raises:
        NoVerdictError: it is not there, or in several places.
    """
    if not isinstance(data, dict):
        raise NoVerdictError("the metrics file is not a mapping")
    champion = data.get("champion")
    own = {key: value for key, value in data.items() if key != "champion"}
    rows = list(_named(own, "rows"))
    model = own.get("model")
    return Scores(
        value=_only(own, metric),
        rows=rows[0] if len(rows) == 1 and isinstance(rows[0], int) and rows[0] > 0 else None,
        champion=_only(champion, metric) if isinstance(champion, dict) else None,
        models=[model] if isinstance(model, str) else [],
    )


def _only(data: dict[str, Any], metric: str) -> float | None:
    found = [data[metric]] if metric in data else list(_named(data, metric))
    if not found:
        raise NoVerdictError(f"the metrics file has no `{metric}`")
    if len(found) > 1:
        raise NoVerdictError(f"the metrics file has `{metric}` in {len(found)} places: which one counts?")
    value = found[0]
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _named(data: Any, name: str) -> Iterator[Any]:
    if isinstance(data, dict):
        for key, value in data.items():
            if key == name and not isinstance(value, dict):
                yield value
            else:
                yield from _named(value, name)


def _from_file(task: Task, gate: MetricGate) -> tuple[Scores, Outcome]:
    name = gate.metrics_file
    path = task.inputs.file(name)
    try:
        scores = lookup(json.loads(path.read_bytes()), gate.metric)
    except (ValueError, RecursionError) as error:
        raise NoVerdictError(f"{name} is not valid JSON (truncated?): {error}") from error
    binding = task.inputs.bind(scores.models, path.stat().st_mtime)
    return scores, Outcome("metrics file", "json", binding, (source_of("report", name, path),), ())


def _from_run(task: Task, gate: MetricGate) -> tuple[Scores, Outcome]:
    report = task.report(gate.needs.programs[0], {"run": gate.run_id})
    content = report.content
    if content["status"] != "FINISHED":
        raise NoVerdictError(f"the run is {str(content['status']).lower()}, not finished")
    metrics = content["metrics"]
    if gate.metric not in metrics:
        raise NoVerdictError(f"the run has no metric `{gate.metric}`")
    rows = int(metrics["rows"]) if metrics.get("rows", 0) >= 1 else None
    champion = metrics.get(f"champion_{gate.metric}")
    scores = Scores(metrics[gate.metric], rows, champion, content["models"])
    binding = task.inputs.bind(content["models"], content["ended"])
    found = Source(role="report", path=str(gate.source), digest=digest_of(metrics))
    return scores, Outcome("mlflow", content["version"], binding, (found,), (), report.environment)


def _paired(task: Task, gate: MetricGate) -> tuple[dict[str, Any], list[Source]]:
    """Return the report on the tables of predictions; empty without one that has both models row by row."""
    tables = task.inputs.tables(gate.name)
    if not tables:
        return {}, []
    config = {
        "files": [str(path) for path in tables],
        "metric": gate.metric,
        "share": is_share(gate.metric),
        "tail": TAIL,
    }
    report = task.report(gate.needs.comparisons[0], config).content
    if not report["paired"]:
        return {}, []
    path = Path(report["file"])
    task.inputs.bind(report["models"], path.stat().st_mtime)
    return report["paired"], [source_of("predictions", path.name, path)]


def _share_interval(
    metric: str, value: float | None, rows: int | None, *, guaranteed: bool
) -> Interval | None:
    if not rows or value is None or not 0.0 <= value <= 1.0 or not is_share(metric):
        return None
    return share_interval(value * rows, rows, guaranteed=guaranteed)


def _by_rows(gate: MetricGate, paired: dict[str, Any]) -> Measure:
    """Compare right answers on the same rows: Newcombe's interval for pairs, with McNemar's exact p-value."""
    rows, only, lost = paired["rows"], paired["only"], paired["championOnly"]
    champion = paired["championRight"] / rows
    counts_errors = gate.metric.lower().endswith("error_rate")
    accepted = margin(gate, 1.0 - champion if counts_errors else champion)
    difference, interval = paired_difference(lost, only, rows)
    return measure(
        "share of right answers minus champion",
        difference,
        "atLeast",
        -accepted,
        interval=interval,
        samples={"rows": rows, "only challenger right": only, "only champion right": lost},
        details={
            "challenger": paired["right"] / rows,
            "champion": champion,
            "McNemar p": mcnemar_exact(lost, only),
        },
        doubt=_too_few(rows),
        remark="paired by rows",
    )


def _by_scores(gate: MetricGate, scores: Scores) -> Measure:
    """Compare two scores, perhaps of different rows: an unpaired interval for proportions, else the difference."""
    rows, ours, theirs = scores.rows or gate.rows, scores.value, scores.champion
    if theirs is None or ours is None:
        raise NoVerdictError("both the champion's score and row-by-row predictions are missing")
    interval = None
    if rows and is_share(gate.metric) and 0 <= min(ours, theirs) <= max(ours, theirs) <= 1:
        _, interval = newcombe(ours * rows, rows, theirs * rows, rows, tail=TAIL)
    return measure(
        f"{gate.metric} minus champion",
        ours - theirs,
        "atLeast",
        -margin(gate, theirs),
        interval=interval,
        samples={"rows": rows} if rows else {},
        details={"challenger": ours, "champion": theirs},
        doubt="`paired: true` needs row-by-row predictions, and there are none" if gate.paired else "",
        remark="not paired: two scores only",
    )


def _too_few(rows: int) -> str:
    return f"{rows} rows are too few for an interval" if rows < _FEWEST else ""
