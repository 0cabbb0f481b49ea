"""`sluice templates`: all templates by name, and which of them the repository overrides."""

from __future__ import annotations

from pathlib import Path

import click

from generator.cli.options import root_option
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit
from generator.render.environment import Source, Templates, builtin_folder, template_names
from generator.source.errors import CliError
from generator.source.suggest import misspelt, nearest


@click.command("templates")
@click.option("--show", metavar="NAME", help="Print one template, as it is used here.")
@root_option
def command(show: str | None, root: Path | None) -> None:
    """List the templates and which are overridden.

    A file of the same name in the repository's own folder templates/ replaces a built-in template; one of another
    name is there for others to include.
    """
    templates = open_session(root).templates
    emit(_text(templates, show) if show else _list(templates))


def _text(templates: Templates, name: str) -> str:
    known = list(templates.sources)
    for candidate in (name, f"{name}.j2"):
        if candidate in known:
            return templates.texts[candidate]
    near = nearest(name, known, 3)
    raise CliError(
        f"{name} is no template; {'did you mean ' + ' or '.join(near) + '?' if near else 'see the list'}"
    )


def _list(templates: Templates) -> str:
    ours = template_names(builtin_folder())
    return "".join(_line(source, ours) for source in templates.sources.values())


def _line(source: Source, ours: list[str]) -> str:
    """One template; one of the repository's that replaces nothing is used where another includes it, or misnamed."""
    word = ("overridden" if source.name in ours else "added") if source.own else "built-in"
    near = misspelt(source.name, ours) if word == "added" else ""
    hint = (
        f"  (replaces nothing; did you mean {near}?)" if near else "  (replaces nothing)" * (word == "added")
    )
    return f"{word:<10}  {source.name}{hint}\n"
