"""The odds of a tree as Markdown: a comment on a pull request that changes a release."""

from __future__ import annotations

from collections.abc import Iterator

from generator.odds.trees.values import HARMS, MetricOdds, ReleaseOdds, TreeOdds
from generator.report.markdown import cell, fold, row
from generator.report.tables import Screen
from generator.report.trees.text import summary
from generator.report.trees.words import down, headline, measures, proposal, remarks, templates, timeline, up


def render(found: TreeOdds, screen: Screen) -> str:  # noqa: ARG001 - as every format
    """Write the odds of a tree."""
    lines = ["### What these releases are worth", ""]
    for release in found.releases:
        lines += _release(release)
    lines += [f"{cell(text)}  " for text in summary(found)]
    return "\n".join(lines).rstrip() + "\n"


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
