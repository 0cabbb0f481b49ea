"""Fairlearn: fairness over sensitive attributes."""

from __future__ import annotations

from typing import Final

from generator.spec.gate_tools.base import Choice, GateTool

TOOL: Final = GateTool(
    name="fairlearn",
    choices=(Choice("fairness", "fairlearn", "run"),),
    image_also=(),
    system_packages=(),
    notice="",
    sampled=False,
)
