"""The plan: one spec, resolved for one environment. It is frozen and complete; nothing reads files after it.

Shares are fractions, times seconds, weights whole percentages of live traffic.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from generator.dataclass import dataclass
from generator.plan.bento import Bento
from generator.plan.container import Container
from generator.plan.guards import Comparison, Guard, Limit, Parity
from generator.plan.load import StepLoad, step_load
from generator.plan.measurements import Clock
from generator.plan.pod_settings import GatePodSettings, PodVariable, Secret
from generator.routers import ROUTERS, Router
from generator.spec.exemptions import Waiver
from generator.spec.gates import GateBase
from generator.spec.monitoring import Monitoring
from generator.spec.pod import Pod
from generator.spec.prometheus import Prometheus
from generator.spec.rollout import BlueGreen, Canary

if TYPE_CHECKING:
    from generator.spec.calibration import CalibrationFile
    from generator.spec.promotion import PromotionFile


Server = Bento | Container
"""Who serves: a service that Sluice renders, or a container that the team brings."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The model, its owner, and where it runs."""

    team: str
    model: str
    environment: str
    tier: str
    owner: str
    description: str
    namespace: str

    @property
    def path(self) -> str:
        """Folder of the bundle below `rendered/`."""
        return f"{self.environment}/{self.team}/{self.model}"


@dataclass(frozen=True, slots=True)
class Version:
    """The version of the model, and where it came from."""

    ref: str
    resolved: str
    label: str
    digest: str
    at: str


@dataclass(frozen=True, slots=True)
class Image:
    """The container image. It has a digest once the lock names an image that was built from this bento."""

    repository: str
    tag: str
    digest: str | None

    @property
    def reference(self) -> str:
        """The image reference of the containers."""
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"


@dataclass(frozen=True, slots=True)
class Routing:
    """The routing of this model's live traffic.

    `service` and `new_service` are names that Services keep, `name` is that of the route; empty for those of the model.
    """

    kind: str
    gateway: str
    namespace: str
    implementation: str | None
    section: str
    port: int | None
    entry_points: tuple[str, ...]
    ingress_class: str
    annotations: tuple[tuple[str, str], ...]
    tls_secret: str
    group: str
    hosts: tuple[str, ...]
    service: str = ""
    new_service: str = ""
    name: str = ""

    @property
    def router(self) -> Router:
        """The descriptor of the router."""
        return ROUTERS[self.kind]


@dataclass(frozen=True, slots=True)
class Capacity:
    """The number of pods, the resources of each, and how long one may take to become ready.

    `gpu` counts devices of `gpu_resource`; `cpu`, `memory` and `storage` (local) are Kubernetes quantities, as are the
    limits; `cpu_limit` may be empty. `exact`: the autoscaler tolerates nothing below its target.
    """

    replicas: int
    cpu: str
    memory: str
    cpu_limit: str
    memory_limit: str
    gpu: int
    gpu_resource: str
    storage: str
    startup_s: float
    autoscaler: Literal["hpa", "keda"] | None = None
    minimum: int = 0
    maximum: int = 0
    target_cpu: float = 0.0
    rps_per_pod: float = 0.0
    exact: bool = False

    @property
    def deadline_s(self) -> int:
        """Seconds without progress after which the controller gives a release up: three pod starts and a minute."""
        return round(3 * self.startup_s) + 60

    @property
    def max_replicas(self) -> int:
        """The largest number of stable pods."""
        return self.maximum if self.autoscaler else self.replicas

    @property
    def min_replicas(self) -> int:
        """The smallest number of stable pods."""
        return self.minimum if self.autoscaler else self.replicas


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate: it runs before the version gets any traffic.

    Args:
        spec: the gate as written, with defaults filled in.
        config: the same as plain JSON values, with the digest of its suite; the gate key covers it.
        waiver: allows it to fail or to be missing until a date; None for no waiver.
        groups: declared values of its sensitive attributes, where they are declared.
    """

    spec: GateBase
    config: dict[str, Any]
    waiver: Waiver | None
    groups: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def name(self) -> str:
        """Its name, unique in the model."""
        return self.spec.name

    @property
    def kind(self) -> str:
        """Its kind."""
        return self.spec.kind

    @property
    def tool(self) -> str:
        """The tool that measures."""
        return self.spec.tool_name


@dataclass(frozen=True, slots=True)
class Delivery:
    """The delivery of the bundle to the cluster.

    Args:
        repo: the repository that Argo CD reads.
        revision: its branch.
        folder: folder of the rendered files, next to specs/.
        path: the same folder below the top of the git repository.
        server: the cluster's API server.
        argocd_namespace: where Argo CD runs.
        cluster: name of the cluster in Argo CD, for destinations by name; empty for destinations by server.
        application: name of the Application, unique in the namespace of Argo CD.
        project: name of its AppProject.
        labels: labels of the Application.
        automated: Argo CD syncs by itself; then `prune` and `self_heal` are its settings.
        rollouts: release of Argo Rollouts, as "1.10".
        workflows: release of Argo Workflows, as "3.7".
        kubernetes: release of Kubernetes, as "1.36".
        requires: environments that a version must pass before this one.
        adopted: the namespace has pods of others.
    """

    repo: str
    revision: str
    folder: str
    path: str
    server: str
    argocd_namespace: str
    cluster: str
    application: str
    project: str
    labels: tuple[tuple[str, str], ...]
    automated: bool
    prune: bool
    self_heal: bool
    rollouts: str
    workflows: str
    kubernetes: str
    requires: tuple[str, ...]
    adopted: bool


@dataclass(frozen=True, slots=True)
class Feedback:
    """The route for outcomes.

    Args:
        secret: Secret with the keys that sign `served_by`.
        fetched: how the External Secrets Operator fetches that Secret; None when it exists in the namespace already.
        public: callers of the public host reach it.
    """

    secret: str
    fetched: Secret | None
    public: bool


class Common(NamedTuple):
    """What all environments share: capacity and pod without overrides, the image's repository, the gate key."""

    capacity: Capacity
    pod: Pod
    repository: str
    gate_key: str


