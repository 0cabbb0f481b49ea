"""MLflow: the metrics of a run, for metric gates with `source: mlflow:RUN_ID`."""

from __future__ import annotations

from typing import Final

from generator.spec.gate_tools.base import GateTool

TOOL: Final = GateTool(
    name="mlflow",
    choices=(),
    image_also=("scipy",),
    system_packages=(),
    notice="",
    sampled=False,
)
