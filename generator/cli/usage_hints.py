"""Hints for usage errors: the command line that was probably meant; imported only when there is an error.

What other programs call an option or a command is in tables. A hint repeats the user's own words, corrected, so that
they can be copied: `sluice plan shop/recommender --env production`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from generator.plan.model_files import SPECS, find_root
from generator.source.suggest import misspelt, nearest
from generator.spec.mistakes.words import WORDS

_RENAMED: Final = {
    "--env": "-e --stage --environments --target-env --environment-name --overlay --envs --in",
    "--output": "-o --out --output-dir --out-dir --outdir --output-file --dest --destination --dir --to-file",
    "--format": "-f --output-format --fmt --as --type",
    "--root": "-r -C --chdir --repo --repository --cwd --workdir --project --dir",
    "--diff": "--dry-run --dryrun -n --preview --show-diff",
    "--check": "--dry-run --dryrun -n --verify-only --no-write --lint --test",
    "--full": "--verbose -v --details --long --wide --expand",
    "--against": "--rev --base --since --from --compare --compare-to --with --ref --revision --commit --branch --diff",
    "--reason": "--message -m --because --comment --why",
    "--to": "--version --target --tag --alias --new-version",
    "--ref": "--model --uri --model-uri --source --reference --path --artifact",
    "--strategy": "--type --rollout --kind",
    "--tier": "--class --level --plan",
    "--framework": "--flavor --library --lib --runtime",
    "--cluster": "--live --remote --server --kube",
    "--context": "--kube-context --ctx",
    "--watch": "--follow -w --wait",
    "--yes": "-y --non-interactive --no-input --defaults --batch --assume-yes",
    "--all": "-a --everything --all-models -A",
    "--example-lock": "--lock --with-lock --no-pin",
    "--strict": "--warnings-as-errors --werror --fail-on-warnings --pedantic",
    "--at": "--date --on --when --as-of",
    "--data": "--csv --input --recording --file",
    "--gate": "--only --name --select",
    "--show": "--print --cat --view",
    "--exit-code": "--fail-on-diff --detailed-exitcode --error-on-diff",
}
"""Options of other programs for each of ours; an option of several lines means the one that the command has."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do instead of an option that has no equivalent.

    Args:
        options: the options, separated by blanks.
        says: a sentence about it; `{command}` stands for the command.
        commands: where it applies, separated by blanks; empty for all commands.
        valued: whether the option has a value, which goes with it.
    """

    options: str
    says: str
    commands: str = ""
    valued: bool = False


_ADVICE: Final = (
    Advice("--all -a --everything --all-models -A --recursive -R", "Without a path, `{command}` covers all models.",
           "render validate pin status diff alerts check"),
    Advice("--force --overwrite --update --upgrade --refresh --repin -f --no-cache",
           "`pin` always resolves the references again and overwrites the lock.", "pin"),
    Advice("--force --overwrite --update --refresh -f --no-cache --prune --delete --clean --yes -y",
           "`render` overwrites its own files and removes those that no spec asks for.", "render"),
    Advice("--no-prune --keep --no-delete --no-clean", "Files of removed specs always go; `sluice render --diff` "
           "shows them first.", "render"),
    Advice("--force --overwrite --yes -y", "`{command}` overwrites nothing: edit the file, or remove it first.",
           "new init"),
    Advice("--force --yes -y --push --commit", "`promote` edits only the spec: commit it yourself.", "promote"),
    Advice("--force --yes -y --push --merge", "`revert` prepares a branch: push it and open a pull request.", "revert"),
    Advice("--dry-run --dryrun -n --check", "`validate` writes nothing without --fix.", "validate"),
    Advice("--dry-run --dryrun -n --diff", "`promote` edits one line of the spec, which `git diff` shows.", "promote"),
    Advice("--dry-run --dryrun -n --check", "`{command}` writes nothing.", "plan diff status audit explain"),
    Advice("--fix --write --autofix", "Only `sluice validate --fix` writes fixes.", "render plan verify pin diff"),
    Advice("--env --environment -e --stage --environments", "`{command}` covers every environment.",
           "validate pin promote check new codeowners", valued=True),
    Advice("--strict --warnings-as-errors --werror", "Warnings become errors in `sluice validate --strict`.",
           "plan render pin diff"),
    Advice("--to --version --target", "`revert` goes back to the previous version; `sluice promote` chooses one.",
           "revert", valued=True),
    Advice("--verbose -v --debug --details --trace -vv", "There is no longer form; SLUICE_DEBUG=1 shows the "
           "traceback of a bug."),
    Advice("--quiet -q --silent -s", "There is no shorter form; the exit code shows whether it worked."),
    Advice("--format --output-format", "`schema` prints JSON.", "schema", valued=True),
    Advice("--json --pretty", "`schema` prints JSON.", "schema"),
    Advice("--wait --follow", "`{command}` only changes files; `sluice status --cluster --watch` follows a release.",
           "render promote revert"),
    Advice("--namespace --ns", "The namespace of a model is set per environment in specs/platform.yaml.", valued=True),
    Advice("--set --values --var", "Values are in the spec, and those of one environment in its `environments:`.",
           valued=True),
    Advice("--config --platform -c", "The platform is always specs/platform.yaml of --root.", valued=True),
    Advice("--color --no-color --colour --no-colour", "NO_COLOR=1 and FORCE_COLOR=1 switch colors."),
)  # fmt: skip

_MODEL: Final = "--model --name --spec --app --service --target --file --path --id -m --models --team -t"
"""Options for what is an argument here."""

COMMANDS: Final = {
    "render": "deploy apply build generate sync template release write compile synth",
    "validate": "lint check test verify-spec fmt format doctor",
    "revert": "rollback undo roll-back abort",
    "--version": "version",
    "pin": "lock resolve freeze relock",
    "new": "create add scaffold generate-spec",
    "plan": "show preview dry-run describe forecast",
    "replay": "simulate backtest",
    "status": "list ls get ps models",
    "audit": "history log logs",
    "promote": "upgrade update bump set-version",
    "templates": "template-list overrides",
    "explain": "why code codes rule rules",
    "completion": "autocomplete completions shell-completion",
    "init": "setup bootstrap start quickstart",
}
"""Words of other programs for each of our commands."""

_DONE_OTHERWISE: Final = {
    "delete destroy remove rm uninstall prune": "delete the files of the model in specs/, then run `sluice render`",
    "rename mv move": "move the spec and its lock with `git mv`, change `metadata.name`, then run `sluice render`",
    "approve resume continue unpause": "a person approves a step in Argo CD, or with "
    "`kubectl argo rollouts promote`; `sluice status --cluster` shows which release waits",
    "config configure settings": "the settings of all models are in specs/platform.yaml",
    "login auth": "credentials come from the environment and the kubeconfig; there is nothing to log in to",
    "serve run deploy-local": "Argo CD runs what `sluice render` writes",
}


def command_for(name: str, known: list[str]) -> str:
    """Return the command that was probably meant; empty for none."""
    near = nearest(name, known)
    others = ((ours, words.split()) for ours, words in COMMANDS.items() if ours in known)
    theirs = next((ours for ours, words in others if name.casefold() in words), "")
    return near[0] if near and near[0].startswith(name) else theirs or (near[0] if near else "")


def unknown_command(name: str, group: str, known: list[str]) -> str:
    """Return the hint for an unknown command of a group: `sluice`, or a command with subcommands."""
    if name == "sluice":
        return f"leave out the second `{name}`"
    otherwise = next(
        (text for words, text in _DONE_OTHERWISE.items() if name.casefold() in words.split()), ""
    )
    if otherwise and name not in known:
        return otherwise
    near = command_for(name, known)
    return f"did you mean `{near}`?" if near else f"`{group} --help` lists all commands"


def improved(
    error: click.ClickException, examples: tuple[str, ...], typed: Sequence[str]
) -> click.ClickException:
    """Return an error that also says what was probably meant.

    Args:
        error: the error.
        examples: how the command is used.
        typed: the words of the command line after `sluice`.
    """
    context = getattr(error, "ctx", None)
    if isinstance(error, click.NoSuchOption) and context is not None:
        hint = _unknown_option(error.option_name, context, list(typed))
        return click.UsageError(f"No such option '{error.option_name}'. {hint}".rstrip(), context)
    if isinstance(error, click.MissingParameter) and isinstance(error.param, click.Option):
        option = error.param
        wanted = f"{option.opts[0]} {option.metavar or 'VALUE'}"
        text = (
            f"Missing option '{option.opts[0]}': {(option.help or '')[:1].lower()}{(option.help or '')[1:]}"
        )
        return click.UsageError(f"{text.rstrip('.')}; write `{_line([*typed, *wanted.split()])}`", context)
    if isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter):
        return click.BadParameter(error.message + _value(error), context, error.param, error.param_hint)
    if examples and re.search("Missing argument|unexpected extra", error.format_message()):
        text = f"{error.format_message().rstrip('.')}; for example `sluice {_own(examples[0])}`"
        return click.UsageError(text, context)
    return error


def _own(example: str) -> str:
    """Return an example with a model of the current repository instead of one of the documents."""
    root = find_root(Path.cwd())
    own = sorted(root.glob(f"{SPECS}/*/*.yaml")) if root is not None else []
    names = [f"{file.parent.name}/{file.stem}" for file in own if not file.stem.endswith(".lock")]
    return re.sub(r"(?:shop/recommender|support/ticket-classifier)", names[0], example) if names else example


# Unknown options ---------------------------------------------------------------------------------------------------


def _unknown_option(name: str, context: click.Context, typed: list[str]) -> str:
    """Return what to write instead of an unknown option."""
    if isinstance(context.command, click.Group):
        return _before_command(name, context.command, context, typed)
    known, command = _options(context.command), context.command.name or ""
    ours = _renamed(name, known)
    if ours:
        right = f"{ours}{_needed_value(context.command, ours, _value_of(typed, name))}"
        return f"Did you mean '{ours}'? Write `{_line(_replaced(typed, name, right))}`."
    choice = _format(name, context.command)
    if choice:
        return f"Did you mean '{choice}'? Write `{_line(_replaced(typed, name, choice))}`."
    argument = _argument(name, context, typed)
    if argument:
        return argument
    for advice in _ADVICE:
        if name in advice.options.split() and command in (advice.commands or command).split():
            line = _line(_without(typed, name, valued=advice.valued))
            return f"{advice.says.format(command=command)} Write `{line}`."
    near = misspelt(name, known)
    if near:
        return f"Did you mean '{near}'? Write `{_line(_replaced(typed, name, near))}`."
    listed = [one for one in known if one.startswith("--") and one != "--help"]
    return f"`{command}` has {', '.join(listed)}." if listed else f"`{command}` has no options."


def _before_command(name: str, group: click.Group, context: click.Context, typed: list[str]) -> str:
    """Return the hint for an option that is written before its command."""
    at = next((index for index, word in enumerate(typed) if word in group.list_commands(context)), -1)
    if at < 0:
        near = misspelt(name, _options(group))
        return f"Did you mean '{near}'?" if near else ""
    command = group.get_command(context, typed[at])
    ours = name if command is None else _renamed(name, _options(command)) or name
    words = [typed[at], *_replaced(typed[:at], name, ours), *typed[at + 1 :]]
    known = command is not None and ours in _options(command)
    if known:
        return f"Options follow their command. Write `{_line(words)}`."
    return f"Leave it out. Write `{_line(_without(typed, name, valued=False))}`."


def _needed_value(command: click.Command, option: str, value: str) -> str:
    """Return the name of the value that our option needs, if none was written."""
    found = next(one for one in command.params if option in one.opts)
    flag = isinstance(found, click.Option) and (found.is_flag or found.count)
    return "" if flag or value else f" {found.metavar or 'VALUE'}"


def _options(command: click.Command) -> list[str]:
    return [name for one in command.params for name in one.opts if name[:1] == "-"]


def _renamed(name: str, known: list[str]) -> str:
    """Return our option for another program's, or for a longer or shorter form of ours."""
    if name in known:
        return name
    for ours, theirs in _RENAMED.items():
        if ours in known and name in theirs.split():
            return ours
    longer = [one for one in known if len(one) > 3 and (name.startswith(one) or one.startswith(name))]
    return longer[0] if len(longer) == 1 and name not in {"--", "-"} else ""


