"""scikit-learn models in files of skops, which hold no code."""

from __future__ import annotations

from typing import Final

from generator.spec.frameworks.base import Framework

FRAMEWORK: Final = Framework(
    name="skops",
    requirements=("skops==0.16.0", "scikit-learn==1.9.1", "numpy==2.4.6"),
    own_class="never",
    reads=frozenset({"skops"}),
    attributed=False,
    probabilities=True,
    gpu=None,
    takes=frozenset({"array", "bytes", "date", "datetime", "image", "json", "list", "object"}),
)
