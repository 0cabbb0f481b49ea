"""Alerts on a released model, each with its meaning, an action, and examples that fire and do not fire."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Final

from generator.dataclass import dataclass
from generator.plan.recurring_gates import daily_watch
from generator.plan.values import Plan
from generator.promql.burn import PERIOD_S, burn, windows
from generator.promql.fairness import ParityTest, parity_lower
from generator.promql.series import Matcher
from generator.promql.served import BY_VERSION, PREDICTIONS
from generator.promql.text import duration, number
from generator.render import examples
from generator.render.examples import Example
from generator.render.outputs.gates import METRIC_PASSED, METRIC_TIME
from generator.render.series import rollout_info, series_of, users, watch_gauge
from generator.render.watched import Watched, fair, watched
from generator.spec.rollout import BlueGreen
from generator.spec.units import percent

_DAY_S: Final = 86_400.0
_FLOOR_WINDOWS: Final = (_DAY_S, 7200.0)
# Half of the usual outcomes missing for an hour is a failure, not a slow change of the model.
_COLLAPSE: Final = (3600.0, 300.0)
_UNREPORTED_S, _UNREPORTED = 3600.0, 20.0
"""The shortest window without any event that is reported, and the events that it must usually have."""
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
        severity: `page` needs action at once, `ticket` on the next working day.
        for_s: seconds that the condition must hold.
        summary: what happens, in one sentence.
        meaning: likely causes.
        action: what to do first.
        fires: samples that make it fire.
        quiet: similar samples that do not.
        labels: labels that identify it, in addition to model and namespace.
        annotations: further annotations, for programs that receive the alert.
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
    annotations: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording rule."""

    name: str
    expression: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together; an interval of 0 is the default of Prometheus."""

    name: str
    interval_s: float
    recordings: tuple[Recording, ...]
    alerts: tuple[Alert, ...]


def groups(plan: Plan) -> tuple[Group, ...]:
    """Return the rules of one model in one environment, without empty groups."""
    ratios = tuple(watched(plan))
    short = tuple(_recording(*pair) for pair in _shares(ratios, long=False))
    counts = tuple(
        Recording(name, expression, dict(item.labels))
        for item in ratios
        for name, expression in item.counts().items()
    )
    long = tuple(_recording(*pair) for pair in _shares(ratios, long=True))
    # Counts are recorded as often as they are long, and before what is computed from them.
    interval = max((item.counted_s for item in ratios), default=0.0)
    found = (
        Group("shares", 0, short, ()),
        Group("long-shares", interval, (*counts, *long), ()),
        Group("alerts", 0, (), tuple(_alerts(plan, ratios))),
        Group("drift-and-fairness", _SLOW_INTERVAL_S, (), (*_unfair(plan), *_rechecked(plan))),
    )
    return tuple(group for group in found if group.recordings or group.alerts)


def alerts(plan: Plan) -> Iterator[Alert]:
    """Yield all alerts of one model."""
    for group in groups(plan):
        yield from group.alerts


def _spans(item: Watched) -> tuple[float, ...]:
    """Return the windows that the alerts and the dashboard of a ratio use."""
    found = {*windows(), PERIOD_S} if item.guard.more_is_worse else {*_COLLAPSE, *_FLOOR_WINDOWS}
    return tuple(sorted({item.clock.span(window) for window in found}))


def _shares(ratios: tuple[Watched, ...], *, long: bool) -> Iterator[tuple[Watched, float]]:
    return ((item, span) for item in ratios for span in _spans(item) if item.is_long(span) == long)


def _recording(item: Watched, span: float) -> Recording:
    return Recording(item.name(span), item.share(span), dict(item.labels))


def _alerts(plan: Plan, ratios: tuple[Watched, ...]) -> Iterator[Alert]:
    yield _absent(plan)
    if plan.min_rps:
        yield _silent(plan, plan.min_rps)
    yield from _rollout(plan)
    for item in ratios:
        yield from _budget(item) if item.guard.more_is_worse else _floor(item)
        if item.guard.silence_looks_good and plan.min_rps:
            yield from _unreported(item, plan.min_rps)


def _budget(item: Watched) -> Iterator[Alert]:
    """Yield the alerts on the budget of bad events: the guard's limit, or its baseline times the detectable rise."""
    name, bound = item.guard.name, item.bound
    paces = {
        "page": ("ModelBudgetBurnsFast", "at this rate the 30-day budget is spent within days"),
        "ticket": ("ModelBudgetBurns", "a tenth of the 30-day budget was spent in three days"),
    }
    worst = min(1.0, 30 * bound)
    for severity, (alert, pace) in paces.items():
        expression = burn(item.recorded, bound, severity)
        if not expression:
            continue
        yield Alert(
            alert, expression, severity, 0,
            f"`{name}` burns its budget of {percent(bound)}: {pace}",
            "The share of bad events exceeds the guard's bound, both over a long window and recently.",
            "Compare the versions on the model's dashboard; if it started with a release, revert it (`sluice revert`).",
            examples.ratio(item, worst if severity == "page" else min(1.0, 2 * bound)),
            examples.ratio(item, 0.9 * bound),
            {"guard": name},
        )  # fmt: skip
    yield Alert(
        "ModelBudgetSpent", f"{item.recorded(PERIOD_S)} > {number(bound)}", "ticket", 3600,
        f"`{name}` has spent its 30-day budget of {percent(bound)}",
        "The share of bad events over 30 days exceeds the guard's bound.",
        "Avoid risky releases until the share is below the budget again, and find the cause.",
        examples.ratio(item, min(1.0, 2 * bound)),
        examples.ratio(item, 0.9 * bound),
        {"guard": name},
    )  # fmt: skip


