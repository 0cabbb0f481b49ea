"""What guards have in common: how they are written, and what they count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from generator.spec.record import Choice, Record
from generator.spec.types import Effect, Name, Percent

NoData = Annotated[
    Literal["fail", "pause", "pass"],
    Field(
        description="what missing data means: abort, wait for a human, or go on (only where the tier allows it)"
    ),
]


@dataclass(frozen=True, slots=True)
class Counts:
    """The two counters of a ratio: events among requests.

    Args:
        source: `model`, the service's own counters, which credit a late event to the version that served (label
            `served_by`); `server`, BentoML's, told apart by pod (label `rollouts_pod_template_hash`).
        requests: metric that counts all requests.
        events: metric that counts the events, or with `complement` the requests that are none.
        labels: (label, operator, value) triples that pick the events.
        bucket_s: histogram bucket that picks them, in seconds; 0 for none.
        complement: events are the requests that `events` does not count.
    """

    source: Literal["model", "server"]
    requests: str
    events: str
    labels: tuple[tuple[str, Literal["=", "!=", "=~", "!~"], str], ...] = ()
    bucket_s: float = 0.0
    complement: bool = False


class Detect(Choice):
    """The smallest relative change against the stable version that must be caught."""

    one_of = ("drop", "rise")
    drop: Percent | None = Field(None, description="relative drop", examples=["10%"])
    rise: Effect | None = Field(None, description="relative rise", examples=["50%"])


class GuardBase(Record):
    """What every guard may say. `kind` names it in plans, `tag` in messages, `key` is how a spec tells it apart."""

    kind: ClassVar[str]
    tag: ClassVar[str]
    key: ClassVar[tuple[str, str | None]]
    name: Name | None = Field(None, description="name of the guard; default: what it watches")
    no_data: NoData | None = Field(None, description="overrides the rollout's noData")

    @property
    def subject(self) -> str:
        """What it watches."""
        raise NotImplementedError

    def counts(self) -> Counts | None:
        """What it counts; None for a guard that is no ratio of two counters."""
        return None


class RatioGuard(Choice, GuardBase):
    """A ratio of two counters, compared with the stable version or with a bound."""

    one_of = ("detect", "limit")
    detect: Detect | None = Field(None, description="against the stable version, judged by a sequential test")
    limit: Percent | None = Field(
        None, description="absolute bound; the odds say how often it fires on a good model"
    )
