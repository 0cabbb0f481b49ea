"""The guards of a plan: what each reads, what it stops a release for, and when it is measured.

A guard is a comparison with the stable version, an absolute limit, or a parity of groups. What depends on the type
and not on the mathematics of a test is a property here; queries, odds and replays `match` on the type, so that mypy
finds the place where a new type is missing. Shares are fractions, times seconds.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, TypedDict, assert_never

from generator.dataclass import dataclass
from generator.plan.bento import HELD_SCRAPES
from generator.plan.measurements import Clock
from generator.spec.guards import GuardSpec
from generator.spec.guards.base import (
    Counts,
    EventProfile,
    Gauge,
    GaugeGuard,
    NoDataPolicy,
    ParityGuard,
    RatioGuard,
    attribute_metric,
)
from generator.spec.model import ModelSpec
from generator.spec.platform import PlatformSpec
from generator.spec.units import byte_size, duration, percent
from generator.stats.delay import mask_lookback

Attributes = tuple[tuple[str, tuple[str, ...]], ...]
"""Sensitive attributes with their declared values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Guard(ABC):
    """The common part of all guards.

    Args:
        name: name of the metric in the AnalysisTemplate.
        kind: kind of the guard in the spec.
        subject: the outcome, metric or fairness measure that it watches.
        no_data: what missing data means.
        index: position among the spec's guards; findings point there.
    """

    name: str
    kind: str
    subject: str
    no_data: NoDataPolicy
    index: int

    @property
    def unpriced(self) -> str:
        """The reason why it never has odds; empty when declared traffic and a baseline are enough."""
        return ""

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The names of its metrics."""
        return (self.name,)

    @property
    def counts(self) -> Counts | None:
        """The two counters that it reads; None when it reads something else."""
        return None

    @property
    def silence_looks_good(self) -> bool:
        """Whether no event at all looks like a good version: callers report them, and fewer are better."""
        return False

    @property
    def bound_s(self) -> float:
        """The latency bound of its events, in seconds; 0 for none."""
        return self.counts.bucket_s if self.counts else 0.0

    @property
    def watches(self) -> str:
        """Its subject, in words."""
        return f"{self.subject} above {duration(self.bound_s)}" if self.bound_s else self.subject

    @property
    @abstractmethod
    def threshold(self) -> str:
        """The change that it must catch, or the bound that it keeps, in words."""

    def describe(self) -> str:
        """Describe what it stops a release for."""
        return f"{self.watches}: {self.threshold}"

    def first_s(self, clock: Clock) -> float:
        """Return the seconds from the start of an analysis to the first measurement."""
        del clock
        return 0.0

    def interval_s(self, clock: Clock) -> float:
        """Return the seconds between two measurements."""
        return clock.interval_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(_Guard):
    """A ratio of two counters, compared with the stable version by a sequential test.

    Args:
        counted: its two counters.
        ratio: smallest ratio of the event rates, new over stable, to detect: 0.9 for a drop of 10%.
        more_is_worse: whether more events are bad news.
        baseline: events per request of the stable version; None when it is not declared.
        delay_s: mean delay of an event after its request.
        alpha: its share of the risk of a false rollback.
        mask_s: look-back of the mask for outcomes that arrive late or are held back at first, or for pods that are
            slow until they are warm; 0 for no mask.
        reported: whether callers report the events.
    """

    counted: Counts
    ratio: float
    more_is_worse: bool
    baseline: float | None
    delay_s: float
    alpha: float
    mask_s: float
    reported: bool = False

    attributes: ClassVar[Attributes] = ()

    @property
    def counts(self) -> Counts:
        """The two counters."""
        return self.counted

    @property
    def silence_looks_good(self) -> bool:
        """Whether no event at all looks like a good version."""
        return self.reported and self.more_is_worse

    @property
    def threshold(self) -> str:
        """The change that it must catch, in words."""
        return f"{'drop' if self.ratio < 1 else 'rise'} of {percent(abs(1 - self.ratio))}"

    def describe(self) -> str:
        """Describe what it stops a release for."""
        usual = f" from the {percent(self.baseline)} baseline" if self.baseline is not None else ""
        return f"{self.watches}: a {self.threshold}{usual}, compared with stable"

    @property
    def depends_on_load(self) -> bool:
        """Whether the load of a pod changes how often its events happen: a queue makes requests slow."""
        return self.bound_s > 0

    def asks_evidence(self, min_rps: float | None) -> bool:
        """Return whether each step must show enough requests before the weight grows; this needs declared traffic."""
        return self.no_data != "pass" and bool(min_rps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(_Guard):
    """A ratio of two counters, or a gauge, with an absolute bound.

    Args:
        signal: the counters or the gauge that it reads.
        limit: the bound.
        more_is_worse: whether the bound is an upper one.
        baseline: events per request of the stable version; None when it is not declared, and for a gauge.
        delay_s: mean delay of an event after its request.
        reported: whether callers report the events.
    """

    signal: Counts | Gauge
    limit: float
    more_is_worse: bool
    baseline: float | None = None
    delay_s: float = 0.0
    reported: bool = False

    attributes: ClassVar[Attributes] = ()

    @property
    def silence_looks_good(self) -> bool:
        """Whether no event at all looks like a good version."""
        return self.reported and self.more_is_worse

    @property
    def counts(self) -> Counts | None:
        """The two counters of a ratio; None for a gauge."""
        return self.signal if isinstance(self.signal, Counts) else None

    @property
    def unpriced(self) -> str:
        """The reason why it never has odds: a gauge has no counts that say how it varies."""
        return "" if self.counts else "how much a gauge varies is not known"

    @property
    def threshold(self) -> str:
        """The bound, in words."""
        return f"{'at most' if self.more_is_worse else 'at least'} {self.limit_text}"

    @property
    def limit_text(self) -> str:
        """The bound, as a spec writes it."""
        if isinstance(self.signal, Counts):
            return percent(self.limit)
        match self.signal.unit:
            case "share":
                return percent(self.limit)
            case "seconds":
                return duration(self.limit)
            case "bytes":
                return byte_size(self.limit)
            case "number":
                return f"{self.limit:g}"

    def first_s(self, clock: Clock) -> float:
        """Return the seconds to the first measurement: the window of a ratio must be full.

        Where no event looks good, the first ones must have been reported, too.
        """
        if not self.counts:
            return clock.settle_s
        late = math.ceil(2 * self.delay_s) if self.silence_looks_good else 0.0
        return clock.window_s + clock.settle_s + late


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity(_Guard):
    """The difference of selection rates between groups, decided by its confidence interval.

    Args:
        limit: largest difference accepted.
        attributes: sensitive attributes with their declared values.
    """

    limit: float
    attributes: Attributes

    more_is_worse: ClassVar[bool] = True
    baseline: ClassVar[float | None] = None
    delay_s: ClassVar[float] = 0.0

    @property
    def unpriced(self) -> str:
        """The reason why it never has odds."""
        return "a fairness guard depends on the sizes of the groups, not on traffic alone"

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The names of its metrics, one for each attribute."""
        return tuple(self.metric_of(attribute) for attribute, _ in self.attributes)

    def metric_of(self, attribute: str) -> str:
        """Return the name of the metric of one attribute."""
        return attribute_metric(self.name, attribute)

    @property
    def watches(self) -> str:
        """Its subject, in words."""
        return f"{self.subject} by {', '.join(name for name, _ in self.attributes)}"

    @property
    def threshold(self) -> str:
        """The bound, in words."""
        return f"at most {self.limit:g}"

    def asks_evidence(self, min_rps: float | None) -> bool:
        """Return whether each step must prove the difference to be below the limit before the weight grows."""
        del min_rps
        return self.no_data != "pass"

    def first_s(self, clock: Clock) -> float:
        """Return the seconds from the start of an analysis to the first measurement."""
        return clock.settle_s

    def interval_s(self, clock: Clock) -> float:
        """Return the seconds between two measurements."""
        return clock.parity_interval_s


