"""The packages of a service: a list next to the spec, in which each has a version and the hashes of its files."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Final

from generator.dataclass import dataclass

_HEAD: Final = re.compile(r"# All packages of the service, for Python (3\.[0-9]{1,2}) on Linux\b")
_SOURCE: Final = re.compile(r"# Built from source: (.*)\.")
_INDEX: Final = re.compile(r"# From the index ([a-z0-9-]+): (.*)\.")
_PACKAGE: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[a-z0-9,-]+\])?==([A-Za-z0-9.!+]+)")
_HASH: Final = re.compile(r"--hash=sha256:[0-9a-f]{64}")
_MOST_LINES: Final = 100_000


@dataclass(frozen=True, slots=True)
class PackageList:
    """The resolved packages of a service.

    Args:
        python: the Python that they were resolved for, such as "3.11".
        from_source: packages without a wheel, which are built; sorted.
        lines: name, version and hashes of each package, as `pip install --require-hashes` reads them.
        indexes: (name, its packages in the list) of each index of the platform that has some; sorted.
    """

    python: str
    from_source: tuple[str, ...]
    lines: tuple[str, ...]
    indexes: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def versions(self) -> dict[str, str]:
        """Version by normalized name."""
        found = (_PACKAGE.match(line) for line in self.lines)
        return {package_name(match[1]): match[2] for match in found if match}

    @property
    def requirements(self) -> tuple[str, ...]:
        """The lines of `requirements.txt`: only wheels, and nothing without a hash."""
        options = [
            "--require-hashes",
            "--only-binary :all:",
            *(f"--no-binary {name}" for name in self.from_source),
        ]
        return (*options, *self.lines)


class PackageListError(ValueError):
    """A list is not one that `sluice pin --packages` writes.

    Args:
        line: the line that is wrong, from 1.
        message: what is wrong with it.
    """

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def package_name(requirement: str) -> str:
    """Return the normalized name in a requirement (packaging specification "Names and normalization")."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[=<>!~ ;]", requirement, maxsplit=1)[0]).lower()


def read_packages(text: str) -> PackageList:
    """Return the list in a file.

    Raises:
        PackageListError: a line is something other than a comment, or a package with hashes.
    """
    rows = text.splitlines()
    head = _HEAD.match(rows[0]) if rows else None
    if head is None or len(rows) > _MOST_LINES:
        raise PackageListError(1, "the first line does not name the Python that the packages are for")
    source = _SOURCE.match(rows[1]) if len(rows) > 1 else None
    indexes = [found for row in itertools.takewhile(_is_comment, rows) if (found := _INDEX.match(row))]
    lines: list[str] = []
    pending: list[str] = []
    for number, row in enumerate(rows, 1):
        part = row.strip()
        if not pending and (not part or part.startswith("#")):
            continue
        pending.append(part.removesuffix("\\").rstrip())
        if part.endswith("\\"):
            continue
        lines.append(_package(number, pending))
        pending = []
    if pending:
        raise PackageListError(len(rows), "the last package is cut off")
    from_source = tuple(sorted(source[1].split(", "))) if source else ()
    from_indexes = sorted((found[1], tuple(sorted(found[2].split(", ")))) for found in indexes)
    return PackageList(head[1], from_source, tuple(lines), tuple(from_indexes))


def _is_comment(row: str) -> bool:
    return row.startswith("#")


def _package(number: int, parts: list[str]) -> str:
    """Return one package as its line.

    Raises:
        PackageListError: it is not a package with hashes.
    """
    name, *hashes = " ".join(parts).split(" ")
    if not _PACKAGE.fullmatch(name):
        raise PackageListError(number, "this is not a package with one version, such as `numpy==2.4.6`")
    if not hashes or not all(_HASH.fullmatch(item) for item in hashes):
        raise PackageListError(number, f"{name} has no `--hash=sha256:…`, or something other than hashes")
    return " ".join([name, *sorted(hashes)])


def write_packages(found: PackageList) -> str:
    """Return the text of the file for a list."""
    head = [
        f"# All packages of the service, for Python {found.python} on Linux (x86_64), with the hashes of their files."
    ]
    if found.from_source:
        head.append(f"# Built from source: {', '.join(found.from_source)}.")
    head += [f"# From the index {name}: {', '.join(packages)}." for name, packages in found.indexes]
    head.append("# Written by `sluice pin --packages`; commit it together with the spec.")
    lines = (line.replace(" --hash", " \\\n    --hash") for line in found.lines)
    return "\n".join([*head, *lines]) + "\n"


def from_indexes(
    lines: Sequence[str], indexes: Mapping[str, Sequence[str]]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return (name, its packages in the list) of each index that has some, sorted.

    Args:
        lines: the packages of a list.
        indexes: the packages that the platform lists, by the name of their index.
    """
    names = {package_name(line) for line in lines}
    found = ((name, tuple(sorted(names.intersection(listed)))) for name, listed in indexes.items())
    return tuple(sorted((name, packages) for name, packages in found if packages))


def outdated(
    found: PackageList,
    python: str,
    requirements: Sequence[str],
    from_source: Sequence[str],
    indexes: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Return why a list does not fit a service any more; empty if it does.

    Args:
        found: the list.
        python: Python of the image.
        requirements: the pinned packages that the service names.
        from_source: packages that the platform allows to be built from source.
        indexes: packages of the indexes that the service names.
    """
    if found.python != python:
        return f"it is for Python {found.python}, and the image has Python {python}"
    forbidden = sorted(set(found.from_source) - set(from_source))
    if forbidden:
        return f"it builds {forbidden[0]} from source, which the platform does not allow"
    versions = found.versions
    for line in requirements:
        name, version = package_name(line), line.partition("==")[2]
        if not _same_version(version, versions.get(name, "")):
            has = f"has {name} {versions[name]}" if name in versions else f"does not have {name}"
            return f"it {has}, and the service names {line}"
    return _moved_index(found, from_indexes(found.lines, indexes or {}))


def _same_version(named: str, listed: str) -> bool:
    """Return whether a named version accepts a listed one: 2.15.0 accepts 2.15.0+cpu (version specifiers, `==`)."""
    return listed == named or ("+" not in named and listed.partition("+")[0] == named)


def _moved_index(found: PackageList, wanted: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    """Return the first package that the list has from another index than the service and the platform say."""
    listed, now = (
        {package: name for name, packages in pairs for package in packages}
        for pairs in (found.indexes, wanted)
    )
    for package in sorted(listed.keys() | now.keys()):
        before, after = listed.get(package), now.get(package)
        if before != after:
            has = f"from the index `{before}`" if before else "from the usual index"
            wants = f"the index `{after}`" if after else "the usual index"
            return f"it has {package} {has}, and the service gets it from {wants}"
    return ""
