"""One gate to be judged, and everything an adapter may use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.gates.environments import Environments, Tool
from generator.gates.inputs import Inputs
from generator.plan.values import Gate


@dataclass(frozen=True, slots=True)
class Release:
    """What an adapter may know of a release beside its files.

    Args:
        framework: that of the model.
        gate_key: SHA-256 (hex) of what is judged, and by what.
    """

    framework: str
    gate_key: str


@dataclass(frozen=True, slots=True)
class Task:
    """A gate, its inputs and its tools.

    Args:
        gate: the gate.
        release: what it belongs to.
        guaranteed: intervals keep their level whatever the truth (Clopper-Pearson), as regulated tiers want.
        inputs: where files are.
        environments: where tools run.
        scripts: folder of the tools' scripts.
    """

    gate: Gate
    release: Release
    guaranteed: bool
    inputs: Inputs
    environments: Environments
    scripts: Path

    @property
    def config(self) -> dict[str, Any]:
        """The gate as it was written, defaults filled in."""
        return self.gate.config

    def tool(self, name: str, script: str = "run") -> Tool:
        """A tool by its folder."""
        return Tool(self.scripts, name, script)

    def run(self, tool: Tool, config: dict[str, Any]) -> dict[str, Any]:
        """Run a tool."""
        return self.environments.run(tool, config)
