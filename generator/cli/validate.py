"""`sluice validate`: check every rule; write nothing but requested fixes."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from generator.cli.options import change_option, report_option, root_option
from generator.pipeline.evaluate import findings_of
from generator.pipeline.selection import NO_MODELS, Selection, select
from generator.pipeline.session import Session, open_session
from generator.pipeline.terminal import emit, note
from generator.plan.model_files import SPECS
from generator.report.formats import render
from generator.report.tables import PLAIN, Screen
from generator.source.errors import CliError
from generator.source.finding import Finding

_ROUNDS = 60  # one fix can show another finding


@click.command("validate")
@click.argument("paths", nargs=-1, type=click.Path())
@report_option
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to a file.")
@click.option(
    "--fix",
    is_flag=True,
    help="Write fixes into the specs and show them; ask before one changes a weight or a hold, or may loosen a check.",
)
@click.option(
    "--apply",
    "codes",
    multiple=True,
    metavar="CODE",
    help="With --fix: write the fixes of this code without a question.",
)
@click.option("--strict", is_flag=True, help="Treat warnings as errors.")
@change_option
@root_option
def command(
    paths: tuple[str, ...],
    fmt: str,
    output: Path | None,
    against: str | None,
    root: Path | None,
    *,
    fix: bool,
    codes: tuple[str, ...],
    strict: bool,
) -> None:
    """Check specs against every rule.

    PATH is a spec, its lock, a team's folder, or TEAM/MODEL; default: all specs. Rules that span models cover all
    models of the selected teams. Exit code 1: there are findings.
    """
    if codes and not fix:
        raise CliError("--apply needs --fix")
    if fix and against is not None:
        raise CliError("--against only reports; remove --fix")
    session = open_session(root, near=paths)
    selection = select(session, paths)
    findings = findings_of(session, selection)
    if against is not None:
        from generator.pipeline.untouched import with_untouched_as_warnings

        findings = with_untouched_as_warnings(findings, session, against, _everything)
    if fix:
        session, findings = _fixed(session, selection, findings, codes)
    _report(session.root, findings, fmt, output, len(selection.entries))
    if not session.entries and not session.strays:
        note(NO_MODELS)
    refusing = {"error", "warning"} if strict else {"error"}
    if any(finding.severity in refusing for finding in findings):
        click.get_current_context().exit(1)


def _everything(session: Session) -> list[Finding]:
    return findings_of(session, Selection(session.entries, everything=True))


def _fixed(
    session: Session, selection: Selection, findings: list[Finding], codes: tuple[str, ...]
) -> tuple[Session, list[Finding]]:
    """Write fixes and evaluate again, until there are none; take back those that cause other findings."""
    from generator.pipeline.fix import fix_files

    consent = _Consent(codes)
    for _ in range(_ROUNDS):
        done = fix_files(
            [found for found in findings if not consent.refuses(found)], session.root, consent.agrees
        )
        if done.refused:
            note(f"{done.refused} can't be fixed automatically without changing other text")
        if not done.written:
            break
        fresh = Session(session.root, session.today)
        after = findings_of(fresh, selection)
        if _is_worse(findings, after):
            done.undo(session.root)
            note(f"nothing is fixed in {', '.join(done.files)}: that would cause other findings")
            consent.taken_back.update(map(_edit, done.written))
            continue
        note(f"fixed {len(done.written)} in {', '.join(done.files)}")
        _show(done.diff)
        session, findings = fresh, after
        consent.taken_back.clear()  # a fix that caused other findings may work now
    left = sorted(
        {found.code for found in findings if found.fix and found.fix.asks and not consent.refuses(found)}
    )
    if left:
        note(
            f"not written without a question: {', '.join(left)}; `--fix --apply {left[0]}` writes these fixes"
        )
    return session, [replace(found, fix=None) if consent.refuses(found) else found for found in findings]


def _edit(finding: Finding) -> tuple[str, str, str]:
    return finding.place.file, finding.path, str(finding.fix)


def _show(diff: str) -> None:
    for line in diff.splitlines():
        note(line)


class _Consent:
    """The fixes that may be written: of codes named on the command line, or accepted by a person at a terminal."""

    def __init__(self, codes: tuple[str, ...]) -> None:
        self.codes = codes
        self.no: set[tuple[str, str, str]] = set()
        self.taken_back: set[tuple[str, str, str]] = set()

    def refuses(self, finding: Finding) -> bool:
        """Return whether a fix was refused, or taken back."""
        return finding.fix is not None and _edit(finding) in self.no | self.taken_back

    def agrees(self, finding: Finding, diff: str) -> bool:
        """Return whether to write a fix; show a person the difference and ask once."""
        if finding.code in self.codes:
            return True
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return False
        note(f"{finding.code}: {finding.message}")
        _show(diff)
        if click.confirm("Write this?", err=True):
            return True
        self.no.add(_edit(finding))
        return False


def _is_worse(before: list[Finding], after: list[Finding]) -> bool:
    """Check for errors that were not there, or for more errors or warnings."""
    errors = [{(f.code, f.path) for f in found if f.severity == "error"} for found in (before, after)]
    counts = [
        [sum(f.severity == severity for f in found) for severity in ("error", "warning")]
        for found in (before, after)
    ]
    return bool(errors[1] - errors[0]) or counts[1] > counts[0]


def _report(root: Path, findings: list[Finding], fmt: str, output: Path | None, checked: int) -> None:
    screen = Screen.of_messages(sys.stdout) if output is None else PLAIN
    text = render(findings, fmt, screen=screen, checked=checked, root=root)
    if output is None:
        emit(text, commands=fmt == "github")
        return
    from generator.pipeline.atomic_write import write_file

    write_file(output, text.encode())
    count = len(findings)
    note(f"{count} finding{'' if count == 1 else 's'} in {SPECS}/, written to {output}")