def _floor(item: Watched) -> Iterator[Alert]:
    """Yield the alerts on good events: too few over a day, and a collapse within an hour."""
    name, bound = item.guard.name, item.bound
    both = {
        "ModelOutcomeCollapsed": (
            "page",
            _COLLAPSE,
            round(bound / 2, 10),
            "less than half of its lower bound",
        ),
        "ModelOutcomeLow": ("ticket", _FLOOR_WINDOWS, bound, "below the bound of its guard"),
    }
    for alert, (severity, spans, least, words) in both.items():
        expression = "\nand ".join(f"{item.recorded(span)} < {number(least)}" for span in spans)
        yield Alert(
            alert, expression, severity, 0,
            f"`{name}` is {words}: under {percent(least)}",
            "The event is rarer than the guard allows for a new version.",
            "Check whether the events are still reported, then whether a release or the inputs changed.",
            examples.ratio(item, 0.5 * least),
            examples.ratio(item, min(1.0, 1.2 * least)),
            {"guard": name},
        )  # fmt: skip


def _unreported(item: Watched, min_rps: float) -> Iterator[Alert]:
    """Yield the alert on an outcome that has stopped, over the first window that expects enough of them."""
    usual = (item.guard.baseline or 0.0) * min_rps
    span = next(
        (span for span in _spans(item) if span >= _UNREPORTED_S and usual * span >= _UNREPORTED), None
    )
    if span is not None:
        yield Alert(
            "ModelOutcomeUnreported", f"{item.recorded(span)} == 0", "ticket", 3600,
            f"`{item.guard.name}` had no event at all for {duration(span)}",
            "Fewer of these events are better, but none is more likely a client that no longer reports them.",
            "Check whether the events are still reported to the feedback route.",
            examples.ratio(item, 0.0),
            examples.ratio(item, 0.5 * item.bound),
            {"guard": item.guard.name},
        )  # fmt: skip


def _absent(plan: Plan) -> Alert:
    scraped = duration(plan.clock.span(0))
    up = f'up{{namespace="{plan.identity.namespace}",job="{plan.identity.namespace}/{plan.identity.model}"}}'
    return Alert(
        "ModelAbsent", f"absent(max_over_time({up}[{scraped}]) == 1)", "page", 300,
        "no pod of the model answers Prometheus",
        "All pods are gone or not ready, or Prometheus does not select the PodMonitor.",
        "Run `kubectl get rollout,pods` in the namespace; then check the Argo CD Application.",
        Example({up: f"0x{examples.MINUTES}"}), Example({up: f"1x{examples.MINUTES}"}),
    )  # fmt: skip


def _silent(plan: Plan, rps: float) -> Alert:
    served = series_of(plan)
    requests = served.own(PREDICTIONS, PREDICTIONS).requests.where(users(BY_VERSION.label))
    window = plan.clock.span(_SILENT_S)
    least = _SILENT_SHARE * rps
    return Alert(
        "ModelSilent", f"sum({requests.increase(window)}) / {number(window)} < {number(least)}", "ticket", 900,
        f"the model answers less than a tenth of the {rps:g} requests per second that its spec declares",
        "Callers are gone, a route does not reach the model, or `traffic.minRps`, which the odds depend on, is wrong.",
        "Check the route and its callers; if this traffic is normal, correct `traffic.minRps`.",
        Example(examples.counter(requests, 0.5 * least)), Example(examples.counter(requests, 2 * least)),
    )  # fmt: skip


# Argo Rollouts 1.10.2, rollout/service.go, reconcileActiveService.
_CRASHING_SWITCH = (
    " Users stay on a version whose pods keep crashing after the switch: the controller moves the active Service back"
    " only while all of them are available, or once the revert is merged."
)


