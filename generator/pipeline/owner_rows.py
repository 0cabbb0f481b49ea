"""Checks the lines of CODEOWNERS that are not Sluice's: none may take from the platform what CI runs or reads.

Hosts let the last row that matches a path decide, so a row below Sluice's overrides it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from generator.plan.derived import RESERVED_TEAMS
from generator.plan.model_files import SPECS
from generator.spec.platform import PlatformSpec

BEGIN: Final = "# Written by `sluice codeowners` from specs/platform.yaml: edit that file, not these lines."
END: Final = "# End of what Sluice writes."
# GitLab: a section, also an optional one, lasts until the next one and decides for the rows in it.
_SECTION: Final = re.compile(r"\^?\[")
_LITERAL: Final = re.compile(r"[A-Za-z0-9._-]+")
_PROTECTED: Final = frozenset({"bootstrap", "ci", "templates"})
_NOTES: Final = (".md", ".txt")
_FOLDERS: Final = 2


def foreign_rows(text: str, platform: PlatformSpec) -> list[str]:
    """Return what is wrong with the lines around Sluice's, one sentence for each."""
    before, _, rest = text.partition(BEGIN)
    first_after = text.count("\n", 0, len(text) - len(rest.partition(END)[2])) + 1
    found = [
        f"line {number} begins a section, in which Sluice's rows would be: write it below them"
        for number, line in enumerate(before.splitlines(), 1)
        if _SECTION.match(line.strip())
    ]
    for number, line in enumerate(rest.partition(END)[2].split("\n"), first_after):
        pattern = line.strip().partition(" ")[0].partition("\t")[0]
        if not pattern or pattern.startswith("#") or _SECTION.match(pattern):
            continue
        found += [f"line {number}: {problem}" for problem in _problems(pattern, platform)]
    return found


def _problems(pattern: str, platform: PlatformSpec) -> Iterator[str]:
    """Yield why a row below Sluice's may match what belongs to the platform; nothing if it can't."""
    root = platform.git.root
    if root and pattern.startswith("/"):
        parts, own = pattern.strip("/").split("/"), root.split("/")
        if parts[0] == ".github" or any("*" in part for part in parts[: len(own)]):
            yield f"`{pattern}` may match files that CI runs or reads: write it above Sluice's lines"
            return
        if parts[: len(own)] != own[: len(parts)]:
            return
        if len(parts) <= len(own):
            yield f"`{pattern}` takes everything that Sluice's lines give away: write it above them"
            return
        pattern = pattern.removeprefix(f"/{root}")
    folder, *inner = pattern.removeprefix("/").split("/")
    if not pattern.startswith("/") or not _LITERAL.fullmatch(folder):
        yield f"`{pattern}` may match files that CI runs or reads: begin it with a slash and the name of a folder"
    elif folder.startswith(".") or folder in _PROTECTED or (not inner and _is_read(folder)):
        yield f"`{pattern}` takes files that CI runs or reads from the platform: remove it"
    elif folder in {SPECS, platform.git.path.partition("/")[0]} and not _in_a_team(folder, inner, platform):
        yield f"`{pattern}` is not in the folder of one team, such as `/{SPECS}/<team>/`: name it, or remove the row"


def _is_read(name: str) -> bool:
    """Return whether a name at the root may be a file that CI or a tool of it reads; folders and notes are not."""
    return name == "CODEOWNERS" or ("." in name and not name.endswith(_NOTES))


def _in_a_team(folder: str, inner: list[str], platform: PlatformSpec) -> bool:
    """Return whether a pattern stays in one team's specs, or in its bundles of one environment or its bentos."""
    if folder == SPECS:
        return len(inner) >= _FOLDERS and inner[0] in platform.teams
    depth = platform.git.path.count("/")
    below = [folder, *inner][depth + 1 :]
    places = {"bentos", *platform.environments}
    return (
        "/".join([folder, *inner]).startswith(f"{platform.git.path}/")
        and len(below) > _FOLDERS
        and below[0] in places
        and below[1] in platform.teams.keys() - RESERVED_TEAMS
    )
