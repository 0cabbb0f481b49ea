"""Which findings of a tree count: chosen codes and paths, from options or a settings file, and a baseline.

`sluice.toml`, or `[tool.sluice]` of pyproject.toml, next to the tree or above it:

    select = ["ROL", "ANA4"]            # codes or their beginnings; everything without it
    ignore = ["ANA464", "VER140:old/*"] # of these codes nothing, or nothing below a path
    exclude = ["vendor/*"]              # no findings of these files
    baseline = "sluice-baseline.json"   # only findings that are not in it count
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from generator.dataclass import dataclass
from generator.pipeline.atomic_write import write_file
from generator.report.codes import all_codes
from generator.report.formats.report import fingerprints
from generator.source.errors import CliError
from generator.source.files import text_of
from generator.source.finding import Finding
from generator.source.suggest import did_you_mean

SETTINGS: Final = "sluice.toml"
_PROJECT: Final = "pyproject.toml"
_KEYS: Final = ("select", "ignore", "exclude", "baseline")
_SCHEMA: Final = "sluice/baseline/v1"


@dataclass(frozen=True, slots=True)
class Choice:
    """The findings to show.

    Args:
        select: codes or beginnings of codes; empty for all.
        ignore: the same, perhaps with a path behind a colon.
        exclude: paths of files.
        baseline: the file of findings that were there before.
        prefix: path from the folder of the settings to the tree, in front of the paths of findings.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    baseline: Path | None = None
    prefix: str = ""

    def chosen(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings whose code and file count, before the baseline."""
        return [finding for finding in findings if self._counts(finding)]

    def _counts(self, finding: Finding) -> bool:
        if self.select and not finding.code.startswith(self.select):
            return False
        if any(self._matches(finding, pattern) for pattern in self.exclude):
            return False
        for entry in self.ignore:
            code, _, path = entry.partition(":")
            if finding.code.startswith(code) and (not path or self._matches(finding, path)):
                return False
        return True

    def _matches(self, finding: Finding, pattern: str) -> bool:
        file, wanted = finding.place.file, pattern.removeprefix("./").rstrip("/")
        names = (file, f"{self.prefix}/{file}".lstrip("/"))
        return any(fnmatchcase(name, form) for name in names for form in (wanted, f"{wanted}/*"))


def choice(tree: Path, select: str, ignore: str, exclude: Sequence[str], baseline: Path | None) -> Choice:
    """Return what the options and the settings file choose; options replace `select`, and add to the others.

    Raises:
        CliError: an unknown code, or a settings file that cannot be read.
    """
    found, folder = _settings(tree.resolve())
    lists = {key: _texts(found.get(key, []), key) for key in ("select", "ignore", "exclude")}
    base = tree if tree.is_dir() else tree.parent
    own = found.get("baseline")
    chosen = Choice(
        select=_split(select) or lists["select"],
        ignore=(*lists["ignore"], *_split(ignore)),
        exclude=(*lists["exclude"], *exclude),
        baseline=baseline or (folder / own if folder and isinstance(own, str) else None),
        prefix=base.resolve().relative_to(folder).as_posix() if folder else "",
    )
    _check_codes((*chosen.select, *chosen.ignore))
    return replace(chosen, prefix="" if chosen.prefix == "." else chosen.prefix)


def _split(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _texts(value: Any, key: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise CliError(f"`{key}` of the settings is not a list of texts", f'write {key} = ["…"]')
    return tuple(value)


def _check_codes(entries: Iterable[str]) -> None:
    known = all_codes()
    for entry in entries:
        code = entry.partition(":")[0]
        if not code or not any(name.startswith(code) for name in known):
            raise CliError(
                f"there is no code that begins with `{code or entry}`", did_you_mean(code, known, "codes")
            )


def _toml(file: Path) -> dict[str, Any]:
    """Return what a settings file has.

    Raises:
        CliError: it is too large, not TOML, or too deep.
    """
    text = text_of(file)
    if text is None:
        raise CliError(f"{file} cannot be read: it is too large, or may not be read")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise CliError(f"{file} cannot be read: {error}") from error


def _settings(tree: Path) -> tuple[dict[str, Any], Path | None]:
    """Return the nearest settings above a tree and their folder; the repository is as far as it looks."""
    for folder in (tree, *tree.parents):
        for name in (SETTINGS, _PROJECT):
            file = folder / name
            if not file.is_file():
                continue
            values: Any = _toml(file)
            if name == _PROJECT:
                tools = values.get("tool")
                values = tools.get("sluice") if isinstance(tools, dict) else None
                if values is None:
                    continue
            if not isinstance(values, dict):
                raise CliError(
                    f"`tool.sluice` in {file} is not a table", "write [tool.sluice], and keys below it"
                )
            if unknown := sorted(set(values) - set(_KEYS)):
                raise CliError(f"{file} has the unknown key `{unknown[0]}`", did_you_mean(unknown[0], _KEYS))
            return values, folder
        if (folder / ".git").exists():
            break
    return {}, None


def new_findings(findings: Sequence[Finding], baseline: Path) -> tuple[list[Finding], int]:
    """Return the findings that a baseline does not have, and how many of its entries no longer occur.

    Raises:
        CliError: the baseline cannot be read.
    """
    try:
        known = json.loads(baseline.read_text(encoding="utf-8"))
        entries = known["findings"] if known.get("schema") == _SCHEMA else None
    except (OSError, ValueError, AttributeError, KeyError, RecursionError) as error:
        raise CliError(
            f"the baseline {baseline} cannot be read: {error}", "write one with --write-baseline"
        ) from error
    if not isinstance(entries, dict):
        raise CliError(f"{baseline} is not a baseline", "write one with --write-baseline")
    marks = fingerprints(findings)
    fresh = [finding for mark, finding in zip(marks, findings, strict=True) if mark not in entries]
    return fresh, len(set(entries) - set(marks))


def write_baseline(findings: Sequence[Finding], file: Path) -> None:
    """Write the findings of today as a baseline: fingerprints that survive edits elsewhere, and what each is."""
    marks = fingerprints(findings)
    entries = {mark: f"{f.code} {f.place.file}: {f.message}" for mark, f in zip(marks, findings, strict=True)}
    ordered = dict(sorted(entries.items(), key=lambda row: (row[1], row[0])))
    text = json.dumps({"schema": _SCHEMA, "findings": ordered}, indent=1, ensure_ascii=False)
    write_file(file, f"{text}\n".encode())
