"""What a router must do with a model's requests, the same for each that runs on the bed."""

from __future__ import annotations

import re
import secrets
import time
import urllib.request
from collections.abc import Mapping
from typing import NamedTuple

from generator.plan.values import Plan
from tests.cluster import measures, report
from tests.cluster.gitops import Delivered, GitOps
from tests.cluster.load import Load
from tests.cluster.measures import Split
from tests.cluster.release import Release
from tests.cluster.visitors import ITEM, RPS
from tests.cluster.waiting import pause, until
from tests.cluster.watch import Watch


class Proxy(NamedTuple):
    """Where a router accepts requests."""

    address: str
    port: int

    def load(self, host: str, rps: float, row: object, headers: Mapping[str, str] | None = None) -> Load:
        """Return users who send their requests through it."""
        return Load(host, rps, row, headers=headers or {}, address=self.address, port=self.port)


def covers(module: str) -> tuple[str, ...]:
    """Return what the scenario of a router covers.

    Args:
        module: of `tests/world/routers`.
    """
    of_the_router = ("tests/world/routed.py", f"tests/world/routers/{module}.py")
    return ("generator/routers", "generator/render", "templates/kubernetes", "tests/cluster", *of_the_router)


_COHORT = {"cohort": {"header": "x-cohort", "exact": "staff"}, "hold": "40s"}
_WEIGHTS = [{"weight": "5%", "hold": "120s"}, {"weight": "50%", "hold": "40s"}]
_GUARDS = [{"metric": "error-rate", "limit": "25%", "noData": "pass"}]
_COHORT_RPS = 10.0
_LONGEST_DIP_S = 5.0
_SHARE, _COPIED_S, _MIRRORED_RPS, _PERSON = 20, 40.0, 30.0, {"group": "a"}


def weights_cohort_commit_and_abort(
    delivered: Delivered, name: str, proxy: Proxy, cohort: bool = True
) -> None:
    """Release a good version, change the host names meanwhile, then release a bad one.

    Args:
        delivered: the fixture.
        name: of the router, with which its environments begin.
        proxy: of it.
        cohort: the good version starts with a cohort.
    """
    rollout = {"steps": [_COHORT, *_WEIGHTS] if cohort else _WEIGHTS, "guards": _GUARDS}
    git, plan = delivered("shop/ranker", f"{name}w", rollout=rollout)
    release, mark, host = git.release, secrets.token_hex(4), plan.routing.hosts[0]
    stable, new = release.stable(plan), release.plan("2", mark, rollout=rollout)
    hosts = {"hosts": [host, f"new.{host}"]}
    renamed = release.plan("2", mark, traffic=hosts, rollout=rollout)
    headers = {"x-cohort": "staff"}
    with (
        Watch(release.api, new) as watch,
        proxy.load(host, RPS, ITEM) as load,
        proxy.load(host, _COHORT_RPS, ITEM, headers) as staff,
    ):
        until("traffic", lambda: load.exposed(stable) > 5 * RPS, 60)
        git.synced(new, git.commit(new))
        until("weight 5", lambda: watch.last.weight == 5, 300)
        pause(20)
        changed = time.time()
        git.synced(renamed, git.commit(renamed))
        until("its weight after a commit", lambda: watch.last.weight, 60)
        second = proxy.load(f"new.{host}", 1, ITEM)
        with second:
            pause(5)
        release.until_phase(renamed, "Healthy", 400)
    canary = release.stable(renamed)
    first = next(moment.at for moment in watch.moments if moment.weight)
    early = staff.versions(0, first)
    dip = _dip(watch, changed)
    found = measures.splits(watch, load, canary, others=[staff])
    print(watch.story())
    report.figures(
        f"{name}: weights",
        {
            **load.told(),
            "split": ", ".join(map(str, found)),
            "requests of the cohort before the first weight, by version": f"{early[canary]} new, {early[stable]} stable",
            "seconds at weight 0 after a commit": f"{dip:.1f}",
        },
    )
    assert not load.failed, load.failed[:5]
    assert not staff.failed, staff.failed[:5]
    assert not second.failed, "the new host name arrived"
    assert {split.weight for split in found} == {5, 50}
    assert measures.fair(found)
    assert (early[canary] > 10 * _COHORT_RPS) is cohort
    assert not load.versions(0, first - 1)[canary], "no other user met it before its weight"
    assert dip < _LONGEST_DIP_S
    _bad_version(git, renamed, name, proxy)


