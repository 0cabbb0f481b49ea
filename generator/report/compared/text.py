"""A comparison for the terminal: model by model, or grouped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from generator.odds.key_metrics import count_up
from generator.report.compared.compare import Comparison, Difference
from generator.report.compared.groups import cost, groups, trends
from generator.report.compared.shared import shared_groups
from generator.report.formats.characters import visible
from generator.report.tables import Block, Screen, Table

_SHOWN = 5


def by_model(compared: Comparison, against: str, screen: Screen) -> str:
    """Return what differs in every model; what all its environments share is said once."""
    if not compared.differ:
        return f"nothing differs from {against}\n"
    lines: list[str] = []
    for name, found in groupby(compared.found, key=lambda difference: difference.name):
        lines += [*screen.title(name), *_model(list(found), screen), ""]
    lines += [*_shared(compared, screen), *_templates(compared, screen)]
    lines += screen.body([f"{size(compared)} from {against}"], "")
    return "".join(f"{line}\n" for line in lines)


def _model(found: Sequence[Difference], screen: Screen) -> Iterator[str]:
    for texts, members in shared(found):
        where = ", ".join(member.environment for member in members)
        if where and not (len(members) == len(found) and len(found) > 1):
            yield from screen.body([where])
        elif where:
            yield from screen.body([f"{where}: the same everywhere"])
        yield from screen.body(map(visible, texts), "    ")


def shared(found: Sequence[Difference]) -> list[tuple[tuple[str, ...], list[Difference]]]:
    """Environments of one model that differ in the same way, together, with the lines that say how."""
    out: dict[tuple[str, ...], list[Difference]] = {}
    for difference in found:
        out.setdefault(tuple(lines(difference)), []).append(difference)
    return list(out.items())


def lines(difference: Difference) -> Iterator[str]:
    """What differs in one plan: decisions first, then what they do to the numbers."""
    if difference.reason:
        yield difference.reason
    yield from (change.text for change in difference.changes)
    if difference.status == "changed":
        yield from (
            f"so {name}: {old or 'none'} → {new or 'none'}" for name, (old, new) in difference.numbers.items()
        )


def blast_radius(compared: Comparison, against: str, screen: Screen) -> str:
    """Return how many bundles differ and how, the widest difference first."""
    if not compared.differ:
        return f"no bundle changes: nothing differs from {against}\n"
    out = [*screen.title(f"{size(compared)} from {against}")]
    rows = [
        (
            plural(len(group.models), "model"),
            group.label,
            group.text,
            f"{_where(compared, group.environments)}: {some(group.models)}",
        )
        for group in groups(compared.found)
    ]
    out += screen.body([Table.of(rows)])
    out += [*([""] if rows else []), *_shared(compared, screen)[:-1]] if compared.shared else []
    numbers = list(_trends(compared.found))
    if numbers:
        out += ["", *screen.title("What that does to the numbers"), *screen.body(numbers)]
    out += screen.body(f"{d.name}: {visible(d.reason)}" for d in compared.found if d.status == "unreadable")
    out += ["", *_templates(compared, screen)] if compared.templates else []
    return "".join(f"{line}\n" for line in out)


def _where(compared: Comparison, environments: Sequence[str]) -> str:
    return "everywhere" if len(environments) == compared.environments > 1 else ", ".join(environments)


def _trends(found: Sequence[Difference]) -> Iterator[Block]:
    rows = []
    for trend in trends(found):
        old, new = trend.extreme.numbers.get(trend.name, (None, None))
        at = f"worst: {trend.extreme.name} in {trend.extreme.environment}, {old} → {new}"
        rows.append((trend.name, f"worse in {plural(trend.worse, 'plan')}", f"better in {trend.better}", at))
    if rows:
        yield Table.of(rows)
    added = cost(found)
    if added and round(added[0], 2):
        yield f"all together: {added[0]:+.2f} {added[1]} a month"


def size(compared: Comparison) -> str:
    """How much differs, in one sentence."""
    bundles = sum(1 for difference in compared.found if difference.status != "unreadable")
    models = len({difference.name for difference in compared.found})
    total = compared.models * max(compared.environments, 1)
    shared = f" and {count_up(len(compared.shared))} of {count_up(compared.shared_total)} shared bundles"
    return (
        f"{count_up(bundles)} of {count_up(total)} bundles, {count_up(models)} of {count_up(compared.models)}"
        f" models{shared if compared.shared else ''} differ"
    )


def some(names: Sequence[str]) -> str:
    """The first few of many names."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def plural(count: int, what: str) -> str:
    """A count and its noun."""
    return f"{count_up(count)} {what}{'' if count == 1 else 's'}"


def shared_rows(compared: Comparison) -> list[tuple[str, str, str, str, str]]:
    """Bundles that belong to no model: how many, what they are, what differs, where, whose."""
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
    said = f"templates of this repository that differ, and may change every bundle: {names}"
    return [*screen.body([said], ""), ""]
