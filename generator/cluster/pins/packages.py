"""Resolves the packages that a service names to a full list with hashes, with uv and the index it is configured for."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Final

from generator.cluster.pins.errors import NOT_CONFIGURED, UNEXPECTED, UNKNOWN, UNREACHABLE, PinError
from generator.plan.packages import PackageList, PackageListError, read_packages, write_packages
from generator.source.line import one_line

_PLATFORM: Final = "x86_64-manylinux_2_28"
_LIMIT_S: Final = 300
_LONGEST: Final = 400
_NETWORK: Final = "check the network, and the index that uv is configured for"
_NO_INDEX: Final = re.compile(
    r"[Nn]etwork (?:was|is) disabled|[Ff]ailed to fetch|error sending request|could not connect"
)
_CONFIGURE: Final = "install uv where Sluice is installed: `pip install uv`"


def resolve_packages(
    requirements: Sequence[str], python: str, from_source: Sequence[str] = ()
) -> PackageList:
    """Return all packages that requirements need, each with the hashes of its files.

    Only wheels are resolved: the metadata of a source distribution is known only after its code has run.

    Args:
        requirements: pinned packages, such as `numpy==2.4.6`.
        python: Python of the image, such as "3.11".
        from_source: packages that may be built from source, here as well as in the image.

    Raises:
        PinError: they can't be resolved.
    """
    built = [name for item in from_source for name in ("--no-binary", item)]
    arguments = ["--python-version", python, "--python-platform", _PLATFORM, "--only-binary", ":all:", *built]
    return _listed(_compiled("\n".join(requirements), arguments), python, from_source)


def hashes_of(requirement: str, python: str) -> str:
    """Return one package with the hashes of its files, without what it needs, as a line of a list.

    Raises:
        PinError: the index does not have it.
    """
    return _listed(_compiled(requirement, ["--python-version", python, "--no-deps"]), python, ()).lines[0]


def _listed(text: str, python: str, from_source: Sequence[str]) -> PackageList:
    head = write_packages(PackageList(python, (), ()))
    try:
        found = read_packages(head + text)
    except PackageListError as error:
        message = f"uv's list of packages is not understood: {one_line(str(error))[:_LONGEST]}"
        raise PinError(UNEXPECTED, message, "check the version of uv") from error
    names = {line.partition("==")[0] for line in found.lines}
    return PackageList(python, tuple(sorted(names.intersection(from_source))), found.lines)


def _compiled(requirements: str, arguments: Sequence[str]) -> str:
    """Return what `uv pip compile` prints. It runs in an empty folder, so no file of the repository configures it.

    Raises:
        PinError: uv is missing, finds no solution, or takes too long.
    """
    shown = ["--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
    command = [*_uv(), "pip", "compile", "-", *shown, *arguments]
    with tempfile.TemporaryDirectory(prefix="sluice-") as folder:
        try:
            done = subprocess.run(  # noqa: S603 - our own options; requirements are data on standard input
                command,
                cwd=folder,
                input=requirements,
                capture_output=True,
                text=True,
                timeout=_LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            message = f"the packages were not resolved within {_LIMIT_S} seconds"
            raise PinError(UNREACHABLE, message, _NETWORK) from error
    if done.returncode:
        told = one_line(re.sub(r"\x1b\[[0-9;]*m", "", done.stderr))[:_LONGEST]
        hint = "name versions that exist and have wheels; `images.fromSource` of the platform allows others by name"
        if _NO_INDEX.search(told):
            hint = _NETWORK
        raise PinError(
            UNREACHABLE if hint is _NETWORK else UNKNOWN, f"the packages can't be resolved: {told}", hint
        )
    return done.stdout


def _uv() -> list[str]:
    """Return the command that runs uv.

    Raises:
        PinError: it is not installed.
    """
    if importlib.util.find_spec("uv"):
        return [sys.executable, "-m", "uv"]
    found = shutil.which("uv")
    if found is None:
        raise PinError(NOT_CONFIGURED, "uv is not installed, which resolves packages", _CONFIGURE)
    return [found]
