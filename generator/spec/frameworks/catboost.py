"""CatBoost models, in its own files or pickled."""

from __future__ import annotations

from typing import Final

from generator.spec.frameworks.base import Framework

FRAMEWORK: Final = Framework(
    name="catboost",
    requirements=("catboost==1.2.10", "joblib==1.6.0", "numpy==2.4.6"),
    own_class="never",
    reads=frozenset({"catboost"}),
    attributed=False,
    probabilities=True,
    gpu=None,
    takes=frozenset(),
)
