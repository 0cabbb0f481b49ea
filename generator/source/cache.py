"""The user's cache folder: it only saves time and can be deleted."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(name: str) -> Path | None:
    """Return Sluice's folder in the user's cache, created if missing; None if it is not ours or can't be created.

    It is in XDG_CACHE_HOME or ~/.cache (XDG Base Directory Specification 0.8), on Windows in LOCALAPPDATA.
    """
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    try:
        folder = Path(home or Path("~/.cache").expanduser(), "sluice", name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mine = not hasattr(os, "geteuid") or folder.stat().st_uid == os.geteuid()
        return folder if mine and os.access(folder, os.W_OK) else None
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        return None
