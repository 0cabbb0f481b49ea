"""The rollout of a new version: canary or blue-green, its steps, guards, shadow and risk."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from generator.spec.guards import GuardSpec, NoData
from generator.spec.record import Choice, Record, by_key
from generator.spec.types import Hold, Line, Name, Percent, Weight


class WeightStep(Record):
    """Send a share of live traffic to the new version for some time."""

    weight: Weight = Field(description="share of live traffic")
    hold: Hold = Field(description="how long the step lasts", examples=["60m"])


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
    prefix: Line | None = Field(None, description="the header starts with this")
    regex: Line | None = Field(None, description="the header matches this expression (RE2)")

    @property
    def match(self) -> Literal["exact", "prefix", "regex"]:
        """The comparison of the header."""
        if self.exact is not None:
            return "exact"
        return "prefix" if self.prefix is not None else "regex"

    @property
    def value(self) -> str:
        """The value that the header is compared with."""
        return self.exact or self.prefix or self.regex or ""


class CohortStep(Record):
    """Send only one cohort to the new version."""

    cohort: Cohort = Field(description="requests of the cohort")
    hold: Hold = Field(description="how long the step lasts")
    requests: int = Field(
        100, ge=1, description="fewest requests of the cohort; with fewer the release waits for a person"
    )


GuardStage = Literal["shadow", "canary", "watch"]
"""When guards are measured: on copies, on live traffic next to the stable version, or after a switch."""

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


class Risk(Record):
    """The risk that the team accepts."""

    false_rollback: Percent = Field(
        0.05, description="probability that a good model is rolled back, over all guards", examples=["5%"]
    )
    power: Percent = Field(
        0.8, description="probability of catching a model with the change in `detect`", examples=["80%"]
    )
    max_exposed: int | None = Field(
        None, ge=1, description="mean number of requests that a bad model may answer"
    )


class Shadow(Record):
    """Copies of live requests, whose answers by the new version are discarded."""

    percent: Percent = Field(1.0, description="share of live requests that is copied", examples=["20%"])
    hold: Hold = Field(description="duration before the first step", examples=["24h"])
    guards: list[GuardSpec] = Field([], description="guards on the copies")


class Canary(Record):
    """A growing share of live traffic, rolled back when a guard fails."""

    strategy: Literal["canary"] = Field(description="a growing share of live traffic")
    steps: list[Step] = Field(
        min_length=1,
        max_length=30,
        description="in order; after the last one the new version gets all traffic",
    )
    shadow: Shadow | None = Field(None, description="copied traffic before the first step")
    guards: list[GuardSpec] = Field([], description="measured while the new version has traffic")
    risk: Risk = Field(Risk.model_construct(), description="accepted risk")
    no_data: NoData = Field("pause", description="what missing data means for a guard")
    stage: ClassVar[GuardStage] = "canary"

    @property
    def weight_steps(self) -> tuple[tuple[int, WeightStep], ...]:
        """The steps that send live traffic, with their positions."""
        return tuple((at, step) for at, step in enumerate(self.steps) if isinstance(step, WeightStep))

    @property
    def cohort_steps(self) -> tuple[tuple[int, CohortStep], ...]:
        """The steps that send a cohort, with their positions."""
        return tuple((at, step) for at, step in enumerate(self.steps) if isinstance(step, CohortStep))

    @property
    def approvals(self) -> tuple[str, ...]:
        """Roles that approve, in order; a role that approves twice is listed twice."""
        return tuple(step.approve for step in self.steps if isinstance(step, ApproveStep))

    @property
    def weights(self) -> tuple[int, ...]:
        """Weights in order, in whole percent of live traffic."""
        return tuple(step.weight for _, step in self.weight_steps)

    @property
    def held_s(self) -> float:
        """Seconds of all holds; approvals and the shadow not included."""
        return sum(step.hold for step in self.steps if not isinstance(step, ApproveStep))

    @property
    def longest_hold_s(self) -> float:
        """Seconds of the longest hold."""
        return max((step.hold for step in self.steps if not isinstance(step, ApproveStep)), default=0.0)


class Preview(Record):
    """The new version before it has traffic."""

    replicas: int = Field(1, ge=1, le=100, description="pods of the new version before the switch")


class BlueGreen(Record):
    """The new version is inspected next to the old one, then gets all traffic at once."""

    strategy: Literal["blue-green"] = Field(description="all traffic at once, after a check")
    approve: Name = Field(
        "automatic",
        description="`automatic`: switch when the checks pass; `manual` or a role: wait for a person",
        examples=["manual"],
    )
    preview: Preview = Field(Preview.model_construct(), description="the new version before it has traffic")
    guards: list[GuardSpec] = Field(
        [], description="absolute limits, measured after the switch while the old version is kept"
    )
    watch: Hold = Field(
        600.0, description="how long the guards are measured after the switch", examples=["10m"]
    )
    risk: Risk = Field(Risk.model_construct(), description="accepted risk")
    no_data: NoData = Field("pause", description="what missing data means for a guard")
    stage: ClassVar[GuardStage] = "watch"
    # A switch has no steps and no shadow; code that iterates over them works for both strategies.
    steps: ClassVar[tuple[Step, ...]] = ()
    weight_steps: ClassVar[tuple[tuple[int, WeightStep], ...]] = ()
    cohort_steps: ClassVar[tuple[tuple[int, CohortStep], ...]] = ()
    weights: ClassVar[tuple[int, ...]] = ()
    shadow: ClassVar[Shadow | None] = None
    held_s: ClassVar[float] = 0.0
    longest_hold_s: ClassVar[float] = 0.0

    @property
    def approvals(self) -> tuple[str, ...]:
        """The role that approves the switch; none when it is automatic."""
        return () if self.approve == "automatic" else (self.approve,)


def _strategy(value: Any) -> str | None:
    known = {"canary": "a canary", "blue-green": "a blue-green"}
    return known.get(str(value.get("strategy"))) if isinstance(value, dict) else None


Rollout = Annotated[
    Annotated[Canary, Tag("a canary")] | Annotated[BlueGreen, Tag("a blue-green")],
    Discriminator(
        _strategy, custom_error_type="choice", custom_error_message="`strategy` is canary or blue-green"
    ),
]
