"""A cohort on the cluster: whatever removes its header route, its requests come back."""

from __future__ import annotations

import secrets
import time

from generator.plan.values import Plan
from tests.cluster import delivery, report
from tests.cluster.client import Api, Object
from tests.cluster.delivery import RESYNC_S
from tests.cluster.envoy import refused
from tests.cluster.gitops import Delivered
from tests.cluster.load import Load
from tests.cluster.visitors import ITEM, RPS
from tests.cluster.waiting import pause, until
from tests.cluster.watch import Watch

_COHORT = {"header": "x-cohort", "exact": "staff"}
_COHORT_RPS = 10.0
_PART_S = 15.0
_STEPS = [{"cohort": _COHORT, "hold": f"{10 * _PART_S:g}s"}, {"weight": "50%", "hold": "10s"}]
_SPEC = {"rollout": {"steps": _STEPS, "guards": [{"metric": "error-rate", "limit": "50%"}]}}
# The route is written again at the next part of the hold; a sync and the router's own configuration take time, too.
_LONGEST_GAP_S = _PART_S + 5.0
_STEADY_S = 12.0
# Until the router has what was written.
_NOTICED_S = 3.0


def test_its_requests_come_back(api: Api, delivered: Delivered) -> None:
    git, plan = delivered("shop/ranker", "s15", **_SPEC)
    release, mark, host = git.release, secrets.token_hex(4), plan.routing.hosts[0]
    processes, stable = release.layout.processes, release.stable(plan)
    new = release.plan("2", mark, **_SPEC)
    renamed = release.plan("2", mark, traffic={"hosts": [host, f"new.{host}"]}, **_SPEC)
    losses: list[tuple[str, float]] = []
    with (
        Watch(api, new) as watch,
        Load(host, RPS, ITEM) as load,
        Load(host, _COHORT_RPS, ITEM, headers={"x-cohort": "staff"}) as cohort,
    ):

        def arrives(what: str, since: float) -> None:
            """The cohort is answered by the new version again; for how long it was not."""
            pause(_NOTICED_S)
            until(f"the cohort after {what}", lambda: _last(cohort, canary) > time.time() - 1, 90, 0.2)
            losses.append((what, _gap(cohort, canary, since)))

        until("traffic", lambda: load.exposed(stable) > 2 * RPS, 60)
        git.synced(new, git.commit(new))
        canary = until("a new version", lambda: _hash(release.rollout(plan), stable), 60)
        until("the cohort", lambda: cohort.exposed(canary) > 0, 120)
        began = time.time()
        operation = _operation(git.application(new))
        pause(_STEADY_S)
        steady = git.status(new)[0], _operation(git.application(new)) == operation, _rules(api, plan)
        now = time.time()
        git.synced(renamed, git.commit(renamed))
        arrives("a commit", now)
        now = time.time()
        git.sync(renamed)
        arrives("a manual sync", now)
        now = time.time()
        api.merge(_path(plan), {"spec": {"hostnames": [host]}})
        until("the route is healed", lambda: len(_route(api, plan)["spec"]["hostnames"]) > 1, 60)
        arrives("a self-heal", now)
        now = time.time()
        processes.stop("rollouts")
        delivery.start_rollouts(release.layout)
        arrives("a restart of the controller", now)
        now, failed = time.time(), len(cohort.failed)
        (pod,) = release.pods(plan, canary)
        release.end_pod(plan, pod["metadata"]["name"])
        fallen = cohort.versions(now, time.time())[stable]
        arrives("the loss of its pod", now)
        lost = cohort.failed[failed:]
        whole_hold = watch.last.step, {weight for weight, _, _ in watch.spans()}
        release.until_phase(renamed, "Healthy", 300)
        rules = _rules(api, plan)
    counted = cohort.versions(began, time.time())
    report.figures(
        "15 a cohort",
        {
            **load.told(),
            "requests of the cohort": f"{len(cohort.answers):,}",
            "by the new version": f"{counted[canary]:,}",
            "seconds without it after": ", ".join(f"{what} {seconds:.1f}" for what, seconds in losses),
            "answered by stable while its pod was gone": fallen,
            "failed meanwhile": len(lost),
            "rules of the route in the hold": ", ".join(steady[2]),
        },
    )
    print(watch.story())
    assert steady == ("Synced", True, ["", "cohort"]), "Argo CD leaves the cohort's rule alone"
    assert all(seconds < _limit(what) for what, seconds in losses), losses
    assert whole_hold[1] == {0}, "no other user was sent to the new version"
    assert not load.failed, refused(release.layout, host)
    assert len(cohort.failed) == len(lost), cohort.failed
    assert rules == [""]
    assert release.stable(renamed) == canary


def _limit(what: str) -> float:
    """A lost pod must be replaced first; a self-heal is noticed when Argo CD looks again."""
    more = 60.0 if "pod" in what else RESYNC_S
    return _LONGEST_GAP_S + more


def _hash(rollout: Object, stable: str) -> str:
    found: str = rollout["status"].get("currentPodHash", "")
    return found if found != stable else ""


def _last(load: Load, version: str) -> float:
    return max((answer.at for answer in list(load.answers)[-50:] if answer.version == version), default=0.0)


def _gap(load: Load, version: str, since: float) -> float:
    """The longest time since then in which a version answered nothing."""
    times = sorted(
        answer.at for answer in list(load.answers) if answer.version == version and answer.at > since
    )
    return max(b - a for a, b in zip([since, *times], [*times, time.time()], strict=True))


def _path(plan: Plan) -> str:
    identity = plan.identity
    return f"/apis/gateway.networking.k8s.io/v1/namespaces/{identity.namespace}/httproutes/{identity.model}"


def _route(api: Api, plan: Plan) -> Object:
    found: Object = api.request("GET", _path(plan))
    return found


def _rules(api: Api, plan: Plan) -> list[str]:
    return [rule.get("name", "") for rule in _route(api, plan)["spec"]["rules"]]


def _operation(application: Object) -> str:
    started: str = application["status"]["operationState"]["startedAt"]
    return started
