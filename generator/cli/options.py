"""Options that several commands have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from generator.report.formats import FORMATS
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.plan.values import Identity

F = TypeVar("F", bound=Callable[..., Any])
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
_SHARE = re.compile(rf"([^=,\s][^=,]*)=\s*({_NUMBER})(?:\.\.({_NUMBER}))?\s*(%?)")


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


def json_option(command: F) -> F:
    """Add the option --format of commands that print text, or one JSON document with a schema."""
    forms = click.Choice(("text", "json"))
    option = click.option(
        "--format", "fmt", type=forms, default="text", show_default=True, help="Output format."
    )
    return option(command)


def require_check(fmt: str, *, check: bool) -> None:
    """Refuse JSON without --check, for commands whose check is all that they report.

    Raises:
        CliError: JSON is wanted, and --check is missing.
    """
    if fmt == "json" and not check:
        raise CliError("--format json needs --check")


def change_option(command: F) -> F:
    """Add the option --against of checks in CI."""
    text = "Judge a change: errors of this revision about models that the change leaves alone are warnings."
    return click.option("--against", metavar="REV", help=text)(command)


def cluster_options(text: str, *, several: bool = False) -> Callable[[F], F]:
    """Return the options --cluster, --context and --kubeconfig of commands that may query a cluster.

    Args:
        text: help of --cluster.
        several: each environment may have its own context; the parameter is then `contexts`.
    """
    context = (
        click.option(
            "--context", "contexts", multiple=True, metavar="[ENV=]NAME",
            help="With --cluster: a context of the kubeconfig, for all environments or for one.",
        )
        if several
        else click.option("--context", metavar="NAME", help="With --cluster: a context of the kubeconfig.")
    )  # fmt: skip

    def add(command: F) -> F:
        kubeconfig = click.option(
            "--kubeconfig",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="With --cluster: a kubeconfig instead of the default one.",
        )
        return click.option("--cluster", is_flag=True, help=text)(context(kubeconfig(command)))

    return add


def check_cluster_options(given: Mapping[str, object], *, cluster: bool) -> None:
    """Refuse options of a cluster without --cluster.

    Args:
        given: the values of at least two options, by name.
        cluster: --cluster is given.

    Raises:
        CliError: one has a value, and --cluster is missing.
    """
    if not cluster and any(given.values()):
        *first, last = given
        raise CliError(f"{', '.join(first)} and {last} need --cluster")


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
    shares, ranges = usual_values(text)
    if ranges:
        raise CliError(
            f"--baseline {next(iter(ranges))}: a range declares the values of a metric, and here an event has a share",
            "for example --baseline error=0.5%,slow=2%",
        )
    return shares


def usual_values(text: str) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Return the value of --baseline, `error=0.5%,memory=400..900`: shares or values, and ranges, by event or metric.

    Raises:
        CliError: it is not of this form.
    """
    values: dict[str, float] = {}
    ranges: dict[str, tuple[float, float]] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        pair = _SHARE.fullmatch(part)
        if pair is None:
            raise CliError(
                f"--baseline {part} is not of the form EVENT=SHARE or METRIC=LOW..HIGH",
                "for example --baseline error=0.5%,slow=2%,queue_length=40..90",
            )
        percent = 100 if pair[4] else 1
        value, name = float(pair[2]) / percent, pair[1].strip()
        if pair[3] is None:
            if value <= 0:
                raise CliError(f"--baseline {part}: the share must be above 0")
            values[name] = value
            continue
        high = float(pair[3]) / percent
        if high <= value:
            raise CliError(f"--baseline {part}: the end of the range must be above its start")
        ranges[name] = (value, high)
    return values, ranges
