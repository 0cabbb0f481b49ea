"""spaCy pipelines: categories of texts, or entities in them."""

from __future__ import annotations

from typing import Final

from generator.spec.frameworks.base import Framework

FRAMEWORK: Final = Framework(
    name="spacy",
    requirements=("spacy==3.8.18", "numpy==2.4.6"),
    own_class="never",
    reads=frozenset({"spacy"}),
    attributed=False,
    probabilities=False,
    gpu=None,
    takes=frozenset(),
)
