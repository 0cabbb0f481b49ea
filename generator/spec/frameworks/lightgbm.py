"""LightGBM models."""

from __future__ import annotations

from typing import Final

from generator.spec.frameworks.base import Framework

FRAMEWORK: Final = Framework(
    name="lightgbm",
    requirements=("lightgbm==4.7.0", "scikit-learn==1.9.1", "numpy==2.4.6"),
    own_class="never",
    reads=frozenset({"lightgbm"}),
    attributed=True,
    probabilities=True,
    gpu=None,
    takes=frozenset({"array"}),
)
