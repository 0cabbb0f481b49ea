"""Tier defaults, spec and environment override, merged into one tree, with the origin of every value.

`pod` has two layers more, of the platform: for all environments, below the tier, and for one, above it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final, Literal

from generator.dataclass import dataclass
from generator.source.document import Document, Path
from generator.source.finding import Place
from generator.spec.pod import JOINED
from generator.spec.record import Record
from generator.spec.rollout import BlueGreen, Canary
from generator.spec.service import Hpa, Keda

Source = Literal["environment", "spec", "tier", "platform", "default"]
_Written = tuple[Source, Document, Path]


def _keys(record: type[Record]) -> frozenset[str]:
    return frozenset(info.alias or name for name, info in record.model_fields.items())


# Mappings that come in kinds: the key that names the kind, the default kind, and the keys of each kind.
_KINDS: dict[str, tuple[str, str, dict[str, frozenset[str]]]] = {
    "rollout": ("strategy", "", {"canary": _keys(Canary), "blue-green": _keys(BlueGreen)}),
    "autoscaling": ("kind", "hpa", {"hpa": _keys(Hpa), "keda": _keys(Keda)}),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a value: an environment's override, the spec, the tier's defaults, the platform, or Sluice."""

    source: Source
    place: Place | None

    def __str__(self) -> str:
        return f"{self.source} {self.place}" if self.place else self.source


@dataclass
class Layers:
    """One model in one environment, as written.

    Args:
        spec: the team's document.
        platform: the platform's document.
        tier: name of the tier whose defaults apply.
        environment: name of the environment whose overrides apply.
        whole: the environment that it is a ring of, whose overrides apply, too; empty for none.
    """

    spec: Document
    platform: Document
    tier: str
    environment: str
    whole: str = ""

    @cached_property
    def _stack(self) -> list[_Written]:
        """The layers, top layer first."""
        return [layer for layer in self._of_pods if layer[0] != "platform"]

    @cached_property
    def _of_pods(self) -> list[_Written]:
        """The layers of `pod`, top layer first: the more specific one wins."""
        layers: list[_Written] = [
            ("environment", self.spec, ("spec", "environments", self.environment)),
            ("environment", self.spec, ("spec", "environments", self.whole)),
            ("spec", self.spec, ("spec",)),
            ("platform", self.platform, ("spec", "environments", self.whole or self.environment)),
            ("tier", self.platform, ("spec", "tiers", self.tier, "defaults")),
            ("platform", self.platform, ("spec",)),
        ]
        return [layer for layer in layers if isinstance(_at(layer[1].data, layer[2]), dict)]

    @property
    def platform_differs(self) -> bool:
        """Whether the platform writes a `pod` for this environment."""
        return bool(_at(self.platform.data, ("spec", "environments", self.whole or self.environment, "pod")))

    @cached_property
    def merged(self) -> dict[str, Any]:
        """The whole file: tier defaults, overridden by the spec, overridden by the environment."""
        tree: dict[str, Any] = {}
        for _, document, path in reversed(self._stack):
            tree = _merge(tree, _at(document.data, path))
        tree.pop("environments", None)
        if any(layer[1].has((*layer[2], "pod")) for layer in self._of_pods):
            tree["pod"] = self._pod(tree.get("pod"))
        return {**self.spec.data, "spec": tree}

    def where(self, path: Path) -> tuple[Document, Path]:
        """Return the document that wrote a value of the merged tree, and the path of the value in it."""
        found = self._writer(path) if path[:1] == ("spec",) else None
        return (found[1], found[2]) if found else (self.spec, path)

    def in_spec(self, key: str) -> Iterator[Path]:
        """Yield the paths in the spec at which it writes a key of `pod`."""
        for _, document, path in self._stack:
            if document is self.spec and document.has((*path, "pod", key)):
                yield (*path, "pod", key)

    def joined(self, path: Path) -> bool:
        """Return whether a value belongs to an item of a list that layers join: each item has a document."""
        return path[:2] == ("spec", "pod") and len(path) > _ITEM and path[2] in self._items

    def place(self, path: Path) -> Place:
        """Return the place where a value of the merged tree was written."""
        document, local = self.where(path)
        return document.place(local)

    def origin(self, path: Path) -> Origin:
        """Return the origin of a value of the merged tree."""
        if path[:1] != ("spec",):
            return Origin("spec" if self.spec.has(path) else "default", self.spec.place(path))
        found = self._writer(path)
        if found is None or not found[1].has(found[2]):
            return Origin("default", None)
        return Origin(found[0], found[1].place(found[2]))

    def of_platform(self, key: str) -> Origin:
        """Return the origin of a setting of the platform that environments may have for themselves."""
        for path in (("spec", "environments", self.whole or self.environment, key), ("spec", key)):
            if self.platform.has(path):
                return Origin("platform", self.platform.place(path))
        return Origin("default", None)

    def _pod(self, merged: object) -> object:
        """Return the merged `pod`: mappings key by key, lists joined; as it is where a layer wrote something else."""
        found = [_at(document.data, (*path, "pod")) for _, document, path in self._of_pods]
        layers = [pod for pod in reversed(found) if pod is not None]
        if not all(isinstance(pod, dict) for pod in layers):
            return next((pod for pod in layers if not isinstance(pod, dict)), merged)
        tree: dict[str, Any] = {}
        for pod in layers:
            tree = _merge(tree, pod)
        for key, items in self._items.items():
            tree[key] = [_at(document.data, path[:-1])[path[-1]] for _, document, path in items]
        return tree

    @cached_property
    def _items(self) -> dict[str, list[_Written]]:
        """Where each item of the joined lists was written, by key: the platform's first."""
        joined: dict[str, list[_Written]] = {}
        for key, identity in JOINED.items():
            layers = [(source, document, (*path, "pod", key)) for source, document, path in self._of_pods]
            lists = [layer for layer in reversed(layers) if _at(layer[1].data, layer[2]) is not None]
            if lists and all(isinstance(_at(layer[1].data, layer[2]), list) for layer in lists):
                joined[key] = _join(lists, identity)
        return joined

    def _writer(self, path: Path) -> _Written | None:
        """Return the top layer that wrote a value, with its path there; for an item of a list, the list's layer."""
        if self.joined(path):
            index = path[_ITEM]
            items = self._items[str(path[2])]
            if isinstance(index, int) and index < len(items):
                source, document, item = items[index]
                return source, document, (*item, *path[_ITEM + 1 :])
        whole = next((path[:index] for index, part in enumerate(path) if isinstance(part, int)), path)
        for source, document, base in self._of_pods if path[1:2] == ("pod",) else self._stack:
            if document.has((*base, *whole[1:])):
                return source, document, (*base, *path[1:])
        return None


