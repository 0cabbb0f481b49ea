"""The words in which the odds of a tree are said, in every format."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.lint import Object, Release, TreeMetric
from generator.odds.trees.codes import TRAPS
from generator.odds.trees.values import MetricOdds, ReleaseOdds, Span
from generator.promql.selectors import selectors_of
from generator.promql.tokens import tokenize
from generator.source.document import Path
from generator.spec.quantities import count_up, plural, share_down, share_up, time_span

_SHORT = 8


def one_in(share: float) -> str:
    """Return a probability as people say it: `1 in 20`, `9 in 10`, `fewer than 1 in 10,000`."""
    if share <= 0:
        return "no"
    if share < 1e-4:
        return "fewer than 1 in 10,000"
    if share >= 0.995:
        return "every"
    if share > 0.5:
        return f"{max(6, min(9, round(10 * share)))} in 10"
    return f"1 in {max(2, round(1 / share)):,}"


def up(span: Span | None) -> str:
    """Return a probability of harm, rounded up: `4.2%`, or `0.1% to 37%`."""
    if span is None:
        return "?"
    return share_up(span.high) if span.is_one else f"{share_up(span.low)} to {share_up(span.high)}"


def down(span: Span | None) -> str:
    """Return a probability of a catch, rounded down."""
    if span is None:
        return "?"
    return share_down(span.low) if span.is_one else f"{share_down(span.low)} to {share_down(span.high)}"


def headline(found: ReleaseOdds) -> str:
    """Return the sentence about a release that matters most."""
    release = found.release
    if not release.metrics:
        if release.missing:
            names = " and ".join(release.missing)
            return f"what decides is unknown: {names} {'is' if len(release.missing) == 1 else 'are'} not in the tree"
        if release.waits:
            return "no metric decides: a bad version goes on as soon as a person approves"
        return "nothing decides: every version, good or bad, reaches everybody"
    if all(metric.dry_run for metric in release.metrics):
        return "nothing decides: every metric is a dry run, and every version, good or bad, reaches everybody"
    if found.false_stop is None:
        return f"none of its {plural(len(release.metrics), 'metric')} has odds: see why below"
    first = _stopped(found.false_stop)
    unpriced = sum(one.false_stop is None for one in found.metrics)
    rest = f"; {unpriced} of its {plural(len(found.metrics), 'metric')} {'has' if unpriced == 1 else 'have'} no odds"
    rest = rest if unpriced else ""
    caught = [
        f"{down(harm.power)} of the versions with twice the {_plural(event)}"
        for event, harms in found.caught
        for harm in harms
        if harm.times == 2
    ]
    if not caught:
        return first + rest
    return f"{first}, and {' and '.join(caught)} are stopped{rest}"


def _stopped(span: Span) -> str:
    if span.is_one:
        return f"{_sentence(one_in(span.high))} stopped ({share_up(span.high)})"
    low = "none" if span.low <= 1e-4 else one_in(span.low)
    high = "all" if span.high >= 0.995 else one_in(span.high)
    return f"between {low} and {high} of the good versions are stopped ({up(span)})"


def _sentence(share: str) -> str:
    if share in ("no", "every"):
        return f"{share} good version is"
    if share.startswith("1 in"):
        return f"{share} good versions is"
    return f"{share} good versions are"


def _plural(event: str) -> str:
    return {"error": "errors", "slow": "slow requests", "4xx": "4xx answers"}.get(
        event, event.removesuffix("_sum")
    )


def timeline(release: Release) -> str:
    """Return the stages in one line: `5% 10m, 20% 10m, 50% until approved`."""
    merged: list[list[float | str | bool]] = []
    for stage in release.stages:
        if merged and merged[-1][0] == stage.label and not merged[-1][2]:
            merged[-1][1] = float(merged[-1][1]) + stage.seconds
            merged[-1][2] = stage.waits
        else:
            merged.append([stage.label, stage.seconds, stage.waits])
    shown = [_stage(str(label), float(seconds), waits=bool(waits)) for label, seconds, waits in merged]
    more = f", … {len(shown) - _SHORT} more" if len(shown) > _SHORT + 1 else ""
    return ", ".join(shown[: _SHORT if more else None]) + more or "no stage"


def _stage(label: str, seconds: float, *, waits: bool) -> str:
    parts = [label]
    if seconds:
        parts.append(time_span(round(seconds)))
    if waits:
        parts.append("until approved")
    return " ".join(parts)


def measures(found: MetricOdds) -> str:
    """Return what a metric measures: `errors / requests of the new version over 1m, fails above 5%`."""
    measure = found.measure
    if measure.kind == "unknown":
        return f"unknown: {found.why or measure.reason}"
    if measure.kind == "verdict":
        return measure.event
    if found.metric.provider != "prometheus":
        limit = f", fails beyond {_limit(found)}" if found.limit is not None else ""
        return f"a value of {found.metric.provider}{limit}"
    arm = {"canary": "of the new version", "stable": "of the stable version", "both": "of both versions"}[
        measure.arm
    ]
    over = f" over {time_span(measure.window_s)}" if measure.window_s else ""
    event = _plural(measure.event)
    what = {
        "share": f"{event} / requests",
        "quantile": f"quantile {measure.level:g} of latencies",
        "mean": f"mean of {event}",
        "rate": f"{event} per second",
        "count": f"number of {event}",
        "gauge": f"{measure.event}, a value of the moment",
        "comparison": f"{event}, new version {'over' if measure.sign == '/' else 'less'} stable",
    }[measure.kind]
    limit = f", fails beyond {_limit(found)}" if found.limit is not None else ""
    return f"{what} {arm}{over}{limit}" if measure.kind != "comparison" else f"{what}{over}{limit}"


def _limit(found: MetricOdds) -> str:
    measure, limit = found.measure, found.limit or 0.0
    if measure.kind == "share":
        return f"{100 * limit:.4g}%"
    if measure.kind == "quantile":
        return f"{100 * limit:.4g}% slow requests"
    return f"{measure.value(limit):.4g}"


def remarks(found: MetricOdds) -> Iterator[str]:
    """Yield what else there is to say about a metric, in sentences."""
    for trap, text in found.traps:
        yield f"{trap} ({TRAPS[trap]}): {text}"
    if found.why and found.measure.kind != "unknown":
        yield f"no odds: {found.why}"
    if found.paused >= 0.001:
        yield f"{share_up(found.paused)} of the good versions wait for a person, because a verdict is inconclusive"
    if found.fired is not None:
        yield f"history: it would have stopped {share_up(found.fired)} of the releases of the stable version itself"
    harm = next((one for one in found.harms if one.times == 2), None)
    if harm is not None and harm.power.high > 0.0005 and len(harm.by_stage) > 1:
        yield f"twice the {_plural(found.measure.event)}: {by_stage(found, harm.by_stage)}"
    if harm is not None and harm.mean_s is not None and harm.exposed is not None:
        yield f"until then: {_time(harm.mean_s)}, {exposed(harm.exposed)}"


def by_stage(found: MetricOdds, powers: tuple[Span, ...]) -> str:
    """Return how many are caught by the end of each stage, in a phrase; stages that change nothing are left out."""
    del found
    shown: list[str] = []
    last = None
    for number, span in enumerate(powers, 1):
        text = down(span)
        if text != last:
            shown.append(f"{text} by stage {number}")
        last = text
    kept = shown if len(shown) <= _SHORT else [*shown[: _SHORT - 1], shown[-1]]
    return "caught " + ", ".join(kept)


def _time(span: Span) -> str:
    low, high = time_span(round(span.low)), time_span(round(span.high))
    return low if low == high else f"{low} to {high}"


def exposed(span: Span) -> str:
    """Return a number of requests: `1,200 requests to the new version`."""
    low, high = count_up(span.low), count_up(span.high)
    return f"{low if low == high else f'{low} to {high}'} requests to the new version"


def proposal(found: MetricOdds) -> Iterator[str]:
    """Yield what would be better, with its odds next to today's, in sentences."""
    one = found.better
    if one is None:
        return
    event = _plural(found.measure.event)
    today, power = share_up(one.today[0]), share_down(one.today[1])
    yield (
        f"- better for {found.metric.name} ({found.metric.step}), at {one.rps:g} requests per second and "
        f"{100 * one.base:.3g}% {event}: today {today} of the good versions are stopped, and {power} of those with "
        f"twice the {event}"
    )
    tested = f"{share_up(one.guard_false)} and {share_down(one.guard_power)}"
    yield f"  - a guard of Sluice, `{guard(found)}`: {tested}"
    if one.metric is not None:
        yield f"  - these limits on the same query: {share_up(one.false_stop)} and {share_down(one.power)}"


