"""What is assumed about the traffic of a tree, and the odds that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final, Literal

from generator.dataclass import dataclass
from generator.lint import Release, TreeMetric
from generator.promql.measures import Measure
from generator.source.errors import UserError

HARMS: Final = (1.5, 2.0, 5.0)
"""The harms whose odds are computed: this many times the events of the stable version."""

Ground = Literal["closed form", "simulation", "conditions", "replay", "none"]
Trap = Literal[
    "never fails",
    "never ends",
    "looks before there is data",
    "sees both versions",
    "sees only the stable version",
    "sees no traffic",
    "passes on nothing",
    "inconclusive for ever",
    "decides too late",
    "fails good values",
    "always fails",
    "ignored",
]


@dataclass(frozen=True, slots=True)
class Span:
    """The lowest and the highest value over everything that is not known."""

    low: float
    high: float

    @property
    def is_one(self) -> bool:
        """Whether both are the same as far as a reader cares."""
        return self.high - self.low < 0.005

    @staticmethod
    def over(values: list[float]) -> Span:
        """Return the span of some values, at least one."""
        return Span(min(values), max(values))


@dataclass(frozen=True, slots=True)
class Replay:
    """A metric replayed over windows of the past as long as the release, all of the stable version.

    Args:
        windows: how many there were.
        stops: by factor of the values, when each window that would have been stopped was: seconds since its first
            measurement. The factor 1 is the past as it was.
    """

    windows: int
    stops: Mapping[float, tuple[float, ...]]


SMALLEST_RPS: Final = 1e-6
LARGEST_RPS: Final = 1e7
LARGEST_VALUE: Final = 1e90
"""Of a metric; sums of squares of larger ones exceed what a float can hold."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the user says about the traffic; what is left out becomes a range.

    Args:
        rps: requests per second of both versions together; None when it is not known.
        baselines: by event or name of a metric, the share (or the mean, or the value) of the stable version; of a
            verdict that is not read, the share of its measurements that fail a good version.
        ranges: by name of a metric or of its series, the range that has 95% of the values of a good version.
        fired: by name of a metric, how often it stopped the stable version in its own history.
        replays: by name of a metric, the same with the times of the stops, and with larger values.

    Raises:
        UserError: a number is not one that odds can be computed for.
    """

    rps: float | None = None
    baselines: Mapping[str, float] = field(default_factory=dict)
    ranges: Mapping[str, Span] = field(default_factory=dict)
    fired: Mapping[str, float] = field(default_factory=dict)
    replays: Mapping[str, Replay] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse infinite numbers, NaN and those that no service has."""
        if self.rps is not None and not SMALLEST_RPS <= self.rps <= LARGEST_RPS:
            raise UserError(
                f"requests per second are {self.rps:g}; odds are computed from {SMALLEST_RPS:g} to {LARGEST_RPS:g}"
            )
        ends = ((name, end) for name, span in self.ranges.items() for end in (span.low, span.high))
        for name, value in (*self.baselines.items(), *ends):
            if not abs(value) <= LARGEST_VALUE:
                raise UserError(
                    f"the baseline of {name} is {value:g}; odds are computed up to {LARGEST_VALUE:g}"
                )


@dataclass(frozen=True, slots=True)
class Harm:
    """The effect on a version with so many times the events.

    Args:
        times: the factor.
        power: probability that it is stopped before the full promotion.
        by_stage: the same by the end of each stage.
        mean_s: mean seconds from the first stage until then, where it is stopped; None where it never is.
        exposed: mean requests that it serves until then, or until the promotion where it is not stopped.
    """

    times: float
    power: Span
    by_stage: tuple[Span, ...]
    mean_s: Span | None
    exposed: Span | None


@dataclass(frozen=True, slots=True)
class Better:
    """A proposal for one metric.

    Args:
        metric: the metric with other limits; None where no other limits are better.
        false_stop: probability that the proposal stops a good version.
        power: probability that it stops twice the events.
        today: the same two of today's metric, at the same traffic.
        guard_false: false rollbacks of Sluice's sequential test on the same requests.
        guard_power: its power against twice the events.
        rps: the traffic that was assumed.
        base: the share of events of the stable version that was assumed.
    """

    metric: TreeMetric | None
    false_stop: float
    power: float
    today: tuple[float, float]
    guard_false: float
    guard_power: float
    rps: float
    base: float


@dataclass(frozen=True, slots=True)
class MetricOdds:
    """The odds of one metric of a release.

    Args:
        metric: the metric.
        measure: what its query measures.
        traps: why its verdict may not be what its author wants, each with a sentence.
        ground: where the numbers come from.
        limit: the quantity at which it starts to fail, such as a share of errors; None where there is none.
        false_stop: probability that a version like the stable one is stopped; None without odds.
        harms: see `Harm`; none without odds.
        paused: probability that a good version waits for a person because of an inconclusive verdict.
        why: why there are no odds; empty when there are.
        assumed: what was varied, such as `error between 0.5% and 2.5%`.
        better: what would be better; None where nothing is, or where nothing was searched.
        fired: the share of the windows of the past, all of the stable version, that it would have stopped; None where
            no history was read.
    """

    metric: TreeMetric
    measure: Measure
    traps: tuple[tuple[Trap, str], ...] = ()
    ground: Ground = "none"
    limit: float | None = None
    false_stop: Span | None = None
    harms: tuple[Harm, ...] = ()
    paused: float = 0.0
    why: str = ""
    assumed: tuple[str, ...] = ()
    better: Better | None = None
    fired: float | None = None


@dataclass(frozen=True, slots=True)
class ReleaseOdds:
    """The odds of a release.

    Args:
        release: the release.
        metrics: the odds of its metrics.
        false_stop: probability that any metric with odds stops a good version; None when none has odds.
        caught: for each event, the odds of the metric that catches its harms best.
        exposed: requests of the new version in the whole release, without approvals.
        assumed: what was varied.
    """

    release: Release
    metrics: tuple[MetricOdds, ...]
    false_stop: Span | None
    caught: tuple[tuple[str, tuple[Harm, ...]], ...]
    exposed: Span
    assumed: tuple[str, ...]

    @property
    def without(self) -> tuple[MetricOdds, ...]:
        """The metrics without odds."""
        return tuple(one for one in self.metrics if one.false_stop is None)


@dataclass(frozen=True, slots=True)
class TreeOdds:
    """The odds of every release of a tree.

    Args:
        releases: one for each release.
        unused: metrics of templates that no Rollout of the tree uses, with what they measure.
        files: how many files were read.
        unread: what could not be read, in sentences.
    """

    releases: tuple[ReleaseOdds, ...]
    unused: tuple[MetricOdds, ...]
    files: int
    unread: tuple[str, ...]

    @property
    def metrics(self) -> tuple[MetricOdds, ...]:
        """Every metric of the tree."""
        return (*(one for release in self.releases for one in release.metrics), *self.unused)
