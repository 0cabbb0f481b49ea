"""The command `sluice`: its commands by name, imported when called, and its exit codes."""

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
from generator.cli.group import CommandGroup
from generator.pipeline.terminal import emit_messages, guard_streams, note
from generator.source.errors import FindingsError, UserError
from generator.source.line import visible

COMMANDS: dict[str, str] = {
    "init": "Create a GitOps repository that renders.",
    "new": "Write the first spec of a model.",
    "import": "Write specs from Rollouts, Canaries and InferenceServices that others wrote.",
    "validate": "Check specs against every rule.",
    "plan": "Show what a release will do, minute by minute.",
    "diff": "Show semantic changes against a revision or a cluster.",
    "replay": "Show what the guards would have decided on other traffic.",
    "design": "Compute weights and holds from what a team accepts.",
    "calibrate": "Learn values and odds from a model's own history.",
    "explain": "Explain the code of a finding, with an example.",
    "schema": "Print the JSON Schema of a file format.",
    "pin": "Resolve references over the network and write locks.",
    "try": "Build, serve and measure the service of a model.",
    "gates": "Run offline quality gates and verify their evidence.",
    "record": "Record what a release did, next to its spec.",
    "promote": "Let a proven release into an environment that requires others.",
    "render": "Write the bundles that Argo CD syncs.",
    "verify": "Check any tree of rendered files.",
    "odds": "Show what any release is worth, also one written by hand.",
    "doctor": "Show what is missing for what the specs need, and how to fix it.",
    "status": "Show each model's state in git and in the cluster.",
    "audit": "Show which versions were merged, since when, why and on which evidence.",
    "track-record": "Compare what plans promised with what releases did.",
    "postmortem": "Write what happened to a release, and what would have caught it.",
    "revert": "Roll a model back to its previous version.",
    "alerts": "Write alerts for released models, and unit tests for them.",
    "mcp": "Answer an assistant's questions about a repository, read-only.",
    "ci": "Write CI workflows: checks, comments, images, promotions and reverts.",
    "codeowners": "Generate the CODEOWNERS file.",
    "spinnaker": "Write a canary as a Spinnaker pipeline with Kayenta.",
    "templates": "List the templates and which are overridden.",
    "completion": "Print the completion script of a shell.",
    "help": "Show the help of a command.",
}
"""One line of help for each command, the same as in its module; `sluice --help` imports no module."""

