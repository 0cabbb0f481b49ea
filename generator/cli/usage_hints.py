"""Hints for usage errors: the command line that was probably meant; imported only when there is an error.

What other programs call an option or a command is in tables. A hint repeats the user's own words, corrected, so that
they can be copied: `sluice plan shop/recommender --env production`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from generator.cli.foreign_options import ADVICE, COMMANDS, DONE_OTHERWISE, FORMATS, MODEL, RENAMED
from generator.plan.model_files import SPECS, find_root
from generator.source.suggest import misspelt, nearest
from generator.spec.mistakes.words import WORDS


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
    otherwise = next((text for words, text in DONE_OTHERWISE.items() if name.casefold() in words.split()), "")
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
        words = list(typed)
        if context is not None and len(_positional(words, context)) > len(_arguments(context)):
            # `promote shop/churn 13`: the value without its option.
            words, wanted = words[:-1], f"{option.opts[0]} {words[-1]}"
        return click.UsageError(f"{text.rstrip('.')}; write `{_line([*words, *wanted.split()])}`", context)
    if isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter):
        return click.BadParameter(error.message + _value(error), context, error.param, error.param_hint)
    joined = _team_and_model(error, context, typed)
    if joined:
        return click.UsageError(f"{error.format_message().rstrip('.')}; write `{joined}`", context)
    if examples and re.search("Missing argument|unexpected extra", error.format_message()):
        text = f"{error.format_message().rstrip('.')}; for example `sluice {_own(examples[0])}`"
        return click.UsageError(text, context)
    return error


def _arguments(context: click.Context) -> list[click.Argument]:
    return [one for one in context.command.params if isinstance(one, click.Argument)]


def _positional(typed: list[str], context: click.Context) -> list[str]:
    """Return the words of the command line that are neither commands, nor options or their values."""
    valued = {
        name for one in context.command.params for name in one.opts if not getattr(one, "is_flag", True)
    }
    words = typed[len(context.command_path.split()) - 1 :]
    return [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not word.startswith("-") and before not in valued
    ]


def _team_and_model(error: click.ClickException, context: click.Context | None, typed: Sequence[str]) -> str:
    """Return the line for `new shop churn`: team and model are one word; for `templates NAME`: it has an option."""
    extra = re.search(r"unexpected extra argument \((\S+)\)", error.format_message())
    if extra is None or context is None or extra[1] not in typed:
        return ""
    words, at = list(typed), list(typed).index(extra[1])
    if context.command.name == "new" and "/" not in words[at - 1]:
        return _line([*words[: at - 1], f"{words[at - 1]}/{words[at]}", *words[at + 1 :]])
    if context.command.name == "templates":
        return _line([*words[:at], "--show", *words[at:]])
    return ""


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
    formats = [
        one.type.choices
        for one in context.command.params
        if isinstance(one.type, click.Choice) and "--format" in one.opts
    ]
    if ours == "--output" and formats and _value_of(typed, name) in formats[0]:
        ours = "--format"
    if ours:
        right = f"{ours}{_needed_value(context.command, ours, _value_of(typed, name))}"
        return f"Did you mean '{ours}'? Write `{_line(_replaced(typed, name, right))}`."
    choice = _format(name, context.command)
    if choice:
        return f"Did you mean '{choice}'? Write `{_line(_replaced(typed, name, choice))}`."
    argument = _argument(name, context, typed)
    if argument:
        return argument
    for advice in ADVICE:
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
    for ours, theirs in RENAMED.items():
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
    if argument is None or name not in MODEL.split():
        return ""
    value, rest = _value_of(typed, name), _without(typed, name, valued=True)
    if re.match(r"\w+:\S", value) and context.command.name != "new":
        return "The reference of a model is `model.ref` of its spec; `sluice pin MODEL --version VERSION` changes it."
    what = argument.metavar or (argument.name or "").upper()
    position = len(context.command_path.split()) - 1
    given = (_positional(rest, context) or [""])[0]
    if name in {"--team", "-t"} and given:
        rest[rest.index(given)] = f"{value}/{given.rpartition('/')[2]}"
    elif given and value and value in given.split("/"):
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
        other = [word for word in known if plain in WORDS.get(word, ()) or plain in FORMATS.get(word, ())]
        near = nearest(found["value"], known) or other
        return f" Did you mean '{near[0]}'?" if near else ""
    number = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|sec|seconds?)", found["value"])
    return f" It is a number of seconds: '{number[1]}'." if number else ""
