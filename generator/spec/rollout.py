"""How a new version takes over: canary or blue-green, its steps, guards, shadow and risk."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from generator.spec.record import Choice, Record, by_key
from generator.spec.types import Duration, Effect, Key, Line, Name, Percent, Weight

NoData = Annotated[
    Literal["fail", "pause", "pass"],
    Field(
        description="what missing data means: abort, wait for a human, or go on (only where the tier allows it)"
    ),
]


class WeightStep(Record):
    """Send a share of live traffic to the new version, then watch it."""

    weight: Weight = Field(description="share of live traffic")
    hold: Duration = Field(description="how long it is watched before the next step", examples=["60m"])


class ApproveStep(Record):
    """Wait for a person."""

    approve: Name = Field(description="role that approves", examples=["model-risk"])


class Cohort(Choice):
    """Requests that carry a header."""

    one_of = ("exact", "prefix", "regex")
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,40}$")] = Field(
        description="name of the header", examples=["x-cohort"]
    )
    exact: Line | None = Field(None, description="the header has this value", examples=["internal"])
    prefix: Line | None = Field(None, description="the header starts like this")
    regex: Line | None = Field(None, description="the header matches this expression (RE2)")


class CohortStep(Record):
    """Send a named cohort, and nobody else, to the new version."""

    cohort: Cohort = Field(description="who sees it")
    hold: Duration = Field(description="how long it is watched before the next step")


Step = Annotated[
    Annotated[WeightStep, Tag("a weight step")]
    | Annotated[ApproveStep, Tag("an approval step")]
    | Annotated[CohortStep, Tag("a cohort step")],
    Discriminator(
        by_key("step", weight="a weight step", approve="an approval step", cohort="a cohort step"),
        custom_error_type="choice",
        custom_error_message="a step has a weight, a cohort or an approval",
    ),
]


class Detect(Choice):
    """The smallest relative change against the stable version that must be caught."""

    one_of = ("drop", "rise")
    drop: Percent | None = Field(None, description="relative drop", examples=["10%"])
    rise: Effect | None = Field(None, description="relative rise", examples=["50%"])


class GuardBase(Record):
    """What every guard may say."""

    name: Name | None = Field(None, description="name of the guard; default: what it watches")
    no_data: NoData | None = Field(None, description="overrides the rollout's noData")


class OutcomeGuard(Choice, GuardBase):
    """An outcome that the model's users decide, such as click-through."""

    kind: ClassVar[str] = "outcome"
    one_of = ("detect", "limit")
    outcome: Key = Field(description="an outcome declared under `outcomes`", examples=["ctr"])
    detect: Detect | None = Field(None, description="against the stable version, judged by a sequential test")
    limit: Percent | None = Field(
        None, description="absolute bound; the odds say how often it fires on a good model"
    )


class ErrorRateGuard(Choice, GuardBase):
    """The share of predictions that failed."""

    kind: ClassVar[str] = "error-rate"
    one_of = ("detect", "limit")
    metric: Literal["error-rate"] = Field(description="share of requests that were not answered with 2xx")
    baseline: Percent | None = Field(
        None, description="share in normal times; the odds use it", examples=["0.5%"]
    )
    detect: Detect | None = Field(None, description="against the stable version, judged by a sequential test")
    limit: Percent | None = Field(None, description="absolute bound")


class SlowRateGuard(Choice, GuardBase):
    """The share of predictions slower than a bound."""

    kind: ClassVar[str] = "slow-rate"
    one_of = ("detect", "limit")
    metric: Literal["slow-rate"] = Field(description="share of requests slower than `slowerThan`")
    slower_than: Duration = Field(
        description="the bound; it becomes a bucket of the latency histogram", examples=["250ms"]
    )
    baseline: Percent | None = Field(
        None, description="share in normal times; the odds use it", examples=["2%"]
    )
    detect: Detect | None = Field(None, description="against the stable version, judged by a sequential test")
    limit: Percent | None = Field(None, description="absolute bound")


