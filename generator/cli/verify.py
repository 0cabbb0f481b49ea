"""`sluice verify`: any tree of rendered files, ours or hand-written."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from generator.cli.options import report_option
from generator.cluster.server import ClusterError, connect
from generator.pipeline.terminal import emit, has_color, note
from generator.plan.entries import find_root
from generator.report.formats import render
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.lint.kinds.codes import Issue
    from generator.lint.kinds.objects import Document
    from generator.lint.verify import Rule

Controller = Literal["1.9", "1.10", "any"]


@click.command("verify")
@click.argument("tree", required=False, type=click.Path(path_type=Path))
@click.option(
    "--controller",
    type=click.Choice(("any", "1.9", "1.10")),
    default="any",
    show_default=True,
    help="Version of Argo Rollouts that must accept it.",
)
@report_option
@click.option("--cluster", is_flag=True, help="Ask a real API server, too: a dry run, nothing is stored.")
@click.option("--context", metavar="NAME", help="With --cluster: a context of the kubeconfig.")
@click.option(
    "--kubeconfig",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="With --cluster: instead of the usual one.",
)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--all", "everything", is_flag=True, help="Show what is only for information, too.")
def command(
    tree: Path | None,
    controller: Controller,
    fmt: str,
    context: str | None,
    kubeconfig: Path | None,
    *,
    cluster: bool,
    strict: bool,
    everything: bool,
) -> None:
    """Check any tree of rendered files.

    TREE is a folder or a file, ours or hand-written; default: the repository's rendered files. Told is also what could
    not be checked. With --cluster name what belongs to one cluster, such as rendered/production: every object is sent
    as a server-side dry run, strict about fields. Exit code 1: there are findings.
    """
    from generator.lint.verify import verify

    where = tree or _rendered()
    if not where.exists():
        raise CliError(f"there is no {where}; `sluice render` writes it")

    def rules(documents: Sequence[Document]) -> Iterator[Issue]:
        return lint_rules(documents, controller)

    try:
        found = verify(where, [rules, *_cluster_rules(kubeconfig, context, asked=cluster)])
    except ClusterError as error:
        raise CliError(str(error)) from error
    shown = [finding for finding in found.findings if everything or finding.severity != "info"]
    emit(render(shown, fmt, color=has_color(sys.stdout), checked=found.files, noun="file"))
    hidden = len(found.findings) - len(shown)
    note(
        f"{found.objects} objects in {found.files} files"
        + (f"; {hidden} for information, shown by --all" if hidden else "")
    )
    for sentence in found.unchecked:
        note(f"not checked: {sentence}")
    refusing = {"error", "warning"} if strict else {"error"}
    if any(finding.severity in refusing for finding in found.findings):
        click.get_current_context().exit(1)


def _cluster_rules(kubeconfig: Path | None, context: str | None, *, asked: bool) -> list[Rule]:
    """The judgement of a real API server, when it is asked for."""
    if not asked:
        if kubeconfig or context:
            raise CliError("--context and --kubeconfig belong to --cluster")
        return []
    from generator.cluster.accept import AT_ONCE, refusals

    server = connect(kubeconfig, context, AT_ONCE)
    note(f"asked: {server.address}")
    return [lambda documents: refusals(documents, server)]


def lint_rules(documents: Sequence[Document], controller: Controller) -> Iterator[Issue]:
    """What the Rollouts controller demands beyond the shape of its objects, as issues of the tree."""
    from generator.lint.kinds.codes import Issue
    from generator.lint.rollouts.lint import lint
    from generator.lint.rollouts.model import Objects, Source

    by_source = {Source(document.file, number): document for number, document in enumerate(documents)}
    objects = Objects.of((source, document.body) for source, document in by_source.items())
    for problem in lint(objects, controller=controller):
        yield Issue(
            by_source[problem.source],
            problem.path,
            problem.code,
            problem.severity,
            problem.message,
            problem.hint,
        )


def _rendered() -> Path:
    from generator.plan.inputs import read_platform_inputs

    root = find_root(Path.cwd())
    if root is None:
        raise CliError("name a tree, or go into a repository with specs/platform.yaml")
    return root / read_platform_inputs(root).folder
