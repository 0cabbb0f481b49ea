"""The Kubernetes objects of a tree: where each one was read, and an index by kind, namespace and name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from generator.dataclass import dataclass
from generator.lint.kinds.definitions import KINDS
from generator.source.document import Path
from generator.source.finding import Place

if TYPE_CHECKING:
    import yaml

Body: TypeAlias = Mapping[str, Any]

_PLACEHOLDER: Final = re.compile(
    r"\$\{[^{}]*\}|\{\{[^{}]*\}\}|\$\([^()]*\)|<[A-Za-z][\w -]*>|\$[A-Z_][A-Z0-9_]*\b"
)
# Kinds without a table whose objects live outside any namespace; `Cluster…` of operators are found by their name.
_CLUSTER_WIDE: Final = frozenset(
    [
        "APIService",
        "CSIDriver",
        "CSINode",
        "ComponentStatus",
        "CustomResourceDefinition",
        "FlowSchema",
        "GatewayClass",
        "IngressClass",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "RuntimeClass",
        "StorageClass",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeSnapshotClass",
    ]
)
# The API groups of kinds that rules find by name; other groups have some of these names, such as Knative's Service.
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "Rollout": ("argoproj.io",),
    "AnalysisTemplate": ("argoproj.io",),
    "ClusterAnalysisTemplate": ("argoproj.io",),
    "AnalysisRun": ("argoproj.io",),
    "Application": ("argoproj.io",),
    "ApplicationSet": ("argoproj.io",),
    "Workflow": ("argoproj.io",),
    "Job": ("batch",),
    "Service": ("",),
    "Deployment": ("apps",),
    "ReplicaSet": ("apps",),
    "PodTemplate": ("",),
    "Ingress": ("networking.k8s.io", "extensions"),
    "StatefulSet": ("apps",),
    "DaemonSet": ("apps",),
    "CronJob": ("batch",),
    "Pod": ("",),
    "Namespace": ("",),
    "ConfigMap": ("",),
    "Secret": ("",),
    "Experiment": ("argoproj.io",),
    "InferenceService": ("serving.kserve.io",),
    "ServiceMonitor": ("monitoring.coreos.com",),
    "PodMonitor": ("monitoring.coreos.com",),
    "HorizontalPodAutoscaler": ("autoscaling",),
    "ScaledObject": ("keda.sh",),
    "PodDisruptionBudget": ("policy",),
    "VirtualService": ("networking.istio.io",),
    "DestinationRule": ("networking.istio.io",),
    "Mapping": ("getambassador.io", "x.getambassador.io"),
    "TraefikService": ("traefik.io", "traefik.containo.us"),
    "ApisixRoute": ("apisix.apache.org",),
    "VirtualRouter": ("appmesh.k8s.aws",),
    "HTTPRoute": ("gateway.networking.k8s.io",),
    "GRPCRoute": ("gateway.networking.k8s.io",),
    "TCPRoute": ("gateway.networking.k8s.io",),
    "TLSRoute": ("gateway.networking.k8s.io",),
}


class File:
    """A file of a tree; positions are read from its text when the first one is needed.

    Args:
        name: path below the root of the tree, with forward slashes.
        text: its content; None for objects that were never in a file.
    """

    def __init__(self, name: str = "", text: str | None = None) -> None:
        self.name, self.text = name, text

    @cached_property
    def _roots(self) -> list[yaml.Node | None]:
        import yaml

        try:
            return list(yaml.compose_all(self.text or "", yaml.CSafeLoader))
        except yaml.YAMLError:
            return []

    @cached_property
    def _lines(self) -> list[str]:
        return (self.text or "").split("\n")

    def position(self, index: int, path: Path, *, key: bool) -> Place:
        """Return the place of a value (or of its key) in a document, or of its nearest parent that is there."""
        import yaml

        node = self._roots[index] if index < len(self._roots) else None
        if node is None:
            return Place(self.name)
        mark = node
        for step in path:
            pair = _child(node, step)
            if pair is None:
                break
            name, node = pair
            mark = name if key or not isinstance(node, yaml.ScalarNode) else node
        start, end = mark.start_mark, mark.end_mark
        end_column = end.column + 1 if end.line == start.line else 0
        return Place(self.name, start.line + 1, start.column + 1, end_column)

    def place(self, path: Path, *, key: bool = False) -> Place:  # noqa: ARG002 - of the whole file
        """Return the place of the file as a whole."""
        return Place(self.name)

    def excerpt(self, line: int) -> str:
        """Return a line without its end; empty for a line that is not there."""
        return self._lines[line - 1].rstrip("\r") if 0 < line <= len(self._lines) else ""


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """Return the key node and the value node one step down; the value twice for an item of a list."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        return next(((name, value) for name, value in node.value if name.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Object:
    """One Kubernetes object.

    Args:
        body: its plain values.
        file: the file that holds it.
        index: 0-based number of its YAML document in the file.
        prefix: where it begins inside the document; not empty for an item of a `List`.
        group: its API group, empty for the core group.
        kind: its kind.
        namespace: as written; empty when the file has none.
        name: as written; empty when there is none.
    """

    body: Body
    file: File = field(default_factory=File)
    index: int = 0
    prefix: Path = ()
    group: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""

    @classmethod
    def read(cls, body: Body, file: File | None = None, index: int = 0, prefix: Path = ()) -> Object:
        """Return the object that a document, or an item of a list, holds."""
        metadata = as_map(body.get("metadata"))
        return cls(
            body=body,
            file=file or File(),
            index=index,
            prefix=prefix,
            group=as_text(body.get("apiVersion")).rpartition("/")[0],
            kind=as_text(body.get("kind")),
            namespace=as_text(metadata.get("namespace")),
            name=as_text(metadata.get("name")),
        )

    @property
    def spec(self) -> Body:
        """Its spec, empty when there is none."""
        return as_map(self.body.get("spec"))

    @property
    def labels(self) -> Body:
        """Its labels."""
        return as_map(as_map(self.body.get("metadata")).get("labels"))

    @property
    def annotations(self) -> Body:
        """Its annotations."""
        return as_map(as_map(self.body.get("metadata")).get("annotations"))

    @property
    def cluster_wide(self) -> bool:
        """Whether objects of its kind are known to live outside any namespace."""
        entry = KINDS.get((as_text(self.body.get("apiVersion")), self.kind))
        if entry is None:
            return self.kind in _CLUSTER_WIDE or self.kind.startswith("Cluster")
        return entry.cluster

    @property
    def may_lack_namespace(self) -> bool:
        """Whether nothing says that objects of its kind live in a namespace: no list knows the kind."""
        return self.cluster_wide or (as_text(self.body.get("apiVersion")), self.kind) not in KINDS

    @property
    def folder(self) -> str:
        """The folder of its file, empty at the root."""
        return self.file.name.rpartition("/")[0]

    @property
    def shown_name(self) -> str:
        """Its name, or the beginning of a generated name."""
        return self.name or as_text(as_map(self.body.get("metadata")).get("generateName"))

    def __str__(self) -> str:
        name = f"{self.namespace}/{self.shown_name}" if self.namespace else self.shown_name
        return f"{self.kind} {name}".rstrip()

    def is_a(self, *kinds: str) -> bool:
        """Return whether the object is of one of these kinds, in the API group that the kind belongs to."""
        return self.kind in kinds and self.group in GROUPS[self.kind]

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Return the place of a value (or of its key), or of its nearest parent that is there."""
        return self.file.position(self.index, (*self.prefix, *path), key=key)

    def excerpt(self, line: int) -> str:
        """Return a line of its file without its end."""
        return self.file.excerpt(line)


def as_map(value: object) -> Body:
    """Return a mapping as it is, an empty one for anything else: the shape check reports a wrong type."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: object) -> list[Any]:
    """Return a list as it is, an empty one for anything else."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    """Return a string as it is, an empty one for anything else."""
    return value if isinstance(value, str) else ""


def as_int(value: object, default: int = 0) -> int:
    """Return an integer as it is, the default for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def value_at(value: Any, path: Path) -> Any:
    """Return the value at a path, None where there is none."""
    for step in path:
        if isinstance(value, list) and isinstance(step, int):
            value = value[step] if step < len(value) else None
        else:
            value = as_map(value).get(str(step))
    return value


