"""Which environments a gate needs, and which image of ours brings them to the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

BARE: Final = "sluice"
"""The image without any tool: it reads reports, and makes the verdict."""

IMAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "aequitas": ("aequitas",),
    "alibi-detect": ("alibi-detect",),
    "fairlearn": ("fairlearn",),
    "great-expectations": ("great-expectations",),
    "mlflow": ("mlflow", "scipy"),
    "scipy": ("scipy",),
    "shap": ("shap",),
    BARE: (),
}
"""Folders below `templates/gates/` whose environments an image holds, by image; a champion is compared by SciPy."""

RUN: Final = "mlflow:"


def image_of(kind: str, config: Mapping[str, Any]) -> str | None:
    """Name of the image that judges a gate; None for a custom gate, which brings its own."""
    if kind == "custom":
        return None
    if kind == "metric":
        from_run = str(config.get("source", "")).startswith(RUN)
        return "mlflow" if from_run else "scipy" if config.get("against") else BARE
    if kind == "drift":
        return "alibi-detect" if config["tool"] == "alibi-detect" else "scipy"
    return str(config.get("tool", BARE))
