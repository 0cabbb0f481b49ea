"""Tier defaults, spec and environment override, merged into one tree, with the origin of every value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from generator.source.document import Document, Path
from generator.source.finding import Place
from generator.spec.record import Record
from generator.spec.rollout import BlueGreen, Canary
from generator.spec.service import Hpa, Keda

Source = Literal["environment", "spec", "tier", "default"]


def _keys(record: type[Record]) -> frozenset[str]:
    return frozenset(info.alias or name for name, info in record.model_fields.items())


# Mappings that come in kinds: the key that names the kind, the default kind, and the keys of each kind.
_KINDS: dict[str, tuple[str, str, dict[str, frozenset[str]]]] = {
    "rollout": ("strategy", "", {"canary": _keys(Canary), "blue-green": _keys(BlueGreen)}),
    "autoscaling": ("kind", "hpa", {"hpa": _keys(Hpa), "keda": _keys(Keda)}),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a value: an environment's override, the spec, the tier's defaults, or Sluice's defaults."""

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
    def _stack(self) -> list[tuple[Source, Document, Path]]:
        """The layers, top layer first."""
        layers: list[tuple[Source, Document, Path]] = [
            ("environment", self.spec, ("spec", "environments", self.environment)),
            ("environment", self.spec, ("spec", "environments", self.whole)),
            ("spec", self.spec, ("spec",)),
            ("tier", self.platform, ("spec", "tiers", self.tier, "defaults")),
        ]
        return [layer for layer in layers if isinstance(_at(layer[1].data, layer[2]), dict)]

    @cached_property
    def merged(self) -> dict[str, Any]:
        """The whole file: tier defaults, overridden by the spec, overridden by the environment."""
        tree: dict[str, Any] = {}
        for _, document, path in reversed(self._stack):
            tree = _merge(tree, _at(document.data, path))
        tree.pop("environments", None)
        return {**self.spec.data, "spec": tree}

    def where(self, path: Path) -> tuple[Document, Path]:
        """Return the document that wrote a value of the merged tree, and the path of the value in it."""
        found = self._writer(path) if path[:1] == ("spec",) else None
        return (found[1], (*found[2], *path[1:])) if found else (self.spec, path)

    def place(self, path: Path) -> Place:
        """Return the place where a value of the merged tree was written."""
        document, local = self.where(path)
        return document.place(local)

    def origin(self, path: Path) -> Origin:
        """Return the origin of a value of the merged tree."""
        if path[:1] != ("spec",):
            return Origin("spec" if self.spec.has(path) else "default", self.spec.place(path))
        found = self._writer(path)
        if found is None or not found[1].has((*found[2], *path[1:])):
            return Origin("default", None)
        return Origin(found[0], found[1].place((*found[2], *path[1:])))

    def _writer(self, path: Path) -> tuple[Source, Document, Path] | None:
        """Return the top layer that wrote a value; for an item of a list, the one that wrote the list."""
        whole = next((path[:index] for index, part in enumerate(path) if isinstance(part, int)), path)
        for layer in self._stack:
            if layer[1].has((*layer[2], *whole[1:])):
                return layer
        return None


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
