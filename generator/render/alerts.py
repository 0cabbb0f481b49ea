"""Alerts on a released model, each with what it means, what to do, and an example that fires and one that does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from generator.plan.recurring_gates import daily_watch
from generator.plan.values import Plan
from generator.promql.burn import PERIOD_S, burn, windows
from generator.promql.fairness import ParityTest, parity_lower
from generator.promql.served import BY_VERSION, PREDICTIONS, Served
from generator.promql.text import duration, number
from generator.render import examples
from generator.render.examples import Example
from generator.render.outputs.gates import METRIC_PASSED, METRIC_TIME
from generator.render.watched import RATIO, Watched, fair, users, watched
from generator.spec.units import percent

_DAY_S: Final = 86_400.0
_FLOOR_WINDOWS: Final = (_DAY_S, 7200.0)
# Half of the usual outcomes gone for an hour is no change of a model, something is broken.
_COLLAPSE: Final = (3600.0, 300.0)
_FAIR_S: Final = 7 * _DAY_S
_SILENT_S, _SILENT_SHARE = 900.0, 0.1
_SLOW_INTERVAL_S: Final = 300.0
WATCH_FAILED: Final = "ModelWatchFailed"
"""The alert that halts further promotion: `sluice revert` reads it from Alertmanager's webhook."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    Args:
        name: name of the alert.
        expression: PromQL; fires for every series of the result.
        severity: `page` wakes somebody, `ticket` waits for the morning.
        for_s: seconds that it must hold.
        summary: one sentence that says what happens.
        meaning: what that is evidence of.
        action: what to do first.
        fires: samples that make it fire.
        quiet: nearly the same, that do not.
        labels: told apart by these, beside model and namespace.
        facts: more annotations, for programs that are told of the alert.
    """

    name: str
    expression: str
    severity: str
    for_s: float
    summary: str
    meaning: str
    action: str
    fires: Example
    quiet: Example
    labels: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded expression."""

    name: str
    expression: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together; an interval of 0 is Prometheus' own."""

    name: str
    interval_s: float
    recordings: tuple[Recording, ...]
    alerts: tuple[Alert, ...]


def groups(plan: Plan) -> tuple[Group, ...]:
    """Everything that Prometheus watches of one model in one environment, empty groups left out."""
    ratios = tuple(watched(plan))
    recorded = [(item, span) for item in ratios for span in _spans(item)]
    found = (
        Group("shares", 0, tuple(_recording(plan, *pair) for pair in recorded if pair[1] < _DAY_S), ()),
        Group(
            "long-shares",
            _SLOW_INTERVAL_S,
            tuple(_recording(plan, *pair) for pair in recorded if pair[1] >= _DAY_S),
            (),
        ),
        Group("alerts", 0, (), tuple(_alerts(plan, ratios))),
        Group("drift-and-fairness", _SLOW_INTERVAL_S, (), (*_unfair(plan), *_rechecked(plan))),
    )
    return tuple(group for group in found if group.recordings or group.alerts)


def alerts(plan: Plan) -> Iterator[Alert]:
    """All alerts of one model."""
    for group in groups(plan):
        yield from group.alerts


def _spans(item: Watched) -> tuple[float, ...]:
    """Windows that the alerts of a ratio, and the dashboard, look at."""
    found = {*windows(), PERIOD_S} if item.guard.more_is_worse else {*_COLLAPSE, *_FLOOR_WINDOWS}
    return tuple(sorted(found))


def _recording(plan: Plan, item: Watched, span: float) -> Recording:
    labels = {"guard": item.guard.name, "model": plan.identity.model, "namespace": plan.identity.namespace}
    return Recording(f"{RATIO}{duration(span)}", item.share(span), labels)


def _alerts(plan: Plan, ratios: tuple[Watched, ...]) -> Iterator[Alert]:
    yield _absent(plan)
    if plan.min_rps:
        yield _silent(plan, plan.min_rps)
    yield from _rollout(plan)
    for item in ratios:
        yield from _budget(plan, item) if item.guard.more_is_worse else _floor(plan, item)


