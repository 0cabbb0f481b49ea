"""Rules on the ceilings of a tier for gates and guards: one that nothing can fail protects no user."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from generator.dataclass import dataclass
from generator.lint.engine import Problem, rule
from generator.plan.guards import Comparison, Guard, Limit, Parity
from generator.rules.context import GATES, GUARDS, SHADOW, Context, ceiling
from generator.source.document import Path
from generator.source.finding import Fix
from generator.spec.ceilings import SLOWEST_TO_FASTEST, FairnessBound, GuardBound, MetricBound
from generator.spec.gates import (
    CustomGate,
    DataGate,
    DriftGate,
    ExplainGate,
    FairnessGate,
    Gate,
    GateBase,
    MetricGate,
    TestsGate,
)
from generator.spec.parsing import Change
from generator.spec.units import duration, percent


@dataclass(frozen=True, slots=True)
class _Loose:
    """A threshold that is looser than its ceiling.

    Args:
        path: of the threshold, below its gate or guard.
        message: what is wrong.
        hint: what to do.
        key: of the ceiling, below `gates` or `guards`.
        bound: the ceiling.
        fix: the value to write; None when it takes more.
    """

    path: Path
    message: str
    hint: str
    key: str
    bound: object
    fix: object = None


def _more(key: str, written: float, bound: float, what: str) -> Iterator[_Loose]:
    """Yield the problem of a value above its ceiling."""
    if written > bound:
        yield _Loose(
            (key,), f"{what} {written:g} is above {bound:g}", f"write {bound:g} or less", key, bound, bound
        )


def _less(key: str, written: float, bound: float, what: str) -> Iterator[_Loose]:
    """Yield the problem of a value below its ceiling."""
    if written < bound:
        yield _Loose(
            (key,), f"{what} {written:g} is below {bound:g}", f"write {bound:g} or more", key, bound, bound
        )


@rule(
    "TIER324",
    "error",
    "a gate is looser than the tier allows",
    scope=Context,
    why="A gate stops bad models only if its threshold is one that bad models miss.",
    remedy="Write a threshold that is at least as strict as the tier's `ceilings.gates`.",
    example="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {gates: {fairness: {atMost: 0.1}}}}}}
# specs/shop/ranker.yaml
spec:
  gates: [{name: parity, fairness: demographic-parity-difference, sensitive: [gender], atMost: 0.2, minGroup: 200}]
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {gates: {fairness: {atMost: 0.1}}}}}}
# specs/shop/ranker.yaml
spec:
  gates: [{name: parity, fairness: demographic-parity-difference, sensitive: [gender], atMost: 0.1, minGroup: 200}]
""",
    repair="review",
)
def gates(context: Context) -> Iterator[Problem]:
    """Check every threshold of every gate, and that the gates together measure what the tier lists."""
    for index, gate in enumerate(context.spec.gates):
        for found in _gate(context, gate):
            path = (*GATES, index, *found.path)
            message = f"`{gate.name}`: {found.message}, the loosest {gate.kind} gate of the tier "
            message += f"`{context.plan.identity.tier}`"
            fix = None if found.fix is None else Fix(path, found.fix)
            yield Problem(path, message, found.hint, ceiling(context, f"gates.{found.key}", found.bound), fix)
    yield from _not_measured(context)


def _gate(context: Context, gate: Gate) -> Iterator[_Loose]:
    """Yield the loose thresholds of one gate; a kind of gate that has none is listed here, too."""
    bounds = context.tier.ceilings.gates
    match gate:
        case TestsGate() if bounds.tests:
            yield from _prefixed("tests", _less("atLeast", gate.at_least, bounds.tests.at_least, "atLeast"))
        case MetricGate() if bounds.metric:
            yield from _prefixed("metric", _metric(gate, bounds.metric))
        case FairnessGate() if bounds.fairness:
            yield from _prefixed("fairness", _fairness(gate, bounds.fairness))
        case DriftGate() if bounds.drift:
            largest = bounds.drift.at_most.get(gate.tool, gate.test.floor)
            yield from _prefixed("drift", _more("atMost", gate.floor, largest, "atMost"))
            yield from _prefixed("drift", _less("alpha", gate.alpha, bounds.drift.alpha or 0.0, "alpha"))
        case ExplainGate() if bounds.explain:
            yield from _prefixed("explain", _more("atMost", gate.at_most, bounds.explain.at_most, "atMost"))
        case DataGate() | CustomGate():
            return  # the suite and the program decide; neither is read here


def _prefixed(kind: str, found: Iterator[_Loose]) -> Iterator[_Loose]:
    for each in found:
        yield _Loose(each.path, each.message, each.hint, f"{kind}.{each.key}", each.bound, each.fix)


def _metric(gate: MetricGate, bound: MetricBound) -> Iterator[_Loose]:
    least, most = bound.at_least.get(gate.metric), bound.at_most.get(gate.metric)
    if least is not None and gate.at_least is not None:
        yield from _less("atLeast", gate.at_least, least, f"{gate.metric} of at least")
    if most is not None and gate.at_most is not None:
        yield from _more("atMost", gate.at_most, most, f"{gate.metric} of at most")
    if bound.no_worse_by is not None and gate.no_worse_by is not None:
        yield from _loss(gate.no_worse_by, bound.no_worse_by)