def _rollout(plan: Plan) -> Iterator[Alert]:
    """Yield the alerts on the controller's metrics."""
    patience = plan.rollout.longest_hold_s
    switched = isinstance(plan.rollout, BlueGreen)
    rules = {
        # After the abort of a canary users are on the previous version: the rest can wait for the next working day.
        "RolloutAborted": (
            "Abort", 60.0, "page" if switched else "ticket",
            "a release was aborted" if switched else "a release was aborted; users are on the previous version",
            "A guard failed, or pods did not become ready. Git still has the failed version."
            + (_CRASHING_SWITCH if switched else ""),
            "Find the guard in the AnalysisRuns. `sluice revert` reverts it in git and quarantines the version.",
        ),
        "RolloutDegraded": (
            "Error|Timeout|InvalidSpec", 60.0, "page", "a release failed, and the controller did not abort it",
            "The controller refuses the Rollout, or pods of the new version are not ready and may get requests.",
            "Read the message of the Rollout. Abort it, or revert the change in git.",
        ),
        "RolloutStuck": (
            "Progressing", 2 * 600.0 + patience, "ticket", "a release is stuck",
            "Pods do not start (quota, image, nodes), or an analysis does not end.",
            "`kubectl argo rollouts get rollout` shows the step; check its pods and AnalysisRuns.",
        ),
        "RolloutWaits": (
            "Paused", 3600.0 + patience, "ticket", "a release has been waiting longer than its longest hold",
            "The release needs an approval, or a guard had no data and a person must decide.",
            "Check the verdicts of the guards, then resume or abort; both are Argo CD actions on the Rollout.",
        ),
    }  # fmt: skip
    for name, (phases, wait, severity, summary, meaning, action) in rules.items():
        example = rollout_info(plan, Matcher("phase", phases.partition("|")[0]))
        yield Alert(
            name, f"max({rollout_info(plan, Matcher('phase', phases, '=~'))}) == 1", severity, wait, summary, meaning,
            action, examples.phase(example, wait), examples.phase(example, wait, early=True),
        )  # fmt: skip
    known = rollout_info(plan)
    scraped = plan.monitoring.rollouts
    yield Alert(
        "RolloutUnseen", f"absent({known})", "ticket", 1800,
        "Prometheus does not know the Rollout, so no alert can tell that a release was aborted or is stuck",
        f"Prometheus does not scrape the Rollouts controller as job `{scraped.job}` in the namespace "
        f"`{scraped.namespace}`, or it honors the labels of the controller, or the Rollout is gone.",
        "Query `rollout_info`; name its `job` and `namespace` in `monitoring.rollouts` of the platform.",
        examples.phase(known.replace(scraped.job, "another"), 1800), examples.phase(known, 1800),
    )  # fmt: skip


def _unfair(plan: Plan) -> Iterator[Alert]:
    served = series_of(plan)
    for guard, attribute, names in fair(plan):
        limit = guard.limit
        rows, arm = served.group_rows(attribute), users(BY_VERSION.label)
        expression = parity_lower(rows, arm, ParityTest(names, _FAIR_S))
        yield Alert(
            "ModelUnfair", f"({expression}) >= {number(limit)}", "ticket", 0,
            f"selection rates by {attribute} differ significantly by {limit:g} or more",
            f"The lower bound of the parity difference over seven days has reached the limit of `{guard.name}`.",
            "Compare the rates of the groups; if it started with a release, revert it with `sluice revert`.",
            examples.parity(rows, arm, names, limit + 0.5 * (1 - limit)),
            examples.parity(rows, arm, names, 0.0),
            {"guard": guard.name, "attribute": attribute},
        )  # fmt: skip


def _rechecked(plan: Plan) -> Iterator[Alert]:
    """Yield the alerts on the daily watch, by gauges of the Workflows controller."""
    names = [gate.name for gate in daily_watch(plan)]
    if not names:
        return
    identity = plan.identity
    passed, time = watch_gauge(plan, METRIC_PASSED), watch_gauge(plan, METRIC_TIME)
    gates = " and ".join(names)
    halt = f"sluice revert {identity.team}/{identity.model} --quarantine-only --reason TEXT"
    yield Alert(
        WATCH_FAILED, f"min({passed}) == 0", "ticket", 0,
        f"the model no longer passes {gates} on fresh data",
        "Production data has drifted away from the training data, or the model now treats groups differently.",
        "Read the verdict of the last Workflow. If Alertmanager notifies the CI, a change that halts all further "
        f"promotion of this version is open already; otherwise `{halt}` makes it. If the verdict is wrong, close the "
        "change; if not, train or pin another version.",
        Example({passed: f"0x{examples.MINUTES}"}), Example({passed: f"1x{examples.MINUTES}"}),
        annotations={"digest": plan.version.digest, "gates": gates},
    )  # fmt: skip
    yield Alert(
        "ModelWatchMissed", f"time() - max({time}) > {number(2 * _DAY_S)} or absent({time})", "ticket", 3600,
        f"{gates} have not run on fresh data for two days",
        "The CronWorkflow is suspended, its pods do not start, or there is no fresh data.",
        "Run `kubectl get cronworkflow,workflow` in the namespace; check the job that writes the folder "
            "`watch` of the claim.",
        Example({time: f"-200000x{examples.MINUTES}"}), Example({time: f"0x{examples.MINUTES}"}),
    )  # fmt: skip
