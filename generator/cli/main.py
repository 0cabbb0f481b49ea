"""The command `sluice`: its commands by name, imported when they are called, and what its exit code means."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

import click

from generator import __version__
from generator.source.errors import UserError

COMMANDS: dict[str, str] = {
    "init": "Make a new GitOps repository that renders.",
    "new": "Write the first spec of a model.",
    "validate": "Check specs against every rule; write nothing.",
    "render": "Write the bundles that Argo CD syncs.",
    "plan": "Tell what a release will do, minute by minute.",
    "diff": "Tell what differs from a revision or a cluster: decisions, not lines.",
    "replay": "Tell what the guards would have decided over recorded or simulated traffic.",
    "pin": "Resolve references over the network and write locks.",
    "promote": "Point a spec at another version of its model.",
    "gates": "Judge a model before any traffic, and check the evidence that this leaves.",
    "verify": "Check any tree of rendered files.",
    "status": "Tell what git says of each model, and what the cluster does.",
    "revert": "Take a model back to the version before.",
    "audit": "Tell what was live, since when, why, on which evidence.",
    "ci": "Write the workflows that check, comment, build images and revert.",
    "alerts": "Write the alerts of released models, and unit tests for them.",
    "spinnaker": "Write a canary as a Spinnaker pipeline with a Kayenta configuration.",
    "codeowners": "Write who must agree to a change of what.",
    "schema": "Print the JSON Schema of a file format.",
    "explain": "Tell what a finding means and how to fix it.",
    "templates": "List the templates and which are overridden.",
    "completion": "Print the completion script of a shell.",
}
"""One line of help for each command, as its own module has it; `sluice --help` imports none of them."""

BUG, INTERRUPTED = 3, 130
_WIDTH = 100
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
_OBJECTS = 150_000


class Sluice(click.Group):
    """A group whose commands live in modules of the same name, in the attribute `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of a user's way."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"generator.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in the help, from the table."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A misspelt command is refused with the nearest one."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from generator.source.suggest import nearest

            near = nearest(name, COMMANDS)
            hint = f"did you mean `{near[0]}`?" if near else "`sluice --help` lists all commands"
            ctx.fail(f"no such command: `{name}`; {hint}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Names of commands, from the table."""
        from click.shell_completion import CompletionItem

        own = [CompletionItem(name, help=COMMANDS[name]) for name in COMMANDS if name.startswith(incomplete)]
        return [*own, *click.Command.shell_complete(self, ctx, incomplete)]

    def main(  # type: ignore[override]  # click's overloads also promise to return, which this never does
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        **extra: Any,
    ) -> NoReturn:
        """Run and leave with one of the documented exit codes; input never ends in a traceback."""
        extra["standalone_mode"] = False
        try:
            code = super().main(args, prog_name or "sluice", **extra)
        except click.ClickException as error:
            error.show()
            code = 2
        except UserError as error:
            _say(f"Error: {error}")
            code = 2
        except click.Abort:
            code = INTERRUPTED
        except OSError as error:
            code = _refused(error)
        except Exception as error:  # noqa: BLE001 - the last resort: a bug is told in two lines
            code = _crashed(error)
        sys.exit(code if isinstance(code, int) else 0)


def _refused(error: OSError) -> int:
    """A file system that refuses is the user's to mend, and so is a standard output that takes no more."""
    if error.filename is None and error.errno not in _NO_ROOM:
        return _crashed(error)
    what = "the output can't be written" if error.filename is None else os.fsdecode(error.filename)
    _say(f"Error: {what}: {error.strerror}")
    return 2


def _say(text: str) -> None:
    """Tell standard error; where that takes no more either, the exit code has to do."""
    with suppress(OSError):
        click.echo(text, err=True)


def _crashed(error: Exception) -> int:
    if os.environ.get("SLUICE_DEBUG", "0") not in {"", "0"}:
        import traceback

        traceback.print_exception(error)
    said = " ".join(str(error).split())
    _say(f"sluice {__version__} failed, and the mistake is its own: {type(error).__name__}: {said}")
    _say("Run it again with SLUICE_DEBUG=1 to see where, and report that.")
    return BUG


@click.group(
    cls=Sluice, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": _WIDTH}
)
@click.version_option(__version__, prog_name="sluice", message="%(prog)s %(version)s")
def cli() -> None:
    """Release machine-learning models safely: check specs, see what will happen, render what Argo CD syncs."""


def _without_plugins() -> None:
    """Specs are validated as they are here, whatever is installed beside.

    Before it makes its first model, pydantic asks every installed package for plugins, with modules that are a
    tenth of the CPU of a short command. PYDANTIC_DISABLE_PLUGINS turns plugins off, and still loads those modules.
    """
    none = ModuleType("pydantic.plugin._loader")
    none.get_plugins = tuple  # type: ignore[attr-defined]
    sys.modules.setdefault(none.__name__, none)


def run() -> NoReturn:
    """Entry point of the program."""
    for name in ("stdin", "stdout", "stderr"):
        # Whoever starts it without one of the three (`>&-`, some schedulers) wants the exit code.
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+"))  # noqa: PTH123, SIM115 - pathlib costs a start
    for stream in (sys.stdout, sys.stderr):
        # What a terminal's encoding has no sign for is spelled out, never a crash.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    # Starting makes objects by the ten thousand, which live to the end: to look for garbage among them, again and again
    # and once more at the exit, is a sixth of the CPU of a short command.
    gc.set_threshold(_OBJECTS)
    _without_plugins()
    try:
        cli.main()
    finally:
        gc.freeze()