_MOST_PARTS = 10
_MOST_PARTS_OF_ALL = 40


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a bundle is rendered from."""

    identity: Identity
    version: Version
    image: Image
    server: Server
    env: tuple[PodVariable, ...]
    secrets: tuple[Secret, ...]
    feedback: Feedback | None
    routing: Routing
    capacity: Capacity
    pod: Pod
    rollout: Canary | BlueGreen
    guards: tuple[Guard, ...]
    shadow_guards: tuple[Guard, ...]
    gates: tuple[Gate, ...]
    gate_key: str
    gate_pods: GatePodSettings
    data: tuple[tuple[str, str], ...]
    enforcement: tuple[str, ...]
    min_rps: float | None
    design_effect: float
    monitoring: Monitoring
    prometheus: Prometheus
    delivery: Delivery
    common: Common
    pod_templates: str = ""
    """Digest (hex) of what renders the pods: our templates, and what the platform team's print; empty if unknown."""
    cohort_shares: tuple[float, ...] = ()
    """The largest share of live requests of each cohort step, in order; 1 for a cohort whose size is unknown."""
    notices: tuple[tuple[str, str], ...] = ()
    """Annotations of the Rollout: who is notified, and what each guard stops a release for."""
    promotion: PromotionFile | None = None
    """The lock of the model in this environment; None where nothing is required or nothing was promoted yet."""
    keeps: str = ""
    """The release key of the release that the environment keeps; empty unless the plan governs another release."""
    calibration: CalibrationFile | None = None
    """What the history of the model in this environment says; only reports read it."""

    @property
    def bento(self) -> Bento | None:
        """The rendered service; None for a container of the team."""
        return self.server if isinstance(self.server, Bento) else None

    @property
    def pushed(self) -> Image:
        """The image where it is pushed to; an environment may pull it from a mirror."""
        return replace(self.image, repository=self.common.repository)

    @property
    def clock(self) -> Clock:
        """The intervals at which the controller measures."""
        return Clock(self.prometheus.scrape_interval, self.prometheus.look_interval)

    @property
    def measured_guards(self) -> tuple[Guard, ...]:
        """Guards that are measured on live traffic; after a switch only limits, as there is nothing to compare with."""
        if self.rollout.stage == "canary":
            return self.guards
        return tuple(guard for guard in self.guards if isinstance(guard, Limit))

    @property
    def evidence_guards(self) -> tuple[Comparison | Parity, ...]:
        """Guards with an evidence check at the end of each weight step; a limit has a floor on its requests instead."""
        checked = (guard for guard in self.measured_guards if not isinstance(guard, Limit))
        return tuple(guard for guard in checked if guard.asks_evidence(self.min_rps))

    def weight_before(self, position: int) -> int:
        """Return the weight when a step begins, in whole percent."""
        steps = self.rollout.weight_steps
        return next((step.weight for at, step in reversed(steps) if at < position), 0)

    def rewritten_s(self, hold_s: float) -> float:
        """Return the seconds between two writes of a cohort's header route: equal parts of its hold.

        The controller writes the route once, in its step (Argo Rollouts 1.10, rollout/trafficrouting.go); a sync, or a
        moment without an available pod, removes it. Writing it again, up to ten times, limits the loss to one of these
        parts.
        """
        most = min(_MOST_PARTS, _MOST_PARTS_OF_ALL // max(1, len(self.rollout.cohort_steps)))
        whole = round(hold_s)
        parts = next(
            (n for n in range(most, 1, -1) if whole % n == 0 and whole / n >= self.clock.interval_s), 1
        )
        return hold_s / parts

    def compares_loads(self, guard: Guard) -> bool:
        """Return whether a guard only compares versions while their pods have about the same load.

        Without a router that splits requests, each pod gets the same share of them.
        """
        compares = isinstance(guard, Comparison) and guard.depends_on_load
        return compares and self.rollout.stage == "canary" and self.routing.router.splits_requests

    def takes_evidence(self, guard: Guard, weight: int) -> bool:
        """Return whether a guard takes evidence at a weight (whole percent), whatever the autoscaler does."""
        return not self.compares_loads(guard) or self.step_load(weight).comparable

    def step_load(self, weight: int) -> StepLoad:
        """Return the load of a canary pod at a weight (whole percent)."""
        scaled = any(map(self.compares_loads, self.guards))
        return step_load(weight, self.capacity.min_replicas, self.capacity.max_replicas, scaled=scaled)

    @property
    def step_loads(self) -> tuple[StepLoad, ...]:
        """The load of a canary pod in each weight step; empty where pods share requests equally."""
        if not self.routing.router.splits_requests:
            return ()
        return tuple(map(self.step_load, self.rollout.weights))
