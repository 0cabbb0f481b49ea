"""Packages that a framework's service needs: what was built and served in this project's own tests."""

from __future__ import annotations

import re

BENTOML = "bentoml==1.4.39"

_FRAMEWORKS: dict[str, tuple[str, ...]] = {
    "sklearn": ("scikit-learn==1.9.1", "numpy==2.4.6"),
    "xgboost": ("xgboost==3.2.0", "scikit-learn==1.9.1", "numpy==2.4.6"),
    "lightgbm": ("lightgbm==4.7.0", "scikit-learn==1.9.1", "numpy==2.4.6"),
    "mlflow": ("mlflow==3.17.2", "numpy==2.4.6"),
    "onnx": ("onnxruntime==1.32.0", "numpy==2.4.6"),
    "custom": (),
}


def requirements(framework: str, own: tuple[str, ...]) -> tuple[str, ...]:
    """Pinned lines of one service, sorted by package; the team's own pins win over ours."""
    lines = {_package(line): line for line in (BENTOML, *_FRAMEWORKS[framework], *own)}
    return tuple(lines[name] for name in sorted(lines))


def _package(line: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[=]", line)[0]).lower()
