"""Great Expectations: a data set against an expectation suite."""

from __future__ import annotations

from typing import Final

from generator.spec.gate_tools.base import Choice, GateTool

TOOL: Final = GateTool(
    name="great-expectations",
    choices=(Choice("data", "great-expectations", "run"),),
    image_also=(),
    system_packages=(),
    notice="",
    sampled=True,
)