Guard = Comparison | Limit | Parity


def resolve_guards(
    spec: ModelSpec, platform: PlatformSpec, written: Sequence[GuardSpec]
) -> tuple[Guard, ...]:
    """Resolve the guards of a rollout or of its shadow; comparisons share the risk of a false rollback equally."""
    compared = sum(1 for guard in written if isinstance(guard, RatioGuard) and guard.detect)
    alpha = spec.rollout.risk.false_rollback / max(compared, 1)
    return tuple(_resolve(spec, platform, guard, index, alpha) for index, guard in enumerate(written))


class _Common(TypedDict):
    name: str
    kind: str
    subject: str
    no_data: NoDataPolicy
    index: int


def _resolve(spec: ModelSpec, platform: PlatformSpec, written: GuardSpec, index: int, alpha: float) -> Guard:
    common: _Common = {
        "name": written.metric_name,
        "kind": written.kind,
        "subject": written.subject,
        "no_data": written.no_data or spec.rollout.no_data,
        "index": index,
    }
    match written:
        case RatioGuard():
            return _ratio(spec, platform, written, alpha, common)
        case GaugeGuard():
            return Limit(**common, signal=written.gauge(), limit=written.bound, more_is_worse=written.at_most)
        case ParityGuard():
            declared = {**platform.attributes, **spec.service.attributes}
            groups = {name: map(str, declared.get(name, ())) for name in written.attributes}
            attributes = tuple((name, tuple(dict.fromkeys(values))) for name, values in groups.items())
            return Parity(**common, limit=written.bound, attributes=attributes)
        case _:
            assert_never(written)


def _ratio(
    spec: ModelSpec, platform: PlatformSpec, written: RatioGuard, alpha: float, common: _Common
) -> Comparison | Limit:
    profile = written.profile(spec.outcomes)
    if written.detect is None:
        return Limit(
            **common,
            signal=written.counts(),
            limit=written.limit or 0.0,
            more_is_worse=profile.more_is_worse,
            baseline=profile.baseline,
            delay_s=profile.delay_s,
            reported=profile.reported,
        )
    return Comparison(
        **common,
        counted=written.counts(),
        ratio=written.detect.ratio,
        more_is_worse=profile.more_is_worse,
        baseline=profile.baseline,
        delay_s=profile.delay_s,
        alpha=alpha,
        mask_s=_mask_s(spec, platform, written, profile),
        reported=profile.reported,
    )


def _mask_s(spec: ModelSpec, platform: PlatformSpec, written: RatioGuard, profile: EventProfile) -> float:
    """Return the look-back of the mask: outcomes arrive late, and young pods are slow until they are warm."""
    if profile.reported:
        return mask_lookback(profile.delay_s, held_back_s(clock_of(platform)))
    return spec.service.warm_up / 2 if written.counts().bucket_s else 0.0


def held_back_s(clock: Clock) -> float:
    """Return the look-back of the mask that even outcomes without delay need.

    A pod holds back the first outcomes of a version until two scrapes have seen the series at 0 (`HeldCounter` in the
    bento). Until then a good version seems to have none. The mask covers twice the look-back: every stratum with
    requests whose outcomes were held back.
    """
    return ((HELD_SCRAPES + 2) * clock.scrape_s + (clock.stratum_s + clock.scrape_s)) / 2


def clock_of(platform: PlatformSpec) -> Clock:
    """Return the intervals of a platform."""
    return Clock(platform.prometheus.scrape_interval, platform.prometheus.look_interval)
