"""Gate tools: the libraries that measure for gates. One descriptor per module; this one finds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from generator.source.discovery import discover
from generator.spec.gate_tools.base import Choice, DriftTest, GateTool, Program

__all__ = [
    "BARE",
    "IMAGES",
    "TOOLS",
    "DriftTest",
    "GateTool",
    "Program",
    "choices",
    "drift_test",
    "engine_image",
    "engine_programs",
    "program",
]

TOOLS: Final[Mapping[str, GateTool]] = {
    tool.name: tool for tool in discover(__name__, __path__, GateTool, frozenset({"base"}))
}
"""Every tool by its name."""

_SAMPLED: Final = "sampled"
BARE: Final = "sluice"
"""The image without any tool: it reads reports and computes the verdict."""

ENGINE: Final = "ibis-framework"
"""The tool that reads sources in an engine."""

IMAGES: Final[Mapping[str, tuple[str, ...]]] = {
    BARE: (),
    **{name: (name, *tool.image_also) for name, tool in TOOLS.items()},
    **{
        f"{name}-{_SAMPLED}": (name, ENGINE, *tool.image_also) for name, tool in TOOLS.items() if tool.sampled
    },
}
"""The tools whose environments an image holds, by image."""

_CHOICES: Final[Mapping[tuple[str, str], tuple[GateTool, Choice]]] = {
    (choice.gate, choice.name): (tool, choice) for tool in TOOLS.values() for choice in tool.choices
}


def choices(gate: str) -> tuple[str, ...]:
    """Return the values of `tool:` that gates of a kind may have."""
    return tuple(name for kind, name in _CHOICES if kind == gate)


def program(gate: str, choice: str) -> Program:
    """Return the script for a value of `tool:`."""
    tool, found = _CHOICES[gate, choice]
    return Program(tool.name, found.script)


def engine_programs(gate: str, own: Program) -> tuple[Program, ...]:
    """Return the scripts of a gate whose data an engine reads: one that counts, or a sample and the gate's own one."""
    if own.tool == ENGINE:
        return (own,)
    if TOOLS[own.tool].sampled:
        return (Program(ENGINE, "sample"), own)
    return (Program(ENGINE, gate),)


def engine_image(scripts: tuple[Program, ...]) -> str:
    """Return the image for scripts that run one after the other."""
    first, last = scripts[0].tool, scripts[-1].tool
    return f"{last}-{_SAMPLED}" if first == ENGINE != last else first


def drift_test(choice: str) -> DriftTest:
    """Return how the report of a drift gate with this `tool:` becomes a verdict.

    Raises:
        TypeError: its descriptor does not define that.
    """
    _, found = _CHOICES["drift", choice]
    if found.drift is None:
        raise TypeError(f"the descriptor of the drift tool {choice} has no `drift`")
    return found.drift