def _loss(written: Change, bound: Change) -> Iterator[_Loose]:
    """Yield the problem of a larger loss; of a metric below 1, a loss in points is a larger share than its number."""
    if written.kind != bound.kind and bound.kind == "relative":
        message = (
            f"a loss of {written} is in points; of a small metric, that can be a larger share than {bound}"
        )
        yield _Loose(
            ("noWorseBy",), message, f"write it relative, {bound} or less", "noWorseBy", bound, str(bound)
        )
    elif written.value > bound.value:
        message = f"a loss of {written} against the champion is above {bound}"
        yield _Loose(("noWorseBy",), message, f"write {bound} or less", "noWorseBy", bound, str(bound))


def _fairness(gate: FairnessGate, bound: FairnessBound) -> Iterator[_Loose]:
    ratio = gate.fairness.endswith("-ratio")
    if gate.at_most is not None:
        yield from _difference(gate.at_most, bound, ratio=ratio)
    if gate.at_least is not None:
        yield from _ratio(gate.at_least, bound, ratio=ratio)
    if bound.min_group is not None:
        yield from _more("minGroup", gate.min_group, bound.min_group, "minGroup")


def _difference(written: float, bound: FairnessBound, *, ratio: bool) -> Iterator[_Loose]:
    if ratio:
        message = "`atMost` lets only unequal ratios pass, so it is looser than any bound"
        yield _Loose(("atMost",), message, "write `atLeast` for a ratio", "atLeast", bound.at_least)
    elif bound.at_most is not None:
        yield from _more("atMost", written, bound.at_most, "a difference of at most")
    elif bound.at_least is not None:
        message = f"a difference has no bound here, a ratio has: {bound.at_least:g}"
        hint = "measure demographic-parity-ratio"
        yield _Loose(("atMost",), message, hint, "atLeast", bound.at_least)


def _ratio(written: float, bound: FairnessBound, *, ratio: bool) -> Iterator[_Loose]:
    if not ratio:
        message = "`atLeast` lets only large differences pass, so it is looser than any bound"
        yield _Loose(("atLeast",), message, "write `atMost` for a difference", "atMost", bound.at_most)
    elif bound.at_least is not None:
        yield from _less("atLeast", written, bound.at_least, "a ratio of at least")
    elif bound.at_most is not None:
        message = f"a ratio has no bound here, a difference has: {bound.at_most:g}"
        hint = "measure demographic-parity-difference"
        yield _Loose(("atLeast",), message, hint, "atMost", bound.at_most)


def _not_measured(context: Context) -> Iterator[Problem]:
    """Yield what gates of one kind must measure together and do not: sensitive attributes, inputs of the service."""
    bounds, written = context.tier.ceilings.gates, context.spec.gates
    fair = [gate for gate in written if isinstance(gate, FairnessGate)]
    measured = {name for gate in fair for name in gate.sensitive}
    for name in bounds.fairness.sensitive if bounds.fairness and fair else ():
        if name not in measured:
            message = (
                f"no fairness gate measures `{name}`, which the tier `{context.plan.identity.tier}` lists"
            )
            related = ceiling(context, "gates.fairness.sensitive", name)
            yield Problem(GATES, message, f"add `{name}` to `sensitive`", related)
    drifts = [(at, gate) for at, gate in enumerate(written) if isinstance(gate, DriftGate)]
    least = bounds.drift.features if bounds.drift else None
    if not drifts or least is None:
        return
    inputs = set(context.spec.service.inputs)
    compared = inputs & {name for _, gate in drifts for name in gate.drift.features}
    if len(compared) < least * len(inputs) or not inputs:
        message = f"the drift gates compare {len(compared)} of {len(inputs)} declared inputs; "
        message += f"the tier `{context.plan.identity.tier}` requires {percent(least)} of them"
        rest = ", ".join(sorted(inputs - compared)) or "the inputs of the service under `service.inputs`"
        related = ceiling(context, "gates.drift.features", percent(least))
        yield Problem((*GATES, drifts[0][0], "drift", "features"), message, f"add {rest}", related)


def is_bounded(gate: GateBase, bound: MetricBound | None) -> bool:
    """Return whether a threshold of a gate has a ceiling; a metric gate may have none that the tier knows."""
    if not isinstance(gate, MetricGate) or bound is None:
        return True
    return (
        (gate.at_least is not None and gate.metric in bound.at_least)
        or (gate.at_most is not None and gate.metric in bound.at_most)
        or (gate.against is not None and bound.no_worse_by is not None)
    )


