"""One offline metric from a JSON file (flat, or nested as DVC writes it) or an MLflow run, compared with the champion.

A file names its model under `model`, its test rows under `rows`, and may hold the champion's metrics under `champion`.
Tables of predictions (see `templates/gates/scipy/paired.py`) let both models be compared on the same rows; two scores
alone can't be, which the reason states.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from generator.gates.adapters import (
    Claim,
    Expected,
    ExpectedSource,
    Outcome,
    Task,
    count,
    detail,
    sample,
)
from generator.gates.document import digest_of
from generator.gates.errors import NoVerdictError
from generator.gates.inputs import read_report, source_of, text_source
from generator.gates.measures import measure
from generator.gates.metrics_file import Scores, lookup, refuse_lookalikes, whole_rows
from generator.gates.strict_json import parse_json
from generator.spec.evidence import Binding, Bound, Measure, Source
from generator.spec.gates import MetricGate, is_share, metric_range
from generator.stats.binomial import Interval
from generator.stats.fairness import newcombe
from generator.stats.offline import TAIL, mcnemar_exact, paired_difference, share_interval

_FEWEST: Final = 30
_PERCENT: Final = 100
_TOLERANCE: Final = 1e-9
_RIGHT: Final = "share of right answers minus champion"
_DRAWS: Final = {"draws": 2000, "seed": 20261123}
"""The constants of `templates/gates/scipy/paired.py`."""


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


def expected(claim: Claim) -> Expected:
    """Return what an entry that passed must contain: bounds of the gate, intervals that follow from counts."""
    gate = claim.spec(MetricGate)
    scores = Scores(None)
    measures: list[Measure] = []
    if gate.at_least is not None or gate.at_most is not None:
        stated = next((one for one in claim.entry.measures if one.name == gate.metric), None)
        if stated is None:
            raise NoVerdictError(f"it has no measure `{gate.metric}`")
        scores = Scores(stated.value, stated.samples.get("rows"))
        measures += bounds(gate, scores, guaranteed=claim.guaranteed)
    path = str(gate.source) if gate.run_id else gate.metrics_file
    sources = [ExpectedSource("report", path, None)]
    if gate.against:
        compared, tables = _claimed(claim, gate, scores)
        measures.append(compared)
        sources += [ExpectedSource("predictions", None, None)] * tables
    bindings: set[Binding] = {"digest", "time"}
    if gate.run_id:
        return Expected.by(gate.needs.programs[0], bindings, tuple(sources), tuple(measures))

    def reread(raw: bytes) -> tuple[list[str], tuple[Measure, ...]]:
        found = _lookup(raw, gate)
        return found.models, tuple(bounds(gate, found, guaranteed=claim.guaranteed))

    return Expected(
        "metrics file", "json", frozenset(bindings), tuple(sources), tuple(measures), reread=reread
    )


def _claimed(claim: Claim, gate: MetricGate, scores: Scores) -> tuple[Measure, int]:
    """Return the comparison with the champion, computed again, and the number of tables that it read."""
    if any(one.name == _RIGHT for one in claim.entry.measures):
        return _by_rows(gate, _claimed_rows(claim.measure(_RIGHT))), 1
    stated = claim.measure(f"{gate.metric} minus champion")
    challenger, champion = detail(stated, "challenger"), detail(stated, "champion")
    difference = stated.value if stated.value is not None else 0.0
    scale = max(1.0, abs(challenger), abs(champion))
    if abs(challenger - champion - difference) > _TOLERANCE * scale:
        raise NoVerdictError(f"the value of `{stated.name}` is not the difference of its scores")
    if "draws" not in stated.samples:
        if scores.value is not None and abs(scores.value - challenger) > _TOLERANCE * scale:
            raise NoVerdictError(f"it has two values of `{gate.metric}`")
        rows = scores.rows or stated.samples.get("rows")
        return _by_scores(gate, Scores(champion + difference, rows, champion)), 0
    if {key: stated.samples.get(key) for key in _DRAWS} != _DRAWS:
        raise NoVerdictError("its bootstrap has other draws, or another seed, than Sluice's")
    if stated.interval is None:
        raise NoVerdictError(f"`{stated.name}` has no interval")
    paired = {
        **_DRAWS,
        "rows": sample(stated, "rows"),
        "value": challenger,
        "champion": champion,
        "difference": difference,
        "low": stated.interval.low,
        "high": stated.interval.high,
    }
    return not_worse(gate, scores, paired), 1


def _claimed_rows(stated: Measure) -> dict[str, Any]:
    """Return the counts of both models on the same rows.

    Raises:
        NoVerdictError: a count is missing, or the counts contradict each other.
    """
    rows = sample(stated, "rows")
    only, lost = sample(stated, "only challenger right"), sample(stated, "only champion right")
    right = count(round(detail(stated, "challenger") * rows), "challenger")
    champion = count(round(detail(stated, "champion") * rows), "champion")
    both = right - only
    if rows < 1 or both < 0 or both != champion - lost or both + only + lost > rows:
        raise NoVerdictError(f"the counts of `{stated.name}` contradict each other")
    return {"rows": rows, "right": right, "championRight": champion, "only": only, "championOnly": lost}


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
    doubt = impossible(gate.metric, scores.value) or _other_rows(gate, rows)
    limits: tuple[tuple[Bound, float | None], ...] = (("atLeast", gate.at_least), ("atMost", gate.at_most))
    for bound, limit in limits:
        if limit is not None:
            yield measure(
                gate.metric,
                scores.value,
                bound,
                limit,
                interval=interval,
                samples={"rows": rows} if rows else {},
                remark="" if doubt else remark,
                doubt=doubt,
            )


def impossible(metric: str, value: float | None) -> str:
    """Return why a value can't be one of this metric; empty when it can, or when the metric's range is unknown."""
    low, high = metric_range(metric)
    if value is None or low <= value <= high:
        return ""
    if (low, high) == (0, 1):
        percent = " (is it in percent?)" if 1 < value <= _PERCENT else ""
        return f"`{metric}` is between 0 and 1 by its definition{percent}"
    return f"`{metric}` is at {'least' if value < low else 'most'} {low if value < low else high:g} by its definition"


def _other_rows(gate: MetricGate, rows: int | None) -> str:
    """Return why the rows of a test set are not those of the spec; empty when they are, or when one is unknown."""
    if rows is None or gate.rows is None or rows == gate.rows:
        return ""
    return f"the report is about {rows:,} rows, and the spec has `rows: {gate.rows}`"


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
        champion, rows = float(paired["champion"]), paired["rows"]
        doubt = impossible(gate.metric, paired["value"]) or impossible(gate.metric, champion)
        return measure(
            f"{gate.metric} minus champion",
            paired["difference"],
            "atLeast",
            -margin(gate, champion),
            interval=Interval(paired["low"], paired["high"]),
            samples={"rows": rows, "draws": paired["draws"], "seed": paired["seed"]},
            details={"challenger": paired["value"], "champion": champion},
            doubt=doubt
            or _none_right(gate.metric, paired["value"], champion)
            or _other_rows(gate, rows)
            or _too_few(rows),
            remark="paired bootstrap",
        )
    return _by_scores(gate, scores)


def margin(gate: MetricGate, champion: float) -> float:
    """Return the accepted loss in units of the metric: `1pp` is 0.01, `1%` is a share of the champion's value."""
    loss = gate.no_worse_by
    if loss is None:
        return 0.0
    return loss.value if loss.kind == "points" else loss.value * abs(champion)


