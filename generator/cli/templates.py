"""`sluice templates`: all templates by name, and which of them the repository overrides."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

import click

from generator.cli.session import Refused, open_session, root_option
from generator.cli.terminal import emit
from generator.render.environment import Templates


@click.command("templates")
@click.option("--show", metavar="NAME", help="Print one template, as it is used here.")
@root_option
def command(show: str | None, root: Path | None) -> None:
    """List the templates and which are overridden.

    A file of the same name in the repository's own folder templates/ replaces a built-in template.
    """
    templates = open_session(root).templates
    emit(_text(templates, show) if show else _list(templates))


def _text(templates: Templates, name: str) -> str:
    known = list(templates.sources)
    for candidate in (name, f"{name}.j2"):
        if candidate in known:
            return templates.texts[candidate]
    near = get_close_matches(name, known, 3, 0.4)
    raise Refused(
        f"{name} is no template; {'did you mean ' + ' or '.join(near) + '?' if near else 'see the list'}"
    )


def _list(templates: Templates) -> str:
    return "".join(
        f"{'overridden' if source.own else 'built-in':<10}  {name}\n"
        for name, source in templates.sources.items()
    )
