"""A comparison for the terminal: model by model, or grouped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from generator.odds.key_metrics import count_up
from generator.report.compared.compare import Comparison, Difference
from generator.report.compared.groups import cost, groups, trends
from generator.report.compared.shared import shared_groups
from generator.report.formats.characters import visible
from generator.report.sections.section import table

_SHOWN = 5
_BOLD, _END = "\x1b[1m", "\x1b[0m"


def by_model(compared: Comparison, against: str, *, color: bool = False) -> str:
    """Every model that differs, with what differs; what all its environments share stands once."""
    if not compared.differ:
        return f"nothing differs from {against}\n"
    lines = []
    for name, found in groupby(compared.found, key=lambda difference: difference.name):
        lines += [_heading(name, color=color), *_model(list(found)), ""]
    lines += [*_shared(compared), *_templates(compared)]
    return "\n".join([*lines, f"{size(compared)} from {against}"]) + "\n"


def _model(found: Sequence[Difference]) -> Iterator[str]:
    for texts, members in shared(found):
        where = ", ".join(member.environment for member in members)
        if where and not (len(members) == len(found) and len(found) > 1):
            yield f"  {where}"
        elif where:
            yield f"  {where}: the same everywhere"
        yield from (f"    {visible(text)}" for text in texts)


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


def blast_radius(compared: Comparison, against: str, *, color: bool = False) -> str:
    """How many bundles differ and how, the widest difference first."""
    if not compared.differ:
        return f"no bundle changes: nothing differs from {against}\n"
    out = [_heading(f"{size(compared)} from {against}", color=color)]
    rows = [
        (
            plural(len(group.models), "model"),
            group.label,
            visible(group.text),
            _where(compared, group.environments),
            some(group.models),
        )
        for group in groups(compared.found)
    ]
    out += [f"  {line}" for line in table(rows)]
    out += [*([""] if rows else []), *_shared(compared)[:-1]] if compared.shared else []
    numbers = list(_trends(compared.found))
    if numbers:
        out += ["", _heading("What that does to the numbers", color=color), *(f"  {n}" for n in numbers)]
    out += [f"  {d.name}: {visible(d.reason)}" for d in compared.found if d.status == "unreadable"]
    out += ["", *_templates(compared)] if compared.templates else []
    return "\n".join(out) + "\n"


def _where(compared: Comparison, environments: Sequence[str]) -> str:
    return "everywhere" if len(environments) == compared.environments > 1 else ", ".join(environments)


def _trends(found: Sequence[Difference]) -> Iterator[str]:
    rows = []
    for trend in trends(found):
        old, new = trend.extreme.numbers.get(trend.name, (None, None))
        at = f"worst: {trend.extreme.name} in {trend.extreme.environment}, {old} → {new}"
        rows.append((trend.name, f"worse in {plural(trend.worse, 'plan')}", f"better in {trend.better}", at))
    yield from table(rows)
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


def _shared(compared: Comparison) -> list[str]:
    if not compared.shared:
        return []
    said = "bundles that belong to no model:"
    return [said, *(f"  {line}" for line in table(shared_rows(compared))), ""]


def _templates(compared: Comparison) -> list[str]:
    if not compared.templates:
        return []
    names = ", ".join(compared.templates)
    return [f"templates of this repository that differ, and may change every bundle: {names}", ""]


def _heading(text: str, *, color: bool) -> str:
    return f"{_BOLD}{text}{_END}" if color else text
