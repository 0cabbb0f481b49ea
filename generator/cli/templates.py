"""`sluice templates`: list all templates and which of them the repository overrides."""

from __future__ import annotations

from pathlib import Path

import click

from generator.cli.options import json_option, root_option
from generator.pipeline.atomic_write import write_file
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit
from generator.render.environment import Templates
from generator.report.template_list import TemplateRecord, as_json, listed_templates
from generator.source.errors import CliError
from generator.source.line import visible
from generator.source.shipped import builtin_folder
from generator.source.suggest import nearest


@click.command("templates")
@click.option(
    "--show", metavar="NAME", help="Print one template, with the repository's override if there is one."
)
@click.option("--copy", metavar="NAME", help="Copy a built-in template to templates/, to change it there.")
@json_option
@root_option
def command(show: str | None, copy: str | None, fmt: str, root: Path | None) -> None:
    """List the templates and which are overridden.

    A file in the repository's folder templates/ replaces the built-in template of the same name; other files there
    can be included.
    """
    if fmt == "json" and (show or copy):
        raise CliError("--format json lists the templates; leave --show and --copy out")
    session = open_session(root)
    templates = Templates(session.root / "templates")
    if copy:
        emit(f"wrote {_copied(templates, copy, session.root).relative_to(session.root)}\n")
        return
    if show:
        emit(_text(templates, show))
    else:
        listed = listed_templates(templates)
        emit(as_json(listed) if fmt == "json" else "".join(map(_line, listed)))


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


def _line(one: TemplateRecord) -> str:
    """Return the line of one template. An added one is included by others, or its name is misspelt."""
    near = f"; did you mean {one['near']}?" if one["near"] else ""
    added = f"  (replaces nothing{near})" if one["state"] == "added" else ""
    return f"{one['state']:<10}  {visible(one['name'])}{added}\n"
