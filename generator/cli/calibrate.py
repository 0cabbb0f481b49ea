"""`sluice calibrate`: values and odds learned from a model's own history."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import click

from generator.cli.options import json_option, root_option
from generator.pipeline.evaluate import plans_of
from generator.pipeline.selection import select_one
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit, line_width, note
from generator.source.errors import CliError


@click.command("calibrate")
@click.argument("spec", type=click.Path())
@click.option("--prometheus", metavar="URL", required=True, help="The server that scrapes the model's pods.")
@click.option(
    "--days",
    type=click.IntRange(1, 90),
    default=30,
    show_default=True,
    help="Length of the history, in days.",
)
@click.option(
    "--end", metavar="TIME", help="End of the history (ISO 8601, or seconds since 1970); default: now."
)
@click.option("--users", default="", metavar="METRIC", help="A counter of users, if the service has one.")
@click.option("--env", "environment", metavar="NAME", help="The environment; default: the platform's last.")
@click.option("--write", is_flag=True, help="Also write the proposed values into the spec.")
@json_option
@root_option
def command(
    spec: str, prometheus: str, days: int, end: str | None, users: str, environment: str | None, root: Path | None,
    fmt: str, *, write: bool,
) -> None:  # fmt: skip
    """Learn values and odds from a model's own history.

    SPEC is the spec, or TEAM/MODEL. The history shows the traffic of the quietest hour, baselines, the delay of
    outcomes, how much requests depend on each other, and how often the guards would have fired on pods of one version.
    The result is written next to the spec, as <model>.calibration.yaml, and `plan` shows it. Declared values that the
    history contradicts are listed with their effect on the odds and a diff of the spec.
    """
    from generator.cluster.prometheus import Prometheus
    from generator.odds.replay.recording import parse_time
    from generator.pipeline.calibrate import calibrate, read_history, write_calibration
    from generator.report.calibrations import calibration_document, calibration_text
    from generator.report.tables import fit

    session = open_session(root, near=[spec])
    session.require_platform(environment)
    session.remember_digests()
    entry = select_one(session, spec)
    planned = plans_of(session, entry, environment)[-1]
    until = time.time() if end is None else parse_time(end)
    if until is None:
        raise CliError(f"--end is not a time: `{end}`; for example 2026-11-23T10:00:00Z")
    history = read_history(
        planned.plan,
        Prometheus.at(prometheus, planned.plan.prometheus.plain_headers),
        until - days * 86_400.0,
        until,
        users,
    )
    found = calibrate(session, entry, planned, history)
    write_calibration(entry, found.file)
    if fmt == "json":
        emit(json.dumps(calibration_document(found), indent=2, allow_nan=False) + "\n")
    else:
        emit("".join(f"{line}\n" for line in fit(calibration_text(found), line_width(sys.stdout))))
    if found.proposal is not None and fmt == "text" and not write:
        emit("\n" + found.proposal.diff())
    if found.proposal is not None and write:
        found.proposal.write()
        note(f"wrote {found.proposal.before.file}; run `sluice render {entry.name}` next")
    note(f"wrote {entry.calibration.relative_to(session.root)}: commit it with the spec")
