"""`sluice odds`: what any release is worth."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.options import usual_values
from generator.pipeline.terminal import emit
from generator.report.tables import Screen
from generator.report.trees import FORMATS, render
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.lint import TreeReleases
    from generator.odds.trees.values import Known

_FEW = 20


@click.command("odds")
@click.argument("tree", type=click.Path(path_type=Path))
@click.option(
    "--rps",
    type=click.FloatRange(min=0, min_open=True),
    help="Requests per second of both versions together.",
)
@click.option(
    "--baseline",
    metavar="NAME=VALUE,…",
    default="",
    help="What is usual with the stable version, by event or name of a metric: error=0.5%,slow=2%,queue=40..90.",
)
@click.option(
    "--prometheus",
    metavar="URL",
    help="Take traffic and baselines from this server, and replay each metric over 30 days of the stable version.",
)
@click.option(
    "--better/--no-better",
    default=None,
    help="Search for limits with better odds; the default is to do so for up to 20 metrics.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Exit code 1 if a release or a metric has a finding, such as one without a verdict.",
)
@click.option("--build", is_flag=True, help="Read what kustomize and helm, on the path, make of the tree.")
@click.option(
    "--format", "fmt", type=click.Choice(FORMATS), default="text", show_default=True, help="Output format."
)
def command(
    tree: Path,
    rps: float | None,
    baseline: str,
    prometheus: str | None,
    fmt: str,
    *,
    better: bool | None,
    strict: bool,
    build: bool,
) -> None:
    """Show what any release is worth, also one written by hand.

    How often it stops a good version, and which harm it misses. TREE is a folder or a file with Rollouts and their
    AnalysisTemplates, Canaries of Flagger, or InferenceServices of KServe. It needs neither specs nor a cluster. Each
    metric is recognized from its query, or said to be unknown. What is not given becomes a range: --rps and --baseline
    narrow it, and --prometheus takes both from the history. PROMETHEUS_TOKEN is sent as a bearer token,
    PROMETHEUS_ORG_ID names the tenant. For a model of a repository of Sluice, `sluice plan` shows the odds. Exit code
    0, whatever the odds are, unless --strict is given.
    """
    from generator.lint import read_releases
    from generator.odds.trees.better import with_better
    from generator.odds.trees.odds import tree_odds
    from generator.odds.trees.values import Known, Span

    if not tree.exists():
        hint = (
            f"`sluice plan {tree}` shows the odds of a model"
            if re.fullmatch(r"[\w-]+/[\w-]+", str(tree))
            else ""
        )
        raise CliError(f"{tree} does not exist", hint)
    values, ranges = usual_values(baseline)
    spans = {name: Span(*ends) for name, ends in ranges.items()}
    releases, known = read_releases(tree, build=build), Known(rps, values, spans)
    if prometheus is not None:
        known = _from_history(releases, prometheus, known)
    found = tree_odds(releases, known)
    if not (found.releases or found.unused):
        raise CliError(
            f"{tree} has no Rollout, AnalysisTemplate, Canary of Flagger or InferenceService with a canary",
            "; ".join(found.unread[:5]),
        )
    if better or (better is None and len(found.metrics) <= _FEW):
        found = with_better(found, known)
    root = (tree if tree.is_dir() else tree.parent).absolute()
    emit(render(found, fmt, Screen.of(sys.stdout), root), commands=fmt == "github")
    if strict:
        from generator.report.trees.findings import findings_of

        if any(finding.severity == "warning" for finding in findings_of(found)):
            click.get_current_context().exit(1)


def _from_history(releases: TreeReleases, address: str, known: Known) -> Known:
    """Return what is known with what a Prometheus adds."""
    import time

    from generator.cluster.prometheus import Prometheus
    from generator.cluster.tree_history import known_from

    if "@" in address:
        raise CliError(
            "the URL of --prometheus has a password", "remove it, and set PROMETHEUS_TOKEN in the environment"
        )
    return known_from(releases, Prometheus.at(address), time.time(), known)