def _format(name: str, command: click.Command) -> str:
    """Return `--format json` for `--json`."""
    for one in command.params:
        if "--format" in one.opts and isinstance(one.type, click.Choice) and name[2:] in one.type.choices:
            return f"--format {name[2:]}"
    return ""


def _argument(name: str, context: click.Context, typed: list[str]) -> str:
    """Return the hint for an option whose value is an argument here: `--model shop/churn`, `new churn --team shop`."""
    argument = next((one for one in context.command.params if isinstance(one, click.Argument)), None)
    if argument is None or name not in _MODEL.split():
        return ""
    value, rest = _value_of(typed, name), _without(typed, name, valued=True)
    if re.match(r"\w+:\S", value) and context.command.name != "new":
        return "The reference of a model is `model.ref` of its spec; `sluice promote MODEL --to VERSION` changes it."
    what = argument.metavar or (argument.name or "").upper()
    words = [word for word in rest if not word.startswith("-")]
    position = rest.index(words[1]) if len(words) > 1 else 1
    if name in {"--team", "-t"} and len(words) > 1:
        rest[position] = f"{value}/{words[1].rpartition('/')[2]}"
    elif len(words) > 1 and value and value in words[1].split("/"):
        return f"The name is part of the argument {what}. Write `{_line(rest)}`."
    elif value:
        rest.insert(position, value if "/" in value or context.command.name != "new" else f"TEAM/{value}")
    else:
        rest.insert(position, what.strip("[]."))
    return f"It is an argument ({what}) here. Write `{_line(rest)}`."


