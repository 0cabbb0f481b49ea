"""The plan: one spec resolved for one environment. Frozen, complete, and free of any I/O.

Shares are fractions, times seconds, weights whole percentages of live traffic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from generator.plan.bento import Bento
from generator.plan.guards import Comparison, Guard, Limit, Parity
from generator.plan.measurements import Clock
from generator.routers import ROUTERS, Router
from generator.spec.exemptions import Waiver
from generator.spec.gates import GateBase
from generator.spec.monitoring import Monitoring
from generator.spec.platform import Prometheus
from generator.spec.rollout import BlueGreen, Canary


@dataclass(frozen=True, slots=True)
class Identity:
    """Which model, whose, and where it runs."""

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
    """Which version of the model, and where it came from."""

    ref: str
    resolved: str
    label: str
    digest: str
    at: str


@dataclass(frozen=True, slots=True)
class Image:
    """The container image; by digest once the lock holds one that was built from this bento."""

    repository: str
    tag: str
    digest: str | None

    @property
    def reference(self) -> str:
        """What a container names."""
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"


@dataclass(frozen=True, slots=True)
class Routing:
    """What splits the live traffic of this model."""

    kind: str
    gateway: str
    namespace: str
    implementation: str | None
    entry_points: tuple[str, ...]
    hosts: tuple[str, ...]

    @property
    def router(self) -> Router:
        """The descriptor of the router."""
        return ROUTERS[self.kind]


@dataclass(frozen=True, slots=True)
class Capacity:
    """Pods, what each needs, and the seconds it may take to be ready.

    `gpu` counts devices; `cpu` and `memory` are Kubernetes quantities.
    """

    replicas: int
    cpu: str
    memory: str
    gpu: int
    startup_s: float
    autoscaler: Literal["hpa", "keda"] | None = None
    minimum: int = 0
    maximum: int = 0
    target_cpu: float = 0.0
    rps_per_pod: float = 0.0

    @property
    def deadline_s(self) -> int:
        """Seconds without progress after which a release is given up: three starts of a pod and a minute."""
        return round(3 * self.startup_s) + 60

    @property
    def max_replicas(self) -> int:
        """Most pods of the stable version."""
        return self.maximum if self.autoscaler else self.replicas

    @property
    def min_replicas(self) -> int:
        """Fewest pods of the stable version."""
        return self.minimum if self.autoscaler else self.replicas


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate before any traffic.

    Args:
        spec: the gate as it is written, defaults filled in.
        config: the same as plain JSON values, and the digest of its suite: what the gate key covers.
        waiver: lets it fail or be missing for a while.
    """

    spec: GateBase
    config: dict[str, Any]
    waiver: Waiver | None

    @property
    def name(self) -> str:
        """Name, unique in the model."""
        return self.spec.name

    @property
    def kind(self) -> str:
        """Kind of the gate."""
        return self.spec.kind

    @property
    def tool(self) -> str:
        """What measures."""
        return self.spec.tool_name


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the bundle reaches the cluster.

    Args:
        repo: the repository that Argo CD reads.
        revision: the branch of it.
        folder: where rendered files lie in it.
        server: the cluster's API server.
        argocd_namespace: where Argo CD runs.
        rollouts: release of Argo Rollouts, as "1.10".
        workflows: release of Argo Workflows, as "3.7".
        requires: environments that a version is to have passed before this one.
    """

    repo: str
    revision: str
    folder: str
    server: str
    argocd_namespace: str
    rollouts: str
    workflows: str
    requires: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GatePodSettings:
    """How gates run in the cluster.

    Args:
        prefix: what the names of their images start with.
        base: the image that those start from.
        claim: claim that holds the inputs; empty where an archive does.
        url: address of the archive of this model's inputs, or empty.
        s3: its key in the artifact repository, or empty.
        secret: Secret whose keys become variables, or empty.
        artifacts: there is an artifact repository.
        guaranteed: intervals keep their level whatever the truth.
        watch: cron expression (UTC) of the gates after the release, or empty.
    """

    prefix: str
    base: str
    claim: str
    url: str
    s3: str
    secret: str
    artifacts: bool
    guaranteed: bool
    watch: str


@dataclass(frozen=True, slots=True)
class PodVariable:
    """An environment variable of the pods: a plain value, or a key of a Secret by its name in the cluster."""

    name: str
    value: str | None
    secret: tuple[str, str] | None


class SecretKey(NamedTuple):
    """A key of a Secret, and its version in the store; empty for the newest."""

    key: str
    version: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A Secret that the External Secrets Operator fetches.

    Args:
        role: what the spec calls it.
        name: what it is called in the cluster.
        store: store of the operator, of `store_kind`.
        remote: where in the store it lies.
        keys: what is fetched of it.
        refresh_s: how often.
    """

    role: str
    name: str
    store: str
    store_kind: str
    remote: str
    keys: tuple[SecretKey, ...]
    refresh_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that will be rendered, and why."""

    identity: Identity
    version: Version
    image: Image
    bento: Bento
    env: tuple[PodVariable, ...]
    secrets: tuple[Secret, ...]
    routing: Routing
    capacity: Capacity
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
    notices: tuple[tuple[str, str], ...] = ()
    """Annotations of the Rollout: who is told what, and what each guard stops a release for."""

    @property
    def clock(self) -> Clock:
        """When the controller measures."""
        return Clock(self.prometheus.scrape_interval, self.prometheus.look_interval)

    @property
    def measured_guards(self) -> tuple[Guard, ...]:
        """Guards that are measured on live traffic: after a switch only limits, there is no version to compare with."""
        if self.rollout.stage == "canary":
            return self.guards
        return tuple(guard for guard in self.guards if isinstance(guard, Limit))

    @property
    def evidence_guards(self) -> tuple[Comparison | Parity, ...]:
        """Guards that ask at the end of a weight step whether it has seen enough; the floor of a limit does that."""
        asking = (guard for guard in self.measured_guards if not isinstance(guard, Limit))
        return tuple(guard for guard in asking if guard.asks_evidence(self.min_rps))
