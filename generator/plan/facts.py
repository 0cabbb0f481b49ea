"""A plan as labelled facts: what people compare when they ask what a change does.

Everything that is rendered is among them, except what follows from other facts (a guard's share of the risk, the
gate key, digests of digests), so that equal facts mean an equal release and one decision shows as one difference.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from generator.plan.resolve import Planned
from generator.plan.strategy import Canary, Guard, Step
from generator.plan.values import Gate, Plan
from generator.spec.units import duration, percent

Topic = Literal[
    "model", "data", "image", "release", "step", "shadow", "guard", "gate", "capacity", "route", "service",
    "environment variable", "ownership", "metrics", "delivery", "live",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of a plan.

    Args:
        topic: what it is about; `live` only where a cluster is compared.
        item: which one of several; empty where there is one.
        field: name of the value, in words.
        text: the value, for people.
    """

    topic: Topic
    item: str
    field: str
    text: str

    @property
    def label(self) -> str:
        """What it is, in words."""
        return " ".join(part for part in (self.topic, self.item, self.field) if part)


# What follows from other facts, by the class that holds it.
_DERIVED = {
    "Guard": {"name", "index", "alpha", "mask_s", "ratio", "limit", "at_most"},
    "Bento": {"name", "path", "class_name", "tag", "version", "digest", "buckets", "scrape_s"},
    "Version": {"ref"},
}
_SHARES = {"percent", "false_rollback", "power", "target_cpu", "baseline"}


def facts(planned: Planned) -> tuple[Fact, ...]:
    """All facts of a plan; those of one item stand together, steps in their order."""
    plan = planned.plan
    return tuple(fact for part in _PARTS for fact in part(planned, plan))


def _model(planned: Planned, plan: Plan) -> Iterator[Fact]:
    # When it was locked (`version.at`) changes nothing that is released.
    yield Fact("model", "", "version", plan.version.label)
    yield Fact("model", "", "reference", plan.version.resolved)
    yield Fact("model", "", "digest", short(plan.version.digest))
    yield Fact("model", "", "locked at", plan.version.at)
    data = planned.written.lock.data if planned.written.lock else {}
    for ref, locked in sorted(data.items()):
        yield Fact("data", ref, "digest", short(locked.digest))
    yield Fact("image", "", "repository", plan.image.repository)
    yield Fact("image", "", "", short(plan.image.digest) if plan.image.digest else plan.image.tag)


def _release(planned: Planned, plan: Plan) -> Iterator[Fact]:
    del planned
    rollout = plan.rollout
    left_out = {"steps", "guards", "shadow", "risk"}
    yield from _fields("release", "", rollout, left_out)
    yield from _fields("release", "", rollout.risk)
    if isinstance(rollout, Canary):
        for index, step in enumerate(rollout.steps):
            yield from _step(str(index + 1), step)
        if rollout.shadow:
            yield from _fields("shadow", "", rollout.shadow, {"guards"})
            yield from _guards("shadow ", rollout.shadow.guards)
    yield from _guards("", rollout.guards)


def _step(number: str, step: Step) -> Iterator[Fact]:
    if step.weight is not None:
        yield Fact("step", number, "weight", f"{step.weight}%")
    if step.cohort is not None:
        cohort = step.cohort
        yield Fact("step", number, "cohort", f"{cohort.header} {cohort.match} {cohort.value}")
    if step.approve is not None:
        yield Fact("step", number, "approval", step.approve)
    else:
        yield Fact("step", number, "hold", duration(step.hold_s))


def _guards(prefix: str, guards: tuple[Guard, ...]) -> Iterator[Fact]:
    for guard in guards:
        name = prefix + guard.name
        yield Fact("guard", name, "threshold", threshold(guard))
        yield from _fields("guard", name, guard)


