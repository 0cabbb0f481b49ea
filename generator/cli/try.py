"""`sluice try`: builds, serves and measures the service of a model on this machine."""  # noqa: N999

from __future__ import annotations

from pathlib import Path

import click

from generator.cli.options import json_option, root_option
from generator.pipeline.evaluate import plans_of
from generator.pipeline.selection import select_one
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit
from generator.source.errors import CliError


@click.command("try")
@click.argument("spec", type=click.Path(), metavar="SPEC")
@click.option(
    "--artifact",
    type=click.Path(path_type=Path),
    help="The downloaded model, a file or a folder; default: fetch it as CI does.",
)
@click.option("--url", metavar="URL", help="Try a server that runs already, and build nothing.")
@click.option(
    "--seconds",
    type=click.FloatRange(0.2, 600),
    default=2.0,
    show_default=True,
    help="Seconds that each of three loads lasts.",
)
@json_option
@root_option
def command(
    spec: str, artifact: Path | None, url: str | None, seconds: float, fmt: str, root: Path | None
) -> None:
    """Build, serve and measure the service of a model.

    SPEC is the spec, or TEAM/MODEL. The service is built from the packages of its image, in an environment that is
    created once and found by their list. It is warmed up with the model's input example or the declared ones, gets
    every corner of the declared inputs and requests that break the declaration, and must export every series that the
    guards query. Then it is measured, and the output says what to set. The model's own code runs: it sees none of your
    environment variables, but it can read your files. Exit code 1: something is wrong.
    """
    from generator.pipeline.trial import Trial

    if artifact is not None and not artifact.exists():
        raise CliError(f"{artifact} does not exist", "name the downloaded model, a file or a folder")
    session = open_session(root, near=[spec])
    session.require_platform()
    plans = [planned.plan for planned in plans_of(session, select_one(session, spec), None)]
    trial = Trial(session, plans, seconds)
    result = trial.run_at(url) if url else trial.run(artifact)
    emit(result.report if fmt == "json" else result.text)
    if not result.ok:
        click.get_current_context().exit(1)
