"""`sluice spinnaker`: a plan as a Spinnaker pipeline with a Kayenta configuration."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from generator.cli.options import export_name, export_options, root_option
from generator.cli.plan import plans
from generator.pipeline.atomic_write import write_files
from generator.pipeline.selection import select_one
from generator.pipeline.session import Session, open_session
from generator.pipeline.terminal import emit, has_color
from generator.plan.resolve import Planned
from generator.report.formats import render
from generator.spec.rollout import Canary


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

    What the plan says and a pipeline cannot is refused, or where it only weakens a promise, told. Nothing is written
    when anything is refused.
    """
    from generator.rules.spinnaker import unsupported_features

    session = open_session(root)
    found = plans(session, select_one(session, spec), environment)
    findings = list(dict.fromkeys(finding for planned in found for finding in unsupported_features(planned)))
    if findings:
        click.echo(render(findings, "text", color=has_color(sys.stderr)), err=True, nl=False, color=True)
    if any(finding.severity == "error" for finding in findings):
        context.exit(1)
    files = {
        name: text
        for planned in found
        for name, text in spinnaker_files(session, planned, account, metrics).items()
    }
    write_files(output, files)
    emit(f"wrote {len(files)} files to {output}: {', '.join(files)}\n")


def spinnaker_files(session: Session, planned: Planned, account: str, metrics: str) -> dict[str, bytes]:
    """Both files of one plan.

    Raises:
        RuntimeError: one of them is not what Spinnaker or Kayenta reads; a bug of ours.
    """
    from generator.render.spinnaker.kayenta import canary_config
    from generator.render.spinnaker.pipeline import pipeline
    from generator.render.spinnaker.tables import CANARY_CONFIG, pipeline_problems, problems

    plan, rollout = planned.plan, planned.plan.rollout
    if not isinstance(rollout, Canary):
        raise TypeError("only a canary has a pipeline")
    config, made = canary_config(plan), pipeline(plan, rollout, session.templates, account, metrics)
    wrong = [*problems(CANARY_CONFIG, config), *pipeline_problems(made)]
    if wrong:
        raise RuntimeError(f"not what Spinnaker reads: {'; '.join(wrong[:5])}")
    name = export_name(plan.identity)
    return {f"{name}.pipeline.json": _json(made), f"{name}.canary.json": _json(config)}


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()
