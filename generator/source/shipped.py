"""Finds the files that are shipped with Sluice."""

from __future__ import annotations

from pathlib import Path


def builtin_folder() -> Path:
    """Return the folder of our own templates: in the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parent.parent
    shipped = package / "_templates"
    return shipped if shipped.is_dir() else package.parent / "templates"
