"""A release of a tree as values: its stages, and its metrics with everything that decides their verdict."""

from __future__ import annotations

from dataclasses import field
from typing import Final, Literal, TypeAlias

from generator.dataclass import dataclass
from generator.lint.objects import Object
from generator.lint.rollout import Moment
from generator.promql.versions import Versions
from generator.source.document import Path
from generator.source.finding import Place

Strategy: TypeAlias = Literal["canary", "blue-green", "traffic split"]
Tool: TypeAlias = Literal["Argo Rollouts", "Flagger", "KServe"]
USUAL_SCRAPE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of a release at one weight.

    Args:
        weight: share of the traffic that the new version gets, 0..1.
        seconds: how long it lasts, without the wait for an approval.
        label: what it is, such as `20%`.
        waits: it ends with an approval.
        copies: share of the requests that a mirror copies to the new version, 0..1.
        matched: requests with a header or a path reach the new version: how many is not in the tree.
    """

    weight: float
    seconds: float
    label: str
    waits: bool = False
    copies: float = 0.0
    matched: bool = False

    @property
    def seen(self) -> float:
        """The share of the requests that the new version answers, copies included."""
        return max(self.weight, self.copies)


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeMetric:
    """One metric, as the controller reads it at one place of a release.

    Args:
        name: its name.
        template: the object that has it.
        path: its place in that object.
        moment: when it runs; None where no release of the tree uses it.
        step: name of the step or the run.
        provider: such as `prometheus`.
        query: the query with the arguments that the tree shows; empty for a provider without one.
        success: the success condition.
        failure: the failure condition.
        interval_s: seconds between measurements; 0 for a single one.
        count: number of measurements, None without an end.
        start_s: when its run starts, seconds since the first stage.
        waits: the release waits for an approval while it runs.
        delay_s: seconds from there to the first measurement.
        failure_limit: failures that are forgiven; -1 forgives all.
        inconclusive_limit: inconclusive measurements that are forgiven.
        error_limit: errors in a row that are forgiven.
        success_limit: successes in a row that end it early; 0 for none.
        dry_run: its verdict is ignored.
        versions: words that name the versions at that moment.
        unread: why its conditions or numbers cannot be read; empty when they can.
    """

    name: str
    template: Object
    path: Path
    moment: Moment | None
    step: str
    provider: str
    query: str = ""
    success: str = ""
    failure: str = ""
    interval_s: float = 0.0
    count: int | None = 1
    start_s: float = 0.0
    waits: bool = False
    delay_s: float = 0.0
    failure_limit: int = 0
    inconclusive_limit: int = 0
    error_limit: int = 4
    success_limit: int = 0
    dry_run: bool = False
    versions: Versions = field(default_factory=Versions)
    unread: str = ""

    @property
    def place(self) -> Place:
        """Where it is written."""
        return self.template.place(self.path)

    @property
    def lasts_s(self) -> float:
        """Seconds from the start of its run to its last measurement; 0 without an end."""
        return self.delay_s + (self.count - 1) * self.interval_s if self.count else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release of a tree.

    Args:
        object: the object that describes it.
        tool: the controller that runs it.
        strategy: how traffic moves.
        stages: the stretches up to the full promotion, in order.
        metrics: what may stop it.
        scrape_s: seconds between two samples of its series.
        assumed: nothing in the tree shows the scrape interval.
        checks: Flagger counts failed checks of all metrics together; the checks that are forgiven less one.
        notes: what else decides, or is not modelled, in sentences.
        missing: templates that it names and that are not in the tree.
    """

    object: Object
    tool: Tool
    strategy: Strategy
    stages: tuple[Stage, ...]
    metrics: tuple[TreeMetric, ...] = ()
    scrape_s: float = USUAL_SCRAPE_S
    assumed: bool = True
    checks: int | None = None
    notes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Seconds of all stages, without approvals."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def waits(self) -> bool:
        """Whether it waits for an approval."""
        return any(stage.waits for stage in self.stages)


@dataclass(frozen=True, slots=True)
class TreeReleases:
    """Every release of a tree.

    Args:
        releases: in the order of the files.
        unused: metrics of templates that no Rollout of the tree uses.
        files: how many files were read.
        unread: what could not be read, in sentences.
    """

    releases: tuple[Release, ...]
    unused: tuple[TreeMetric, ...]
    files: int
    unread: tuple[str, ...]