def _dip(watch: Watch, since: float) -> float:
    """Return the seconds at weight 0 since then, without those after the last weight."""
    spans = watch.spans()
    last = max(end for weight, _, end in spans if 0 < weight < 100)
    return sum(end - max(start, since) for weight, start, end in spans if not weight and since < end <= last)


def _bad_version(git: GitOps, plan: Plan, name: str, proxy: Proxy) -> None:
    """Release a version of which half of the answers are errors; the abort must end its requests."""
    release, host = git.release, plan.routing.hosts[0]
    hosts = {"hosts": list(plan.routing.hosts)}
    rollout = {
        "steps": [{"weight": "20%", "hold": "90s"}, {"weight": "50%", "hold": "20s"}],
        "guards": _GUARDS,
    }
    stable, bad = release.stable(plan), release.fresh("2", "errors=0.5", rollout=rollout, traffic=hosts)
    with Watch(release.api, bad) as watch, proxy.load(host, RPS, ITEM) as load:
        git.synced(bad, git.commit(bad))
        release.until_phase(bad, "Degraded", 240)
        until("weight 0", lambda: watch.last.weight == 0, 60)
        back = time.time()
        pause(5)
    print(watch.story())
    weighted = next(moment.at for moment in watch.moments if moment.weight)
    canary = release.rollout(bad)["status"]["currentPodHash"]
    errors = sum("500" in answer.error for answer in load.answers)
    report.figures(
        f"{name}: abort",
        {
            "requests": f"{len(load.answers):,}",
            "answers of the bad version": load.exposed(canary) + errors,
            "of these errors": errors,
            "other failures": len(load.failed) - errors,
            "seconds from its weight to weight 0": f"{back - weighted:.0f}",
        },
    )
    assert release.stable(bad) == stable
    assert errors
    assert len(load.failed) == errors, load.failed[:5]
    assert all(answer.at < back + 2 for answer in load.answers if answer.error or answer.version == canary)


def mirror(delivered: Delivered, name: str, proxy: Proxy) -> None:
    """Let a shadow get a fifth of the requests, and count them in its pods."""
    rollout = {"shadow": {"percent": f"{_SHARE}%", "hold": "120s"}}
    git, plan = delivered("risk/fraud", f"{name}m", rollout=rollout)
    release, host = git.release, plan.routing.hosts[0]
    new = release.fresh("2", rollout=rollout)
    with proxy.load(host, _MIRRORED_RPS, _PERSON) as load:
        git.synced(new, git.commit(new), 300)
        until("a copy", lambda: _copies(release, new), 60)
        began, before = time.time(), _copies(release, new)
        pause(_COPIED_S)
        ended, after = time.time(), _copies(release, new)
    asked = load.versions(began, ended).total()
    share = Split(_SHARE, asked, after - before)
    report.figures(f"{name}: mirror", {**load.told(), "copies": f"{share.canary} of {asked} at {_SHARE} %"})
    assert not load.failed, load.failed[:5]
    assert not [answer for answer in load.answers if answer.version.startswith("shadow")]
    assert share.errors < 4, share


def _copies(release: Release, plan: Plan) -> int:
    """Return how many predictions the shadow's pods have answered."""
    path = f"/api/v1/namespaces/{plan.identity.namespace}/pods?labelSelector=sluice.dev%2Frole%3Dshadow"
    pods = [pod for pod in release.api.items(path) if pod["status"].get("podIP")]
    return sum(_answered(f"http://{pod['status']['podIP']}:3000/metrics") for pod in pods)


def _answered(url: str) -> int:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5) as answer:
        counts = re.findall(
            r'^sluice_predictions_total\{.*served_by="shadow-.*\} (\S+)$',
            answer.read().decode(),
            re.MULTILINE,
        )
    return round(sum(map(float, counts)))
