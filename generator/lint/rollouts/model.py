"""A tree of Kubernetes objects: parsed documents and their origin, found by kind, namespace and name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Body: TypeAlias = Mapping[str, Any]
Path: TypeAlias = tuple[str | int, ...]

# A kind is only what we think it is in these API groups (Knative has a Service too).
_GROUPS: Mapping[str, frozenset[str]] = {
    "Rollout": frozenset({"argoproj.io"}),
    "AnalysisTemplate": frozenset({"argoproj.io"}),
    "ClusterAnalysisTemplate": frozenset({"argoproj.io"}),
    "AnalysisRun": frozenset({"argoproj.io"}),
    "Experiment": frozenset({"argoproj.io"}),
    "Application": frozenset({"argoproj.io"}),
    "ApplicationSet": frozenset({"argoproj.io"}),
    "Workflow": frozenset({"argoproj.io"}),
    "Job": frozenset({"batch"}),
    "Service": frozenset({""}),
    "Deployment": frozenset({"apps"}),
    "ReplicaSet": frozenset({"apps"}),
    "PodTemplate": frozenset({""}),
    "Ingress": frozenset({"networking.k8s.io", "extensions"}),
    "HorizontalPodAutoscaler": frozenset({"autoscaling"}),
    "PodDisruptionBudget": frozenset({"policy"}),
    "VirtualService": frozenset({"networking.istio.io"}),
    "DestinationRule": frozenset({"networking.istio.io"}),
    "Mapping": frozenset({"getambassador.io", "x.getambassador.io"}),
    "TraefikService": frozenset({"traefik.io", "traefik.containo.us"}),
    "ApisixRoute": frozenset({"apisix.apache.org"}),
    "VirtualRouter": frozenset({"appmesh.k8s.aws"}),
    "HTTPRoute": frozenset({"gateway.networking.k8s.io"}),
    "GRPCRoute": frozenset({"gateway.networking.k8s.io"}),
    "TCPRoute": frozenset({"gateway.networking.k8s.io"}),
    "TLSRoute": frozenset({"gateway.networking.k8s.io"}),
}
_CLUSTER_KINDS = frozenset({"ClusterAnalysisTemplate"})


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Where a document stands.

    Args:
        file: path as the user knows it.
        index: 0-based number of the document inside the file.
    """

    file: str = ""
    index: int = 0

    @property
    def folder(self) -> str:
        """The folder of the file, empty at the root."""
        return self.file.rpartition("/")[0]


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """The name of an object in a cluster; the namespace is empty where the document has none."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Object:
    """One parsed document of a tree."""

    key: Key
    body: Body
    source: Source = Source()

    @property
    def group(self) -> str:
        """The API group, empty for the core group."""
        version = self.body.get("apiVersion")
        return version.rpartition("/")[0] if isinstance(version, str) else ""


def as_map(value: object) -> Body:
    """The value where it is a mapping, else an empty one: wrong types have a rule of their own."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: object) -> Sequence[Any]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list | tuple) else ()


def as_text(value: object) -> str:
    """The value where it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def as_int(value: object, default: int = 0) -> int:
    """The value where it is an integer, else the default."""
    return value if isinstance(value, int) and not isinstance(value, bool) else default


class Objects:
    """The objects of one tree, in the order they were given.

    Documents that are no mapping, have no kind or belong to a foreign API group are left out; a `List` is
    opened.

    Attributes:
        by_folder: the objects of each folder.
    """

    def __init__(self, objects: Iterable[Object]) -> None:
        self.by_folder: dict[str, list[Object]] = {}
        self._by_kind: dict[str, list[Object]] = {}
        self._by_name: dict[tuple[str, str], list[Object]] = {}
        for item in objects:
            if item.group in _GROUPS.get(item.key.kind, ()):
                self.by_folder.setdefault(item.source.folder, []).append(item)
                self._by_kind.setdefault(item.key.kind, []).append(item)
                self._by_name.setdefault((item.key.kind, item.key.name), []).append(item)

    @classmethod
    def of(cls, documents: Iterable[tuple[Source, object]]) -> Objects:
        """Index parsed documents."""
        return cls(item for source, body in documents for item in _open(source, body))

    def of_kind(self, *kinds: str) -> Iterator[Object]:
        """All objects of these kinds."""
        for kind in kinds:
            yield from self._by_kind.get(kind, ())

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """The object of that name, or None.

        A document without a namespace lives in whatever namespace its neighbours are applied to, so it
        matches any.
        """
        candidates = self._by_name.get((kind, name), [])
        if kind in _CLUSTER_KINDS:
            return candidates[0] if candidates else None
        exact = [item for item in candidates if item.key.namespace == namespace]
        loose = [item for item in candidates if not (item.key.namespace and namespace)]
        return next(iter(exact or loose), None)

    def names(self, kind: str) -> list[str]:
        """The names of all objects of a kind."""
        return [item.key.name for item in self.of_kind(kind)]


def _open(source: Source, body: object) -> Iterator[Object]:
    document = as_map(body)
    kind = as_text(document.get("kind"))
    if kind == "List":
        for item in as_list(document.get("items")):
            yield from _open(source, item)
    elif kind:
        metadata = as_map(document.get("metadata"))
        name = as_text(metadata.get("name")) or as_text(metadata.get("generateName"))
        yield Object(Key(kind, as_text(metadata.get("namespace")), name), document, source)
