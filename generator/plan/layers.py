"""Tier defaults, spec and environment override as one tree, and who wrote which value of it."""

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


# Mappings of which there are kinds: the key that names the kind, the usual one, and the keys that each has.
_KINDS: dict[str, tuple[str, str, dict[str, frozenset[str]]]] = {
    "rollout": ("strategy", "", {"canary": _keys(Canary), "blue-green": _keys(BlueGreen)}),
    "autoscaling": ("kind", "hpa", {"hpa": _keys(Hpa), "keda": _keys(Keda)}),
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Who decided a value: an environment's override, the spec, the tier's defaults, or Sluice itself."""

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
    """

    spec: Document
    platform: Document
    tier: str
    environment: str

    @cached_property
    def _stack(self) -> list[tuple[Source, Document, Path]]:
        """Top layer first."""
        layers: list[tuple[Source, Document, Path]] = [
            ("environment", self.spec, ("spec", "environments", self.environment)),
            ("spec", self.spec, ("spec",)),
            ("tier", self.platform, ("spec", "tiers", self.tier, "defaults")),
        ]
        return [layer for layer in layers if isinstance(_at(layer[1].data, layer[2]), dict)]

    @cached_property
    def merged(self) -> dict[str, Any]:
        """The whole file with the spec's tree merged over the tier's defaults, under the environment's override."""
        tree: dict[str, Any] = {}
        for _, document, path in reversed(self._stack):
            tree = _merge(tree, _at(document.data, path))
        tree.pop("environments", None)
        return {**self.spec.data, "spec": tree}

    def where(self, path: Path) -> tuple[Document, Path]:
        """The document, and the path in it, that wrote a value of the merged tree."""
        found = self._writer(path) if path[:1] == ("spec",) else None
        return (found[1], (*found[2], *path[1:])) if found else (self.spec, path)

    def place(self, path: Path) -> Place:
        """Where a value of the merged tree was written."""
        document, local = self.where(path)
        return document.place(local)

    def origin(self, path: Path) -> Origin:
        """Who decided a value of the merged tree."""
        if path[:1] != ("spec",):
            return Origin("spec" if self.spec.has(path) else "default", self.spec.place(path))
        found = self._writer(path)
        if found is None or not found[1].has((*found[2], *path[1:])):
            return Origin("default", None)
        return Origin(found[0], found[1].place((*found[2], *path[1:])))

    def _writer(self, path: Path) -> tuple[Source, Document, Path] | None:
        """The top layer that wrote a value; of a list, the one that wrote the whole list."""
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
    """Mappings merge key by key; everything else, lists included, is replaced as a whole."""
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
    lower: dict[str, Any], upper: dict[str, Any], key: str, usual: str, kinds: dict[str, frozenset[str]]
) -> dict[str, Any]:
    """What a lower layer says of another kind does not reach the one that was chosen."""
    chosen = upper.get(key)
    known = kinds.get(chosen) if isinstance(chosen, str) else None
    if known is None or lower.get(key, usual or chosen) == chosen:
        return lower
    return {name: value for name, value in lower.items() if name in known and name != key}