class FairnessGuard(GuardBase):
    """Demographic parity of live predictions."""

    kind: ClassVar[str] = "fairness"
    fairness: Literal["demographic-parity-difference"] = Field(
        description="measure, from the per-group counters of the service"
    )
    sensitive: list[Key] = Field(min_length=1, description="sensitive attributes, each judged by itself")
    at_most: float = Field(gt=0, le=1, description="limit of the difference", examples=[0.1])


def _guard_tag(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    if "metric" in value:
        return {"error-rate": "an error-rate guard", "slow-rate": "a slow-rate guard"}.get(
            str(value["metric"])
        )
    return next(
        (
            tag
            for key, tag in (("outcome", "an outcome guard"), ("fairness", "a fairness guard"))
            if key in value
        ),
        None,
    )


Guard = Annotated[
    Annotated[OutcomeGuard, Tag("an outcome guard")]
    | Annotated[ErrorRateGuard, Tag("an error-rate guard")]
    | Annotated[SlowRateGuard, Tag("a slow-rate guard")]
    | Annotated[FairnessGuard, Tag("a fairness guard")],
    Discriminator(
        _guard_tag,
        custom_error_type="choice",
        custom_error_message="a guard watches an outcome, a metric (error-rate or slow-rate) or a fairness measure",
    ),
]


class Risk(Record):
    """What the team accepts."""

    false_rollback: Percent = Field(
        0.05, description="chance that a good model is rolled back, over all guards", examples=["5%"]
    )
    power: Percent = Field(
        0.8, description="chance that a model as bad as `detect` says is caught", examples=["80%"]
    )
    max_exposed: int | None = Field(
        None, ge=1, description="requests that a bad model may answer, on average"
    )


class Shadow(Record):
    """Copies of live requests, answered by the new version and thrown away."""

    percent: Percent = Field(1.0, description="share of live requests that is copied", examples=["20%"])
    hold: Duration = Field(description="how long it is watched before the first step", examples=["24h"])
    guards: list[Guard] = Field([], description="what is judged on the copies")


class Canary(Record):
    """A growing share of live traffic, rolled back when a guard fails."""

    strategy: Literal["canary"] = Field(description="a growing share of live traffic")
    steps: list[Step] = Field(
        min_length=1, max_length=30, description="in order; after the last one the new version takes over"
    )
    shadow: Shadow | None = Field(None, description="copied traffic before the first step")
    guards: list[Guard] = Field([], description="judged all the time while the new version has traffic")
    risk: Risk = Field(Risk(), description="what the team accepts")
    no_data: NoData = Field("pause", description="what missing data means to a guard")


class Preview(Record):
    """The new version before it has traffic."""

    replicas: int = Field(1, ge=1, le=100, description="pods of the new version while it is looked at")


class BlueGreen(Record):
    """The new version is looked at beside the old one, then takes over at once."""

    strategy: Literal["blue-green"] = Field(description="all traffic at once, after a look")
    approve: Name = Field(
        "automatic",
        description="`automatic` switches when the checks pass; `manual` or a role waits for a person",
        examples=["manual"],
    )
    preview: Preview = Field(Preview(), description="the new version before it has traffic")
    guards: list[Guard] = Field(
        [], description="absolute limits, judged after the switch while the old version is kept"
    )
    watch: Duration = Field(
        600.0, description="how long the guards are judged after the switch", examples=["10m"]
    )
    risk: Risk = Field(Risk(), description="what the team accepts")
    no_data: NoData = Field("pause", description="what missing data means to a guard")


def _strategy(value: Any) -> str | None:
    known = {"canary": "a canary", "blue-green": "a blue-green"}
    return known.get(str(value.get("strategy"))) if isinstance(value, dict) else None


Rollout = Annotated[
    Annotated[Canary, Tag("a canary")] | Annotated[BlueGreen, Tag("a blue-green")],
    Discriminator(
        _strategy, custom_error_type="choice", custom_error_message="`strategy` is canary or blue-green"
    ),
]
