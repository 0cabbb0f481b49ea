"""All objects of a tree, and which of them come to one place: by an Application, a kustomization or their folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final, NamedTuple

from generator.lint.objects import GROUPS, Body, Object, as_list, as_map, as_text, may_share_namespace
from generator.lint.sources import Sources
from generator.source.folders import synced

_APPLICATION: Final = "argoproj.io"
_NO_SOURCES: Final = Sources()


class Destination(NamedTuple):
    """Where an Application brings its objects: the cluster by address or name, and the default namespace."""

    server: str
    namespace: str


class Objects:
    """All objects of a tree, in the order of its files.

    Attributes:
        all: the objects.
        by_folder: the objects of each folder.
        sources: the charts and kustomizations of the tree.
    """

    def __init__(self, objects: Iterable[Object], sources: Sources = _NO_SOURCES) -> None:
        self.all = list(objects)
        self.sources = sources
        self.by_folder: dict[str, list[Object]] = {}
        self._by_kind: dict[tuple[str, str], list[Object]] = {}
        self._by_name: dict[tuple[str, str, str], list[Object]] = {}
        self._by_place: dict[tuple[str, str, str, str], list[Object]] = {}
        self._variants: dict[tuple[str, str], bool] = {}
        for item in self.all:
            self._by_kind.setdefault((item.group, item.kind), []).append(item)
            self._by_name.setdefault((item.group, item.kind, item.name), []).append(item)
            self._by_place.setdefault((item.folder, item.group, item.kind, item.name), []).append(item)
            self.by_folder.setdefault(item.folder, []).append(item)

    def of(self, group: str, kind: str) -> list[Object]:
        """Return all objects of one kind."""
        return self._by_kind.get((group, kind), [])

    def of_kind(self, *kinds: str) -> Iterator[Object]:
        """Yield all objects of these kinds, whatever API group of the kind they are written in."""
        for kind in kinds:
            for group in GROUPS[kind]:
                yield from self.of(group, kind)

    def named(self, group: str, kind: str, name: str) -> list[Object]:
        """Return the objects of one kind and name in all namespaces."""
        return self._by_name.get((group, kind, name), [])

    def placed(self, folder: str, group: str, kind: str, name: str) -> list[Object]:
        """Return the objects of one kind and name in one folder."""
        return self._by_place.get((folder, group, kind, name), [])

    def get(self, group: str, kind: str, namespace: str, name: str) -> Object | None:
        """Return the object of a name in a namespace; one that writes the namespace comes first."""
        return min(
            _fitting(self.named(group, kind, name), namespace),
            key=lambda item: _inexact(item, namespace),
            default=None,
        )

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return the object of a name, whatever API group of its kind it is written in."""
        groups = GROUPS.get(kind, ())
        return next((found for group in groups if (found := self.get(group, kind, namespace, name))), None)

    def near(self, item: Object) -> Nearby:
        """Return the objects as another object sees them: its own folder first, no other cluster, no variant of it."""
        return Nearby(self, item)

    @cached_property
    def _units(self) -> Mapping[str, frozenset[str]]:
        """What brings each file: Applications and kustomizations, by the name of the file."""
        units: dict[str, set[str]] = {}
        files = {item.file.name for item in self.all}
        for folder, brought in self.sources.units(files).items():
            for name in brought:
                units.setdefault(name, set()).add(f"kustomization {folder}")
        for number, (_, brought_by_app) in enumerate(self.applications):
            for name in brought_by_app:
                units.setdefault(name, set()).add(f"application {number}")
        return {name: frozenset(found) for name, found in units.items()}

    @cached_property
    def applications(self) -> list[tuple[Destination, set[str]]]:
        """The destination of each Application, and the files that it brings."""
        found = []
        for item in self.of(_APPLICATION, "Application"):
            brought = {one.file.name for one in self.synced(item.spec)}
            target = as_map(item.spec.get("destination"))
            server = as_text(target.get("server")) or as_text(target.get("name"))
            found.append((Destination(server, as_text(target.get("namespace"))), brought))
        return found

    def synced(self, spec: Body) -> list[Object]:
        """Return the objects in the folders that an Application syncs, with those that a kustomization there lists."""
        folders = set(self.by_folder) | {found.folder for found in self.sources.kustomizations}
        found: list[Object] = []
        for source in (spec.get("source"), *as_list(spec.get("sources"))):
            for folder in synced(as_map(source), folders):
                found += self.by_folder.get(folder, [])
                brought = self.sources.brought(folder)
                found += (item for item in self.all if brought and item.file.name in brought)
        return list(dict.fromkeys(found))

    @cached_property
    def _destinations(self) -> Mapping[str, frozenset[Destination]]:
        homes: dict[str, set[Destination]] = {}
        for destination, brought in self.applications:
            for name in brought:
                homes.setdefault(name, set()).add(destination)
        return {name: frozenset(found) for name, found in homes.items()}

    def destinations(self, item: Object) -> frozenset[Destination]:
        """Return where Applications bring an object, nothing when none does."""
        return self._destinations.get(item.file.name, frozenset())

    def together(self, one: Object, other: Object) -> bool:
        """Return whether two objects are in one folder, or one Application or kustomization brings both."""
        if one.folder == other.folder:
            return True
        mine = self._units.get(one.file.name, frozenset())
        return not mine.isdisjoint(self._units.get(other.file.name, frozenset()))

    def apart(self, one: Object, other: Object) -> bool:
        """Return whether two objects never meet: in two clusters, or in two variants of one folder."""
        if self.together(one, other):
            return False
        mine = {destination.server for destination in self.destinations(one)}
        theirs = {destination.server for destination in self.destinations(other)}
        if mine and theirs and mine.isdisjoint(theirs):
            return True
        pair = (one.folder, other.folder)
        if pair not in self._variants:
            names = (
                {
                    (item.group, item.kind, item.namespace, item.name)
                    for item in self.by_folder.get(folder, ())
                }
                for folder in pair
            )
            self._variants[pair] = self._variants[pair[::-1]] = bool(set.intersection(*names))
        return self._variants[pair]