def threshold(guard: Guard) -> str:
    """What a guard must catch, or the bound that it keeps."""
    if guard.ratio is not None:
        return f"{'drop' if guard.ratio < 1 else 'rise'} of {percent(abs(1 - guard.ratio))}"
    limit = f"{guard.limit:g}" if guard.kind == "fairness" else percent(guard.limit or 0.0)
    return f"{'at most' if guard.at_most else 'at least'} {limit}"


def _gates(planned: Planned, plan: Plan) -> Iterator[Fact]:
    del planned
    for gate in plan.gates:
        yield from _gate(gate)
    yield Fact("gate", "", "evidence asked in", " and ".join(plan.enforcement))


def _gate(gate: Gate) -> Iterator[Fact]:
    yield Fact("gate", gate.name, "tool", gate.tool)
    for key, value in gate.config.items():
        if key not in {"name", "tool"}:
            yield Fact("gate", gate.name, _words(key), _text(key, value))
    if gate.waiver:
        held = gate.waiver
        text = f"until {held.until} by {held.approved_by}: {held.reason}"
        yield Fact("gate", gate.name, "waiver", text)


def _rest(planned: Planned, plan: Plan) -> Iterator[Fact]:
    del planned
    yield from _fields("capacity", "", plan.capacity)
    yield from _fields("route", "", plan.routing)
    yield from _fields("service", "", plan.bento)
    for item in plan.env:
        text = f"secret {item.secret[0]}/{item.secret[1]}" if item.secret else item.value or ""
        yield Fact("environment variable", item.name, "", text)
    yield from _fields("ownership", "", plan.identity, {"team", "model", "environment"})
    yield from _fields("metrics", "", plan.monitoring)
    yield from _fields("delivery", "", plan.delivery)
    yield from _fields("delivery", "gates", plan.gate_pods)


def _whole(planned: Planned, plan: Plan) -> Iterator[Fact]:
    """What the plan holds by itself; a field that is new there is told here until it gets a place of its own."""
    del planned
    yield from _fields("release", "", plan, _TOLD)


_TOLD = {
    "identity", "version", "image", "bento", "env", "routing", "capacity", "rollout", "gates", "gate_key",
    "enforcement", "monitoring", "delivery", "gate_pods",
}  # fmt: skip
_PARTS = (_model, _release, _gates, _rest, _whole)


def _fields(topic: Topic, item: str, value: Any, left_out: Collection[str] = ()) -> Iterator[Fact]:
    """The fields of a frozen value, in words; what is not set is left out."""
    for name in _names(type(value)):
        inner = getattr(value, name)
        if inner and name not in left_out:
            yield Fact(topic, item, _words(name), _text(name, inner))


_told: dict[type[Any], tuple[str, ...]] = {}  # asked for a hundred times a plan


def _names(kind: type[Any]) -> tuple[str, ...]:
    """Names of a class's fields, without those that follow from others."""
    if kind not in _told:
        derived = _DERIVED.get(kind.__name__, set())
        _told[kind] = tuple(f.name for f in dataclasses.fields(kind) if f.name not in derived)
    return _told[kind]


@lru_cache(maxsize=1024)
def _words(name: str) -> str:
    """A field's name as people say it: `delay_s` and `noData` are `delay` and `no data`."""
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in name).replace("_", " ")
    return spaced.removesuffix(" s")


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return _number(name, value)
    if isinstance(value, dict):
        return ", ".join(f"{_words(key)} {_text(key, inner)}" for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(name, inner) for inner in value)
    if dataclasses.is_dataclass(value):
        told = (f"{fact.field} {fact.text}" for fact in _fields("service", "", value))
        return "; ".join(told)
    return str(value)


def _number(name: str, value: float) -> str:
    if name.endswith("_s"):
        return duration(value)
    return percent(value) if name in _SHARES else f"{value:.12g}"


def short(digest: str) -> str:
    """The first twelve digits of a digest, which tell it from any other one at hand."""
    algorithm, _, digits = digest.rpartition(":")
    return f"{algorithm}:{digits[:12]}" if algorithm else digits[:12]
