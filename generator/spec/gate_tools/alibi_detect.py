"""Alibi Detect: drift of columns, by its Kolmogorov-Smirnov detector."""

from __future__ import annotations

from typing import Final

from generator.spec.gate_tools.base import Choice, DriftTest, GateTool

TOOL: Final = GateTool(
    name="alibi-detect",
    choices=(Choice("drift", "alibi-detect", "run", DriftTest("distance", floor=0.1)),),
    image_also=(),
    system_packages=(),
    notice="Alibi Detect: Business Source License 1.1; production use needs a license from its owner",
    sampled=True,
)
