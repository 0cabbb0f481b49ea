"""Equal differences grouped: the blast radius of a change that affects many models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from generator.dataclass import dataclass
from generator.plan.changes import Change
from generator.report.diffs.compare import Difference
from generator.report.diffs.direction import METRICS, Strictness

_MOST_PAIRS = 4  # with more different values of one field, only the field is shown


@dataclass(frozen=True, slots=True)
class Group:
    """One difference and the plans that show it.

    Args:
        label: what differs.
        text: old and new value; `each its own` where models have different values.
        members: the plans.
        direction: looser, stricter, or neither.
        lost: a guard was removed.
    """

    label: str
    text: str
    members: tuple[Difference, ...]
    direction: Strictness = ""
    lost: bool = False

    @property
    def how(self) -> str:
        """Old and new value, with the direction."""
        return f"{self.text} ({self.direction})" if self.direction else self.text

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models, each once, sorted."""
        return tuple(sorted({member.name for member in self.members}))

    @property
    def environments(self) -> tuple[str, ...]:
        """The environments, each once, in the platform's order."""
        return tuple(dict.fromkeys(member.environment for member in self.members))


def groups(found: Sequence[Difference]) -> list[Group]:
    """Group differences that several plans share, the widest first.

    The model's own name inside a value is ignored: a new registry is one difference.
    """
    by_label: dict[str, dict[_Pair, list[Difference]]] = {}
    for difference in found:
        if difference.status == "unreadable":
            continue
        for change in difference.changes:
            label = change.label if difference.status == "changed" else f"model {difference.status}"
            pairs = by_label.setdefault(label, {})
            pairs.setdefault(_pair(change, difference), []).append(difference)
    out = [group for label, pairs in by_label.items() for group in _of_label(label, pairs)]
    return sorted(out, key=lambda group: (not group.lost, -len(group.models), group.label, group.text))


class _Pair(NamedTuple):
    """An old and a new value, without the names of the model."""

    old: str
    new: str
    direction: Strictness
    lost: bool


def _of_label(label: str, pairs: dict[_Pair, list[Difference]]) -> list[Group]:
    members = [difference for found in pairs.values() for difference in found]
    if label in {"model added", "model removed"}:
        return [Group(label, "", tuple(members))]
    if len(pairs) > _MOST_PAIRS:
        directions = {pair.direction for pair in pairs}
        direction: Strictness = directions.pop() if len(directions) == 1 else ""
        return [Group(label, "each its own", tuple(members), direction, any(pair.lost for pair in pairs))]
    return [
        Group(label, _told(pair.old, pair.new), tuple(found), pair.direction, pair.lost)
        for pair, found in pairs.items()
    ]


def _pair(change: Change, difference: Difference) -> _Pair:
    lost = change.topic == "guard" and any(harm.guard == change.item for harm in difference.lost)
    old, new = (_general(text, difference) for text in (change.old, change.new))
    return _Pair(old, new, difference.direction(change), lost)


def _general(text: str | None, difference: Difference) -> str:
    """Return a value with the plan's own names as placeholders."""
    if text is None:
        return ""
    for own, name in (("{model}", difference.model), ("{team}", difference.team)):
        text = text.replace(f"/{name}", f"/{own}").replace(f"{name}.", f"{own}.")
    return text.replace(f"{difference.team}-{difference.environment}", "{team}-{environment}")


def _told(old: str, new: str) -> str:
    if not old:
        return f"added: {new}"
    return f"{old} → {new}" if new else f"removed, was {old}"


@dataclass(frozen=True, slots=True)
class Trend:
    """The direction of one key metric over all plans that differ.

    Args:
        name: the number.
        worse: plans in which it gets worse.
        better: plans in which it gets better.
        extreme: the plan with the worst value now.
    """

    name: str
    worse: int
    better: int
    extreme: Difference


def trends(found: Sequence[Difference]) -> list[Trend]:
    """Return the key metrics that change in plans that exist on both sides."""
    out = []
    for key, (name, sign) in METRICS.items():
        moved = [
            (difference, before, after)
            for difference in found
            if difference.old and difference.new
            for before, after in [(getattr(difference.old, key), getattr(difference.new, key))]
            if before is not None and after is not None and before != after
        ]
        if moved:
            worse = sum(1 for _, before, after in moved if sign * (after - before) > 0)
            extreme = max(moved, key=lambda item: (sign * item[2], item[0].name))[0]
            out.append(Trend(name, worse, len(moved) - worse, extreme))
    return out


def cost(found: Sequence[Difference]) -> tuple[float, str] | None:
    """Return the monthly cost of all differences, and the currency; None without prices."""
    sides = [side for d in found for side in (d.old, d.new) if side and side.monthly is not None]
    if not sides:
        return None
    return sum(_monthly(d.new) - _monthly(d.old) for d in found), sides[-1].currency


def _monthly(side: object) -> float:
    return float(getattr(side, "monthly", None) or 0.0)
