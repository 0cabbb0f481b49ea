"""SHAP: attributions of a model over two windows of data."""

from __future__ import annotations

from typing import Final

from generator.spec.gate_tools.base import Choice, GateTool

TOOL: Final = GateTool(
    name="shap",
    choices=(Choice("explain", "shap", "run"),),
    image_also=(),
    system_packages=("libgomp1",),  # LightGBM links the system's OpenMP
    notice="",
    sampled=True,
)
