"""`sluice spinnaker`: a plan as a Spinnaker pipeline with a Kayenta configuration."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from generator.cli.options import export_options, root_option
from generator.pipeline.atomic_write import write_files
from generator.pipeline.evaluate import plans_of
from generator.pipeline.selection import select_one
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit, emit_messages
from generator.report.formats import render
from generator.report.tables import Screen
from generator.source.line import visible


@click.command("spinnaker")
@click.argument("spec", type=click.Path())
@click.option("--account", default="kubernetes", show_default=True, help="Spinnaker's Kubernetes account.")
@click.option("--metrics", default="prometheus", show_default=True, help="Kayenta's account of Prometheus.")
@export_options("spinnaker")
@root_option
@click.pass_context
def command(
    context: click.Context,
    spec: str,
    *,
    environment: str | None,
    account: str,
    metrics: str,
    output: Path,
    root: Path | None,
) -> None:
    """Write a canary as a Spinnaker pipeline with Kayenta.

    A feature that pipelines lack is an error if the release would be less safe, and a warning if a guarantee only
    gets weaker. Nothing is written if there is an error.
    """
    from generator.render.spinnaker.pipeline import Accounts, pipeline_files
    from generator.rules.spinnaker import unsupported_features

    session = open_session(root)
    found = plans_of(session, select_one(session, spec), environment)
    findings = list(dict.fromkeys(finding for planned in found for finding in unsupported_features(planned)))
    if findings:
        emit_messages(render(findings, "text", screen=Screen.of_messages(sys.stderr)))
    if any(finding.severity == "error" for finding in findings):
        context.exit(1)
    files: dict[str, bytes] = {}
    for planned in found:
        files |= pipeline_files(planned.plan, session.templates, Accounts(account, metrics))
    write_files(output, files)
    emit(f"wrote {len(files)} files to {visible(str(output))}: {', '.join(files)}\n")
