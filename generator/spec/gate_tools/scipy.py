"""SciPy: drift of columns, and two models compared on the same rows."""

from __future__ import annotations

from typing import Final

from generator.spec.gate_tools.base import Choice, DriftTest, GateTool

TOOL: Final = GateTool(
    name="scipy",
    choices=(
        Choice("drift", "ks", "drift", DriftTest("distance", floor=0.1)),
        Choice("drift", "chi2", "drift", DriftTest("association", floor=0.1)),
        Choice("drift", "psi", "drift", DriftTest("index", floor=0.2)),
    ),
    image_also=(),
    system_packages=(),
    notice="",
    sampled=False,
)
