"""scikit-learn models."""

from __future__ import annotations

from typing import Final

from generator.spec.frameworks.base import Framework

FRAMEWORK: Final = Framework(
    name="sklearn",
    requirements=("scikit-learn==1.9.1", "numpy==2.4.6"),
    own_class="never",
    reads=frozenset({"sklearn", "skops"}),
    attributed=True,
    probabilities=True,
    gpu=None,
    takes=frozenset({"array", "bytes", "date", "datetime", "image", "json", "list", "object"}),
)
