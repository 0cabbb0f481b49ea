"""The objects of a tree, found by kind, namespace and name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from generator.lint.kinds.definitions import KINDS
from generator.source.document import Path


@dataclass(frozen=True, slots=True)
class Document:
    """One Kubernetes object of a file.

    Args:
        file: path below the root, with forward slashes.
        index: 0-based number of the YAML document in the file.
        body: its plain values.
        prefix: where the object begins inside the document: not empty for an item of a `List`.
    """

    file: str
    index: int = 0
    body: dict[str, Any] = field(default_factory=dict, compare=False)
    prefix: Path = ()


@dataclass(frozen=True, slots=True)
class Object:
    """An object with its name at hand; `namespace` is empty where the file has none."""

    document: Document
    group: str
    kind: str
    namespace: str
    name: str

    @property
    def body(self) -> Mapping[str, Any]:
        """The plain values."""
        return self.document.body

    @property
    def spec(self) -> Mapping[str, Any]:
        """Its spec, empty when it has none."""
        return as_map(self.body.get("spec"))

    @property
    def cluster_wide(self) -> bool:
        """Whether its kind is known to live outside any namespace."""
        entry = KINDS.get((str(self.body.get("apiVersion")), self.kind))
        return entry is not None and entry.cluster

    @property
    def folder(self) -> str:
        """The folder of its file: the bundle."""
        return self.document.file.rpartition("/")[0]

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


def as_map(value: object) -> Mapping[str, Any]:
    """A mapping as it is; anything else is an empty one, for the tables have said what is wrong with it."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: object) -> list[Any]:
    """A list as it is; anything else is an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    """A string as it is; anything else is an empty one."""
    return value if isinstance(value, str) else ""


def each(value: object, path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The mappings of a list, each with its path."""
    for number, entry in enumerate(as_list(value)):
        yield (*path, number), as_map(entry)


def object_of(document: Document) -> Object:
    """The object that a document holds."""
    metadata = as_map(document.body.get("metadata"))
    api_version = as_text(document.body.get("apiVersion"))
    return Object(
        document,
        api_version.rpartition("/")[0],
        as_text(document.body.get("kind")),
        as_text(metadata.get("namespace")),
        as_text(metadata.get("name")),
    )


class Reference(NamedTuple):
    """A name at a path that must lead to an object."""

    path: Path
    group: str
    kind: str
    namespace: str
    name: str


def together(one: str, other: str) -> bool:
    """Whether two namespaces can be the same: one that is not written is decided at apply time."""
    return one == other or not one or not other


class Objects:
    """All objects of a tree, in the order of its files; `by_folder` has those of each folder."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self.all = [object_of(document) for document in documents]
        self.by_folder: dict[str, list[Object]] = {}
        self._by_kind: dict[tuple[str, str], list[Object]] = {}
        self._by_name: dict[tuple[str, str, str], dict[str, Object]] = {}
        self._beside: dict[tuple[str, str, str], list[Object]] = {}
        for item in self.all:
            self._by_kind.setdefault((item.group, item.kind), []).append(item)
            homes = self._by_name.setdefault((item.group, item.kind, item.name), {})
            homes.setdefault("" if item.cluster_wide else item.namespace, item)
            self.by_folder.setdefault(item.folder, []).append(item)
            self._beside.setdefault((item.group, item.kind, item.folder), []).append(item)

    def of(self, group: str, kind: str) -> list[Object]:
        """All objects of one kind."""
        return self._by_kind.get((group, kind), [])

    def beside(self, item: Object, group: str, kind: str, namespace: str) -> list[Object]:
        """The objects of one kind in the folder of an object that may live in a namespace."""
        items = self._beside.get((group, kind, item.folder), [])
        return [other for other in items if together(other.namespace, namespace) or other.cluster_wide]

    def get(self, group: str, kind: str, namespace: str, name: str) -> Object | None:
        """The object of that name in that namespace; one with the namespace written down comes first."""
        homes = self._by_name.get((group, kind, name), {})
        anywhere = next(iter(homes.values()), None) if not namespace else None
        return homes.get(namespace) or homes.get("") or anywhere
