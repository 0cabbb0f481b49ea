"""ONNX models."""

from __future__ import annotations

from typing import Final

from generator.spec.frameworks.base import Framework

FRAMEWORK: Final = Framework(
    name="onnx",
    requirements=("onnxruntime==1.32.0", "numpy==2.4.6"),
    own_class="never",
    reads=frozenset({"onnx"}),
    attributed=False,
    probabilities=False,
    gpu=("onnxruntime-gpu[cuda,cudnn]==1.31.1", "numpy==2.4.6"),
    takes=frozenset({"array", "list"}),
)