def _budget(plan: Plan, item: Watched) -> Iterator[Alert]:
    """The budget is what the guard lets pass: its limit, or the rise it must catch on its baseline."""
    name, bound = item.guard.name, item.bound
    said = {
        "page": ("ModelBudgetBurnsFast", "at this pace thirty days' budget is gone in hours"),
        "ticket": ("ModelBudgetBurns", "a tenth of thirty days' budget went in three days"),
    }
    worst = min(1.0, 30 * bound)
    for severity, (alert, pace) in said.items():
        expression = burn(lambda window: item.recorded(plan, window), bound, severity)
        if not expression:
            continue
        yield Alert(
            alert, expression, severity, 0,
            f"`{name}` burns its budget of {percent(bound)}: {pace}",
            "More bad events than the guard tolerates, in a long window and in the last minutes.",
            "Compare the versions on the model's dashboard; take a release that came before it back (`sluice revert`).",
            examples.ratio(item, worst if severity == "page" else min(1.0, 2 * bound)),
            examples.ratio(item, 0.9 * bound),
            {"guard": name},
        )  # fmt: skip
    yield Alert(
        "ModelBudgetSpent", f"{item.recorded(plan, PERIOD_S)} > {number(bound)}", "ticket", 3600,
        f"`{name}` has spent its budget of {percent(bound)} for thirty days",
        "The share of bad events over thirty days is above what the guard tolerates.",
        "Release nothing that is a risk to it until it is below again; find what burnt it.",
        examples.ratio(item, min(1.0, 2 * bound)),
        examples.ratio(item, 0.9 * bound),
        {"guard": name},
    )  # fmt: skip


def _floor(plan: Plan, item: Watched) -> Iterator[Alert]:
    """More events are good news: there is no budget to burn, but a floor, and a collapse."""
    name, bound = item.guard.name, item.bound
    both = {
        "ModelOutcomeCollapsed": (
            "page",
            _COLLAPSE,
            round(bound / 2, 10),
            "less than half of what it should be",
        ),
        "ModelOutcomeLow": ("ticket", _FLOOR_WINDOWS, bound, "below what the guard would let pass"),
    }
    for alert, (severity, spans, least, words) in both.items():
        expression = "\nand ".join(f"{item.recorded(plan, span)} < {number(least)}" for span in spans)
        yield Alert(
            alert, expression, severity, 0,
            f"`{name}` is {words}: under {percent(least)}",
            "Users do it less often than the guard would let a new version get away with.",
            "Look whether events are still reported, then whether a release or the inputs changed.",
            examples.ratio(item, 0.5 * least),
            examples.ratio(item, min(1.0, 1.2 * least)),
            {"guard": name},
        )  # fmt: skip


def _absent(plan: Plan) -> Alert:
    up = f'up{{namespace="{plan.identity.namespace}",job="{plan.identity.namespace}/{plan.identity.model}"}}'
    return Alert(
        "ModelAbsent", f"absent({up} == 1)", "page", 300,
        "no pod of the model answers Prometheus",
        "Every pod is gone, not ready for scraping, or its PodMonitor is not selected.",
        "`kubectl get rollout,pods` in the namespace; then the Argo CD Application.",
        Example({up: f"0x{examples.MINUTES}"}), Example({up: f"1x{examples.MINUTES}"}),
    )  # fmt: skip


def _silent(plan: Plan, rps: float) -> Alert:
    served = Served(plan.bento.name, plan.identity.namespace)
    requests = served.own(PREDICTIONS, PREDICTIONS).requests.where(users(plan, BY_VERSION.label))
    least = _SILENT_SHARE * rps
    return Alert(
        "ModelSilent", f"sum({requests.increase(_SILENT_S)}) / {number(_SILENT_S)} < {number(least)}", "ticket", 900,
        f"the model answers less than a tenth of the {rps:g} requests per second that its spec declares",
        "Callers left, a route does not reach it, or `traffic.minRps` is wrong: the odds of its guards rest on it.",
        "Look at the route and its callers; correct `traffic.minRps` if this is how it is.",
        Example(examples.counter(requests, 0.5 * least)), Example(examples.counter(requests, 2 * least)),
    )  # fmt: skip


