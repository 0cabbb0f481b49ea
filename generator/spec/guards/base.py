"""The common part of guards: their keys in a spec, and the series that they read."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from generator.dataclass import dataclass
from generator.spec.container import HttpPath
from generator.spec.record import Choice, Record
from generator.spec.service import Outcome
from generator.spec.types import Effect, Name, Percent

NoDataPolicy = Literal["fail", "pause", "pass"]
NoData = Annotated[
    NoDataPolicy,
    Field(
        description="what missing data means: abort, wait for a person, or continue (only if the tier allows it)"
    ),
]


LONGEST_NAME: Final = 23
"""The longest name of a metric: a Job metric turns it into `<run uid>.<metric>.<n>`, a label of at most 63 characters.

Source: Argo Rollouts 1.10, metricproviders/job/job.go.
"""
Labels = tuple[tuple[str, Literal["=", "!=", "=~", "!~"], str], ...]
"""Matchers: label, operator, value."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The two counters of a ratio: events among requests.

    Args:
        source: `model`, the service's own counters, which credit a late event to the version that served (label
            `served_by`); `server`, BentoML's counters by pod (label `rollouts_pod_template_hash`).
        requests: metric that counts all requests.
        events: metric that counts the events or, with `complement`, the other requests.
        labels: matchers that pick the events.
        bucket_s: histogram bucket that picks them, in seconds; 0 for none.
        complement: the events are the requests that `events` does not count.
        endpoint: the route whose requests count; empty for all routes of predictions.
    """

    source: Literal["model", "server"]
    requests: str
    events: str
    labels: Labels = ()
    bucket_s: float = 0.0
    complement: bool = False
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A gauge that each pod exports; the worst pod decides.

    Args:
        source: `model`, a gauge of the service itself (labels `model` and `served_by`); `pod`, any other gauge
            scraped from the pods (label `rollouts_pod_template_hash`).
        metric: its name.
        unit: what its values are, for people.
        labels: matchers that pick its series.
    """

    source: Literal["model", "pod"]
    metric: str
    unit: Literal["number", "seconds", "bytes", "share"] = "number"
    labels: Labels = ()


@dataclass(frozen=True, slots=True)
class EventProfile:
    """The known properties of a ratio's events before a release.

    Args:
        baseline: events per request of the stable version; None when it is not declared.
        delay_s: mean delay of an event after its request, in seconds.
        more_is_worse: more events are bad news.
        reported: callers report them after the request, so at first a new version seems to have none.
    """

    baseline: float | None
    delay_s: float = 0.0
    more_is_worse: bool = True
    reported: bool = False


class Detect(Choice):
    """The smallest relative change against the stable version that must be caught."""

    one_of = ("drop", "rise")
    drop: Percent | None = Field(None, description="relative drop", examples=["10%"])
    rise: Effect | None = Field(None, description="relative rise", examples=["50%"])

    @property
    def ratio(self) -> float:
        """Event rate of the new version over that of the stable one: 0.9 for a drop of 10%."""
        return 1 - self.drop if self.drop is not None else 1 + (self.rise or 0.0)


class GuardBase(Record):
    """The common keys of all guards: `kind` is its name in plans, `tag` in messages; `key` identifies it in a spec."""

    kind: ClassVar[str]
    tag: ClassVar[str]
    key: ClassVar[tuple[str, str | None]]
    name: Name | None = Field(None, description="name of the guard; default: the metric that it watches")
    no_data: NoData | None = Field(None, description="overrides `noData` of the rollout")

    @property
    @abstractmethod
    def subject(self) -> str:
        """The subject that the guard watches."""

    @property
    def metric_name(self) -> str:
        """Name of its metric: the declared name, or what the guard watches."""
        return short_name(self.name or self.subject) or self.kind

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Names of all its metrics."""
        return (self.metric_name,)

    @property
    def attributes(self) -> tuple[str, ...]:
        """Sensitive attributes whose groups the guard compares."""
        return ()

    @property
    def latency_bounds(self) -> tuple[float, ...]:
        """Buckets (seconds) that the latency histogram needs for this guard."""
        return ()


class RatioGuard(Choice, GuardBase):
    """A ratio of two counters, compared with the stable version or with a bound."""

    one_of = ("detect", "limit")
    detect: Detect | None = Field(
        None, description="change against the stable version, decided by a sequential test"
    )
    limit: Percent | None = Field(
        None, description="absolute bound; the odds say how often it fires on a good model"
    )

    @abstractmethod
    def counts(self) -> Counts:
        """Return the counters of the guard."""

    @abstractmethod
    def profile(self, outcomes: Mapping[str, Outcome]) -> EventProfile:
        """Return the properties of its events.

        Args:
            outcomes: the outcomes that the spec declares.
        """

    @property
    def latency_bounds(self) -> tuple[float, ...]:
        """The bucket that picks its events."""
        bucket = self.counts().bucket_s
        return (bucket,) if bucket else ()


class RouteGuard(RatioGuard):
    """A ratio of requests, of all routes of predictions or of one."""

    endpoint: HttpPath | None = Field(
        None, description="one of `model.endpoints`; default: all of them", examples=["/rank"]
    )

    @property
    def metric_name(self) -> str:
        """Name of its metric: the declared name, or what the guard watches."""
        route = (self.endpoint or "").replace("/", "-").replace(".", "-").replace("~", "-")
        return short_name(self.name or self.subject + route) or self.kind


class GaugeGuard(GuardBase):
    """A gauge of the pods with a bound."""

    @abstractmethod
    def gauge(self) -> Gauge:
        """Return the gauge of the guard."""

    @property
    @abstractmethod
    def bound(self) -> float:
        """The bound, in the gauge's unit."""

    @property
    def at_most(self) -> bool:
        """Whether the bound is an upper one."""
        return True


class ParityGuard(GuardBase):
    """The difference of selection rates between groups, with a bound."""

    @property
    @abstractmethod
    def bound(self) -> float:
        """Largest difference accepted."""

    @property
    def metric_name(self) -> str:
        """Name of its metric: the declared name, or `parity`."""
        return short_name(self.name or "parity")

    @property
    def metric_names(self) -> tuple[str, ...]:
        """One for each sensitive attribute."""
        return tuple(attribute_metric(self.metric_name, attribute) for attribute in self.attributes)


def attribute_metric(guard: str, attribute: str) -> str:
    """Return the name of the metric of one sensitive attribute of a parity guard."""
    return short_name(f"{guard}-{attribute}")


def short_name(text: str) -> str:
    """Turn a text into the name of a metric; empty if no characters are left."""
    return text.lower().replace("_", "-").strip("-")[:LONGEST_NAME].strip("-")
