"""`sluice verify`: check any tree of rendered files, ours or hand-written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from generator.cli.options import check_cluster_options, cluster_options, report_option
from generator.lint import VERSIONS
from generator.pipeline.terminal import emit, note
from generator.plan.model_files import find_root
from generator.report.formats import render
from generator.report.tables import Screen
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.lint import Check, Controller, Verification
    from generator.pipeline.rendered_state import RenderedState
    from generator.report.chosen import Choice
    from generator.source.finding import Finding


@click.command("verify")
@click.argument("tree", required=False, type=click.Path(path_type=Path))
@click.option(
    "--controller",
    type=click.Choice(("auto", "any", *VERSIONS)),
    default="auto",
    show_default=True,
    help="Version of Argo Rollouts to check against; auto is that of the platform file or of a manifest in the tree, "
    "otherwise any.",
)
@report_option
@cluster_options("Also send every object to a real API server, as a dry run: nothing is stored.")
@click.option(
    "--prometheus",
    metavar="URL",
    help="Also check in this Prometheus that every selector of every query has data now.",
)
@click.option(
    "--select", metavar="CODES", default="", help="Only findings of these codes or beginnings of codes."
)
@click.option(
    "--ignore", metavar="CODES", default="", help="No findings of these codes: ANA464, VER140:old/*."
)
@click.option(
    "--exclude", metavar="PATH", multiple=True, help="No findings of these files; a folder or a pattern."
)
@click.option(
    "--baseline",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Only findings that are not in this file count.",
)
@click.option(
    "--write-baseline",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write today's findings to a file for --baseline.",
)
@click.option("--build", is_flag=True, help="Verify what kustomize and helm, on the path, make of the tree.")
@click.option(
    "--fix", is_flag=True, help="Repair slips: names, fields and kinds that are one or two letters off."
)
@click.option("--diff", is_flag=True, help="Print what --fix would change, and change nothing.")
@click.option("--statistics", is_flag=True, help="Print only how many findings each code has.")
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@click.option("--all", "everything", is_flag=True, help="Also show findings that are for information only.")
def command(
    tree: Path | None,
    controller: Controller | Literal["auto"],
    fmt: str,
    context: str | None,
    kubeconfig: Path | None,
    prometheus: str | None,
    select: str,
    ignore: str,
    exclude: tuple[str, ...],
    baseline: Path | None,
    write_baseline: Path | None,
    *,
    build: bool,
    fix: bool,
    diff: bool,
    statistics: bool,
    cluster: bool,
    strict: bool,
    everything: bool,
) -> None:
    """Check any tree of rendered files.

    TREE is a folder or a file, rendered by Sluice or written by hand; the default is the repository's rendered files.
    The end of the output lists what could not be checked. With --cluster, name files that belong to one cluster, such
    as rendered/production: every object is sent as a server-side dry run with strict field validation. With
    --prometheus, also name files of one cluster: a selector without data now is a finding with the nearest series.
    PROMETHEUS_TOKEN is sent as a bearer token, and PROMETHEUS_ORG_ID names the tenant. For the rendered files of a
    repository the first line shows whether they match its specs. Exit code 1 means that they do not, or that there are
    findings.
    """
    from generator.lint import verify
    from generator.report.chosen import choice

    where = tree or _rendered()
    if not where.exists():
        own = tree is None or tree.name == "rendered"
        raise CliError(f"{where} does not exist", "`sluice render` writes the rendered files" if own else "")
    checks = [*_cluster_checks(kubeconfig, context, cluster=cluster), *_prometheus_checks(prometheus)]
    found = verify(where, _declared(where) if controller == "auto" else controller, checks, build=build)
    state = _state(where)
    if state is not None and state.line:
        (emit if fmt == "text" else note)(state.line + ("\n" if fmt == "text" else ""))
    if not (found.objects or found.findings or found.inputs):
        raise CliError(f"{where} has no objects to check", "name the folder with the rendered files")
    counting = _counting(where, found, choice(where, select, ignore, exclude, baseline), write_baseline)
    if counting is None:
        return
    if fix or diff:
        counting = _repair(where, counting, write=not diff)
    shown = [finding for finding in counting if everything or finding.severity != "info"]
    _print(where, shown, found, fmt, statistics=statistics)
    _summarize(found, len(counting) - len(shown))
    refusing = {"error", "warning"} if strict else {"error"}
    differs = state is not None and not state.agrees
    if differs or any(finding.severity in refusing for finding in counting):
        click.get_current_context().exit(1)


def _print(where: Path, shown: list[Finding], found: Verification, fmt: str, *, statistics: bool) -> None:
    """Print findings, or only how many there are of each code."""
    if statistics:
        from generator.report.formats.text import totals

        emit(totals(shown))
        return
    screen = Screen.of_messages(sys.stdout)
    tree = (where if where.is_dir() else where.parent).absolute()
    text = render(
        shown, fmt, screen=screen, checked=found.files, noun="file", unchecked=len(found.unchecked), root=tree
    )
    emit(text, commands=fmt == "github")


def _repair(where: Path, findings: list[Finding], *, write: bool) -> list[Finding]:
    """Repair the files, or print the change; return the findings that are left."""
    from generator.report.repairs import repaired

    files = repaired(where, findings)
    for file in files:
        emit(file.diff())
        if write:
            file.write()
    counted = [finding for finding in findings if finding.severity != "info"]
    settled = {finding for file in files for finding in file.settled}
    note(f"{'repaired' if write else 'would repair'} {len(settled):,} of {len(counted):,} findings")
    return [finding for finding in findings if not (write and finding in settled)]


def _counting(where: Path, found: Verification, chosen: Choice, target: Path | None) -> list[Finding] | None:
    """Return the findings that count; None after they were written as a baseline."""
    from generator.report.chosen import new_findings, write_baseline

    findings = chosen.chosen(found.findings)
    if target is not None:
        write_baseline([finding for finding in findings if finding.severity != "info"], target)
        note(f"wrote {target}: `sluice verify {where} --baseline {target}` reports what is new")
        return None
    if chosen.baseline is None:
        return findings
    fresh, gone = new_findings(findings, chosen.baseline)
    note(f"{len(findings) - len(fresh):,} findings are in the baseline")
    if gone:
        note(f"{gone:,} entries of {chosen.baseline} no longer occur: write it again")
    return fresh


def _summarize(found: Verification, hidden: int) -> None:
    """Print how much was checked, and what was not."""
    note(
        f"{found.objects:,} object{'s' * (found.objects != 1)} in {found.files:,} file{'s' * (found.files != 1)}"
        + (f"; {hidden:,} for information only, shown by --all" if hidden else "")
    )
    for sentence in found.unchecked:
        note(f"not checked: {sentence}")


def _declared(tree: Path) -> Controller | Literal["auto"]:
    """Return the controller's version that the platform file of the repository declares, auto without one."""
    from generator.lint import supported

    root = find_root(tree.resolve())
    if root is None:
        return "auto"
    from generator.pipeline.session import open_session

    session = open_session(root)
    platform = session.repository.platform
    return (supported(platform.controllers.argo_rollouts) if platform else None) or "auto"