_ITEM: Final = 3
"""The position of the item in the path of a joined list: `spec`, `pod`, its key, the item."""


def _join(lists: list[_Written], identity: tuple[str, ...]) -> list[_Written]:
    """Return where the items of a joined list were written, those of the first list first."""
    found: list[tuple[str, _Written]] = []
    for source, document, path in lists:
        own = [
            (_named(item, identity), (source, document, (*path, index)))
            for index, item in enumerate(_at(document.data, path))
        ]
        names = {name for name, _ in own}
        found = [*(one for one in found if one[0] not in names), *own]
    return [written for _, written in found]


def _named(item: object, identity: tuple[str, ...]) -> str:
    return str([item.get(key) for key in identity] if isinstance(item, dict) else item)


def _at(data: Any, path: Path) -> Any:
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def _merge(lower: dict[str, Any], upper: dict[str, Any], key: str = "") -> dict[str, Any]:
    """Merge mappings key by key; anything else, lists included, is replaced as a whole."""
    if key in _KINDS:
        lower = _of_kind(lower, upper, *_KINDS[key])
    out = dict(lower)
    for name, value in upper.items():
        below = out.get(name)
        out[name] = (
            _merge(below, value, name) if isinstance(below, dict) and isinstance(value, dict) else value
        )
    return out


def _of_kind(
    lower: dict[str, Any], upper: dict[str, Any], key: str, default: str, kinds: dict[str, frozenset[str]]
) -> dict[str, Any]:
    """Drop the keys of a lower layer that belong to another kind than the chosen one."""
    chosen = upper.get(key)
    known = kinds.get(chosen) if isinstance(chosen, str) else None
    if known is None or lower.get(key, default or chosen) == chosen:
        return lower
    return {name: value for name, value in lower.items() if name in known and name != key}
