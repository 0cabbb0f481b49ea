"""`sluice init`: create a GitOps repository that renders, without network access."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from pathlib import Path

import click

from generator.pipeline.atomic_write import existing, write_files
from generator.pipeline.terminal import emit
from generator.source.errors import CliError
from generator.source.line import visible

_SCHEMAS = ("model", "platform", "lock")


@click.command("init")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path, file_okay=False))
def command(folder: Path) -> None:
    """Create a GitOps repository that renders.

    DIR is created if it is missing; default: the current folder. Nothing is overwritten: if any of the files already
    exists, nothing is written at all.
    """
    from generator.pipeline.repository_files import new_repository
    from generator.render.environment import Templates
    from generator.report.schemas import schema_text

    files = new_repository(Templates())
    files |= {f"docs/schema/{name}.json": schema_text(name) for name in _SCHEMAS}
    taken = existing(folder, list(files))
    if taken:
        hint = (
            "this is a repository of Sluice already: `sluice new TEAM/MODEL` adds a model"
            if "specs/platform.yaml" in taken
            else ""
        )
        raise CliError(f"nothing was written, because these files exist: {', '.join(taken)}", hint)
    write_files(folder, {name: text.encode() for name, text in files.items()})
    emit(_summary(folder, sorted(files)))


def _summary(folder: Path, names: Collection[str]) -> str:
    listed = "".join(f"  {name}\n" for name in names)
    enter = "" if str(folder) == "." else f"cd {shlex.quote(str(folder))} && "
    git = "" if _in_git(folder) else "git init && "
    following = f"next: {visible(enter)}{git}sluice render; see README.md\n"
    return f"wrote {len(names)} files to {visible(str(folder))}:\n{listed}{following}"


def _in_git(folder: Path) -> bool:
    """Return whether a folder is in a git repository, which diffs, evidence and Argo CD need."""
    return any((parent / ".git").exists() for parent in (folder.resolve(), *folder.resolve().parents))