def _value_of(typed: list[str], name: str) -> str:
    for index, word in enumerate(typed):
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
        if word == name and index + 1 < len(typed) and not typed[index + 1].startswith("-"):
            return typed[index + 1]
    return ""


def _without(typed: list[str], name: str, *, valued: bool) -> list[str]:
    """Return the command line without an option, and without its value if it has one."""
    out: list[str] = []
    skip = False
    for word in typed:
        if skip and not word.startswith("-"):
            skip = False
            continue
        skip = False
        if word == name:
            skip = valued
        elif not word.startswith(f"{name}="):
            out.append(word)
    return out


def _replaced(typed: list[str], name: str, right: str) -> list[str]:
    """Return the command line with another option instead."""
    out: list[str] = []
    for word in typed:
        if word == name:
            out += right.split()
        elif word.startswith(f"{name}="):
            out.append(f"{right}={word.partition('=')[2]}")
        else:
            out.append(word)
    return out


def _line(words: Sequence[str]) -> str:
    return f"sluice {' '.join(word if word.isupper() else shlex.quote(word) for word in words)}"


def _value(error: click.BadParameter) -> str:
    """Return the rest of the sentence about a value that an option refuses."""
    found = re.match(r"'(?P<value>.*)' is not ", error.message)
    kind = error.param.type if error.param is not None else None
    if found is None:
        return ""
    if isinstance(kind, click.Choice):
        known = [str(one) for one in kind.choices]
        plain = found["value"].casefold().replace("_", "-")
        other = [word for word in known if plain in WORDS.get(word, ()) or plain in _FORMATS.get(word, ())]
        near = nearest(found["value"], known) or other
        return f" Did you mean '{near[0]}'?" if near else ""
    number = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|sec|seconds?)", found["value"])
    return f" It is a number of seconds: '{number[1]}'." if number else ""


_FORMATS: Final = {
    "text": ("txt", "table", "plain", "human", "pretty", "console", "wide"),
    "markdown": ("md", "gfm", "comment"),
    "json": ("yaml", "yml", "jsonl", "ndjson"),
    "html": ("htm", "web", "page"),
    "junit": ("xml", "tap"),
    "github": ("gh", "actions", "annotations"),
    "gitlab": ("gl", "codeclimate", "codequality"),
    "bash": ("sh",),
}
"""Other words for each format and shell."""
