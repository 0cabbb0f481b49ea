"""A comparison for the terminal: model by model, or grouped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from generator.odds.harms import Harm
from generator.plan.changes import Change
from generator.report.diffs.compare import Comparison, Difference, NumberChange, applies
from generator.report.diffs.direction import Direction, Strictness, is_assumption, of_values
from generator.report.diffs.groups import cost, groups, trends
from generator.report.diffs.shared import shared_groups
from generator.report.tables import Block, Screen, Table
from generator.source.line import visible
from generator.spec.quantities import count_up, plural

_SHOWN = 5
NO_RELEASE: Final = "so no release starts: steps, guards and gates apply from the next release on"
SGR: Final[dict[Direction | Strictness, str]] = {
    "worse": "31",
    "better": "32",
    "looser": "31",
    "stricter": "32",
    "": "",
}
"""Colors of a difference on a terminal: red for looser and worse, green for stricter and better."""


def by_model(compared: Comparison, against: str, screen: Screen) -> str:
    """Return what differs in every model; what all its environments share is shown once."""
    if not compared.differ:
        return f"nothing differs from {against}\n"
    lines: list[str] = []
    for name, found in groupby(compared.found, key=lambda difference: difference.name):
        lines += [*screen.title(name), *_model(list(found), screen), ""]
    lines += [*_policies(compared, screen), *_shared(compared, screen), *_templates(compared, screen)]
    lines += screen.body([f"{size(compared)} from {against}", outcome(compared)], "")
    return "".join(f"{line}\n" for line in lines)


def _model(found: Sequence[Difference], screen: Screen) -> Iterator[str]:
    for texts, members in shared(found):
        where = ", ".join(member.environment for member in members)
        if where and not (len(members) == len(found) and len(found) > 1):
            yield from screen.body([where])
        elif where:
            yield from screen.body([f"{where}: the same everywhere"])
        for line in texts:
            yield from screen.body([visible(line.text)], "    ", SGR[line.direction])


class Line(NamedTuple):
    """One difference and its direction."""

    text: str
    direction: Direction | Strictness = ""


def shared(found: Sequence[Difference]) -> list[tuple[tuple[Line, ...], list[Difference]]]:
    """Group the environments of one model that differ in the same way, with the lines that describe how."""
    out: dict[tuple[Line, ...], list[Difference]] = {}
    for difference in found:
        out.setdefault(tuple(lines(difference)), []).append(difference)
    return list(out.items())


def lines(difference: Difference) -> Iterator[Line]:
    """Yield what differs in one plan: lost guards first, then decisions, then what they do to the numbers."""
    if difference.reason:
        yield Line(difference.reason)
    lost = {harm.guard: harm for harm in difference.lost}
    for change in difference.changes:
        gone = lost.pop(change.item, None) if change.topic == "guard" else None
        text = f"{change.text}; {gone.text}" if gone else change.text
        yield Line(f"{text}{_marks(difference, change)}", difference.direction(change))
    if difference.status != "changed":
        return
    yield from (Line(f"so {harm.text}", _odds(harm)) for harm in (*lost.values(), *_kept(difference)))
    for name, (old, new, direction) in difference.numbers.items():
        yield Line(f"so {name}: {old or 'none'} → {new or 'none'}", direction)
    if difference.old is not None:
        if difference.held and not difference.starts_release:
            yield Line(f"so no release starts; {difference.held}")
        else:
            yield Line("so a release starts" if difference.starts_release else NO_RELEASE)


def _marks(difference: Difference, change: Change) -> str:
    """Return what a reviewer should know about a change, in brackets; empty if there is nothing."""
    at_once = "at once, to everybody" if applies(change) == "at once" else ""
    if difference.held and applies(change) == "release":
        at_once = "held"
    assumed = "an assumption of the odds" if is_assumption(change) else ""
    marks = ", ".join(filter(None, (difference.direction(change), at_once, assumed)))
    return f" ({marks})" if marks else ""


def _kept(difference: Difference) -> list[Harm]:
    return [harm for harm in difference.harms if not harm.lost]


def _odds(harm: Harm) -> Direction:
    return of_values(harm.old.share, harm.new.share, -1)


def blast_radius(compared: Comparison, against: str, screen: Screen) -> str:
    """Return how many bundles differ and how, the widest difference first."""
    if not compared.differ:
        return f"no bundle changes: nothing differs from {against}\n"
    out = [*screen.title(f"{size(compared)} from {against}")]
    rows = [
        (
            plural(len(group.models), "model"),
            group.label,
            group.how,
            f"{_where(compared, group.environments)}: {some(group.models)}",
        )
        for group in groups(compared.found)
    ]
    out += screen.body([Table.of(rows)])
    out += [*([""] if rows else []), *_policies(compared, screen)[:-1]] if compared.policies else []
    out += [*([""] if rows else []), *_shared(compared, screen)[:-1]] if compared.shared else []
    numbers = list(_trends(compared.found))
    if numbers:
        out += ["", *screen.title("What that does to the numbers"), *screen.body(numbers)]
    out += screen.body(f"{d.name}: {visible(d.reason)}" for d in compared.found if d.status == "unreadable")
    out += ["", *_templates(compared, screen)[:-1]] if compared.templates else []
    out += ["", *screen.body([outcome(compared)], "")]
    return "".join(f"{line}\n" for line in out)


def _where(compared: Comparison, environments: Sequence[str]) -> str:
    return "everywhere" if len(environments) == compared.environments > 1 else ", ".join(environments)


def _trends(found: Sequence[Difference]) -> Iterator[Block]:
    rows = []
    for trend in trends(found):
        old, new, _ = trend.extreme.numbers.get(trend.name, NumberChange(None, None, ""))
        at = f"worst: {trend.extreme.name} in {trend.extreme.environment}, {old} → {new}"
        rows.append((trend.name, f"worse in {plural(trend.worse, 'plan')}", f"better in {trend.better}", at))
    if rows:
        yield Table.of(rows)
    added = cost(found)
    if added and round(added[0], 2):
        yield f"all together: {added[0]:+.2f} {added[1]} a month"


def outcome(compared: Comparison) -> str:
    """Return how many models change and how many releases start and how many bundles change without one."""
    models = len({difference.name for difference in compared.found})
    releases = sum(1 for difference in compared.found if difference.starts_release)
    at_once = sum(
        1
        for difference in compared.found
        if difference.status == "changed"
        and any(applies(change) == "at once" for change in difference.changes)
    )
    parts = [
        f"{plural(models, 'model')} change{'s' if models == 1 else ''}",
        f"{plural(releases, 'release')} start{'s' if releases == 1 else ''}"
        if releases
        else "no release starts",
    ]
    held = sum(1 for difference in compared.found if difference.held)
    if held:
        parts.append(f"{plural(held, 'release')} wait{'s' if held == 1 else ''} for a promotion")
    if at_once:
        parts.append(f"{plural(at_once, 'bundle')} change{'s' if at_once == 1 else ''} at once for everybody")
    return ", ".join(parts)


def size(compared: Comparison) -> str:
    """Return how much differs, in one sentence."""
    bundles = sum(1 for difference in compared.found if difference.status != "unreadable")
    models = len({difference.name for difference in compared.found})
    total = compared.models * max(compared.environments, 1)
    parts = [
        f"{count_up(bundles)} of {plural(total, 'bundle')}",
        f"{count_up(models)} of {plural(compared.models, 'model')}",
    ]
    last = compared.models
    text = ", ".join(parts)
    if compared.shared:
        last = compared.shared_total
        text += f" and {count_up(len(compared.shared))} of {plural(last, 'shared bundle')}"
    return f"{text} differ{'s' if last == 1 else ''}"


def some(names: Sequence[str]) -> str:
    """Return the first few of many names."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def shared_rows(compared: Comparison) -> list[tuple[str, str, str, str, str]]:
    """Return bundles of no model in rows: how many, which kind, what differs, environments, teams."""
    return [
        (
            plural(group.count, "bundle"),
            group.label,
            group.how,
            _where(compared, group.environments),
            some(group.teams) or "the platform",
        )
        for group in shared_groups(compared.shared)
    ]


def _policies(compared: Comparison, screen: Screen) -> list[str]:
    """Return the rules of the platform that differ, as lines of text."""
    if not compared.policies:
        return []
    lines = [*screen.body(["rules of the platform:"], "")]
    for change in compared.policies:
        lines += screen.body([f"{change.key}: {visible(change.how)}"], sgr=SGR[change.direction])
    return [*lines, ""]


def _shared(compared: Comparison, screen: Screen) -> list[str]:
    if not compared.shared:
        return []
    title = screen.body(["bundles that belong to no model:"], "")
    rows = [
        (count, label, how, f"{where}: {which}") for count, label, how, where, which in shared_rows(compared)
    ]
    return [*title, *screen.body([Table.of(rows)]), ""]


def _templates(compared: Comparison, screen: Screen) -> list[str]:
    if not compared.templates:
        return []
    names = ", ".join(compared.templates)
    said = f"templates of this repository that differ: {names}"
    return [*screen.body([said], ""), ""]
