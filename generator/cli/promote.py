"""`sluice promote`: point a spec at another version of its model."""

from __future__ import annotations

from pathlib import Path

import click

from generator.cli.options import root_option
from generator.pipeline.selection import select_one
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit


@click.command("promote")
@click.argument("model", type=click.Path())
@click.option(
    "--to", "version", metavar="VERSION", required=True, help="The version, alias, tag, revision or address."
)
@click.option("--sha256", metavar="HEX", help="Digest of the new bytes; addresses (s3://, https://) need it.")
@root_option
def command(model: str, version: str, sha256: str | None, root: Path | None) -> None:
    """Point a spec at another version of its model.

    MODEL is a spec, or TEAM/MODEL. VERSION is 13 or @champion for MLflow, a version for BentoML, a revision for DVC
    and Hugging Face, a tag or sha256 digest for a registry, a complete address for s3:// and https://. Only the
    reference is edited; nothing is resolved.
    """
    from generator.pipeline.promote import promote

    session = open_session(root)
    entry = select_one(session, model)
    done = promote(session, entry, version, sha256)
    if not done.changed:
        emit(f"{done.file} has {done.new} already\n")
        return
    emit(f"{done.file}: {done.old} is now {done.new}\n")
    emit(f"next: sluice pin {entry.name}, then its gates, then sluice render {entry.name}\n")
