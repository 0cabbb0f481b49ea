"""`sluice pin`: resolves references over the network and writes locks; no other command does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.options import root_option
from generator.pipeline.selection import NO_MODELS, select
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit, note
from generator.report.formats import FORMATS, render
from generator.report.tables import Screen
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.pipeline.session import Session
    from generator.plan.model_files import ModelFiles
    from generator.source.finding import Finding

_TIMEOUT_S = 30.0
_LARGEST_GIB = 64


@click.command("pin")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--check", is_flag=True, help="Write nothing; show which references have moved.")
@click.option("--verify", is_flag=True, help="Measure the content of locked references again.")
@click.option("--image", is_flag=True, help="Lock the digest of the image that CI pushed, and nothing else.")
@click.option(
    "--packages",
    is_flag=True,
    help="Resolve the packages of services to lists with hashes, and nothing else.",
)
@click.option(
    "--platform",
    is_flag=True,
    help="Lock the digests of base images, gate images and images of CI, and nothing else.",
)
@click.option("--tools", is_flag=True, help="Write the hashes of Sluice for CI, and nothing else.")
@click.option(
    "--version", metavar="VERSION",
    help="Point the spec at this version, alias, tag, revision or address of its model; nothing is resolved.",
)  # fmt: skip
@click.option("--sha256", metavar="HEX", help="Digest of the new bytes; addresses (s3://, https://) need it.")
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
    paths: tuple[str, ...], fmt: str, timeout: float, largest_gib: int, root: Path | None,
    version: str | None, sha256: str | None, *,
    check: bool, verify: bool, image: bool, packages: bool, platform: bool, tools: bool,
) -> None:  # fmt: skip
    """Resolve references over the network and write locks.

    PATH is a spec, its lock, a team's folder, or TEAM/MODEL; default: all specs. Servers are those in the references,
    and those of MLFLOW_TRACKING_URI, HF_ENDPOINT and AWS_ENDPOINT_URL_S3; BENTOML_HOME is the model store. A lock
    changes only where a reference resolves to something else. With --image the registry is queried for the computed
    tag of the model's image, with the credentials of `docker login`. uv resolves what a service needs, from the index
    that it is configured for, and the list is written next to the spec: the first one together with the lock, after
    that when the lock changes; with --packages it is resolved again, and nothing else. With --version only the
    reference in the spec of one model is edited: 13 or @champion for MLflow, a version for BentoML, a revision for DVC
    and Hugging Face, a tag or digest for a registry, a complete address for s3:// and https://. Exit code 1: a
    reference could not be resolved or, with --check, has moved.
    """
    session = open_session(root, near=paths)
    if version is not None:
        _point_at(session, paths, version, sha256)
        return
    selection = select(session, paths)
    findings = list(session.strays) if selection.everything else []
    limits = (timeout, largest_gib)
    if tools or platform:
        findings += _shared(session, limits, check=check, tools=tools)
    elif session.repository.platform is not None:
        step = _step(session, limits, check=check, verify=verify, image=image, packages=packages)
        for entry in selection.entries:
            findings += step(entry)
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
                root=session.root,
            ),
            commands=fmt == "github",
        )
    elif check:
        note("nothing has moved")
    if any(finding.severity == "error" for finding in findings):
        click.get_current_context().exit(1)


def _point_at(session: Session, paths: tuple[str, ...], version: str, sha256: str | None) -> None:
    """Point the spec of one model at another version."""
    from generator.pipeline.pin_version import point_at
    from generator.pipeline.selection import select_one

    if len(paths) != 1:
        raise CliError("--version is for one model", "write `sluice pin TEAM/MODEL --version VERSION`")
    entry = select_one(session, paths[0])
    done = point_at(session, entry, version, sha256)
    if not done.changed:
        emit(f"{done.file} has {done.new} already\n")
        return
    emit(f"{done.file}: {done.old} is now {done.new}\n")
    emit(f"next: sluice pin {entry.name}, then its gates, then sluice render {entry.name}\n")


def _shared(session: Session, limits: tuple[float, int], *, check: bool, tools: bool) -> list[Finding]:
    """Pin what models share: Sluice itself, or the images that the platform names."""
    from generator.pipeline import pins

    if tools:
        pins.pin_tools(session)
        return []
    return pins.pin_platform(session, pins.pinner(session, *limits, verify=False), write=not check)


def _step(
    session: Session, limits: tuple[float, int], *, check: bool, verify: bool, image: bool, packages: bool
) -> Callable[[ModelFiles], list[Finding]]:
    """Return what is done for each model."""
    from generator.pipeline import pins

    if packages:
        return partial(pins.pin_packages, session, write=not check)
    pinner = pins.pinner(session, *limits, verify=verify)
    if image:
        return partial(pins.pin_image, session, pinner, write=not check)
    return partial(pins.check if check else pins.pin, session, pinner)
