"""XGBoost models."""

from __future__ import annotations

from typing import Final

from generator.spec.frameworks.base import Framework

FRAMEWORK: Final = Framework(
    name="xgboost",
    requirements=("xgboost==3.2.0", "scikit-learn==1.9.1", "numpy==2.4.6"),
    own_class="never",
    reads=frozenset({"xgboost"}),
    attributed=True,
    probabilities=True,
    gpu=("xgboost==3.2.0", "scikit-learn==1.9.1", "numpy==2.4.6"),
    takes=frozenset({"array"}),
)
