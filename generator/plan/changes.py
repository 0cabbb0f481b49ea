"""What differs between two plans of one model, as a reviewer would say it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import groupby

from generator.plan.describe import PlanValue, Topic, describe
from generator.plan.resolve import Planned

Items = dict[tuple[Topic, str], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Args:
        topic: what it is about.
        item: which one of several, such as the name of a guard or the number of a step; of the newer plan if it has it.
        field: name of the value; empty where a whole item came or went.
        old: what it was; None when there was none.
        new: what it is; None when there is none any more.
    """

    topic: Topic
    item: str
    field: str
    old: str | None
    new: str | None

    @property
    def label(self) -> str:
        """What changed, in words."""
        return " ".join(part for part in (self.topic, self.item, self.field) if part)

    @property
    def text(self) -> str:
        """The whole difference on one line."""
        if self.old is None:
            return f"{self.label}: new, {self.new}"
        if self.new is None:
            return f"{self.label}: gone, was {self.old}"
        return f"{self.label}: {self.old} → {self.new}"


def changes(old: Planned | None, new: Planned | None) -> tuple[Change, ...]:
    """What differs from an older to a newer plan, in the order of the newer one's facts.

    Steps are aligned as lines of a text are: a step that was put in between moves none of the others.

    Args:
        old: the older plan; None for a model that was not there.
        new: the newer plan; None for a model that is gone.
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
    def told(planned: Planned | None) -> str | None:
        if planned is None:
            return None
        plan = planned.plan
        return f"version {plan.version.label}, {plan.rollout.strategy}, tier {plan.identity.tier}"

    return Change("model", "", "", told(old), told(new))


def _items(found: Sequence[PlanValue]) -> Items:
    """Facts by item, then by field; an item's facts stand together."""
    items: Items = {}
    for key, of_item in groupby(found, key=lambda fact: (fact.topic, fact.item)):
        items.setdefault(key, {}).update({fact.field: fact.text for fact in of_item})
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
    """A step of the same kind changed; one of another kind replaced it."""
    if old.keys() == new.keys():
        yield from _of_item(("step", str(index + 1)), old, new)
    else:
        yield Change("step", str(index + 1), "", _summary(old), _summary(new))
