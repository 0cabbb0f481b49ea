"""The differences between two plans of one model, in a reviewer's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from generator.dataclass import dataclass
from generator.plan.describe import PlanValue, Topic, describe
from generator.plan.resolve import Planned

Items = dict[tuple[Topic, str], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Args:
        topic: the part of the plan.
        item: the name of a guard, the number of a step (of the newer plan if it has it) and so on.
        field: name of the value; empty when a whole item was added or removed.
        old: the older value; None when it was added.
        new: the newer value; None when it was removed.
    """

    topic: Topic
    item: str
    field: str
    old: str | None
    new: str | None

    @property
    def label(self) -> str:
        """The name of what changed, in words."""
        return " ".join(part for part in (self.topic, self.item, self.field) if part)

    @property
    def text(self) -> str:
        """The difference on one line."""
        if self.old is None:
            return f"{self.label}: added, {self.new}" if self.new else f"{self.label}: added"
        if self.new is None:
            return f"{self.label}: removed, was {self.old}" if self.field else f"{self.label}: removed"
        return f"{self.label}: {self.old} → {self.new}"


def changes(old: Planned | None, new: Planned | None) -> tuple[Change, ...]:
    """Return the differences from an older to a newer plan, in the order in which a plan is described.

    Steps are aligned like the lines of a text, so an inserted step does not change the others.

    Args:
        old: the older plan; None for a new model.
        new: the newer plan; None for a removed model.
    """
    if old is None or new is None:
        return (_whole(old, new),) if old or new else ()
    if old.plan == new.plan and old.source.lock == new.source.lock:
        return ()
    before, after = _items(describe(old)), _items(describe(new))
    steps = tuple(_steps(before, after))
    plain_before = {key: value for key, value in before.items() if key[0] != "step"}
    plain_after = {key: value for key, value in after.items() if key[0] != "step"}
    found = tuple(_between(plain_before, plain_after))
    order = {topic: index for index, topic in enumerate(Topic.__args__)}  # type: ignore[attr-defined]
    return tuple(sorted((*found, *steps), key=lambda change: order[change.topic]))


def _whole(old: Planned | None, new: Planned | None) -> Change:
    return Change("model", "", "", _headline(old), _headline(new))


def _headline(planned: Planned | None) -> str | None:
    if planned is None:
        return None
    plan = planned.plan
    return f"version {plan.version.label}, {plan.rollout.strategy}, tier {plan.identity.tier}"


def _items(values: Sequence[PlanValue]) -> Items:
    """Return the values by item, then by field."""
    items: Items = {}
    for value in values:
        items.setdefault((value.topic, value.item), {})[value.field] = value.text
    return items


def _between(before: Items, after: Items) -> Iterator[Change]:
    for key in dict.fromkeys((*after, *before)):
        yield from _of_item(key, before.get(key), after.get(key))


def _of_item(
    key: tuple[Topic, str], old: dict[str, str] | None, new: dict[str, str] | None
) -> Iterator[Change]:
    topic, item = key
    if item and (old is None or new is None):
        yield Change(topic, item, "", _summary(old), _summary(new))
        return
    for field in dict.fromkeys((*(new or {}), *(old or {}))):
        was, now = (old or {}).get(field), (new or {}).get(field)
        if was != now:
            yield Change(topic, item, field, was, now)


def _summary(fields: dict[str, str] | None) -> str | None:
    return None if fields is None else ", ".join(f"{name} {text}".strip() for name, text in fields.items())


def _steps(before: Items, after: Items) -> Iterator[Change]:
    old = [fields for (topic, _), fields in before.items() if topic == "step"]
    new = [fields for (topic, _), fields in after.items() if topic == "step"]
    was, now = ([tuple(fields.items()) for fields in side] for side in (old, new))
    blocks = SequenceMatcher(None, was, now, autojunk=False)
    for kind, a, a_end, b, b_end in blocks.get_opcodes():
        if kind == "equal":
            continue
        paired = min(a_end - a, b_end - b)
        for offset in range(paired):
            yield from _step(b + offset, old[a + offset], new[b + offset])
        for index in range(a + paired, a_end):
            gone = next(_of_item(("step", str(index + 1)), old[index], None))
            yield replace(gone, item=f"{index + 1} (old)")
        for index in range(b + paired, b_end):
            yield from _of_item(("step", str(index + 1)), None, new[index])


def _step(index: int, old: dict[str, str], new: dict[str, str]) -> Iterator[Change]:
    """Yield the changes of a step; a step of another kind is one change."""
    if old.keys() == new.keys():
        yield from _of_item(("step", str(index + 1)), old, new)
    else:
        yield Change("step", str(index + 1), "", _summary(old), _summary(new))