def has(body: Body, key: str) -> bool:
    """Return whether a pointer field is set: Go reads `key: null` as absent and `key: {}` as present."""
    return body.get(key) is not None


def each(value: object, path: Path) -> Iterator[tuple[Path, Body]]:
    """Yield the mappings of a list, each with its path."""
    for number, entry in enumerate(as_list(value)):
        yield (*path, number), as_map(entry)


def selects(selector: Body, labels: Body) -> bool:
    """Return whether a label selector matches some labels; an empty one matches everything."""
    terms = [as_map(term) for term in as_list(selector.get("matchExpressions"))]
    wanted = as_map(selector.get("matchLabels"))
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(term, labels) for term in terms
    )


def _holds(term: Body, labels: Body) -> bool:
    key, values = as_text(term.get("key")), as_list(term.get("values"))
    match as_text(term.get("operator")):
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":  # an object without the label matches
            return key not in labels or labels[key] not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return True


class Reference(NamedTuple):
    """The name of another object, and the path at which it is written."""

    path: Path
    group: str
    kind: str
    namespace: str
    name: str


def is_placeholder(text: str) -> bool:
    """Return whether a text is filled in before it is applied: by envsubst or Flux, an ApplicationSet or a template."""
    return _PLACEHOLDER.search(text) is not None


def may_share_namespace(one: str, other: str) -> bool:
    """Return whether two namespaces can be the same: one that is not written is decided when it is applied."""
    return one == other or not one or not other