class Nearby:
    """The objects of a tree as one of them sees them.

    Args:
        objects: the tree.
        item: the object.
    """

    def __init__(self, objects: Objects, item: Object) -> None:
        self._objects, self._item = objects, item

    def of(self, group: str, kind: str) -> list[Object]:
        """Return the objects of one kind."""
        return self._met(self._objects.of(group, kind))

    def of_kind(self, *kinds: str) -> Iterator[Object]:
        """Yield the objects of these kinds, whatever API group of the kind they are written in."""
        yield from self._met(self._objects.of_kind(*kinds))

    def named(self, group: str, kind: str, name: str) -> list[Object]:
        """Return the objects of one kind and name in all namespaces."""
        return self._met(self._objects.named(group, kind, name))

    def get(self, group: str, kind: str, namespace: str, name: str) -> Object | None:
        """Return the object of a name in a namespace, the nearest of several."""
        fitting = _fitting(self._objects.placed(self._item.folder, group, kind, name), namespace)
        fitting = fitting or _fitting(self.named(group, kind, name), namespace)
        return min(fitting, key=lambda item: (self._distance(item), _inexact(item, namespace)), default=None)

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return the object of a name, whatever API group of its kind it is written in."""
        groups = GROUPS.get(kind, ())
        return next((found for group in groups if (found := self.get(group, kind, namespace, name))), None)

    def next_to(self, group: str, kind: str) -> list[Object]:
        """Return the objects of one kind that are brought together with this one."""
        return [item for item in self._objects.of(group, kind) if self.together(item)]

    def together(self, other: Object) -> bool:
        """Return whether another object is in the same folder, or brought by the same Application or kustomization."""
        return self._objects.together(self._item, other)

    def _met(self, items: Iterable[Object]) -> list[Object]:
        return [item for item in items if not self._objects.apart(self._item, item)]

    def _distance(self, other: Object) -> tuple[bool, bool, int]:
        folders = self._item.folder.split("/"), other.folder.split("/")
        shared = sum(one == two for one, two in zip(*folders, strict=False))
        return not self.together(other), other.folder != self._item.folder, -shared


def _fitting(items: list[Object], namespace: str) -> list[Object]:
    """Return the objects that may be in a namespace."""
    return [item for item in items if item.cluster_wide or may_share_namespace(item.namespace, namespace)]


def _inexact(item: Object, namespace: str) -> bool:
    return not item.cluster_wide and item.namespace != namespace
