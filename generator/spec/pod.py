"""Pods: where they run and what is around the model, in the words of Kubernetes (core/v1).

Sluice reads lists and mappings of Kubernetes by Kubernetes' own definitions (`generator.lint.kinds`), not by records.
"""

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from generator.spec.record import Record
from generator.spec.types import Cpu, Interval, Line, Memory, Timeout

LabelName = Annotated[
    str,
    Field(
        pattern=r"^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?){0,5}/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"
    ),
]
LabelValue = Annotated[str, Field(pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$")]
_Object = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$")]
_Items = list[dict[str, Any]]

JOINED: Final[dict[str, tuple[str, ...]]] = {
    "imagePullSecrets": ("name",),
    "tolerations": ("key", "operator", "value", "effect"),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "initContainers": ("name",),
    "sidecars": ("name",),
    "hostAliases": ("ip",),
}
"""Lists that layers join, and the keys that identify an item: an item replaces that of a lower layer."""


class Annotations(Record):
    """Annotations of another object of the model."""

    annotations: dict[LabelName, Line] = Field({}, description="annotations, next to those of Sluice")


class StartupProbe(Record):
    """The probe until the model is loaded; `service.startup` is its total time."""

    period: Interval = Field(2.0, description="time between two probes")
    timeout: Interval = Field(5.0, description="time to wait for an answer")


class ReadyProbe(Record):
    """The probe that decides whether a pod gets requests."""

    period: Interval = Field(5.0, description="time between two probes")
    timeout: Interval = Field(5.0, description="time to wait for an answer")
    failures: int = Field(3, ge=1, le=100, description="failures in a row after which it gets no requests")


class LiveProbe(Record):
    """The probe that restarts a pod."""

    period: Interval = Field(10.0, description="time between two probes")
    timeout: Interval = Field(5.0, description="time to wait for an answer")
    failures: int = Field(6, ge=1, le=100, description="failures in a row after which it is restarted")


class PodProbes(Record):
    """Times of the probes; `serve.probes` has the paths and the port of a container."""

    startup: StartupProbe = Field(StartupProbe.model_construct(), description="until the model is loaded")
    ready: ReadyProbe = Field(ReadyProbe.model_construct(), description="whether it gets requests")
    live: LiveProbe = Field(LiveProbe.model_construct(), description="whether it is restarted")


class Termination(Record):
    """The end of a pod."""

    pre_stop: Interval = Field(
        10.0, description="how long a pod still answers after the signal to stop, while routers forget it"
    )
    grace: Timeout | None = Field(
        None,
        description="time after which it is killed; default: `preStop`, the time-out of a request, and 10s",
        examples=["60s"],
    )


class Limits(Record):
    """Limits of one pod's model container."""

    cpu: Cpu | None = Field(None, description="most CPU; default: no limit", examples=["2"])
    memory: Memory | None = Field(None, description="most memory; default: as requested", examples=["2Gi"])


class Pod(Record):
    """What platform, tier, environment and model add to the pods of a model."""

    labels: dict[LabelName, LabelValue] = Field({}, description="labels, next to those of Sluice")
    annotations: dict[LabelName, Line] = Field({}, description="annotations, next to those of Sluice")
    service_account: Annotations = Field(
        Annotations.model_construct(),
        description="its ServiceAccount, for workload identity",
        examples=[{"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/ranker"}}],
    )
    service: Annotations = Field(Annotations.model_construct(), description="the Services that lead to it")
    image_pull_secrets: _Items = Field(
        [],
        description="Secrets with credentials of registries; gate pods get them as well",
        examples=[[{"name": "registry"}]],
    )
    node_selector: dict[LabelName, LabelValue] = Field(
        {}, description="labels of the nodes that it may run on", examples=[{"pool": "models"}]
    )
    tolerations: _Items = Field(
        [],
        description="taints of nodes that it tolerates",
        examples=[[{"key": "pool", "operator": "Equal", "value": "models", "effect": "NoSchedule"}]],
    )
    affinity: dict[str, Any] = Field({}, description="affinity to nodes and to other pods")
    topology_spread_constraints: _Items = Field(
        [], description="how its pods are spread, in addition to the spread over nodes"
    )
    priority_class_name: _Object | None = Field(None, description="its PriorityClass")
    runtime_class_name: _Object | None = Field(None, description="its RuntimeClass", examples=["nvidia"])
    host_aliases: _Items = Field([], description="entries of its /etc/hosts")
    dns_config: dict[str, Any] = Field(
        {}, description="its DNS", examples=[{"options": [{"name": "ndots", "value": "2"}]}]
    )
    shared_memory: Memory | None = Field(
        None, description="size of /dev/shm, which counts as memory", examples=["1Gi"]
    )
    volumes: _Items = Field(
        [],
        description="volumes: configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, "
        "projected and secret",
        examples=[[{"name": "vocabulary", "configMap": {"name": "vocabulary"}}]],
    )
    volume_mounts: _Items = Field(
        [],
        description="where the model's container sees volumes",
        examples=[[{"name": "vocabulary", "mountPath": "/etc/vocabulary", "readOnly": True}]],
    )
    init_containers: _Items = Field([], description="containers that end before the model starts")
    sidecars: _Items = Field(
        [],
        description="containers that run next to the model: they start before it and end after it (init containers "
        "with `restartPolicy: Always`)",
    )
    probes: PodProbes = Field(PodProbes.model_construct(), description="times of its probes")
    termination: Termination = Field(Termination.model_construct(), description="its end")

    @property
    def placement(self) -> dict[str, object]:
        """Fields of a PodSpec that only platform, tier and spec decide, without empty ones."""
        fields: dict[str, object] = {
            "imagePullSecrets": self.image_pull_secrets,
            "nodeSelector": self.node_selector,
            "tolerations": self.tolerations,
            "affinity": self.affinity,
            "priorityClassName": self.priority_class_name,
            "runtimeClassName": self.runtime_class_name,
            "hostAliases": self.host_aliases,
            "dnsConfig": self.dns_config,
        }
        return {name: value for name, value in fields.items() if value}


POD_KEYS: Final = tuple(info.alias or name for name, info in Pod.model_fields.items())
TEAMS_MAY: Final = (
    "labels", "annotations", "nodeSelector", "affinity", "topologySpreadConstraints", "dnsConfig", "sharedMemory",
    "probes", "termination",
)  # fmt: skip
"""What a spec may set in a tier without `ceilings.pod`: nothing that runs another program or gives access."""

if TYPE_CHECKING:
    PodKey = str
else:
    PodKey = Literal[POD_KEYS]


class GpuKind(Record):
    """One kind of GPUs."""

    resource: Annotated[str, Field(pattern=r"^[a-z0-9.-]{1,100}/[A-Za-z0-9._-]{1,63}$")] = Field(
        "nvidia.com/gpu", description="name of the resource", examples=["nvidia.com/mig-1g.10gb"]
    )
    node_selector: dict[LabelName, LabelValue] = Field(
        {}, description="labels of nodes that have it", examples=[{"nvidia.com/gpu.product": "NVIDIA-L4"}]
    )
    tolerations: _Items = Field([], description="taints of these nodes")
