"""Classifiers of texts and of images of Hugging Face Transformers."""

from __future__ import annotations

from typing import Final

from generator.spec.frameworks.base import Framework

FRAMEWORK: Final = Framework(
    name="transformers",
    requirements=("transformers==5.24.0", "torch==2.15.0", "numpy==2.4.6", "pillow==13.0.0"),
    own_class="never",
    reads=frozenset({"transformers"}),
    attributed=False,
    probabilities=True,
    gpu=("transformers==5.24.0", "torch==2.15.0", "numpy==2.4.6", "pillow==13.0.0"),
    takes=frozenset({"image", "array"}),
)
