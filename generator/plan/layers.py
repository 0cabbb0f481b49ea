"""Tier defaults, spec and environment override as one tree, and who wrote which value of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from generator.source.document import Document, Path
from generator.source.finding import Place
from generator.spec.rollout import BlueGreen, Canary

Source = Literal["environment", "spec", "tier", "default"]
_STRATEGIES = {
    strategy: frozenset(info.alias or name for name, info in record.model_fields.items())
    for strategy, record in (("canary", Canary), ("blue-green", BlueGreen))
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
        if path[:1] != ("spec",):
            return self.spec, path
        for _, document, prefix in self._stack:
            if document.has((*prefix, *path[1:])):
                return document, (*prefix, *path[1:])
        return self.spec, path

    def place(self, path: Path) -> Place:
        """Where a value of the merged tree was written."""
        document, local = self.where(path)
        return document.place(local)

    def origin(self, path: Path) -> Origin:
        """Who decided a value of the merged tree."""
        for source, document, prefix in self._stack:
            if document.has((*prefix, *path[1:])):
                return Origin(source, document.place((*prefix, *path[1:])))
        return Origin("default", None)


def _at(data: Any, path: Path) -> Any:
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def _merge(lower: dict[str, Any], upper: dict[str, Any], key: str = "") -> dict[str, Any]:
    """Mappings merge key by key; everything else, lists included, is replaced as a whole."""
    if key == "rollout":
        lower = _of_strategy(lower, upper)
    out = dict(lower)
    for name, value in upper.items():
        below = out.get(name)
        out[name] = (
            _merge(below, value, name) if isinstance(below, dict) and isinstance(value, dict) else value
        )
    return out


def _of_strategy(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    """What a lower layer says of another strategy does not reach the one that was chosen."""
    chosen = upper.get("strategy")
    known = _STRATEGIES.get(chosen) if isinstance(chosen, str) else None
    if known is None or lower.get("strategy", chosen) == chosen:
        return lower
    return {name: value for name, value in lower.items() if name in known and name != "strategy"}