def _state(tree: Path) -> RenderedState | None:
    """Compare the rendered files of the repository with its specs, if the tree is among them."""
    root = find_root(tree.resolve())
    if root is None:
        return None
    from generator.pipeline.rendered_state import rendered_state
    from generator.pipeline.session import open_session

    session = open_session(root)
    own = (root / session.platform_inputs.folder).resolve()
    return rendered_state(session) if tree.resolve().is_relative_to(own) else None


def _cluster_checks(kubeconfig: Path | None, context: str | None, *, cluster: bool) -> list[Check]:
    """Return the check by a real API server if --cluster is given."""
    check_cluster_options({"--context": context, "--kubeconfig": kubeconfig}, cluster=cluster)
    if not cluster:
        return []
    from generator.cluster.dry_run import AT_ONCE, refusals
    from generator.cluster.server import connect

    server = connect(kubeconfig, context, AT_ONCE)
    note(f"server: {server.address}")
    return [lambda objects: refusals(objects, server)]


def _prometheus_checks(address: str | None) -> list[Check]:
    """Return the check by a Prometheus if its address is given."""
    if address is None:
        return []
    from generator.cluster.prometheus import Prometheus
    from generator.cluster.scraped import headers_of, missing_series

    if "@" in address:
        raise CliError(
            "the URL of --prometheus has a password",
            "remove it, and set PROMETHEUS_TOKEN, or PROMETHEUS_USER and PROMETHEUS_PASSWORD, in the environment",
        )
    Prometheus.at(address)  # a malformed address is an error before any file is read
    return [lambda objects: missing_series(objects, Prometheus.at(address, headers_of(objects)))]


def _rendered() -> Path:
    from generator.plan.inputs import read_platform_inputs

    root = find_root(Path.cwd())
    if root is None:
        raise CliError(
            "no tree is named",
            "name one, or run the command in a repository with specs/platform.yaml",
        )
    return root / read_platform_inputs(root).folder
