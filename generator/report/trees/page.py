"""The odds of a tree as one HTML page, with a picture of each release."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

from generator.lint import Release
from generator.odds.trees.values import HARMS, MetricOdds, ReleaseOdds, TreeOdds
from generator.report.charts.svg import Label, Line, Picture, Rect, Shape
from generator.report.tables import Screen
from generator.report.trees.text import summary
from generator.report.trees.words import down, headline, measures, proposal, remarks, templates, timeline, up
from generator.source.line import visible

_WIDTH, _HEIGHT, _LEAST = 760.0, 110.0, 14.0
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#1c2733;background:#fff}
h2{font-size:1.05rem;margin:2.5rem 0 .2rem}p.worth{font-size:1.2rem;margin:.3rem 0}p.soft,li{color:#4a5866}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .5rem;border-bottom:1px solid #d8dee4}
svg{width:100%;height:auto}rect.weight{fill:#2f6f9f}rect.waits{fill:#9cb8cc}line.base{stroke:#8a97a3}
text{font:12px system-ui,sans-serif;fill:#1c2733}pre{background:#f3f5f7;padding:.7rem;overflow-x:auto}
@media(prefers-color-scheme:dark){body{color:#e6ebf0;background:#12181f}p.soft,li{color:#aab6c2}text{fill:#e6ebf0}
td,th{border-color:#33404d}pre{background:#1b242e}}
"""


def render(found: TreeOdds, screen: Screen) -> str:  # noqa: ARG001 - as every format
    """Write the odds of a tree; the page loads nothing."""
    parts = [text for release in found.releases for text in _release(release)]
    notes = "".join(f"<p class=soft>{_text(text)}</p>\n" for text in summary(found))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta name="generator" content="Sluice"><title>What these releases are worth</title>\n<style>{_STYLE}</style>'
        f"</head><body>\n<h1>What these releases are worth</h1>\n{''.join(parts)}{notes}</body></html>\n"
    )


def _text(value: object) -> str:
    return escape(visible(str(value)))


def _release(found: ReleaseOdds) -> Iterator[str]:
    item, picture = found.release.object, _picture(found.release)
    yield f"<h2>{_text(item)}</h2>\n<p class=soft>{_text(item.place(()))}, {_text(found.release.tool)}</p>\n"
    yield f"<p class=worth>{_text(headline(found))}.</p>\n"
    yield (
        f'<svg viewBox="0 0 {picture.width:.0f} {picture.height:.0f}" role="img" '
        f'aria-label="{_text(timeline(found.release))}">\n{picture.markup}\n</svg>\n'
    )
    priced = [one for one in found.metrics if one.false_stop is not None]
    if priced:
        heading = ("metric", "measures", "good version stopped", *(f"{times:g}x caught" for times in HARMS))
        yield (
            "<table>\n"
            + _row(heading, "th")
            + "".join(_row(_cells(one), "td") for one in priced)
            + "</table>\n"
        )
    yield "<ul>\n"
    for one in found.metrics:
        texts = [*([measures(one)] if one.false_stop is None else []), *remarks(one), *proposal(one)]
        yield from (f"<li>{_text(one.metric.name)}: {_text(text.strip(' -'))}</li>\n" for text in texts)
    yield from (f"<li>{_text(note)}</li>\n" for note in found.release.notes)
    if found.assumed:
        yield f"<li>assumed: {_text('; '.join(found.assumed))}</li>\n"
    yield "</ul>\n"
    for item, text in templates(found):
        yield f"<p class=soft>{_text(item)} with these limits, to apply in its place:</p>\n"
        yield f"<pre>{_text_block(text)}</pre>\n"


def _text_block(text: str) -> str:
    return "\n".join(_text(line) for line in text.splitlines())


def _cells(found: MetricOdds) -> tuple[str, ...]:
    powers = {harm.times: down(harm.power) for harm in found.harms}
    return (
        found.metric.name,
        measures(found),
        up(found.false_stop),
        *(powers.get(times, "-") for times in HARMS),
    )


def _row(cells: tuple[str, ...], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{_text(text)}</{tag}>" for text in cells) + "</tr>\n"


def _picture(release: Release) -> Picture:
    """Draw the weights in time; heights are square roots, so that 1% is visible, and an open end is lighter."""
    shapes: list[Shape] = []
    stages = [stage for stage in release.stages if stage.seconds or stage.waits]
    whole = sum(stage.seconds for stage in stages) or 1.0
    room = _WIDTH - _LEAST * len(stages)
    left = 0.0
    for stage in stages:
        width = _LEAST + max(0.0, room) * (stage.seconds / whole if whole > 1 else 1 / len(stages))
        height = max(2.0, _HEIGHT * math.sqrt(stage.weight))
        css = "waits" if stage.waits else "weight"
        shapes.append(
            Rect(left, _HEIGHT - height + 20, max(1.0, width - 2), height, css, visible(stage.label))
        )
        if width > 7 * len(stage.label):
            shapes.append(Label(left + width / 2, _HEIGHT - height + 15, visible(stage.label), "", "middle"))
        left += width
    shapes.append(Line(0, _HEIGHT + 20, max(_WIDTH, left), _HEIGHT + 20, "base"))
    return Picture(max(_WIDTH, left), _HEIGHT + 26, tuple(shapes))
