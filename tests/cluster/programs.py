"""The programs of the test bed, built when they are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

BUILD = Path(__file__).with_name("build.sh")


@cache
def folder(name: str) -> Path:
    """Folder of one program or set of files; see the recipes in `build.sh`."""
    return _provide(name)[name]


def provide_all() -> None:
    """Build whatever the core scenarios need and is missing."""
    _provide()


def versions(*names: str) -> dict[str, str]:
    """Build those of these programs that are missing; return the version of each."""
    built = _provide(*names) if names else {}
    return {name: path.name.removeprefix(f"{name}-").rpartition("-")[0] for name, path in built.items()}


def gateway_plugin() -> Path:
    """The traffic-router plugin: our stand-in, or the official program where the user has one."""
    own = os.environ.get("SLUICE_GATEWAY_PLUGIN")
    if not own:
        return folder("gatewayplugin") / "gatewayplugin-standin"
    if not os.access(own, os.X_OK):
        sys.exit(f"SLUICE_GATEWAY_PLUGIN is {own}, which is not a program")
    return Path(own).resolve()


def debian(name: str) -> str:
    """Path of a program that a Debian package brings.

    Raises:
        RuntimeError: it is not there.
    """
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        raise RuntimeError(f"{name} is missing: {BUILD} installs it")
    return found


def _provide(*names: str) -> dict[str, Path]:
    done = subprocess.run([str(BUILD), *names], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    rows = (line.split(" ", 1) for line in done.stdout.splitlines())
    return {name: Path(path) for name, path in rows}
