"""What a branch changes is rendered before it is committed, so that it can be merged as it is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from generator.pipeline.session import Session
from generator.pipeline.terminal import has_color, note
from generator.plan.model_files import ModelFiles
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.source.finding import Finding


def render_all(session: Session, entry: ModelFiles, hint: str, environment: str = "") -> None:
    """Render everything; what is wrong with other models does not hold up this one.

    Args:
        session: of the checkout that is changed.
        entry: the model that the branch is about.
        hint: said when its files break rules; empty when they then are left as they are.
        environment: the only one to render, or empty for all.

    Raises:
        CliError: its files break rules.
    """
    from generator.pipeline.render import plan_render
    from generator.pipeline.stale import RenderRequest

    output = session.root / session.platform_inputs.folder
    plan = plan_render(session, RenderRequest(output, environment))
    refused = not plan.renders(entry)
    if session.repository.platform is None or (refused and hint):
        _stop(plan.findings, hint)
    if plan.failed and not refused:
        note("other models break rules and are left as they were: `sluice validate` tells which")
    plan.write(note)


def _stop(findings: Sequence[Finding], hint: str) -> None:
    from generator.report.formats import render

    errors = [finding for finding in findings if finding.severity == "error"]
    click.echo(render(errors, "text", color=has_color(sys.stderr)), nl=False, err=True, color=True)
    raise CliError(f"no branch was made: {hint}")
