"""Findings for people at a terminal.

Each line has a label before a bar: the number of a source line, or what the line is.

    error[SPEC301] specs/shop/recommender.yaml:14:22: the first step takes 10%, the tier allows 5%
        14 |     steps: [{weight: 10%, hold: 60m}]
           |                      ^^^
        at | spec.rollout.steps[0].weight
      hint | start with 5% or less
       see | specs/platform.yaml:22:44: the ceiling of tier high-traffic
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from generator.report.characters import width
from generator.report.formats.excerpt import SHOWN, marked
from generator.report.formats.report import SEVERITIES, Report
from generator.report.tables import NARROW, wrap
from generator.source.finding import Finding, Fix, Severity
from generator.source.line import visible

Style = Callable[[str, str], str]
_SGR: dict[Severity, str] = {"error": "1;31", "warning": "1;33", "info": "1;36"}
_BOLD = "1"
_DIM = "2"
_GREEN = "32"
_TABLE_FROM = 10  # findings of a tree from which on their totals are shown
_NAMED = 5
MOST = 100
"""Findings of one file that are shown; of the others only the number is, and the other formats have them all."""
_GUTTER = 6  # cells before the bar: a label, or a line number of up to six digits


def render(report: Report) -> str:
    """Write the report, with a blank line between its parts and the command that explains a code at the end."""
    style = _styled if report.screen.color else _plain
    parts = list(_parts(report, style))
    worst = next((severity for severity in SEVERITIES if report.count(severity)), None)
    last = style(_SGR[worst] if worst else _GREEN, report.summary())
    if worst:
        code = next(finding.code for finding in report.findings if finding.severity == worst)
        last += "\n" + style(_DIM, f"`sluice explain {visible(code)}` shows why, and an example")
    return "\n\n".join([*parts, last]) + "\n"


def _parts(report: Report, style: Style) -> Iterator[str]:
    """Yield the first findings of each file, and how many more it has; of a tree, each mistake once."""
    if report.noun == "file":
        for alike in report.folded():
            yield block(alike[0], style, report.screen.limit) + _others(alike[1:], style)
        if len(report.findings) > _TABLE_FROM:
            yield totals(report.findings).rstrip("\n")
        return
    for file, found in groupby(report.findings, key=lambda finding: finding.place.file):
        for count, finding in enumerate(found, 1):
            if count <= MOST:
                yield block(finding, style, report.screen.limit)
        if count > MOST:
            yield f"… and {count - MOST:,} more in {visible(file)}"


def _others(alike: Sequence[Finding], style: Style) -> str:
    """Return a line that names the other places of the same mistake."""
    if not alike:
        return ""
    names = [finding.object or str(finding.place) for finding in alike[:_NAMED]]
    more = f" and {len(alike) - _NAMED:,} more" if len(alike) > _NAMED else ""
    label = style(_DIM, f"{'also':>{_GUTTER}} |")
    return f"\n{label} {len(alike):,}: {visible(', '.join(names))}{more}"


def totals(findings: Sequence[Finding]) -> str:
    """Return the totals by code and by folder: how many, the severity, and an example."""
    from collections import Counter

    counts = Counter(finding.code for finding in findings)
    first = {finding.code: finding for finding in reversed(findings)}
    rows = [
        f"{count:>7,}  {code:<8} {first[code].severity:<8} {visible(str(first[code].place))}"
        for code, count in sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    ]
    folders = Counter(finding.place.file.rpartition("/")[0] or "." for finding in findings)
    rows += [""] * (len(folders) > 1)
    rows += [
        f"{count:>7,}  {visible(folder)}" for folder, count in folders.most_common(10) if len(folders) > 1
    ]
    return "\n".join(["  count  code     severity first", *rows]) + "\n"


def _plain(_sgr: str, text: str) -> str:
    return text


def _styled(sgr: str, text: str) -> str:
    return f"\x1b[{sgr}m{text}\x1b[0m" if text else text


def block(finding: Finding, style: Style = _plain, limit: int | None = None) -> str:
    """Return one finding: a header with a place that editors and terminals can follow, and the lines below it.

    Args:
        finding: what was found.
        style: gives text a look; takes the parameters of an SGR control sequence (ECMA-48, 8.3.117) and
            the text.
        limit: cells in a line; None for no limit.
    """
    sgr = _SGR[finding.severity]
    head = style(sgr, f"{finding.severity}[{visible(finding.code)}]")
    where = style(_BOLD, visible(str(finding.place)))
    message = visible(finding.message)
    if limit is not None and width(f"{finding.severity}[{finding.code}] {finding.place}: {message}") > limit:
        message = "".join(f"\n  {line}" for line in wrap(message, limit - 2))
        return "\n".join([f"{head} {where}:{style(_BOLD, message)}", *_lines(finding, style, limit)])
    return "\n".join([f"{head} {where}: {style(_BOLD, message)}", *_lines(finding, style, limit)])


def _lines(finding: Finding, style: Style, limit: int | None) -> Iterator[str]:
    room = SHOWN if limit is None else max(NARROW, limit - _GUTTER - 3)
    for label, line in _source(finding, style, SHOWN if limit is None else room - 2):
        yield f"{style(_DIM, f'{label:>{_GUTTER}} |')} {line}".rstrip()
    for label, text in _labelled(finding):
        for number, line in enumerate([text] if limit is None else wrap(text, room)):
            yield f"{style(_DIM, f'{label if number == 0 else chr(32):>{_GUTTER}} |')} {line}".rstrip()


def _source(finding: Finding, style: Style, room: int) -> Iterator[tuple[str, str]]:
    place = finding.place
    if not (finding.excerpt and place.line):
        return
    line, before, carets = marked(finding.excerpt, place, min(SHOWN, room))
    yield str(place.line), line
    if carets:
        yield "", " " * before + style(_SGR[finding.severity], "^" * carets)


def _labelled(finding: Finding) -> Iterator[tuple[str, str]]:
    if finding.object:
        yield "of", visible(f"{finding.object}, {finding.part}" if finding.part else finding.object)
    if finding.path:
        yield "at", visible(finding.path)
    if finding.hint:
        yield "hint", visible(finding.hint)
    if finding.replacement:
        yield "fix", visible(f"--fix writes {finding.replacement}")
    if finding.fix:
        yield "fix", visible(_change(finding.fix))
    for why, place in finding.related:
        yield "see", visible(f"{place}: {why}")


def _change(fix: Fix) -> str:
    import json

    keys = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in fix.path).removeprefix(".")
    who = "--fix asks before it writes" if fix.asks else "--fix writes"
    return f"{who} {keys}: {json.dumps(fix.value, ensure_ascii=False, default=str)}"
