"""The user's cache: what is there saves time, and losing it costs nothing else."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(name: str) -> Path | None:
    """Return a folder of Sluice's in the user's cache, made if missing; None where there is none of our own.

    XDG_CACHE_HOME or ~/.cache holds it (XDG Base Directory Specification 0.8), on Windows LOCALAPPDATA.
    """
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    try:
        folder = Path(home or Path("~/.cache").expanduser(), "sluice", name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mine = not hasattr(os, "geteuid") or folder.stat().st_uid == os.geteuid()
        return folder if mine and os.access(folder, os.W_OK) else None
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        return None
