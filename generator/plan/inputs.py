"""Digests of what a bundle is made of: they tell, without planning or rendering, whether it is up to date."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generator.plan.entries import Entry
from generator.source.files import raw


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file; of nothing, where there is none or it is no file to be read."""
    return hashlib.sha256(raw(path) or b"").hexdigest()


@dataclass
class PlatformInputs:
    """The parts of the platform that bundles depend on.

    A model depends on all of it but other teams and other models' waivers, so that a new team or waiver
    does not touch everyone's bundles.

    Args:
        data: the platform as plain YAML values; its form is not trusted.
    """

    data: Any
    _memory: dict[str, str] = field(default_factory=dict)

    @property
    def spec(self) -> dict[str, Any]:
        """The `spec` of the platform; empty when it has none."""
        spec = self.data.get("spec") if isinstance(self.data, dict) else None
        return spec if isinstance(spec, dict) else {}

    @property
    def folder(self) -> str:
        """Folder of the rendered files."""
        git = self.spec.get("git")
        path = git.get("path") if isinstance(git, dict) else None
        return path if isinstance(path, str) and path else "rendered"

    def names(self, key: str) -> list[str]:
        """Keys of a mapping such as `environments` or `teams`."""
        value = self.spec.get(key)
        return sorted(map(str, value)) if isinstance(value, dict) else []

    def waivers(self, name: str = "") -> list[dict[str, Any]]:
        """All waivers, or those of one model."""
        value = self.spec.get("waivers")
        found = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
        return [item for item in found if not name or item.get("model") == name]

    def whole(self) -> str:
        """Digest of the whole platform."""
        return self._digest("", self.spec)

    def of_team(self, team: str) -> str:
        """Digest of what the objects of one team depend on."""
        rest = {key: value for key, value in self.spec.items() if key not in {"teams", "waivers"}}
        teams = self.spec.get("teams")
        own = teams.get(team) if isinstance(teams, dict) else None
        return self._digest(team, {**rest, "team": own})

    def of_model(self, team: str, model: str) -> str:
        """Digest of what the bundle of one model depends on."""
        waivers = self.waivers(f"{team}/{model}")
        shared = self.of_team(team)
        return hashlib.sha256(f"{shared}{_canonical(waivers)}".encode()).hexdigest() if waivers else shared

    def _digest(self, key: str, value: Any) -> str:
        if key not in self._memory:
            self._memory[key] = hashlib.sha256(_canonical(value).encode()).hexdigest()
        return self._memory[key]


def model_inputs(entry: Entry, platform: PlatformInputs, templates: str) -> dict[str, str]:
    """Inputs of the bundles of one model; `templates` is the digest of templates and code."""
    return {
        "lock": file_digest(entry.lock),
        "platform": platform.of_model(entry.team, entry.model),
        "spec": file_digest(entry.spec),
        "templates": templates,
    }


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