def _from_file(task: Task, gate: MetricGate) -> tuple[Scores, Outcome]:
    name = gate.metrics_file
    path, raw = read_report(task.inputs, name)
    scores = _lookup(raw, gate)
    binding = task.inputs.bind(scores.models, path.stat().st_mtime)
    return scores, Outcome("metrics file", "json", binding, (text_source("report", name, raw),), ())


def _lookup(raw: bytes, gate: MetricGate) -> Scores:
    try:
        return lookup(parse_json(raw), gate.metric)
    except ValueError as error:
        message = f"{gate.metrics_file} is not valid JSON (truncated?): {error}"
        raise NoVerdictError(message) from error


def _from_run(task: Task, gate: MetricGate) -> tuple[Scores, Outcome]:
    report = task.report(gate.needs.programs[0], {"run": gate.run_id})
    content = report.content
    if content["status"] != "FINISHED":
        raise NoVerdictError(f"the run is {str(content['status']).lower()}, not finished")
    metrics = content["metrics"]
    refuse_lookalikes(metrics, (gate.metric, "rows", f"champion_{gate.metric}"))
    if gate.metric not in metrics:
        raise NoVerdictError(f"the run has no metric `{gate.metric}`")
    rows = whole_rows(metrics["rows"]) if "rows" in metrics else None
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
        _RIGHT,
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
        doubt=_none_right("accuracy", paired["right"], paired["championRight"])
        or _other_rows(gate, rows)
        or _too_few(rows),
        remark="paired by rows",
    )


def _by_scores(gate: MetricGate, scores: Scores) -> Measure:
    """Compare two scores, perhaps of different rows: an unpaired interval for proportions, else the difference."""
    rows, ours, theirs = scores.rows or gate.rows, scores.value, scores.champion
    if theirs is None or ours is None:
        raise NoVerdictError("both the champion's score and row-by-row predictions are missing")
    doubt = (
        impossible(gate.metric, ours)
        or impossible(gate.metric, theirs)
        or _none_right(gate.metric, ours, theirs)
        or _other_rows(gate, rows)
    )
    if gate.paired:
        doubt = "`paired: true` needs row-by-row predictions, and there are none"
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
        doubt=doubt,
        remark="not paired: two scores only",
    )


def _none_right(metric: str, ours: float, theirs: float) -> str:
    """Return why two scores of 0 can't be compared: what counts for neither model, such as labels in another form."""
    if ours or theirs or metric_range(metric) != (0, 1):
        return ""
    return "no answer of either model counts as right: nothing to compare (do labels and predictions have one form?)"


def _too_few(rows: int) -> str:
    return f"{rows} rows are too few for an interval" if rows < _FEWEST else ""
