"""The odds of a tree as text."""

from __future__ import annotations

from collections.abc import Iterator

from generator.odds.trees.codes import TRAPS
from generator.odds.trees.values import HARMS, MetricOdds, ReleaseOdds, TreeOdds
from generator.report.tables import Block, Screen, Table
from generator.report.trees.words import down, headline, measures, proposal, remarks, templates, timeline, up
from generator.spec.quantities import plural


def render(found: TreeOdds, screen: Screen) -> str:
    """Write the odds of a tree."""
    lines: list[str] = []
    for release in found.releases:
        place = release.release.object.place(())
        lines += screen.title(
            f"{release.release.object} ({release.release.tool}, {release.release.strategy}), {place}"
        )
        lines += screen.body(_blocks(release))
        for one in release.metrics:
            lines += screen.body(proposal(one))
        for item, text in templates(release):
            # Lines of YAML are never wrapped, so that they can be pasted.
            lines += screen.body([f"{item} with these limits, to apply in its place:"])
            lines += [f"    {line}".rstrip() for line in text.splitlines()]
        lines.append("")
    if found.unused:
        lines += screen.title("Templates that no release of the tree uses")
        lines += screen.body(_unused(found.unused))
        lines.append("")
    lines += screen.body(summary(found), indent="")
    return "".join(f"{line}\n" for line in lines)


def _blocks(found: ReleaseOdds) -> Iterator[Block]:
    yield timeline(found.release)
    yield headline(found)
    priced = [one for one in found.metrics if one.false_stop is not None]
    if priced:
        yield Table.of([_heading(), *map(_row, priced)], drop=(3, 5))
    for one in found.metrics:
        yield f"- {one.metric.name} ({one.metric.step}): {measures(one)}"
        for text in remarks(one):
            yield f"    {text}"
    for note in found.release.notes:
        yield f"- {note}"
    if found.assumed:
        yield f"- assumed: {'; '.join(found.assumed)}"


def _heading() -> tuple[str, ...]:
    return ("metric", "in", "good version stopped", *(f"{times:g}x caught" for times in HARMS))


def _row(found: MetricOdds) -> tuple[str, ...]:
    powers = {harm.times: down(harm.power) for harm in found.harms}
    shown = (powers.get(times, "-") for times in HARMS)
    return (found.metric.name, found.metric.step, up(found.false_stop), *shown)


def _unused(metrics: tuple[MetricOdds, ...]) -> Iterator[Block]:
    for one in metrics:
        yield f"- {one.metric.template} {one.metric.name}: {measures(one)}"
        for trap, text in one.traps:
            yield f"    {trap} ({TRAPS[trap]}): {text}"


def summary(found: TreeOdds) -> Iterator[str]:
    """Yield what was read, recognized and left unknown."""
    metrics = found.metrics
    known = sum(one.measure.kind != "unknown" for one in metrics)
    yield (
        f"{plural(len(found.releases), 'release')} in {plural(found.files, 'file')}; "
        f"{known:,} of {plural(len(metrics), 'metric')} recognized, {len(metrics) - known:,} unknown"
    )
    for text in found.unread:
        yield f"not read: {text}"
