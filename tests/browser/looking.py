"""Asks Debian's Chromium what it sees (`look.mjs`, driven by playwright-core and judged by axe-core)."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
INSTALL = HERE.parent / "tools/browser.sh"


@dataclass(frozen=True)
class Look:
    """One look at a page; see `look.mjs`."""

    page: str
    width: int = 1440
    scheme: str = "light"
    axe: bool = True
    open: bool = True
    keys: bool = False
    picture: str | None = None
    height: int | None = None


def look(looks: list[Look]) -> list[dict[str, Any]]:
    """What each look saw, in their order; one browser for all.

    Raises:
        RuntimeError: the browser or its driver is missing, or failed.
    """
    chromium, node = shutil.which("chromium"), shutil.which("node")
    if chromium is None or node is None:
        raise RuntimeError(f"no browser: run {INSTALL}")
    folder = subprocess.run([INSTALL], check=True, capture_output=True, text=True).stdout.split()[-1]
    asked = json.dumps({"chromium": chromium, "looks": [asdict(one) for one in looks]})
    done = subprocess.run(
        [node, HERE / "look.mjs"], cwd=folder, input=asked, capture_output=True, text=True, timeout=600
    )
    if done.returncode:
        raise RuntimeError(f"the browser failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout)
