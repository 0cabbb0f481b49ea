"""Options that several commands have in common."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from generator.report.formats import FORMATS
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.plan.values import Identity

F = TypeVar("F", bound=Callable[..., Any])
_SHARE = re.compile(r"([^=,\s][^=,]*)=\s*([0-9]+(?:\.[0-9]+)?)\s*(%?)")


def root_option(command: F) -> F:
    """Add the option --root, which all commands have."""
    text = "The repository; default: the current folder or the nearest one above it with specs/platform.yaml."
    return click.option("--root", type=click.Path(path_type=Path, file_okay=False), help=text)(command)


def report_option(command: F) -> F:
    """Return the option --format of commands that report findings."""
    forms = click.Choice(FORMATS)
    option = click.option(
        "--format", "fmt", type=forms, default="text", show_default=True, help="Format of the report."
    )
    return option(command)


def change_option(command: F) -> F:
    """Add the option --against of checks in CI."""
    text = "Judge a change: errors of this revision about models that the change leaves alone are warnings."
    return click.option("--against", metavar="REV", help=text)(command)


def export_options(folder: str) -> Callable[[F], F]:
    """Return the options --env and --output of commands that write plans for another program.

    Args:
        folder: default of --output.
    """
    path = click.Path(path_type=Path, file_okay=False)

    def add(command: F) -> F:
        output = click.option(
            "--output",
            type=path,
            default=folder,
            show_default=True,
            metavar="DIR",
            help="Folder to write to.",
        )
        environment = click.option("--env", "environment", metavar="NAME", help="Only this environment.")
        return environment(output(command))

    return add


def export_name(identity: Identity) -> str:
    """Return the prefix of the names of files about one plan."""
    return f"{identity.environment}.{identity.team}.{identity.model}"


def baseline_shares(text: str) -> dict[str, float]:
    """Return the value of --baseline, `error=0.5%,slow=2%`, as shares by event or name of a metric.

    Raises:
        CliError: it is not of this form.
    """
    found = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        pair = _SHARE.fullmatch(part)
        if pair is None:
            raise CliError(
                f"--baseline {part} is not of the form EVENT=SHARE",
                "for example --baseline error=0.5%,slow=2%",
            )
        value = float(pair[2]) / (100 if pair[3] else 1)
        if value <= 0:
            raise CliError(f"--baseline {part}: the share must be above 0")
        found[pair[1].strip()] = value
    return found
