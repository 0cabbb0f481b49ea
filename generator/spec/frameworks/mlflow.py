"""MLflow models of any flavor, through their pyfunc."""

from __future__ import annotations

from typing import Final

from generator.spec.frameworks.base import Framework

FRAMEWORK: Final = Framework(
    name="mlflow",
    requirements=("mlflow==3.17.2", "numpy==2.4.6"),
    own_class="never",
    reads=frozenset({"mlflow"}),
    attributed=False,
    probabilities=False,
    gpu=("mlflow==3.17.2", "numpy==2.4.6"),
    takes=frozenset({"array", "bytes", "date", "datetime", "json", "list", "object"}),
)
