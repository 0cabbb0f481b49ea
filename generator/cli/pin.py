"""`sluice pin`: resolves references over the network and writes locks; no other command does."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from generator.cli.options import root_option
from generator.pipeline.selection import NO_MODELS, select
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit, note
from generator.report.formats import FORMATS, render
from generator.report.tables import Screen

_TIMEOUT_S = 30.0
_LARGEST_GIB = 64


@click.command("pin")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--check", is_flag=True, help="Write nothing; show which references have moved.")
@click.option("--verify", is_flag=True, help="Measure the content of locked references again.")
@click.option("--image", is_flag=True, help="Lock the digest of the image that CI pushed, and nothing else.")
@click.option(
    "--timeout", metavar="SECONDS", type=click.FloatRange(0.1, 3600), default=_TIMEOUT_S, show_default=True,
    help="Longest wait for a server's response; all requests for one reference may take 60 times as long.",
)  # fmt: skip
@click.option(
    "--max-size", "largest_gib", metavar="GIB", type=click.IntRange(1, 100_000), default=_LARGEST_GIB,
    show_default=True, help="Largest content of one reference.",
)  # fmt: skip
@click.option("--format", "fmt", type=click.Choice(FORMATS), default="text", show_default=True,
    help="Format of the findings.",
)  # fmt: skip
@root_option
def command(
    paths: tuple[str, ...], fmt: str, timeout: float, largest_gib: int, root: Path | None, *,
    check: bool, verify: bool, image: bool,
) -> None:  # fmt: skip
    """Resolve references over the network and write locks.

    PATH is a spec, its lock, a team's folder, or TEAM/MODEL; default: all specs. Servers are those in the references,
    and those of MLFLOW_TRACKING_URI, HF_ENDPOINT and AWS_ENDPOINT_URL_S3; BENTOML_HOME is the model store. A lock
    changes only where a reference resolves to something else. With --image the registry is queried for the computed
    tag of the model's image, with the credentials of `docker login`. Exit code 1: a reference could not be resolved
    or, with --check, has moved.
    """
    session = open_session(root)
    selection = select(session, paths)
    findings = list(session.strays) if selection.everything else []
    if session.repository.platform is not None:
        from generator.pipeline import pins

        pinner = pins.pinner(session, timeout, largest_gib, verify=verify)
        for entry in selection.entries:
            if image:
                findings += pins.pin_image(session, pinner, entry, write=not check)
            elif check:
                findings += pins.check(session, pinner, entry)
            else:
                findings += pins.pin(session, pinner, entry)
    findings = [*session.repository.findings, *findings]
    if not session.entries and not session.strays:
        note(NO_MODELS)
    if findings or fmt != "text":
        emit(
            render(
                findings,
                fmt,
                screen=Screen.of_messages(sys.stdout),
                checked=len(selection.entries),
            ),
            commands=fmt == "github",
        )
    elif check:
        note("nothing has moved")
    if any(finding.severity == "error" for finding in findings):
        click.get_current_context().exit(1)
