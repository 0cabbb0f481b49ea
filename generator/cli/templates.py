"""`sluice templates`: list all templates and which of them the repository overrides."""

from __future__ import annotations

from pathlib import Path

import click

from generator.cli.options import root_option
from generator.pipeline.atomic_write import write_file
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit
from generator.render.environment import TemplateFile, Templates, template_names
from generator.source.errors import CliError
from generator.source.line import visible
from generator.source.shipped import builtin_folder
from generator.source.suggest import misspelt, nearest


@click.command("templates")
@click.option(
    "--show", metavar="NAME", help="Print one template, with the repository's override if there is one."
)
@click.option("--copy", metavar="NAME", help="Copy a built-in template to templates/, to change it there.")
@root_option
def command(show: str | None, copy: str | None, root: Path | None) -> None:
    """List the templates and which are overridden.

    A file in the repository's folder templates/ replaces the built-in template of the same name; other files there
    can be included.
    """
    session = open_session(root)
    templates = Templates(session.root / "templates")
    if copy:
        emit(f"wrote {_copied(templates, copy, session.root).relative_to(session.root)}\n")
        return
    emit(_text(templates, show) if show else _list(templates))


def _text(templates: Templates, name: str) -> str:
    """Return the text of a template; of the built-in one while the override is empty, as a shell makes it first."""
    file = templates.files[_known(templates, name)]
    ours = builtin_folder() / file.name
    if file.own and ours.is_file() and not file.file.read_bytes().strip():
        return ours.read_text("utf-8")
    return templates.text(file.name)


def _copied(templates: Templates, name: str, root: Path) -> Path:
    """Write a built-in template to the repository, and return its file."""
    found = _known(templates, name)
    ours, target = builtin_folder() / found, root / "templates" / found
    if not ours.is_file():
        raise CliError(f"{found} is not a built-in template", "`sluice templates` lists them")
    if target.exists() and target.read_bytes().strip():
        raise CliError(f"templates/{found} exists already", "change it there, or remove it first")
    write_file(target, ours.read_bytes())
    return target


def _known(templates: Templates, name: str) -> str:
    known = list(templates.files)
    for candidate in (name, f"{name}.j2"):
        if candidate in known:
            return candidate
    near = nearest(name, known, 3)
    hint = f"did you mean {' or '.join(near)}?" if near else "`sluice templates` lists them"
    raise CliError(f"no such template: {name}", hint)


def _list(templates: Templates) -> str:
    ours = template_names(builtin_folder())
    return "".join(_line(file, ours) for file in templates.files.values())


def _line(file: TemplateFile, ours: list[str]) -> str:
    """Return the line of one template. An added one is included by others, or its name is misspelt."""
    if not file.own:
        return f"built-in    {visible(file.name)}\n"
    if file.name in ours:
        return f"overridden  {file.name}\n"
    near = misspelt(file.name, ours)
    return (
        f"added       {visible(file.name)}  (replaces nothing{f'; did you mean {near}?' if near else ''})\n"
    )
