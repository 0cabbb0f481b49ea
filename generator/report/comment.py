"""The comment on a pull request: a table with the numbers to review, and every model folded below it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from generator.dataclass import dataclass
from generator.odds.key_metrics import format_figures
from generator.report.consequences import consequences
from generator.report.diffs.compare import Comparison, Difference
from generator.report.diffs.markdown import radius
from generator.report.diffs.revision import Compared
from generator.report.diffs.text import shared, size, some
from generator.report.first_sync import as_markdown
from generator.report.markdown import cell, fenced, row
from generator.report.overview import OpenWaiver, Overview
from generator.report.records import FirstSync
from generator.report.sections.section import Section
from generator.source.line import visible
from generator.spec.quantities import plural

LIMIT = 65_536
"""Bytes. GitHub and GitLab count a comment in characters, which are never more than its bytes."""
MARKER = "<!-- sluice plan -->"
"""The first line; the workflow that posts the comment finds the previous one by it."""
_TABLE, _RESERVED, _GROUPS = 24_000, 1_500, 25  # bytes, bytes (for what the workflow adds), rows
_HEAD = ("model", "version", "power", "exposed if bad", "planned", "gates")


@dataclass(frozen=True, slots=True)
class CommentEntry:
    """One model of a comment.

    Args:
        row: its key numbers.
        differences: its differences, by environment; empty without any, and without a comparison.
        sections: its plan.
        waivers: its waivers, open and expired.
    """

    row: Overview
    differences: tuple[Difference, ...]
    sections: tuple[Section, ...]
    waivers: tuple[OpenWaiver, ...] = ()


def comment(
    models: Sequence[CommentEntry],
    compared: Compared | None,
    heading: str = "",
    first_sync: FirstSync | None = None,
    broken: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return the comment, never longer than LIMIT; it names what it leaves out.

    Args:
        models: its entries.
        compared: the comparison; None without one.
        heading: a sentence above everything; empty for none.
        first_sync: the effects of a first sync; None if no cluster was queried.
        broken: why models can't be rendered, by team/model.
    """
    first = [f"**{cell(heading)}**\n"] if heading else []
    parts = [MARKER, *first, f"## {cell(_title(models, compared))}\n"]
    found = compared.found if compared else None
    if found:
        expired = [waiver for model in models for waiver in model.waivers if waiver.days < 0]
        parts += [*consequences(found, broken, expired), ""]
    if first_sync:
        parts.append(as_markdown(first_sync))
    if found and found.differ:
        parts.append(_radius(found))
    parts += _summary(models)
    room = LIMIT - _RESERVED - sum(_length(part) for part in parts)
    folded, cut = _fit([(model.row.name, _detail(model)) for model in models if model.sections], room)
    return "\n".join([*parts, *folded, *_cut(cut)])


def _title(models: Sequence[CommentEntry], compared: Compared | None) -> str:
    if compared is None:
        return f"What would be released: {plural(len(models), 'model')}"
    if not compared.found.differ:
        return f"Nothing changes against {compared.label}"
    return f"{size(compared.found)} from {compared.label}"


def _radius(found: Comparison) -> str:
    """Return the differences that several models share."""
    text = radius(found)
    rows = text.rstrip("\n").split("\n")
    if len(rows) <= _GROUPS:
        return f"### What changes\n\n{text}"
    kept = "\n".join(rows[:_GROUPS])
    return f"### What changes\n\n{kept}\n\n{len(rows) - _GROUPS} more rows were cut.\n"


def _summary(models: Sequence[CommentEntry]) -> list[str]:
    """Return the table; rows for which there is no room are counted."""
    if not models:
        return []
    out, used = [row(_HEAD), row(["---"] * len(_HEAD), raw=True)], 0
    for index, model in enumerate(models):
        line = _row(model)
        used += _length(line)
        if used > _TABLE:
            left = [other.row.name for other in models[index:]]
            return [*out, "", f"{plural(len(left), 'row')} of this table were cut: {cell(some(left))}.", ""]
        out.append(line)
    return [*out, ""]


def _row(model: CommentEntry) -> str:
    one = model.row
    if one.figures is None:
        reason = one.reason if one.reason == "removed" else f"can't be planned: {one.reason}"
        return row((one.name, reason, *[""] * (len(_HEAD) - 2)))
    difference = next((d for d in model.differences if d.environment == one.environment), None)
    now, moved = format_figures(one.figures), difference.numbers if difference else {}

    def shown(name: str) -> str:
        change = moved.get(name)
        return f"{change.old} → {change.new}" if change and change.old else now[name]

    return row(
        (
            f"{one.name} in {one.environment}",
            _version(one, difference),
            shown("power"),
            shown("requests exposed if bad"),
            shown("planned time"),
            "; ".join(filter(None, (one.gates, _waivers(model)))),
        )
    )


def _version(one: Overview, difference: Difference | None) -> str:
    held = " (held)" if difference and difference.held else ""
    changed = [c for c in (difference.changes if difference else ()) if (c.topic, c.item) == ("model", "")]
    old = next((c.old for c in changed if c.field == "version"), None)
    if any(not c.field and c.old is None for c in changed):
        return f"new: {one.version}{held}"
    return f"{old} → {one.version}{held}" if old else f"{one.version}{held}"


def _waivers(model: CommentEntry) -> str:
    return ", ".join(
        f"{w.gate} waived, {plural(w.days, 'day')} left"
        if w.days >= 0
        else f"waiver of {w.gate} expired on {w.until}: can't be rendered"
        for w in model.waivers
    )


def _detail(model: CommentEntry) -> list[str]:
    """Return the blocks of one model: its changes, then its plan section by section."""
    blocks = []
    for texts, members in shared(model.differences):
        where = ", ".join(filter(None, (member.environment for member in members)))
        text = fenced("\n".join(visible(line.text) for line in texts))
        blocks.append(f"#### Changes{cell(f' in {where}' if where else '')}\n\n{text}")
    plan = (f"#### {cell(s.title)}\n\n" + fenced("\n".join(s.lines())) for s in model.sections)
    return [*blocks, *plan]


def _fit(details: Iterable[tuple[str, list[str]]], room: int) -> tuple[list[str], list[str]]:
    """Fold models as long as there is room; one that is too long loses its last blocks.

    Returns:
        The folds, and what was left out, in words.
    """
    out: list[str] = []
    cut: list[str] = []
    for name, blocks in details:
        head, foot = f"<details><summary>{name}</summary>\n", "</details>\n"
        left, kept = room - _length(head + foot), []
        for block in blocks:
            left -= _length(block)
            if left < 0:
                break
            kept.append(block)
        if kept:
            out.append("\n".join([head, *kept, foot]))
            room = max(0, left)
        if len(kept) < len(blocks):
            room = 0
            cut.append(f"{name} ({plural(len(blocks) - len(kept), 'block')})")
    return out, cut


def _cut(cut: Sequence[str]) -> list[str]:
    if not cut:
        return []
    said = f"To stay under {LIMIT} characters this was cut: {cell(some(cut))}."
    return [f"{said} `sluice plan` prints it whole.\n"]


def _length(text: str) -> int:
    return len(text.encode()) + 1
