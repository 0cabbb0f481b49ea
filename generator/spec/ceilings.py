"""The ceilings of a tier: how many users may meet a version, how early, and which judges must be able to object."""

from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from generator.spec.gate_tools import choices
from generator.spec.guards import KINDS
from generator.spec.pod import TEAMS_MAY, PodKey
from generator.spec.record import Record
from generator.spec.types import (
    Cpu,
    Duration,
    Effect,
    Hold,
    Key,
    Loss,
    Memory,
    Name,
    Percent,
    SystemPackage,
    Weight,
)

SLOWEST_TO_FASTEST: Final = 100
"""A `slowerThan` below a hundredth of its ceiling counts nearly all requests of both versions, so none can rise."""

if TYPE_CHECKING:
    _DriftTool = str
    GuardKind = str
else:
    _DriftTool = Literal[choices("drift")]
    GuardKind = Literal[tuple(KINDS)]


class TestsBound(Record):
    """The loosest gate on tests."""

    at_least: int = Field(ge=1, description="fewest tests that must have run", examples=[20])


class MetricBound(Record):
    """The loosest gate on offline metrics."""

    no_worse_by: Loss | None = Field(
        None, description="largest loss against the champion", examples=["1pp", "2%"]
    )
    at_least: dict[Key, float] = Field(
        {}, description="smallest lower bound of a metric, by its name", examples=[{"accuracy": 0.8}]
    )
    at_most: dict[Key, float] = Field(
        {}, description="largest upper bound of a metric, by its name", examples=[{"log_loss": 0.7}]
    )


class FairnessBound(Record):
    """The loosest gate on fairness."""

    at_most: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None, description="largest limit of a difference", examples=[0.1]
    )
    at_least: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="smallest limit of a ratio", examples=[0.8]
    )
    min_group: Annotated[int, Field(ge=2)] | None = Field(
        None, description="largest `minGroup`: smaller groups do not decide", examples=[1000]
    )
    sensitive: list[Key] = Field([], description="sensitive attributes that must be measured")


class DriftBound(Record):
    """The loosest gate on drift."""

    at_most: dict[_DriftTool, Annotated[float, Field(gt=0)]] = Field(
        {}, description="largest `atMost` by tool; of any other tool, its default", examples=[{"ks": 0.15}]
    )
    alpha: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None, description="smallest `alpha`: below it no difference is significant", examples=[0.01]
    )
    features: Percent | None = Field(
        None, description="smallest share of the service's inputs that are compared", examples=["100%"]
    )


class ExplainBound(Record):
    """The loosest gate on attributions."""

    at_most: float = Field(gt=0, lt=1, description="largest `atMost`", examples=[0.2])


class GateResourcesBound(Record):
    """The most that a gate may get whose data an engine reads; other gates have fixed resources."""

    cpu: Cpu | None = Field(None, description="CPU that is requested", examples=["2"])
    memory: Memory | None = Field(None, description="memory", examples=["8Gi"])
    scratch: Memory | None = Field(None, description="temporary files on the node's disk", examples=["100Gi"])


class GateBounds(Record):
    """The loosest gate of each kind; what a custom program accepts and what a suite expects is not known."""

    tests: TestsBound | None = Field(None, description="gates on tests")
    metric: MetricBound | None = Field(None, description="gates on offline metrics")
    fairness: FairnessBound | None = Field(None, description="gates on fairness")
    drift: DriftBound | None = Field(None, description="gates on drift")
    explain: ExplainBound | None = Field(None, description="gates on attributions")
    resources: GateResourcesBound | None = Field(
        None,
        description="largest `gates.resources` of the platform for gates whose data an engine reads",
        examples=[{"memory": "8Gi", "scratch": "100Gi"}],
    )


class GuardBound(Record):
    """The loosest guard of one kind."""

    detect: Effect | None = Field(
        None,
        description="largest change against the stable version that `detect` may name, a drop or a rise; also of "
        "a `limit` against the baseline if no `limit` is set here",
        examples=["50%"],
    )
    limit: Percent | None = Field(
        None,
        description="largest `limit` of a share of bad events; also of the share that a rise in `detect` adds to the "
        "declared baseline",
        examples=["5%"],
    )
    slower_than: Duration | None = Field(
        None,
        description=f"largest `slowerThan`; the smallest is a {SLOWEST_TO_FASTEST}th of it",
        examples=["1s"],
    )
    at_most: Annotated[float, Field(gt=0)] | None = Field(
        None, description="largest bound of a parity or a gauge, in its unit", examples=[0.1]
    )


class Ceilings(Record):
    """Limits for all models of the tier. A blue-green switch is a first weight of 100%."""

    first_weight: Weight | None = Field(
        None,
        description="largest share of the users that first meets a version: of a weight, of whole pods if they "
        "decide, of a cohort; a cohort that the platform does not list, and a switch, count as 100%",
    )
    largest_increase: Weight | None = Field(
        None,
        description="largest increase of that share from one step to the next, in percentage points; after the last "
        "step it increases to 100%",
    )
    max_exposed: int | None = Field(
        None,
        ge=1,
        description="mean number of requests that a bad model may answer; without a guard that has odds, and for a "
        "switch, these are all",
    )
    power: Percent | None = Field(
        None,
        description="smallest probability that a version with the change in `detect` is stopped before promotion",
    )
    shortest_hold: Hold | None = Field(
        None,
        description="shortest step, shadow, and watch after a switch",
        examples=["10m"],
    )
    false_rollback: Percent | None = Field(None, description="probability that a good model is rolled back")
    longest_rollout: Duration | None = Field(
        None, description="planned time from the first step to full traffic"
    )
    gates: GateBounds = Field(
        GateBounds.model_construct(), description="the loosest gate of each kind, and its largest resources"
    )
    guards: dict[GuardKind, GuardBound] = Field(
        {}, description="the loosest guard of each kind", examples=[{"error-rate": {"detect": "100%"}}]
    )
    replicas: int | None = Field(None, ge=1, description="pods of the stable version")
    cpu: Cpu | None = Field(None, description="CPU of one pod, requested or its limit, sidecars included")
    memory: Memory | None = Field(
        None, description="memory of one pod, requested or its limit, sidecars included"
    )
    gpu: int | None = Field(None, ge=0, description="GPUs of one pod")
    gpu_kinds: list[Name] | None = Field(None, description="kinds of GPUs that specs may name; default: all")
    system_packages: list[SystemPackage] = Field(
        [],
        description="packages of Debian that specs may install in images of models",
        examples=[["libgomp1"]],
    )
    indexes: list[Name] = Field(
        [], description="package indexes of the platform that specs may name", examples=[["internal"]]
    )
    pod: list[PodKey] = Field(
        list(TEAMS_MAY),
        description="parts of `pod` that specs may set; platform, tier and environment may set all",
    )