def guard(found: MetricOdds) -> str:
    """Return the guard of a spec that watches the same as a metric."""
    one = found.better
    base = f"{100 * one.base:.3g}%" if one else "1%"
    name = "slow-rate, slowerThan: " + _latency(found) if found.measure.event == "slow" else "error-rate"
    return f"{{metric: {name}, baseline: {base}, detect: {{rise: 100%}}}}"


def _latency(found: MetricOdds) -> str:
    bounds = _buckets(found.metric.query) if found.measure.kind == "share" else ()
    numbers = bounds or re.findall(r"\d+(?:\.\d+)?", found.metric.success or found.metric.failure)
    value = float(numbers[-1]) if numbers else 1.0
    if "_seconds" in found.metric.query:
        value = 1000 * (value if bounds else value / found.measure.scale)
        return f"{value:g}ms" if value < 10_000 else f"{value / 1000:g}s"
    return f"{value:g}ms" if value >= 10 else f"{1000 * value:g}ms"


def _buckets(query: str) -> list[str]:
    """Return the bounds of the buckets that a query names."""
    matchers = [one for selector in selectors_of(tokenize(query)) for one in selector.matchers]
    return [
        value for label, sign, value in matchers if (label, sign) == ("le", "=") and re.match(r"\d", value)
    ]


