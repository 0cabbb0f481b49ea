"""A plan as labelled values, which people compare to see what a change does.

The values cover everything that is rendered, except what follows from other values (a guard's share of the risk, the
gate key, digests of digests). Equal values therefore mean an equal release, and one decision is one difference.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Any, Literal, assert_never

from generator.dataclass import dataclass
from generator.plan.guards import Guard
from generator.plan.resolve import Planned
from generator.plan.values import Gate, Plan
from generator.spec.record import Record
from generator.spec.rollout import ApproveStep, BlueGreen, CohortStep, Step, WeightStep
from generator.spec.units import duration, percent

Topic = Literal[
    "model", "data", "image", "release", "step", "shadow", "guard", "gate", "capacity", "route", "service",
    "environment variable", "pod", "ownership", "metrics", "delivery", "tier", "live", "template",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlanValue:
    """One value of a plan.

    Args:
        topic: the part of the plan; `live` only when a cluster is compared, `tier` only when a model moves, `template`
            only when templates of the repository differ.
        item: the name of a guard, the number of a step and so on; empty for a single part.
        field: name of the value, in words.
        text: the value, formatted for people.
    """

    topic: Topic
    item: str
    field: str
    text: str

    @property
    def label(self) -> str:
        """The name of the value, in words."""
        return " ".join(part for part in (self.topic, self.item, self.field) if part)


# Fields that follow from other values, by class.
_DERIVED = {
    "Bento": {"name", "path", "class_name", "tag", "version", "digest", "buckets", "scrape_s"},
    "Container": {"name", "version", "digest"},
    "Version": {"ref"},
}
_SHARES = {"false_rollback", "power", "target_cpu"}


def describe(planned: Planned) -> tuple[PlanValue, ...]:
    """Return all values of a plan, in groups by item, steps in their order."""
    return tuple(value for part in _PARTS for value in part(planned, planned.plan))


def _model(planned: Planned, plan: Plan) -> Iterator[PlanValue]:
    yield PlanValue("model", "", "version", plan.version.label)
    yield PlanValue("model", "", "reference", plan.version.resolved)
    yield PlanValue("model", "", "digest", short(plan.version.digest))
    yield PlanValue("model", "", "locked at", plan.version.at)
    data = planned.source.lock.data if planned.source.lock else {}
    for ref, locked in sorted(data.items()):
        yield PlanValue("data", ref, "digest", short(locked.digest))
    yield PlanValue("image", "", "repository", plan.image.repository)
    yield PlanValue("image", "", "", short(plan.image.digest) if plan.image.digest else plan.image.tag)


def _release(planned: Planned, plan: Plan) -> Iterator[PlanValue]:
    del planned
    rollout = plan.rollout
    if isinstance(rollout, BlueGreen):
        yield PlanValue("release", "", "approve", rollout.approve)
        yield PlanValue("release", "", "preview replicas", str(rollout.preview.replicas))
        yield PlanValue("release", "", "watch", duration(rollout.watch))
    yield PlanValue("release", "", "no data", rollout.no_data)
    yield PlanValue("release", "", "strategy", rollout.strategy)
    yield from _fields("release", "", rollout.risk)
    for index, step in enumerate(rollout.steps):
        yield from _step(str(index + 1), step)
    if rollout.shadow:
        yield PlanValue("shadow", "", "percent", percent(rollout.shadow.percent))
        yield PlanValue("shadow", "", "hold", duration(rollout.shadow.hold))
    for guard in plan.shadow_guards:
        yield from _guard(f"shadow {guard.name}", guard)
    for guard in plan.guards:
        yield from _guard(guard.name, guard)


def _step(number: str, step: Step) -> Iterator[PlanValue]:
    match step:
        case WeightStep():
            yield PlanValue("step", number, "weight", f"{step.weight}%")
            yield PlanValue("step", number, "hold", duration(step.hold))
        case CohortStep():
            cohort = step.cohort
            yield PlanValue("step", number, "cohort", f"{cohort.header} {cohort.match} {cohort.value}")
            yield PlanValue("step", number, "requests", str(step.requests))
            yield PlanValue("step", number, "hold", duration(step.hold))
        case ApproveStep():
            yield PlanValue("step", number, "approval", step.approve)
        case _:
            assert_never(step)


def _guard(name: str, guard: Guard) -> Iterator[PlanValue]:
    yield PlanValue("guard", name, "threshold", guard.threshold)
    yield PlanValue("guard", name, "kind", guard.kind)
    yield PlanValue("guard", name, "subject", guard.subject)
    if guard.bound_s:
        yield PlanValue("guard", name, "bound", duration(guard.bound_s))
    if guard.baseline:
        yield PlanValue("guard", name, "baseline", percent(guard.baseline))
    if guard.delay_s:
        yield PlanValue("guard", name, "delay", duration(guard.delay_s))
    if guard.attributes:
        yield PlanValue("guard", name, "attributes", _text("", guard.attributes))
    yield PlanValue("guard", name, "no data", guard.no_data)


def _gates(planned: Planned, plan: Plan) -> Iterator[PlanValue]:
    del planned
    for gate in plan.gates:
        yield from _gate(gate)
    yield PlanValue("gate", "", "evidence asked in", " and ".join(plan.enforcement))


def _gate(gate: Gate) -> Iterator[PlanValue]:
    yield PlanValue("gate", gate.name, "tool", gate.tool)
    for key, value in gate.config.items():
        if key not in {"name", "tool"}:
            yield PlanValue("gate", gate.name, _words(key), _text(key, value))
    if gate.groups:
        yield PlanValue("gate", gate.name, "groups", _text("", gate.groups))
    if gate.waiver:
        yield PlanValue("gate", gate.name, "waiver", gate.waiver.terms)
        yield PlanValue("gate", gate.name, "waived kind", str(gate.waiver.kind))


def _rest(planned: Planned, plan: Plan) -> Iterator[PlanValue]:
    del planned
    yield from _fields("capacity", "", plan.capacity)
    yield from _fields("route", "", plan.routing)
    if plan.feedback:
        yield PlanValue("route", "feedback", "callers", "public" if plan.feedback.public else "internal")
        yield PlanValue("route", "feedback", "secret", plan.feedback.secret)
        yield from _fields("route", "feedback", plan.feedback.fetched)
    yield from _fields("service", "", plan.server)
    for item in plan.env:
        text = f"secret {item.secret[0]}/{item.secret[1]}" if item.secret else item.value or ""
        yield PlanValue("environment variable", item.name, "", text)
    yield from _fields("pod", "", plan.pod)
    yield from _fields("ownership", "", plan.identity, {"team", "model", "environment"})
    yield from _fields("metrics", "", plan.monitoring)
    yield from _fields("delivery", "", plan.delivery)
    yield from _fields("delivery", "gates", plan.gate_pods)


def _whole(planned: Planned, plan: Plan) -> Iterator[PlanValue]:
    """Yield the plain fields of the plan itself, so that a new one is never left out."""
    del planned
    yield from _fields("release", "", plan, _ELSEWHERE)
    lock = plan.promotion
    if lock is not None:
        hotfix = f", a hot fix until {lock.hotfix.until}: {lock.reason}" if lock.hotfix else ""
        yield PlanValue("delivery", "", "promoted", f"{lock.model.version} ({short(lock.key)}{hotfix})")


_ELSEWHERE = {
    "identity", "version", "image", "server", "env", "routing", "capacity", "pod", "rollout", "guards", "shadow_guards",
    "gates", "gate_key", "enforcement", "monitoring", "delivery", "gate_pods", "feedback",
    "common", "pod_templates", "promotion", "keeps",
}  # fmt: skip
_PARTS = (_model, _release, _gates, _rest, _whole)


def _fields(topic: Topic, item: str, value: object, left_out: Collection[str] = ()) -> Iterator[PlanValue]:
    """Yield the fields of a frozen value that are set, in words; none for None."""
    if value is None:
        return
    for name in _names(type(value)):
        inner = getattr(value, name)
        if inner and name not in left_out:
            yield PlanValue(topic, item, _words(name), _text(name, inner))


_cached: dict[type[Any], tuple[str, ...]] = {}  # read a hundred times for each plan


def _names(kind: type[Any]) -> tuple[str, ...]:
    """Return the names of the fields of a class, without derived ones."""
    if kind not in _cached:
        derived = _DERIVED.get(kind.__name__, set())
        record = issubclass(kind, Record)
        names = kind.model_fields if record else [item.name for item in dataclasses.fields(kind)]
        _cached[kind] = tuple(name for name in names if name not in derived)
    return _cached[kind]


@lru_cache(maxsize=1024)
def _words(name: str) -> str:
    """Return a field's name in words: `delay_s` and `noData` are `delay` and `no data`."""
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
    if dataclasses.is_dataclass(value) or isinstance(value, Record):
        return "; ".join(f"{inner.field} {inner.text}" for inner in _fields("service", "", value))
    return str(value)


def _number(name: str, value: float) -> str:
    if name.endswith("_s"):
        return duration(value)
    return percent(value) if name in _SHARES else f"{value:.12g}"


def short(digest: str) -> str:
    """Return the first twelve digits of a digest, enough to tell it from others."""
    algorithm, _, digits = digest.rpartition(":")
    return f"{algorithm}:{digits[:12]}" if algorithm else digits[:12]
