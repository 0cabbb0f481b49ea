"""Resolves the packages that a service names to a full list with hashes, with uv and the index it is configured for."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from generator.cluster.pins.errors import (
    FORBIDDEN,
    NOT_CONFIGURED,
    UNEXPECTED,
    UNKNOWN,
    UNREACHABLE,
    PinError,
)
from generator.plan.packages import (
    PackageList,
    PackageListError,
    from_indexes,
    package_name,
    read_packages,
    write_packages,
)
from generator.source.line import one_line
from generator.spec.indexes import Index, login_variables

_PLATFORM: Final = "x86_64-manylinux_2_28"
_LIMIT_S: Final = 300
_LONGEST: Final = 400
_NETWORK: Final = "check the network, and the index that uv is configured for"
_NO_INDEX: Final = re.compile(
    r"[Nn]etwork (?:was|is) disabled|[Ff]ailed to fetch|error sending request|could not connect"
)
_DENIED: Final = re.compile(r"\b40[13] (?:Unauthorized|Forbidden)|status code 40[13]")
_CONFIGURE: Final = "install uv where Sluice is installed: `pip install uv`"


def resolve_packages(
    requirements: Sequence[str],
    python: str,
    from_source: Sequence[str] = (),
    indexes: Mapping[str, Index] | None = None,
) -> PackageList:
    """Return all packages that requirements need, each with the hashes of its files.

    Only wheels are resolved: the metadata of a source distribution is known only after its code has run. uv takes an
    explicit index for named packages only, and only for those that the project itself requires, so a listed package
    that another one needs is required as well, in a second round: it comes from no other index.

    Args:
        requirements: pinned packages, such as `numpy==2.4.6`.
        python: Python of the image, such as "3.11".
        from_source: packages that may be built from source, here as well as in the image; never those of `indexes`.
        indexes: indexes of the platform, by name, and the packages that come from them.

    Raises:
        PinError: they can't be resolved.
    """
    named = indexes or {}
    _check_logins(named)
    listed = {name: index.packages for name, index in named.items()}
    owner = {package: name for name, packages in listed.items() for package in packages}
    free = [item for item in from_source if item not in owner]
    built = [name for item in free for name in ("--no-binary", item)]
    arguments = ["--python-version", python, "--python-platform", _PLATFORM, "--only-binary", ":all:", *built]
    own = {package_name(line) for line in requirements}
    asked = {package: index for package, index in owner.items() if package in own}
    while True:
        more = [package for package in asked if package not in own]
        project = _project([*requirements, *more], python, named, asked)
        done = _compiled(project, arguments)
        needed = _needed(done, owner.keys() - asked.keys())
        if not needed:
            break
        asked |= {package: owner[package] for package in sorted(needed)}
    return _listed(_output(done, named), python, free, listed)


def hashes_of(requirement: str, python: str) -> str:
    """Return one package with the hashes of its files, without what it needs, as a line of a list.

    Raises:
        PinError: the index does not have it.
    """
    done = _compiled(_project([requirement], python, {}, {}), ["--python-version", python, "--no-deps"])
    return _listed(_output(done, {}), python, (), {}).lines[0]


def _check_logins(indexes: Mapping[str, Index]) -> None:
    """Check that the variables with the passwords are set.

    Raises:
        PinError: one is missing.
    """
    for name, index in indexes.items():
        missing = [variable for variable in login_variables(name) if not os.environ.get(variable)]
        if index.login and missing:
            message = f"the index `{name}` needs a user name and a password"
            raise PinError(NOT_CONFIGURED, message, f"set {' and '.join(missing)}")


def _project(
    requirements: Sequence[str], python: str, indexes: Mapping[str, Index], asked: Mapping[str, str]
) -> str:
    """Return a `pyproject.toml` with requirements, and the index of each package that does not come from the usual one.

    Args:
        requirements: packages, with or without a version.
        python: Python of the image.
        indexes: indexes, by name.
        asked: the index of a package, by its name.
    """
    minor = int(python.partition(".")[2])
    lines = [
        "[project]",
        'name = "sluice-service"',
        'version = "0"',
        f'requires-python = ">={python},<3.{minor + 1}"',
        f"dependencies = {json.dumps(list(requirements))}",
    ]
    for name in sorted(set(asked.values())):
        url = json.dumps(indexes[name].url)
        lines += ["[[tool.uv.index]]", f'name = "{name}"', f"url = {url}", "explicit = true"]
    if asked:
        lines += ["[tool.uv.sources]", *(f'{name} = {{ index = "{asked[name]}" }}' for name in sorted(asked))]
    return "\n".join(lines) + "\n"


def _needed(done: subprocess.CompletedProcess[str], waiting: set[str]) -> set[str]:
    """Return the packages that uv has looked for in the usual index although another one has them."""
    if done.returncode:
        return waiting.intersection(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", done.stderr))
    return waiting.intersection(package_name(line) for line in done.stdout.splitlines() if "==" in line)


def _listed(
    text: str, python: str, from_source: Sequence[str], listed: Mapping[str, Sequence[str]]
) -> PackageList:
    head = write_packages(PackageList(python, (), ()))
    try:
        found = read_packages(head + text)
    except PackageListError as error:
        message = f"uv's list of packages is not understood: {one_line(str(error))[:_LONGEST]}"
        raise PinError(UNEXPECTED, message, "check the version of uv") from error
    names = {line.partition("==")[0] for line in found.lines}
    built = tuple(sorted(names.intersection(from_source)))
    return PackageList(python, built, found.lines, from_indexes(found.lines, listed))


def _compiled(project: str, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run `uv pip compile` in a folder that has nothing but our project, so no file of the repository configures it.

    Raises:
        PinError: uv is missing, or takes too long.
    """
    shown = ["--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
    command = [*_uv(), "pip", "compile", "pyproject.toml", *shown, *arguments]
    with tempfile.TemporaryDirectory(prefix="sluice-") as folder:
        (Path(folder) / "pyproject.toml").write_bytes(project.encode())
        try:
            return subprocess.run(  # noqa: S603 - our own options; requirements are data in our own file
                command, cwd=folder, capture_output=True, text=True, timeout=_LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            message = f"the packages were not resolved within {_LIMIT_S} seconds"
            raise PinError(UNREACHABLE, message, _NETWORK) from error


def _output(done: subprocess.CompletedProcess[str], indexes: Mapping[str, Index]) -> str:
    """Return the list that uv has printed.

    Raises:
        PinError: it found no solution.
    """
    if not done.returncode:
        return done.stdout
    said = one_line(re.sub(r"\x1b\[[0-9;]*m", "", done.stderr))
    code = UNKNOWN
    hint = (
        "name versions that exist and have wheels; `images.fromSource` of the platform allows others by name"
    )
    if _DENIED.search(said):
        names = [variable for name in sorted(indexes) for variable in login_variables(name)]
        code, hint = FORBIDDEN, f"check {', '.join(names)}" if names else "check the password for the index"
    elif _NO_INDEX.search(said):
        code, hint = UNREACHABLE, _NETWORK
    raise PinError(code, f"the packages can't be resolved: {said[:_LONGEST]}", hint)


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
