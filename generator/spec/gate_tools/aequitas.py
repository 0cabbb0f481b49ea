"""Aequitas: fairness over sensitive attributes."""

from __future__ import annotations

from typing import Final

from generator.spec.gate_tools.base import Choice, GateTool

TOOL: Final = GateTool(
    name="aequitas",
    choices=(Choice("fairness", "aequitas", "run"),),
    image_also=(),
    system_packages=(),
    notice="",
    sampled=True,
)
