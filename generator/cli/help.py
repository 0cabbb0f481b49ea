"""`sluice help`: the help of the program, or of one command."""

from __future__ import annotations

import click

from generator.cli.usage_hints import unknown_command
from generator.pipeline.terminal import emit
from generator.source.errors import UserError


@click.command("help")
@click.argument("names", metavar="[COMMAND]...", nargs=-1)
def command(names: tuple[str, ...]) -> None:
    """Show the help of a command.

    The same as `sluice COMMAND --help`; without a command, the list of all commands.
    """
    context = click.get_current_context().find_root()
    found: click.Command = context.command
    for name in names:
        inner = found.get_command(context, name) if isinstance(found, click.Group) else None
        if inner is None:
            raise UserError(f"no such command: `{' '.join(names)}`", _hint(found, context, name))
        context = click.Context(inner, parent=context, info_name=name)
        found = inner
    emit(found.get_help(context) + "\n")


def _hint(group: click.Command, context: click.Context, name: str) -> str:
    known = group.list_commands(context) if isinstance(group, click.Group) else []
    return unknown_command(name, context.command_path, known)
