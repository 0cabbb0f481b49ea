"""Models side by side: what a team may use and spend, and who answers for which host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import reduce
from operator import add

from generator.plan.peak import Need, peak
from generator.plan.resolve import Planned
from generator.rules import platform
from generator.rules.cost import budget_problems
from generator.rules.registry import Problem, Related, Together, rule
from generator.spec.platform import Quota
from generator.spec.types import byte_count, cores

__all__ = ["platform"]
_SHOWN = 5


def _by_team(context: Together) -> dict[tuple[str, str], list[Planned]]:
    """Plans by team and environment, in the order of the platform's environments."""
    found: dict[tuple[str, str], list[Planned]] = defaultdict(list)
    for planned in context.planned:
        identity = planned.plan.identity
        found[identity.team, identity.environment].append(planned)
    return found


@rule(
    "TEAM801",
    "error",
    "a team's models need more than its quota at their peak",
    why="A quota that is hit in mid-release shows only as pods that never start, until the rollout is aborted.",
    fix="Raise the team's quota, or lower `replicas`, `autoscaling.max` or `resources`.",
    scope="together",
)
def quota(context: Together) -> Iterator[Problem]:
    """Requests of all pods of a team in one environment, each model in the middle of a release."""
    for (team, environment), plans in _by_team(context).items():
        allowed = context.platform.teams[team].quota
        if allowed is None:
            continue
        total = reduce(add, (peak(planned.plan).total for planned in plans), Need())
        for key, asked, limit in _over(total, allowed):
            message = f"the models of `{team}` need {asked} {key} in {environment} at their peak; the quota is {limit}"
            hint = "raise the quota, or lower `replicas`, `autoscaling.max` or `resources` of its models"
            path = ("spec", "teams", team, "quota", key)
            yield Problem(path, message, hint, _largest(plans))


def _over(total: Need, allowed: Quota) -> Iterator[tuple[str, str, str]]:
    """Resources above the quota: name, asked, allowed."""
    if total.cpu > cores(allowed.cpu) + 1e-9:
        yield "cpu", f"{total.cpu:g}", allowed.cpu
    if total.memory > byte_count(allowed.memory):
        yield "memory", f"{-(-total.memory // 2**20)}Mi", allowed.memory
    if total.gpu > allowed.gpu:
        yield "gpu", str(total.gpu), str(allowed.gpu)


def _largest(plans: list[Planned]) -> Related:
    """The models that need most CPU, with their specs."""
    needs = sorted(((peak(planned.plan).total, planned) for planned in plans), key=lambda pair: -pair[0].cpu)
    return tuple(
        (
            f"{planned.plan.identity.model}: {need.pods} pods, {need.cpu:g} CPU, {-(-need.memory // 2**20)}Mi",
            planned.written.layers.place(("spec", "resources")),
        )
        for need, planned in needs[:_SHOWN]
    )


@rule(
    "TEAM802",
    "error",
    "a team's models cost more than its budget",
    why="The bill comes at the end of the month; the spec says it now.",
    fix="Raise the team's budget, or lower `replicas`, `autoscaling` or `resources`.",
    scope="together",
)
def budget(context: Together) -> Iterator[Problem]:
    """Monthly cost between releases, all environments: an error at the fewest pods, a warning at the most."""
    plans: dict[str, list[Planned]] = defaultdict(list)
    for planned in context.planned:
        plans[planned.plan.identity.team].append(planned)
    yield from budget_problems(context.platform, plans)


@rule(
    "TEAM803",
    "error",
    "two models answer for the same host",
    why="The older route wins, or both do: the requests of one model reach the other.",
    fix="Give one of them another host in `traffic.hosts`.",
    scope="together",
)
def hosts(context: Together) -> Iterator[Problem]:
    """Hosts of one environment, each for one model."""
    taken: dict[tuple[str, str], Planned] = {}
    for planned in context.planned:
        if planned.plan.routing.kind == "none":
            continue
        for index, host in enumerate(planned.plan.routing.hosts):
            first = taken.setdefault((planned.plan.identity.environment, host), planned)
            if first.plan.identity == planned.plan.identity:
                continue
            mine, theirs = planned.plan.identity, first.plan.identity
            layers = planned.written.layers
            document, path = layers.where(("spec", "traffic", "hosts", index))
            message = f"`{host}` is the host of {theirs.team}/{theirs.model} and of {mine.team}/{mine.model} "
            message += f"in {mine.environment}"
            related = (("the other model", first.written.layers.place(("spec", "traffic", "hosts"))),)
            yield Problem(path, message, "give one of them another host", related, document=document)
