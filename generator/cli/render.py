"""`sluice render`: render specs to the files that Argo CD syncs."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from generator.cli.options import change_option, json_option, require_check, root_option
from generator.output.check import diff
from generator.output.freshness import Stamp
from generator.output.report import SHOWN, CheckReport, WriteSummary, foreign_file
from generator.pipeline.atomic_write import clear_leftovers
from generator.pipeline.render import RenderPlan, plan_render
from generator.pipeline.repository_state import RepositoryState, changes, repository_state, state_key, update
from generator.pipeline.session import Session, open_session
from generator.pipeline.stale import render_request
from generator.pipeline.terminal import emit, emit_messages, note
from generator.render.identity import code_digest
from generator.source.errors import CliError
from generator.source.finding import Finding
from generator.source.line import visible

_WAITING = frozenset({"PROM103", "PROM104"})  # codes of releases that wait for a promotion
_SHOWN_WAITING = 5  # more are counted
_HEADINGS = {
    "created": "created",
    "updated": "updated",
    "overwritten": "overwritten (they had been edited)",
    "deleted": "deleted",
    "kept_edited": "kept (no longer rendered, but they had been edited; remove them)",
}


@click.command("render")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--env", "environment", default="", metavar="NAME", help="Only this environment.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Folder to write to; default: git.path of the platform.",
)
@click.option(
    "--check",
    "only_check",
    is_flag=True,
    help="Write nothing; render and compare every file. Exit code 1: something is out of date.",
)
@click.option("--diff", "only_diff", is_flag=True, help="Write nothing; show what would change.")
@click.option(
    "--bentos",
    is_flag=True,
    help="Only the build files of images; locks need no image digest for them.",
)
@change_option
@json_option
@root_option
def command(
    paths: tuple[str, ...],
    *,
    environment: str,
    output: Path | None,
    only_check: bool,
    only_diff: bool,
    bentos: bool,
    against: str | None,
    fmt: str,
    root: Path | None,
) -> None:
    """Write the bundles that Argo CD syncs.

    The build files of images are written with them. For a model whose tier requires its image by digest, only those
    are written until the lock has the digest; until then the exit code is 1, unless --bentos is given.
    """
    if against is not None and not only_check:
        raise CliError("--against judges a change; add --check")
    require_check(fmt, check=only_check)
    session = open_session(root, near=paths)
    request = render_request(session, paths, environment, output)
    stamp = Stamp.read(request.output, code_digest(session.templates))
    if not only_check:  # a check does not trust the stamp of an earlier run
        request = replace(request, known=stamp.keys)
    plan = plan_render(session, request)
    plan = plan.images_only() if bentos else plan
    if against is not None:
        plan = _judged(plan, against)
    if only_check:
        code = _check(plan, stamp, fmt)
    else:
        _report_findings(plan.findings)
        code = _show_diff(plan) if only_diff else _write(plan, stamp)
    click.get_current_context().exit(code)


def _judged(plan: RenderPlan, against: str) -> RenderPlan:
    """Return a plan that errors about models which a change leaves alone do not fail."""
    from generator.pipeline.evaluate import findings_of
    from generator.pipeline.selection import Selection
    from generator.pipeline.untouched import with_untouched_as_warnings

    def evaluate(session: Session) -> list[Finding]:
        return findings_of(session, Selection(session.entries, everything=True))

    return replace(
        plan, findings=tuple(with_untouched_as_warnings(plan.findings, plan.session, against, evaluate))
    )


def _show_diff(plan: RenderPlan) -> int:
    """Print what would change, and return the exit code."""
    for line in diff(plan.request.output, plan.bundles(), plan.outside):
        emit(line)
    around = _around(plan)
    for line in changes(plan.session, around) if around else ():
        emit(line)
    return int(plan.failed)


def _check(plan: RenderPlan, stamp: Stamp, fmt: str) -> int:
    """Compare all files, report it, and return the exit code."""
    if fmt == "text":
        _report_findings(plan.findings)
    compared = plan.check()
    around = _around(plan)
    known = around is not None and not around.differing
    plan.remember(stamp, (*compared.keys, *_known(plan, known=known)))
    differs = not compared.clean or bool(around and around.differing)
    if fmt == "json":
        from generator.report.render_check import as_json

        emit(as_json(plan, compared, around, ok=not (plan.failed or differs)))
    else:
        _report_check(compared, plan, around, differs=differs)
    return int(plan.failed or differs)


def _write(plan: RenderPlan, stamp: Stamp) -> int:
    """Write all files, report it, and return the exit code."""
    clear_leftovers({plan.session.root, *(entry.spec.parent for entry in plan.session.entries)})
    summary = plan.write(note)
    known = state_key(plan.session) in stamp.keys
    around = None if known else _around(plan)
    if around is not None:
        update(plan.session, around)
        known = not around.edited
    plan.remember(stamp, (*summary.keys, *_known(plan, known=known)))
    _report_around(around)
    _report_written(summary, plan, changed=around is not None and bool(around.outdated or around.removed))
    return int(plan.failed or not summary.clean)


def _around(plan: RenderPlan) -> RepositoryState | None:
    """Return the state of the files around the bundles; None if this run does not cover them."""
    session, request = plan.session, plan.request
    own = request.covers_all and request.output == session.root / session.platform_inputs.folder
    return repository_state(session) if own and not plan.failed else None


def _known(plan: RenderPlan, *, known: bool) -> tuple[bytes, ...]:
    """Return what the stamp remembers of the files around the bundles."""
    return (state_key(plan.session),) if known else ()


def _report_around(around: RepositoryState | None) -> None:
    """Print which files around the bundles were written, removed or left."""
    if around is None:
        return
    emit("".join(f"wrote {path}\n" for path in sorted(around.outdated)))
    emit("".join(f"removed {path}: there is no such environment\n" for path in around.removed))
    for path in around.edited:
        note(f"{path} was edited, and is left as it is: `sluice ci` with --force replaces it")


def _report_findings(findings: Sequence[Finding]) -> None:
    """Print errors in full, and the number of warnings, which `validate` shows."""
    _print([finding for finding in findings if finding.severity == "error"])
    waiting = [finding for finding in findings if finding.code in _WAITING]
    for finding in waiting[:_SHOWN_WAITING]:
        note(visible(f"{finding.place.file.split('.')[0].removeprefix('specs/')}: {finding.message}"))
    if len(waiting) > _SHOWN_WAITING:
        note(f"… and {len(waiting) - _SHOWN_WAITING:,} more releases wait for their promotion")
    warnings = sum(finding.severity == "warning" for finding in findings)
    if warnings:
        note(f"{_count(warnings, 'warning')}: `sluice validate` shows them")


def _print(findings: Sequence[Finding]) -> None:
    """Print findings in full: of specs, or of ledgers, which no other command shows."""
    if findings:
        from generator.report.formats import render
        from generator.report.tables import Screen

        emit_messages(render(findings, "text", screen=Screen.of_messages(sys.stderr)))


def _report_written(summary: WriteSummary, plan: RenderPlan, *, changed: bool) -> None:
    output = plan.request.output
    for kind, heading in _HEADINGS.items():
        _list(heading, summary.counts[kind], summary.first[kind], output)
    _print(summary.findings)
    _report_foreign(summary.counts["foreign"], summary.first["foreign"], output)
    files = summary.identical + plan.fresh.files
    if summary.changed:
        emit(f"{_count(files, 'file')} unchanged\n")
    elif summary.clean and not plan.failed and not changed:
        bundles = len(summary.keys) + plan.fresh.bundles
        counts = f"{_count(bundles, 'bundle')}, {_count(files, 'file')}"
        emit(f"{visible(_relative(output))} is up to date: {counts}, nothing changed\n")


def _report_check(
    report: CheckReport, plan: RenderPlan, around: RepositoryState | None, *, differs: bool
) -> None:
    output = plan.request.output
    for kind in ("missing", "stale", "edited", "orphaned"):
        paths: tuple[str, ...] = getattr(report, kind)
        _list(kind, len(paths), paths, output)
    _list("notes, which may stay", len(report.notes), report.notes, output)
    _list("not compared, their models have errors", len(plan.left_out), plan.left_out, output)
    _print(report.findings)
    _report_foreign(len(report.foreign), report.foreign, output)
    for path in around.differing if around else ():
        note(f"out of date: {path}" + (" was edited" if around and path in around.edited else ""))
    if report.outdated or (around and (around.outdated or around.removed)):
        note(f"out of date: run `{_render_command()}` and commit the result")
    if not differs and not plan.failed:
        counts = f"{_count(len(report.keys), 'bundle')}, {_count(report.files, 'file')}"
        emit(f"{visible(_relative(output))} is up to date: {counts} rendered and compared\n")


def _report_foreign(count: int, paths: Sequence[str], output: Path) -> None:
    """Print a finding for each of the first files that nothing renders."""
    _print([foreign_file(f"{_relative(output)}/{path}") for path in paths[:SHOWN]])
    if count > SHOWN:
        note(f"… and {count - SHOWN:,} more files that nothing renders")


def _list(heading: str, count: int, paths: Sequence[str], output: Path) -> None:
    """Print the number of files of a kind and their first names."""
    if not count:
        return
    emit(f"{heading} {count}:\n")
    for path in paths[:SHOWN]:
        emit(f"  {visible(_relative(output))}/{visible(path)}\n")
    if count > SHOWN:
        emit(f"  … and {count - SHOWN:,} more\n")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _render_command() -> str:
    """Return the command that writes the checked files: this one without --check."""
    given = click.get_current_context().params
    output, root = given["output"], given["root"]
    words = [*(["--root", str(root)] if root else []), *(["--output", str(output)] if output else [])]
    return shlex.join(["sluice", "render", *words])


def _relative(target: Path) -> str:
    try:
        return target.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return target.as_posix()
