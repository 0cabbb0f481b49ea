"""The odds of a tree as Markdown: a comment on a pull request that changes a release."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from generator.odds.trees.values import HARMS, MetricOdds, ReleaseOdds, TreeOdds
from generator.report.comment import LIMIT
from generator.report.markdown import cell, fold, row
from generator.report.tables import Screen
from generator.report.trees.text import summary
from generator.report.trees.words import down, headline, measures, proposal, remarks, templates, timeline, up
from generator.spec.quantities import plural

MARKER: Final = "<!-- sluice odds -->"
"""The first line, by which a workflow finds its own comment."""


def render(found: TreeOdds, screen: Screen) -> str:  # noqa: ARG001 - as every format
    """Write the odds of a tree; what exceeds the length of a comment is counted."""
    head = f"{MARKER}\n### What these releases are worth\n\n"
    tail = "\n".join(f"{cell(text)}  " for text in summary(found)).rstrip() + "\n"
    tail = tail if len(tail) < LIMIT // 4 else tail[: LIMIT // 4].rpartition("\n")[0] + "\n"
    shown, room = [], LIMIT - len(head) - len(tail) - 200
    for number, release in enumerate(found.releases):
        text = "\n".join(_release(release)) + "\n"
        room -= len(text)
        if room < 0:
            left = plural(len(found.releases) - number, "more release")
            shown.append(f"{left}: `sluice odds` shows {'it' if left.startswith('1 ') else 'them'}.\n\n")
            break
        shown.append(text)
    return head + "".join(shown) + tail


def _release(found: ReleaseOdds) -> Iterator[str]:
    item = found.release.object
    yield f"**{cell(item)}** ({cell(item.place(()))}): {cell(headline(found))}."
    yield ""
    yield f"{cell(timeline(found.release))}"
    yield ""
    priced = [one for one in found.metrics if one.false_stop is not None]
    if priced:
        heading = ["metric", "measures", "good version stopped", *(f"{times:g}x caught" for times in HARMS)]
        yield row(heading)
        yield row(["---"] * len(heading), raw=True)
        yield from map(_row, priced)
        yield ""
    for one in found.metrics:
        texts = [text for text in remarks(one) if not text.startswith(("twice", "until"))]
        if one.measure.kind == "unknown":
            texts = [measures(one)]
        yield from (f"- {cell(one.metric.name)} ({cell(one.metric.step)}): {cell(text)}" for text in texts)
        yield from (cell(text).replace("  - ", "  - ", 1) for text in proposal(one))
    yield from (f"- {cell(note)}" for note in found.release.notes)
    if found.assumed:
        yield f"- assumed: {cell('; '.join(found.assumed))}"
    for item, text in templates(found):
        yield from ("", fold(f"{item} with these limits, to apply in its place", text.rstrip()))
    yield ""


def _row(found: MetricOdds) -> str:
    powers = {harm.times: down(harm.power) for harm in found.harms}
    shown = [powers.get(times, "-") for times in HARMS]
    return row([f"{found.metric.name} ({found.metric.step})", measures(found), up(found.false_stop), *shown])
