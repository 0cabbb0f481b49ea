"""`sluice completion`: the script that makes a shell complete commands, options and paths."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from generator.pipeline.terminal import emit

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    For example: sluice completion bash > ~/.local/share/bash-completion/completions/sluice
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise ValueError(f"click knows no completion for {shell}")
    program = click.get_current_context().find_root().command
    # Not the shell's own `source`: it runs the shell to learn its version.
    emit(ShellComplete.source(kind(program, {}, "sluice", "_SLUICE_COMPLETE")) + "\n")
