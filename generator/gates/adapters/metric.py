"""One offline metric: from a JSON file (flat, or nested as DVC writes it) or an MLflow run, and against the champion.

A file names its model under `model`, its test rows under `rows`, and may hold the champion's metrics under `champion`.
Tables of predictions (see `templates/gates/scipy/paired.py`) let both models be compared on the same rows; two scores
alone can't be, and the reason says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generator.gates.canonical import digest_of
from generator.gates.environments import Tool
from generator.gates.inputs import source_of
from generator.gates.measures import measure
from generator.gates.outcome import Binding, NoVerdictError, Outcome
from generator.gates.task import Task
from generator.plan.gate_tools import RUN
from generator.spec.evidence import Measure, Source
from generator.spec.gates import is_share
from generator.stats.binomial import Interval
from generator.stats.fairness import newcombe
from generator.stats.offline import TAIL, mcnemar_exact, paired_difference, share_interval

DEFAULT = "metrics.json"


@dataclass(frozen=True, slots=True)
class Scores:
    """What a report says of one metric.

    Args:
        value: the metric; None when it is no number.
        rows: rows of the test set; None when nobody says.
        champion: the serving model's value; None when the report does not have it.
        models: the digests that the report names.
    """

    value: float | None
    rows: int | None = None
    champion: float | None = None
    models: list[str] = field(default_factory=list)


def tools(task: Task) -> tuple[Tool, ...]:
    """MLflow for runs, SciPy's environment for comparisons row by row."""
    found = []
    if str(task.config.get("source", "")).startswith(RUN):
        found.append(task.tool("mlflow"))
    if task.config.get("against") and task.inputs.tables(task.gate.name):
        found.append(task.tool("scipy", "paired"))
    return tuple(found)


def judge(task: Task) -> Outcome:
    """The metric against its bounds, and against the champion."""
    source = task.config.get("source", DEFAULT)
    if source.startswith(RUN):
        scores, outcome = _run(task, source)
    else:
        scores, outcome = _file(task, source)
    found = list(bounds(task.config, scores, guaranteed=task.guaranteed))
    sources = list(outcome.sources)
    if task.config.get("against"):
        paired, tables = _paired(task)
        found.append(not_worse(task.config, scores, paired))
        sources += tables
    return Outcome(
        outcome.tool, outcome.version, outcome.binding, tuple(sources), tuple(found), outcome.environment
    )


def bounds(config: dict[str, Any], scores: Scores, *, guaranteed: bool) -> Iterator[Measure]:
    """The metric against `atLeast` and `atMost`, with an interval where it is a share of a known number of rows."""
    rows = scores.rows or config.get("rows")
    interval = _share_interval(config["metric"], scores.value, rows, guaranteed=guaranteed)
    remark = (
        ""
        if interval
        else "no interval: its rows are unknown"
        if not rows
        else "no interval: it is no share of rows"
    )
    for bound in ("atLeast", "atMost"):
        if bound in config:
            yield measure(
                config["metric"],
                scores.value,
                bound,
                config[bound],
                interval=interval,
                samples={"rows": rows} if rows else {},
                remark=remark,
            )


def not_worse(config: dict[str, Any], scores: Scores, paired: dict[str, Any]) -> Measure:
    """The difference to the champion against the loss that is accepted."""
    if "only" in paired:
        return _discordant(config, paired)
    if paired:
        champion = float(paired["champion"])
        return measure(
            f"{config['metric']} minus champion",
            paired["difference"],
            "atLeast",
            -margin(config, champion),
            interval=Interval(paired["low"], paired["high"]),
            samples={"rows": paired["rows"], "draws": paired["draws"], "seed": paired["seed"]},
            details={"challenger": paired["value"], "champion": champion},
            doubt=_few(paired["rows"]),
            remark="paired bootstrap",
        )
    return _two_scores(config, scores)


def margin(config: dict[str, Any], champion: float) -> float:
    """The loss that is accepted, in units of the metric: `1pp` is 0.01, `1%` is a share of the champion's value."""
    text = config.get("noWorseBy", "0%")
    if text.endswith("pp"):
        return float(text[:-2]) / 100
    return float(text[:-1]) / 100 * abs(champion)


def lookup(data: Any, metric: str) -> Scores:
    """A metric in a JSON document: at the top, or the only one of this name anywhere below.

    Raises:
        NoVerdictError: it is not there, or stands in several places.
    """
    if not isinstance(data, dict):
        raise NoVerdictError("the metrics file holds no mapping")
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
        raise NoVerdictError(f"the metrics hold no `{metric}`")
    if len(found) > 1:
        raise NoVerdictError(f"the metrics hold `{metric}` {len(found)} times; which is meant?")
    value = found[0]
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _named(data: Any, name: str) -> Iterator[Any]:
    if isinstance(data, dict):
        for key, value in data.items():
            if key == name and not isinstance(value, dict):
                yield value
            else:
                yield from _named(value, name)


