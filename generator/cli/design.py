"""`sluice design`: weights and holds, computed from what a team accepts."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import click

from generator.cli.options import json_option, root_option
from generator.pipeline.evaluate import plans_of
from generator.pipeline.selection import select_one
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit, line_width, note
from generator.plan.guards import Comparison
from generator.plan.values import Plan
from generator.source.errors import CliError


def _read(unit: str) -> Callable[[click.Context, click.Parameter, str | None], float | None]:
    """Return the callback of an option that is written as in a spec: `Percent` or `Hold`."""

    def convert(ctx: click.Context, param: click.Parameter, text: str | None) -> float | None:
        from pydantic import TypeAdapter, ValidationError

        from generator.spec import types

        if text is None:
            return None
        try:
            return float(TypeAdapter(getattr(types, unit)).validate_python(text))
        except ValidationError as error:
            raise click.BadParameter(f"`{text}`: {error.errors()[0]['msg']}", ctx, param) from error

    return convert


@click.command("design")
@click.argument("spec", type=click.Path())
@click.option("--env", "environment", metavar="NAME", help="The environment; default: the platform's last.")
@click.option(
    "--least",
    type=click.Choice(("exposure", "time")),
    default="exposure",
    show_default=True,
    help="What to minimize.",
)
@click.option(
    "--false-rollback",
    callback=_read("Percent"),
    metavar="5%",
    help="Accepted chance of rolling back a good version.",
)
@click.option(
    "--power",
    callback=_read("Percent"),
    metavar="80%",
    help="Required share of bad versions that are stopped.",
)
@click.option(
    "--max-exposed", type=click.IntRange(1), metavar="N", help="Accepted mean number of exposed requests."
)
@click.option(
    "--longest",
    callback=_read("Hold"),
    metavar="4h",
    help="Longest time of the steps; default: that of the steps written by hand.",
)
@click.option("--harm", multiple=True, metavar="GUARD:drop=5%", help="Smallest harm that a guard must catch.")
@click.option("--write", is_flag=True, help="Write the designed steps into the spec.")
@json_option
@root_option
def command(
    spec: str, environment: str | None, root: Path | None, false_rollback: float | None, power: float | None,
    max_exposed: int | None, longest: float | None, harm: tuple[str, ...], least: str, fmt: str, *, write: bool,
) -> None:  # fmt: skip
    """Compute weights and holds from what a team accepts.

    SPEC is the spec, or TEAM/MODEL. The spec (`risk`, `detect`) and its tier define what is accepted; options override
    the spec. Only weights that the router and the pods can make are used. The result is shown next to the steps written
    by hand, with the odds of both and the diff of the spec. Exit code 1: no schedule keeps what is accepted.
    """
    from generator.pipeline.design import Wishes, design
    from generator.report.designs import design_document, design_text
    from generator.report.tables import fit

    session = open_session(root, near=[spec])
    session.require_platform(environment)
    session.remember_digests()
    entry = select_one(session, spec)
    planned = plans_of(session, entry, environment)[-1]
    wishes = Wishes(
        false_rollback=false_rollback, power=power, max_exposed=max_exposed, longest_s=longest,
        harms=_harms(planned.plan, harm),
        goal="time" if least == "time" else "exposure",
    )  # fmt: skip
    found = design(session, entry, planned, wishes)
    if fmt == "json":
        emit(json.dumps(design_document(found), indent=2, allow_nan=False) + "\n")
    else:
        emit("".join(f"{line}\n" for line in fit(design_text(found), line_width(sys.stdout))))
    if found.proposal is None:
        click.get_current_context().exit(1)
    diff = found.proposal.diff() if found.better else ""
    if fmt == "text" and diff and not write:
        emit("\n" + diff)
    if write and found.better:
        found.proposal.write()
        note(f"wrote {found.proposal.before.file}; run `sluice render {entry.name}` next")


def _harms(plan: Plan, texts: tuple[str, ...]) -> dict[str, float]:
    """Return the ratio to detect, by guard, from texts such as `ctr:drop=5%`."""
    from generator.odds.replay.simulate import ScenarioError, scenario

    guards = [guard for guard in plan.guards if isinstance(guard, Comparison)]
    try:
        return {k: v for text in texts for k, v in scenario(text, guards).items() if v != 1.0}
    except ScenarioError as error:
        raise CliError(str(error)) from error
