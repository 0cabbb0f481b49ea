"""`sluice completion`: shell completion of commands, options, paths, and names in the repository."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import click
from click.shell_completion import (
    CompletionItem,
    ShellComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from generator.pipeline.terminal import emit

_SHELLS = ("bash", "zsh", "fish", "powershell")


@add_completion_class
class PowerShell(ShellComplete):
    """PowerShell 5.1 and later, which calls the program with the whole command line.

    Its documentation: Register-ArgumentCompleter. Without results it completes names of files.
    """

    name = "powershell"
    source_template = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $env:%(complete_var)s = 'powershell_complete'
    $env:COMP_WORDS = $commandAst.ToString()
    $env:COMP_CWORD = $wordToComplete
    try {
        %(prog_name)s | ForEach-Object {
            $value, $help = $_ -split "`t", 2
            if (-not $help) { $help = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
        }
    } finally {
        Remove-Item Env:%(complete_var)s, Env:COMP_WORDS, Env:COMP_CWORD -ErrorAction SilentlyContinue
    }
}
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the complete words of the line, and the one that is typed."""
        words, typed = split_arg_string(os.environ["COMP_WORDS"])[1:], os.environ.get("COMP_CWORD", "")
        return (words[:-1] if typed and words and words[-1] == typed else words), typed

    def complete(self) -> str:
        """Return one line for each proposal; none for names of files, which PowerShell knows."""
        found = self.get_completions(*self.get_completion_args())
        return "\n".join(self.format_completion(item) for item in found if item.type == "plain")

    def format_completion(self, item: CompletionItem) -> str:
        """Return a proposal and its help."""
        return f"{item.value}\t{item.help}" if item.help else str(item.value)


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> None:
    """Print the completion script of a shell.

    It completes commands and options, and models, environments, tiers, codes, templates and revisions of git.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise ValueError(f"click has no completion script for {shell}")
    program = click.get_current_context().find_root().command
    # Click's `source` would run the shell to find its version.
    emit(ShellComplete.source(kind(program, {}, "sluice", "_SLUICE_COMPLETE")) + "\n")


class Known(click.ParamType[Any]):
    """A value that is completed from known names.

    Args:
        names: finds them in a repository; None outside a repository.
        paths: whether a path may be given as well.
    """

    name = "known"

    def __init__(self, names: Callable[[Path | None], Iterable[str]], *, paths: bool = False) -> None:
        self.names = names
        self.paths = paths

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that start with the text; files if there are none and the value may be a path."""
        del param
        found = [name for name in self.names(_root(ctx)) if name.startswith(incomplete)]
        if not found and self.paths:
            return [CompletionItem(incomplete, type="file")]
        return [CompletionItem(name) for name in found]


def attach(command: click.Command) -> None:
    """Make the parameters of a command complete their names."""
    for param in command.params:
        known = _ARGUMENTS if isinstance(param, click.Argument) else _OPTIONS
        if param.name in known and not isinstance(param.type, click.Choice):
            param.type = known[param.name]
    for inner in getattr(command, "commands", {}).values():
        attach(inner)


def _root(context: click.Context) -> Path | None:
    from generator.plan.model_files import find_root

    given = context.params.get("root")
    return Path(given) if given else find_root(Path.cwd())


def _models(root: Path | None) -> list[str]:
    from generator.plan.model_files import discover

    return [entry.name for entry in discover(root)[0]] if root else []


def _new_models(root: Path | None) -> list[str]:
    return [f"{team}/" for team in _platform(root, "teams")]


def _platform(root: Path | None, key: str) -> list[str]:
    """Return the names in a part of the platform, whether or not it is valid."""
    if root is None:
        return []
    from generator.plan.model_files import PLATFORM, SPECS
    from generator.source.reader import read

    data: Any = read(root / SPECS / PLATFORM, root).data
    spec = data.get("spec") if isinstance(data, dict) else None
    part = spec.get(key) if isinstance(spec, dict) else None
    return list(part) if isinstance(part, dict) else []


def _revisions(root: Path | None) -> list[str]:
    """Return HEAD, branches and tags."""
    from generator.history.git import Git
    from generator.history.git_call import GitError

    try:
        text = Git.at(root or Path.cwd()).ask(
            "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes", "refs/tags"
        )
    except GitError:
        return []
    return ["HEAD", *text.split()]


def _codes(root: Path | None) -> list[str]:
    del root
    from generator.report.codes import all_codes

    return sorted(all_codes())


def _templates(root: Path | None) -> list[str]:
    from generator.render.environment import template_names
    from generator.source.shipped import builtin_folder

    own = template_names(root / "templates") if root and (root / "templates").is_dir() else []
    return sorted({*template_names(builtin_folder()), *own})


_SOME_MODEL = Known(_models, paths=True)
_ARGUMENTS: Final[dict[str | None, click.ParamType[Any]]] = {
    "paths": _SOME_MODEL,
    "specs": _SOME_MODEL,
    "spec": _SOME_MODEL,
    "model": _SOME_MODEL,
    "name": Known(_new_models),
    "code": Known(_codes),
}
_OPTIONS: Final[dict[str | None, click.ParamType[Any]]] = {
    "environment": Known(lambda root: _platform(root, "environments")),
    "tier": Known(lambda root: _platform(root, "tiers")),
    "show": Known(_templates),
    "copy": Known(_templates),
    "against": Known(_revisions),
    "branch": Known(_revisions),
}
"""The completion of arguments and options, by their names in commands."""