def pasted(found: MetricOdds) -> str:
    """Return the proposed metric as YAML that can be pasted into its AnalysisTemplate; empty without one."""
    metric = found.better.metric if found.better else None
    if metric is None:
        return ""
    shown = {**_limits(metric), "successCondition": f'"{metric.success}"'}
    lines = [f"- name: {metric.name}", *(f"  {key}: {value}" for key, value in shown.items())]
    return "\n".join([*lines, "  provider: …  # as it is"]) + "\n"


def _limits(metric: TreeMetric) -> dict[str, str | int]:
    """Return the fields of a metric that decide when it fails."""
    found: dict[str, str | int] = {
        "successCondition": metric.success,
        "interval": _seconds(metric.interval_s),
    }
    if metric.count:
        found["count"] = metric.count
    if metric.delay_s:
        found["initialDelay"] = _seconds(metric.delay_s)
    return {**found, "failureLimit": metric.failure_limit}


def templates(found: ReleaseOdds) -> Iterator[tuple[Object, str]]:
    """Yield each AnalysisTemplate that has a proposal, and the whole object with the proposed limits as YAML."""
    changed: dict[Object, dict[Path, TreeMetric]] = {}
    for one in found.metrics:
        if one.better is not None and one.better.metric is not None:
            changed.setdefault(one.metric.template, {}).setdefault(one.metric.path, one.better.metric)
    for item, metrics in changed.items():
        yield item, _written(item, metrics)


def _written(item: Object, metrics: Mapping[Path, TreeMetric]) -> str:
    import copy

    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes text of several lines, such as queries, as a block."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    body = {key: copy.deepcopy(value) for key, value in item.body.items() if key != "status"}
    for path, metric in metrics.items():
        written: Any = body
        for key in path:
            written = written[key]
        written.pop("failureCondition", None)
        written.update(_limits(metric))
    return yaml.dump(body, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1000)


def _seconds(value: float) -> str:
    return f"{math.ceil(value)}s"
