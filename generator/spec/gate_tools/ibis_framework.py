"""Ibis on DuckDB or on the engine of a team: aggregates and samples of data of any size."""

from __future__ import annotations

from typing import Final

from generator.spec.gate_tools.base import Choice, GateTool

TOOL: Final = GateTool(
    name="ibis-framework",
    choices=(Choice("data", "counts", "data"),),
    image_also=(),
    system_packages=(),
    notice="",
    sampled=False,
)