def _file(task: Task, name: str) -> tuple[Scores, Outcome]:
    path = task.inputs.file(name)
    try:
        scores = lookup(json.loads(path.read_bytes()), task.config["metric"])
    except (ValueError, RecursionError) as error:
        raise NoVerdictError(f"{name} is no JSON, or only a part of it: {error}") from error
    binding = task.inputs.bind(scores.models, path.stat().st_mtime)
    return scores, Outcome("metrics file", "json", binding, (source_of("report", name, path),), ())


def _run(task: Task, source: str) -> tuple[Scores, Outcome]:
    tool = task.tool("mlflow")
    report = task.run(tool, {"run": source.removeprefix(RUN)})
    if report["status"] != "FINISHED":
        raise NoVerdictError(f"the run is {str(report['status']).lower()}, not finished")
    metric, metrics = task.config["metric"], report["metrics"]
    if metric not in metrics:
        raise NoVerdictError(f"the run has no metric `{metric}`")
    rows = int(metrics["rows"]) if metrics.get("rows", 0) >= 1 else None
    scores = Scores(metrics[metric], rows, metrics.get(f"champion_{metric}"), report["models"])
    binding = task.inputs.bind(report["models"], report["ended"])
    found = Source(role="report", path=source, digest=digest_of(metrics))
    return scores, Outcome("mlflow", report["version"], binding, (found,), (), tool.digest)


def _paired(task: Task) -> tuple[dict[str, Any], list[Source]]:
    """What tables of predictions say; nothing without one that tells both models apart."""
    tables = task.inputs.tables(task.gate.name)
    if not tables:
        return {}, []
    config = {
        "files": [str(path) for path in tables],
        "metric": task.config["metric"],
        "share": is_share(task.config["metric"]),
        "tail": TAIL,
    }
    report = task.run(task.tool("scipy", "paired"), config)
    if not report["paired"]:
        return {}, []
    path = Path(report["file"])
    _bound(task, report["models"], path)
    return report["paired"], [source_of("predictions", path.name, path)]


def _bound(task: Task, models: list[str], path: Path) -> Binding:
    return task.inputs.bind(models, path.stat().st_mtime)


def _share_interval(
    metric: str, value: float | None, rows: int | None, *, guaranteed: bool
) -> Interval | None:
    if not rows or value is None or not 0.0 <= value <= 1.0 or not is_share(metric):
        return None
    return share_interval(value * rows, rows, guaranteed=guaranteed)


def _discordant(config: dict[str, Any], paired: dict[str, Any]) -> Measure:
    """Accuracy on the same rows: the interval of Newcombe for pairs, and McNemar's exact p value for the reader."""
    rows, only, lost = paired["rows"], paired["only"], paired["championOnly"]
    sign = -1.0 if config["metric"].lower().endswith("error_rate") else 1.0
    champion = paired["championRight"] / rows
    accepted = margin(config, champion if sign > 0 else 1.0 - champion)
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
        doubt=_few(rows),
        remark="paired by rows",
    )


def _two_scores(config: dict[str, Any], scores: Scores) -> Measure:
    """Two scores of unknown rows in common: an unpaired interval for shares, else the bare difference."""
    name, rows = f"{config['metric']} minus champion", scores.rows or config.get("rows")
    if scores.champion is None or scores.value is None:
        raise NoVerdictError(
            "nothing says what the champion reached: neither predictions row by row nor its score"
        )
    doubt = (
        "`paired: true` asks for predictions row by row, and there are none" if config.get("paired") else ""
    )
    interval = None
    if (
        rows
        and is_share(config["metric"])
        and 0 <= min(scores.value, scores.champion) <= max(scores.value, scores.champion) <= 1
    ):
        _, interval = newcombe(scores.value * rows, rows, scores.champion * rows, rows, tail=TAIL)
    return measure(
        name,
        scores.value - scores.champion,
        "atLeast",
        -margin(config, scores.champion),
        interval=interval,
        samples={"rows": rows} if rows else {},
        details={"challenger": scores.value, "champion": scores.champion},
        doubt=doubt,
        remark="not paired: two scores only",
    )


def _few(rows: int) -> str:
    return f"{rows} rows are too few for an interval" if rows < _FEWEST else ""


_FEWEST = 30
