"""What a branch changes is rendered before it is committed, so that it can be merged as it is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from generator.pipeline.session import Session
from generator.pipeline.terminal import has_color, note
from generator.plan.entries import Entry
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.source.finding import Finding


def render_all(session: Session, entry: Entry, hint: str, environment: str = "") -> None:
    """Render everything; what is wrong with other models does not hold up this one.

    Args:
        session: of the checkout that is changed.
        entry: the model that the branch is about.
        hint: said when its files break rules; empty when they then are left as they are.
        environment: the only one to render, or empty for all.

    Raises:
        CliError: its files break rules.
    """
    from generator.output.prune import prune
    from generator.pipeline.produce import produce
    from generator.pipeline.work import Request, platform_inputs, survey

    platform = platform_inputs(session.root)
    output = session.root / platform.folder
    request = Request(session.root, output, environment, session.entries, None, session.today)
    work = survey(request, platform)
    product = produce(session, request, work)
    refused = entry in work.models and entry not in product.good
    if session.repository.platform is None or (refused and hint):
        _stop(product.findings, hint)
    if product.exit_code and not refused:
        note("other models break rules and are left as they were: `sluice validate` tells which")
    if product.knows_all and work.orphaned:
        prune(output, environment, work.expected, note)
    product.write(output, note)


def _stop(findings: Sequence[Finding], hint: str) -> None:
    from generator.report.formats import render

    errors = [finding for finding in findings if finding.severity == "error"]
    click.echo(render(errors, "text", color=has_color(sys.stderr)), nl=False, err=True, color=True)
    raise CliError(f"no branch was made: {hint}")
