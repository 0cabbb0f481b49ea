"""The new version answers a real request before users reach it, a person approves the switch; then the rollback."""

from __future__ import annotations

from generator.plan.values import Plan
from tests.cluster import report
from tests.cluster.envoy import refused
from tests.cluster.gitops import Delivered
from tests.cluster.load import Load
from tests.cluster.release import Release
from tests.cluster.waiting import until
from tests.cluster.watch import Watch

_RPS = 30.0
_TICKET = {"text": "the server is down since noon"}
# Envoy's streams take the new endpoints one after the other: for this long both versions may answer.
_SWITCH_S = 3.0


def test_manual_approval_and_rollback(delivered: Delivered) -> None:
    git, plan = delivered("support/ticket-classifier", "s6")
    release, blue = git.release, git.release.stable(plan)
    with Watch(release.api, plan) as watch, Load(plan.routing.hosts[0], _RPS, _TICKET) as load:
        until("traffic", lambda: load.exposed(blue) > 10 * _RPS, 60)
        update = release.fresh("2")
        git.synced(update, git.commit(update))
        release.until_phase(plan, "Paused", 300)
        green = release.rollout(plan)["status"]["currentPodHash"]
        smoke = dict(watch.look().analyses)
        seen_early = load.exposed(green)
        release.promote(plan)
        until("the new version answers", lambda: load.exposed(green) > 10 * _RPS, 120)
        git.synced(plan, git.revert())  # the way back: the old version's replica set is still there
        until(
            "approval is required, or not needed",
            lambda: _wants_approval_or_is_back(release, plan, blue),
            120,
        )
        release.promote(plan)
        until(
            "the old version answers",
            lambda: load.versions(load.answers[-1].at - 2, 9e18).keys() == {blue},
            120,
        )
        release.until_phase(plan, "Healthy", 120)
    overlaps = _overlaps(load, blue, green)
    report.figures(
        "6 blue-green",
        {
            **load.told(),
            "smoke": ", ".join(smoke.values()),
            "seconds with both versions": ", ".join(f"{seconds:.2f}" for seconds in overlaps),
        },
    )
    print(watch.story())
    assert seen_early == 0
    assert list(smoke.values()) == ["Successful"]
    assert not load.failed, refused(release.layout, plan.routing.hosts[0])
    assert len(overlaps) == 2
    assert max(overlaps) < _SWITCH_S


def _wants_approval_or_is_back(release: Release, plan: Plan, blue: str) -> bool:
    status = release.rollout(plan)["status"]
    active: str = status.get("blueGreen", {}).get("activeSelector", "")
    return bool(status.get("phase") == "Paused") or active == blue


def _overlaps(load: Load, blue: str, green: str) -> list[float]:
    """For each switch: seconds from the first answer of the new version to the last one of the old."""
    answers = sorted((answer for answer in load.answers if not answer.error), key=lambda answer: answer.at)
    middle = next(i for i, answer in enumerate(answers) if answer.version == green)
    turn = len(answers) - next(i for i, answer in enumerate(reversed(answers)) if answer.version == green)
    first_half, second_half = answers[: (middle + turn) // 2], answers[(middle + turn) // 2 :]
    there = max(a.at for a in first_half if a.version == blue) - answers[middle].at
    back = answers[turn - 1].at - min(a.at for a in second_half if a.version == blue)
    return [max(0.0, there), max(0.0, back)]