GROUPS: dict[str, tuple[str, ...]] = {
    "Write specs": (
        "init",
        "new",
        "import",
        "validate",
        "plan",
        "diff",
        "replay",
        "design",
        "calibrate",
        "explain",
        "schema",
    ),
    "Release models": ("pin", "try", "gates", "promote", "render", "verify", "odds", "record"),
    "Operate": ("doctor", "status", "audit", "track-record", "postmortem", "revert", "alerts"),
    "Set up": ("mcp", "ci", "codeowners", "spinnaker", "templates", "completion", "help"),
}
"""The commands by task, as `sluice --help` lists them."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "init": ("init models", "init"),
    "new": ("new shop/churn", "new shop/churn --yes --example-lock"),
    "import": ("import path/to/manifests", "import path/to/manifests --to models --diff"),
    "validate": (
        "validate",
        "validate shop/recommender --strict",
        "validate --format sarif --output report.sarif",
    ),
    "plan": ("plan shop/recommender", "plan shop/recommender --env production --against main"),
    "diff": ("diff --against main", "diff shop/recommender --cluster --env production"),
    "replay": ("replay shop/recommender --data recording.csv",),
    "design": ("design shop/recommender", "design shop/recommender --least time --harm ctr:drop=5%"),
    "calibrate": ("calibrate shop/recommender --prometheus http://localhost:9090",),
    "explain": ("explain CAN102",),
    "schema": ("schema model", "schema --write docs/schema"),
    "pin": ("pin shop/recommender", "pin shop/recommender --version 13", "pin --check"),
    "try": ("try shop/recommender", "try shop/recommender --artifact model.joblib --format json"),
    "gates": ("gates run support/ticket-classifier", "gates check"),
    "record": (
        "record shop/recommender --env staging --cluster",
        "record --from-notification event.json",
    ),
    "promote": ("promote shop/recommender --to production",),
    "render": ("render", "render --check", "render shop --env staging --diff"),
    "verify": ("verify", "verify path/to/manifests --strict"),
    "odds": ("odds path/to/manifests", "odds rollout.yaml --rps 200 --baseline error=0.5%,slow=2%"),
    "doctor": ("doctor", "doctor --cluster --env production --prometheus http://localhost:9090"),
    "status": ("status", "status shop/recommender --cluster --env production"),
    "audit": ("audit shop/recommender", "audit --at 2026-11-01"),
    "track-record": ("track-record", "track-record --format html > track-record.html"),
    "postmortem": (
        "postmortem shop/recommender",
        "postmortem shop/recommender --harm ctr:drop=8% --format html > postmortem.html",
    ),
    "revert": ('revert shop/recommender --reason "clicks fell by a fifth"',),
    "alerts": ("alerts", "alerts shop/recommender --env production"),
    "mcp": ("mcp", "mcp --root models"),
    "ci": ("ci github", "ci gitlab --check"),
    "codeowners": ("codeowners", "codeowners --check"),
    "spinnaker": ("spinnaker shop/recommender --env production",),
    "templates": ("templates", "templates --show kubernetes/service.yaml.j2"),
    "completion": ("completion bash > ~/.local/share/bash-completion/completions/sluice",),
    "help": ("help plan",),
}
"""Examples of each command, for its help."""

BUG, INTERRUPTED = 3, 130
_COMPLETING = "_SLUICE_COMPLETE"
_WIDTH = 100
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
_OBJECTS = 150_000


class Sluice(CommandGroup):
    """A group whose commands are in modules of the same name, in the attribute `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all commands, by task."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"generator.cli.{cmd_name.replace('-', '_')}").command
        examples = "\n".join(f"  sluice {example}" for example in EXAMPLES[cmd_name])
        command.epilog = f"\b\nExample{'s' if len(EXAMPLES[cmd_name]) > 1 else ''}:\n{examples}"
        if os.environ.get(_COMPLETING):
            from generator.cli.completion import attach

            attach(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands in the help, by task."""
        del ctx
        width = max(map(len, COMMANDS))
        for title, names in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:<{width}}", COMMANDS[name]) for name in names])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Return the names of commands that start with this text."""
        from click.shell_completion import CompletionItem

        own = [CompletionItem(name, help=COMMANDS[name]) for name in COMMANDS if name.startswith(incomplete)]
        return [*own, *click.Command.shell_complete(self, ctx, incomplete)]

    def main(  # type: ignore[override]  # click's overloads also promise to return, which this never does
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        **extra: Any,
    ) -> NoReturn:
        """Run and exit with one of the documented codes; no input causes a traceback."""
        extra["standalone_mode"] = False
        if os.environ.get(_COMPLETING, "").startswith("powershell"):
            import generator.cli.completion  # noqa: F401 - adds this shell to those of click
        try:
            code = super().main(args, prog_name or "sluice", **extra)
        except click.ClickException as error:
            from generator.cli.usage_hints import improved

            context = getattr(error, "ctx", None)
            examples = _examples(context.command_path) if context is not None else ()
            improved(error, examples, sys.argv[1:] if args is None else args).show()
            code = 2
        except FindingsError as error:
            code = _report(error)
        except UserError as error:
            _say(f"Error: {error}")
            code = 2
        except click.Abort:
            code = INTERRUPTED
        except OSError as error:
            code = _refused(error)
        except Exception as error:  # noqa: BLE001 - the last resort: report a bug in two lines
            code = _crashed(error)
        sys.exit(code if isinstance(code, int) else 0)


def _examples(path: str) -> tuple[str, ...]:
    """Return the examples of a command or subcommand, such as `sluice gates run`."""
    words = path.split()[1:]
    own = EXAMPLES.get(words[0], ()) if words else ()
    return tuple(example for example in own if example.split()[: len(words)] == words)


def _report(error: FindingsError) -> int:
    """Print the findings that stop a command."""
    from generator.report.formats import render
    from generator.report.tables import Screen

    text = render(error.findings, "text", screen=Screen.of_messages(sys.stderr))
    emit_messages(f"{visible(error.heading)}\n{text}" if error.heading else text)
    return error.exit_code


def _refused(error: OSError) -> int:
    """Report a file that can't be written, or a closed standard output; the user can fix either."""
    if error.filename is None and error.errno not in _NO_ROOM:
        return _crashed(error)
    what = "the output can't be written" if error.filename is None else os.fsdecode(error.filename)
    _say(f"Error: {what}: {error.strerror}")
    return 2


def _say(text: str) -> None:
    """Write to standard error; if that fails too, only the exit code is left."""
    with suppress(OSError):
        note(text)


def _crashed(error: Exception) -> int:
    if os.environ.get("SLUICE_DEBUG", "0") not in {"", "0"}:
        import traceback

        traceback.print_exception(error)
    said = " ".join(str(error).split())
    _say(f"internal error in sluice {__version__} (this is a bug): {type(error).__name__}: {said}")
    _say("Run it again with SLUICE_DEBUG=1 and report the output.")
    return BUG


@click.group(
    cls=Sluice, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": _WIDTH}
)
@click.version_option(__version__, prog_name="sluice", message="%(prog)s %(version)s")
@click.option("--no-pager", is_flag=True, help="Do not show long output in a pager.")
def cli(*, no_pager: bool) -> None:
    """Release machine-learning models safely: check specs, see what will happen, render what Argo CD syncs.

    `sluice help COMMAND` shows how to use a command, with examples.
    """
    if no_pager:
        os.environ["SLUICE_PAGER"] = ""


def _without_plugins() -> None:
    """Specs are validated the same way whatever else is installed.

    Before it creates its first model, pydantic searches every installed package for plugins, which takes a tenth of
    the CPU of a short command. PYDANTIC_DISABLE_PLUGINS turns plugins off, but still loads the modules for that.
    """
    none = ModuleType("pydantic.plugin._loader")
    none.get_plugins = tuple  # type: ignore[attr-defined]
    sys.modules.setdefault(none.__name__, none)


def run() -> NoReturn:
    """Entry point of the program."""
    for name in ("stdin", "stdout", "stderr"):
        # Programs that start it with a closed stream (`>&-`, some schedulers) need the exit code.
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+"))  # noqa: PTH123, SIM115 - pathlib would slow the start
    for stream in (sys.stdout, sys.stderr):
        # Characters that the terminal's encoding lacks are escaped instead of raising an error.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    # Imports create tens of thousands of objects that live to the end. Scanning them for garbage again and again, and
    # once more at exit, would take a sixth of the CPU of a short command.
    gc.set_threshold(_OBJECTS)
    _without_plugins()
    guard_streams()
    try:
        cli.main()
    finally:
        gc.freeze()