def _rollout(plan: Plan) -> Iterator[Alert]:
    """By the controller's own metrics; its namespace label is renamed where the scrape has one of its own."""
    patience = plan.rollout.longest_hold_s
    told = {
        "RolloutDegraded": (
            "Abort|Error|Timeout|InvalidSpec", 60.0, "page", "a release was aborted; users are on the version before",
            "A guard failed, or pods did not become ready. Git still names the version that failed.",
            "The AnalysisRuns name the guard. `sluice revert` brings git back and puts the version into quarantine.",
        ),
        "RolloutStuck": (
            "Progressing", 2 * 600.0 + patience, "ticket", "a release does not get on",
            "Pods do not start (quota, image, nodes), or an analysis does not end.",
            "`kubectl argo rollouts get rollout` says which step; look at pods and AnalysisRuns there.",
        ),
        "RolloutWaits": (
            "Paused", 3600.0 + patience, "ticket", "a release waits longer than any of its holds",
            "An approval is due, or a guard had no data and a person must decide.",
            "Look at the guards' verdicts, then resume or abort; both are Argo CD actions on the Rollout.",
        ),
    }  # fmt: skip
    for name, (phases, wait, severity, summary, meaning, action) in told.items():
        both = [_info(plan, label, f'phase=~"{phases}"') for label in ("namespace", "exported_namespace")]
        example = _info(plan, "exported_namespace", f'phase="{phases.partition("|")[0]}"')
        yield Alert(
            name, f"max({both[0]} or {both[1]}) == 1", severity, wait, summary, meaning, action,
            examples.phase(example, wait), examples.phase(example, wait, early=True),
        )  # fmt: skip


def _info(plan: Plan, label: str, phase: str) -> str:
    """Phases are those of argo-rollouts' controller/metrics/rollouts.go; an aborted one is `Abort` there."""
    return f'rollout_info{{{label}="{plan.identity.namespace}",name="{plan.identity.model}",{phase}}}'


def _unfair(plan: Plan) -> Iterator[Alert]:
    served = Served(plan.bento.name, plan.identity.namespace)
    for guard, attribute, names in fair(plan):
        limit = guard.limit
        rows, arm = served.group_rows(attribute), users(plan, BY_VERSION.label)
        expression = parity_lower(rows, arm, ParityTest(names, _FAIR_S))
        yield Alert(
            "ModelUnfair", f"({expression}) >= {number(limit)}", "ticket", 0,
            f"selection rates by {attribute} differ by {limit:g} or more, beyond chance",
            f"The lower bound of the parity difference over seven days is at the limit of the guard `{guard.name}`.",
            "Look at the rates by group; if a release came before it, take it back with `sluice revert`.",
            examples.parity(rows, arm, names, limit + 0.5 * (1 - limit)),
            examples.parity(rows, arm, names, 0.0),
            {"guard": guard.name, "attribute": attribute},
        )  # fmt: skip


def _rechecked(plan: Plan) -> Iterator[Alert]:
    """What the daily watch found; its gauges are the Workflows controller's."""
    again = [gate.name for gate in daily_watch(plan)]
    if not again:
        return
    identity = plan.identity
    labels = f'{{environment="{identity.environment}",model="{identity.model}",team="{identity.team}"}}'
    passed, time = (f"argo_workflows_{name}{labels}" for name in (METRIC_PASSED, METRIC_TIME))
    gates = " and ".join(again)
    halt = f"sluice revert {identity.team}/{identity.model} --quarantine-only --reason TEXT"
    yield Alert(
        WATCH_FAILED, f"max({passed}) == 0", "ticket", 0,
        f"on fresh data the model no longer passes {gates}",
        "Production has moved away from what the model was trained on, or it treats groups differently by now.",
        "Read the verdict of the last Workflow. Where Alertmanager tells the CI, the change that halts every further "
        f"promotion of this version is proposed already; else `{halt}` makes it. If the verdict does not stand, close "
        "it. Then train or pin another version.",
        Example({passed: f"0x{examples.MINUTES}"}), Example({passed: f"1x{examples.MINUTES}"}),
        facts={"digest": plan.version.digest, "gates": gates},
    )  # fmt: skip
    yield Alert(
        "ModelWatchMissed", f"time() - max({time}) > {number(2 * _DAY_S)} or absent({time})", "ticket", 3600,
        f"{gates} were not run on fresh data for two days",
        "The CronWorkflow is suspended, its pods do not start, or nobody writes fresh data.",
        "`kubectl get cronworkflow,workflow` in the namespace; then who writes the folder `watch` of the claim.",
        Example({time: f"-200000x{examples.MINUTES}"}), Example({time: f"0x{examples.MINUTES}"}),
    )  # fmt: skip
