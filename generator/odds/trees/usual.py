"""What is usual with the stable version: what the user says, and ranges where nothing is said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from generator.dataclass import dataclass
from generator.lint import Release, TreeMetric
from generator.odds.trees.moments import DECLARED, mean_and_spread
from generator.odds.trees.values import Known, MetricOdds, Span
from generator.odds.trees.verdicts import LISTS, NUMBERS, UnreadConditionError, Verdicts, verdicts_of
from generator.odds.trees.watch import BAD, limit_of, phases_of
from generator.promql.measures import Measure
from generator.stats.timeline import Rollout

RPS: Final = (1.0, 1000.0)
"""Requests per second where the user says nothing."""
WAITS_S: Final = (0.0, 3600.0)
"""Seconds until an approval."""
_ERRORS: Final = (0.001, 0.02)
_OTHERS: Final = {
    "job": "the verdict of a Job",
    "web": "the answer of a web service",
    "plugin": "the verdict of a plugin",
    "kayenta": "the judgement of Kayenta",
}
_REASONS: Final = {
    "job": "a Job decides, by a program that is not in the tree",
    "web": "the answer of a web service decides",
    "plugin": "a plugin of the controller decides",
    "kayenta": "Kayenta decides, by a configuration that is not in the tree",
}


@dataclass(frozen=True, slots=True)
class Usual:
    """The stable version, as far as a metric measures it.

    Args:
        value: share of events, mean, or value; of a verdict, the share of the measurements that fail.
        spread: standard deviation of a value.
        alike: all measurements of a release have one value or verdict; otherwise they are independent.
    """

    value: float
    spread: float = 0.0
    alike: bool = False


def declared_measure(metric: TreeMetric, known: Known) -> Measure | None:
    """Return what a metric of another provider measures, as the user declares it; None where nothing is declared."""
    name = metric.name
    if not metric.provider or not (name in known.ranges or name in known.baselines):
        return None
    if metric.provider in LISTS | NUMBERS and len(_phases(metric)) > 1:
        return Measure("gauge", name)
    if 0 < known.baselines.get(name, 0.0) < 1:
        return Measure(
            "verdict", _OTHERS.get(metric.provider, f"the verdict on a query of {metric.provider}")
        )
    return None


def _phases(metric: TreeMetric) -> set[str]:
    try:
        return set(verdicts_of(metric, None).phases)
    except UnreadConditionError:
        return set()


def unread_provider(metric: TreeMetric) -> str:
    """Return why a metric of another provider than Prometheus has no odds, with what would give it some."""
    if not metric.provider:
        return "it has no provider, or several"
    if metric.provider == "prometheus":
        return "its query is empty"
    reason = _REASONS.get(metric.provider, f"queries of {metric.provider} are not read")
    failing = f"`--baseline {_key(metric.name)}=1%` for how often a measurement fails a good version"
    if metric.provider in LISTS | NUMBERS and len(_phases(metric)) > 1:
        return f"{reason}; {_ranged(_key(metric.name))} gives odds"
    return f"{reason}; {failing} gives odds"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[\w.-]+", name) else "NAME"


def _ranged(key: str) -> str:
    return f"`--baseline {key}=LOW..HIGH` with the range of 95% of its values"


def undeclared(metric: TreeMetric, measure: Measure, known: Known) -> str:
    """Return why a value of the moment has no odds, empty where the user declares it."""
    names = {metric.name, measure.event}
    if measure.reason or names & {*known.ranges, *known.baselines}:
        return measure.reason
    key = next((name for name in (measure.event, metric.name) if _key(name) != "NAME"), "NAME")
    return f"the values of {measure.event} are not in the tree; {_ranged(key)}, or `--prometheus`, gives odds"


def harm_is_known(metric: TreeMetric, measure: Measure) -> bool:
    """Return whether it is known what more events of the new version do to the value of a metric."""
    if measure.kind == "gauge":
        return measure.arm == "canary" or metric.provider != "prometheus"
    return measure.kind != "verdict" and measure.event != "requests"


def rates_of(known: Known) -> Sequence[float]:
    """Return the requests per second to compute with."""
    return RPS if known.rps is None else (known.rps,)


def rollout_of(release: Release, rps: float, wait_s: float) -> Rollout:
    """Return a release with some traffic, and some time until each approval."""
    stages = ((stage.seen, stage.seconds + wait_s * stage.waits) for stage in release.stages)
    return Rollout(phases_of(tuple(stages)), rps)


def varied(
    release: Release, metric: TreeMetric, found: MetricOdds, verdicts: Verdicts, known: Known
) -> tuple[Sequence[float], Sequence[Usual], Sequence[float], tuple[str, ...]]:
    """Return the rates, what is usual and the waits to compute with, and what is assumed about them."""
    measure = found.measure
    assumed: list[str] = []
    rates = rates_of(known)
    if known.rps is None and measure.kind not in DECLARED:
        assumed.append(f"{RPS[0]:g} to {RPS[-1]:,.0f} requests per second (--rps)")
    base = next(
        (known.baselines[key] for key in (metric.name, measure.event) if key in known.baselines), None
    )
    if measure.kind in DECLARED:
        usuals, said = _declared(metric, measure, known, base)
        assumed += said
    elif measure.event == "requests":
        usuals = (Usual(1.0),)
    elif base is not None:
        usuals = (Usual(base),)
    else:
        usuals = tuple(map(Usual, _bases(measure, verdicts, found.limit)))
        key = measure.event if _key(measure.event) != "NAME" else metric.name
        shown = " and ".join(_shown(measure, usual.value) for usual in usuals)
        assumed.append(f"{measure.event} between {shown} (--baseline {key}=…)")
    if measure.several:
        assumed.append("one series in the result: of several, any may fail")
    waits: Sequence[float] = (0.0,)
    if release.waits and metric.moment == "background":
        waits = WAITS_S
        assumed.append("an hour or nothing until an approval")
    if not release.assumed or measure.arm != "canary":
        return rates, usuals, waits, tuple(assumed)
    early = [text for trap, text in found.traps if trap == "looks before there is data"]
    if early:
        assumed.append(
            f"{release.scrape_s:g} s between two samples: no monitor of the tree shows another interval"
        )
    return rates, usuals, waits, tuple(assumed)


def _declared(
    metric: TreeMetric, measure: Measure, known: Known, base: float | None
) -> tuple[Sequence[Usual], list[str]]:
    """Return what is declared about values, and what is assumed about their spread and dependence."""
    several = metric.count is None or metric.count > 1
    alike = (False, True) if several else (False,)
    name = metric.name
    assumed = [f"measurements of {name} between independent and all alike"] if several else []
    if measure.kind == "verdict":
        return tuple(Usual(base or 0.0, alike=one) for one in alike), assumed
    if metric.provider != "prometheus":
        assumed.append(f"{name} measures the new version only")
    elif measure.arm == "both":
        assumed.append(f"what a worse version adds to {measure.event} of both versions is not known")
    span = next((known.ranges[key] for key in (name, measure.event) if key in known.ranges), None)
    if span is not None:
        mean, spread = mean_and_spread(span)
        return tuple(Usual(mean, spread, one) for one in alike), assumed
    value = base or 0.0
    wide = Span(value - abs(value) / 2, value + abs(value) / 2)
    assumed.append(
        f"{name} between always {value:g} and 95% of its values from {wide.low:g} to {wide.high:g} "
        f"(--baseline {_key(name)}=LOW..HIGH)"
    )
    _, spread = mean_and_spread(wide)
    return (Usual(value), *(Usual(value, spread, one) for one in alike)), assumed


def _bases(measure: Measure, verdicts: Verdicts, limit: float | None) -> tuple[float, float]:
    """Return a low and a high share of events for which a metric of this limit makes sense."""
    found, side, _ = limit_of(measure, verdicts)
    limit = found if found is not None else limit
    if side == "low" and measure.event in BAD:
        return _ERRORS  # it fails where there are few: what is usual does not follow from its limit
    if limit is None and measure.kind == "share":
        limit = _least_that_does_not_pass(measure, verdicts)
    if measure.kind == "mean":
        return (0.4 * limit, 0.8 * limit) if limit else (0.1, 1.0)
    if measure.kind == "quantile":
        return (1 - measure.level) / 10, (1 - measure.level) / 2
    if measure.kind != "share" or not limit:
        return _ERRORS[0] / 10, _ERRORS[0]
    if side == "low":
        return min(0.99, 1.25 * limit), min(0.999, 2 * limit)
    return min(limit / 10, _ERRORS[0]), min(limit / 2, _ERRORS[1])


def _least_that_does_not_pass(measure: Measure, verdicts: Verdicts) -> float | None:
    """Return the least share at which a metric with several limits stops passing, None where none passes below."""
    shares = sorted(measure.quantity(edge) for edge in verdicts.edges)
    inside = [share for share in shares if 0 < share < 1]
    if not inside or verdicts.phase(measure.value(inside[0] / 2)) != "Successful":
        return None
    return inside[0]


def _shown(measure: Measure, value: float) -> str:
    if measure.kind == "mean":
        return f"{measure.value(value):.3g}"
    return f"{100 * value:.3g}%"
