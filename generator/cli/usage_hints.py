"""Hints for usage errors: the option, value or command that was probably meant; imported only when there is one."""

from __future__ import annotations

import re
from typing import Final

import click

from generator.source.suggest import nearest
from generator.spec.mistakes.words import WORDS

_OPTIONS: Final = {
    "-e": "--env",
    "-o": "--output",
    "-f": "--format",
    "-r": "--root",
    "--dry-run": "--diff --check",
    "--dryrun": "--diff --check",
    "-n": "--diff --check",
    "--preview": "--diff",
    "--verbose": "--full",
    "-v": "--full",
    "--details": "--full",
    "--rev": "--against",
    "--base": "--against",
    "--since": "--against",
    "--dir": "--output --root",
    "--chdir": "--root",
    "-C": "--root",
    "--message": "--reason",
    "-m": "--reason",
    "--version": "--to",
    "--stage": "--env",
    "--model": "--ref",
    "--type": "--strategy --format",
    "--json": "--format",
}
"""Options of other programs, and ours for the same purpose, the likeliest first."""

COMMANDS: Final = {
    "render": "deploy apply build generate sync template release",
    "validate": "lint check test verify-spec",
    "revert": "rollback undo roll-back abort",
    "--version": "version",
    "pin": "lock resolve freeze",
    "new": "create add scaffold",
    "plan": "show preview dry-run",
    "replay": "simulate backtest",
    "status": "list ls get ps",
    "audit": "history log",
    "templates": "template-list overrides",
}
"""Words of other programs for each of our commands."""


def command_for(name: str, known: list[str]) -> str:
    """Return the command that was probably meant; empty for none."""
    near = nearest(name, known)
    others = ((ours, words.split()) for ours, words in COMMANDS.items() if ours in known)
    theirs = next((ours for ours, words in others if name.casefold() in words), "")
    return near[0] if near and near[0].startswith(name) else theirs or (near[0] if near else "")


def improved(error: click.ClickException, examples: tuple[str, ...]) -> click.ClickException:
    """Return an error that also says what was probably meant.

    Args:
        error: the error.
        examples: how the command is used.
    """
    context = getattr(error, "ctx", None)
    if isinstance(error, click.NoSuchOption):
        found = _option(error.option_name, _options(context))
        text = f"{error.message} Did you mean '{found}'?"
        return click.NoSuchOption(error.option_name, text, ctx=context) if found else error
    if isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter):
        return click.BadParameter(error.message + _value(error), context, error.param, error.param_hint)
    if examples and re.search("Missing argument|unexpected extra", error.format_message()):
        text = f"{error.format_message().rstrip('.')}; for example `sluice {examples[0]}`"
        return click.UsageError(text, context)
    return error


def _options(context: click.Context | None) -> list[str]:
    return (
        []
        if context is None
        else [name for one in context.command.params for name in one.opts if name[:1] == "-"]
    )


def _option(name: str, known: list[str]) -> str:
    for ours in _OPTIONS.get(name, "").split():
        if ours in known:
            return ours
    longer = [one for one in known if len(one) > 2 and (name.startswith(one) or one.startswith(name))]
    return longer[0] if len(longer) == 1 else ""


def _value(error: click.BadParameter) -> str:
    """Return the rest of the sentence about a value that an option refuses."""
    found = re.match(r"'(?P<value>.*)' is not ", error.message)
    kind = error.param.type if error.param is not None else None
    if found is None:
        return ""
    if isinstance(kind, click.Choice):
        known = [str(one) for one in kind.choices]
        plain = found["value"].casefold().replace("_", "-")
        other = [word for word in known if plain in WORDS.get(word, ())]
        near = nearest(found["value"], known) or other
        return f" Did you mean '{near[0]}'?" if near else ""
    number = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|sec|seconds?)", found["value"])
    return f" It is a number of seconds: '{number[1]}'." if number else ""