@rule(
    "TIER325",
    "error",
    "a guard is looser than the tier allows",
    scope=Context,
    why="A guard that looks for a drop of 99.9% promotes a version that loses half of all clicks, and its odds are "
    "excellent.",
    remedy="Watch for a smaller change, as in the tier's `ceilings.guards`.",
    example="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {guards: {outcome: {detect: 20%}}}}}}
# specs/shop/ranker.yaml
spec: {rollout: {guards: [{outcome: ctr, detect: {drop: 30%}}]}}
""",
    instead="""
# specs/platform.yaml
spec: {tiers: {standard: {ceilings: {guards: {outcome: {detect: 20%}}}}}}
# specs/shop/ranker.yaml
spec: {rollout: {guards: [{outcome: ctr, detect: {drop: 10%}}]}}
""",
)
def guards(context: Context) -> Iterator[Problem]:
    """Check the change, the limit and the latency bound of every guard, of the shadow's too."""
    bounds = context.tier.ceilings.guards
    for where, resolved in ((GUARDS, context.plan.guards), ((*SHADOW, "guards"), context.plan.shadow_guards)):
        for guard in resolved:
            bound = bounds.get(guard.kind)
            for found in _guard(guard, bound) if bound else ():
                message = f"`{guard.name}`: {found.message}, the loosest {guard.kind} guard of the tier "
                message += f"`{context.plan.identity.tier}`"
                related = ceiling(context, f"guards.{guard.kind}.{found.key}", found.bound)
                yield Problem((*where, guard.index, *found.path), message, found.hint, related)


def _guard(guard: Guard, bound: GuardBound) -> Iterator[_Loose]:
    if guard.bound_s and bound.slower_than is not None:
        yield from _latency(guard.bound_s, bound.slower_than)
    match guard:
        case Comparison():
            change = abs(1 - guard.ratio)
            if bound.detect is not None and change > bound.detect:
                message = f"a {guard.threshold} is a larger change than {percent(bound.detect)}"
                hint = f"detect {percent(bound.detect)} or less"
                yield _Loose(("detect",), message, hint, "detect", percent(bound.detect))
            yield from _added_share(guard, bound)
        case Limit():
            yield from _limit(guard, bound) if guard.counts else _at_most(guard, bound)
        case Parity():
            yield from _at_most(guard, bound)
        case _:
            assert_never(guard)


def _latency(written: float, slowest: float) -> Iterator[_Loose]:
    fastest = slowest / SLOWEST_TO_FASTEST
    if fastest <= written <= slowest:
        return
    message = f"{duration(written)} is not between {duration(fastest)} and {duration(slowest)}"
    hint = f"write a time between {duration(fastest)} and {duration(slowest)}"
    yield _Loose(("slowerThan",), message, hint, "slowerThan", duration(slowest))


def _limit(guard: Limit, bound: GuardBound) -> Iterator[_Loose]:
    """Yield the problem of a limit on a share: an upper one has a ceiling, others are changes of the baseline."""
    if guard.more_is_worse and bound.limit is not None:
        if guard.limit > bound.limit:
            message = f"a limit of {percent(guard.limit)} is above {percent(bound.limit)}"
            yield _Loose(
                ("limit",), message, f"write {percent(bound.limit)} or less", "limit", percent(bound.limit)
            )
        return
    if bound.detect is None:
        return
    largest = percent(bound.detect)
    if not guard.baseline:
        message = f"a limit without a baseline may be any change, also one above {largest}"
        yield _Loose(("limit",), message, "declare the `baseline`, or use `detect`", "detect", largest)
        return
    harm = guard.limit / guard.baseline - 1
    harm = harm if guard.more_is_worse else -harm
    if harm > bound.detect:
        message = f"a limit of {percent(guard.limit)} is a change of {harm:.0%} from the baseline of "
        message += f"{percent(guard.baseline)}, more than {largest}"
        yield _Loose(
            ("limit",), message, f"write a limit within {largest} of the baseline", "detect", largest
        )


def _added_share(guard: Comparison, bound: GuardBound) -> Iterator[_Loose]:
    """Yield the problem of a comparison that finds only more additional bad events than a bare limit may allow.

    A baseline is declared: one of 49% makes a rise of 100% easy to find, and lets a version fail 98% of all requests.
    """
    if not guard.more_is_worse or not guard.baseline or bound.limit is None:
        return
    added = guard.baseline * (guard.ratio - 1)
    if added > bound.limit:
        message = f"a {guard.threshold} of the baseline {percent(guard.baseline)} adds {percent(added)} of bad events, "
        message += f"more than {percent(bound.limit)}"
        hint = f"detect a rise of {percent(bound.limit / guard.baseline)} or less, or correct the baseline"
        yield _Loose(("detect",), message, hint, "limit", percent(bound.limit))


def _at_most(guard: Limit | Parity, bound: GuardBound) -> Iterator[_Loose]:
    """Yield the problem of a parity or a gauge with an upper bound."""
    key = "atMost" if isinstance(guard, Parity) else "limit"
    if bound.at_most is not None and guard.more_is_worse and guard.limit > bound.at_most:
        message = f"{guard.threshold} is above {bound.at_most:g}"
        yield _Loose((key,), message, f"write {bound.at_most:g} or less", "atMost", bound.at_most)
