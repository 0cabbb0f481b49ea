"""`sluice validate`: every rule, nothing written but fixes that were asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from generator.cli.options import report_option, root_option
from generator.pipeline.evaluate import evaluate_models
from generator.pipeline.selection import Selection, select
from generator.pipeline.session import Session, open_session
from generator.pipeline.terminal import emit, has_color, note
from generator.plan.model_files import SPECS
from generator.report.formats import render
from generator.source.finding import Finding

_STRAY = "REF210"
_DEFAULTS = "PLAT906"


@click.command("validate")
@click.argument("paths", nargs=-1, type=click.Path())
@report_option
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to a file.")
@click.option("--fix", is_flag=True, help="Write safe fixes into the specs.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@root_option
def command(
    paths: tuple[str, ...], fmt: str, output: Path | None, root: Path | None, *, fix: bool, strict: bool
) -> None:
    """Check specs against every rule.

    PATH is a spec, its lock, a team's folder, or TEAM/MODEL; default: all specs. Rules that span models look at all
    models of the teams that are named. Exit code 1: there are findings.
    """
    session = open_session(root)
    selection = select(session, paths)
    findings = validate(session, selection)
    if fix:
        session, findings = _fixed(session, selection, findings)
    _report(findings, fmt, output, len(selection.entries))
    refusing = {"error", "warning"} if strict else {"error"}
    if any(finding.severity in refusing for finding in findings):
        click.get_current_context().exit(1)


def validate(session: Session, selection: Selection) -> list[Finding]:
    """All findings about the platform and the selected models, in order, each once."""
    repository = session.repository
    found = list(session.strays) if selection.everything else []
    platform = repository.platform
    found += [finding for finding in repository.findings if finding.code != _STRAY]
    if platform is not None:
        found += _models(session, selection)
    unique = {(f.code, f.place, f.message): f for f in found}
    return sorted(_once(list(unique.values())), key=Finding.sort_key)


def _once(findings: list[Finding]) -> list[Finding]:
    """Leave out what models inherit from a tier's defaults: the finding about the defaults says the same."""
    defaults = {found.place for found in findings if found.code == _DEFAULTS}
    return [f for f in findings if f.code == _DEFAULTS or f.place not in defaults]


def _models(session: Session, selection: Selection) -> Iterable[Finding]:
    judged, together = evaluate_models(session, selection.entries, "Checking specs")
    yield from (finding for one in judged for finding in one.findings)
    yield from together


def _fixed(session: Session, selection: Selection, findings: list[Finding]) -> tuple[Session, list[Finding]]:
    """Write what can be fixed, then look again."""
    from generator.pipeline.fix import fix_files

    done = fix_files(findings, session.root)
    if done.refused:
        note(f"{done.refused} can't be fixed in place: no edit of the text keeps everything around them")
    if not done.written:
        return session, findings
    note(f"fixed {done.written} in {', '.join(done.files)}")
    fresh = Session(session.root, session.today)
    return fresh, validate(fresh, selection)


def _report(findings: list[Finding], fmt: str, output: Path | None, checked: int) -> None:
    color = output is None and has_color(sys.stdout)
    text = render(findings, fmt, color=color, checked=checked)
    if output is None:
        emit(text)
        return
    from generator.pipeline.atomic_write import write_file

    write_file(output, text.encode())
    count = len(findings)
    note(f"{count} finding{'' if count == 1 else 's'} in {SPECS}/, written to {output}")
