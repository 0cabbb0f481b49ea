"""Results of statsmodels models, saved by their own `save`."""

from __future__ import annotations

from typing import Final

from generator.spec.frameworks.base import Framework

FRAMEWORK: Final = Framework(
    name="statsmodels",
    requirements=("statsmodels==0.15.0", "pandas==3.1.1", "numpy==2.4.6"),
    own_class="never",
    reads=frozenset({"statsmodels"}),
    attributed=False,
    probabilities=False,
    gpu=None,
    takes=frozenset({"array"}),
)
