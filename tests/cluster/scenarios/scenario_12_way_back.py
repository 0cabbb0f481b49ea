"""After an abort: `sluice revert`, merged, brings the old version back at once; then forward; the bad bytes never again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from generator.plan.values import Plan
from tests.cluster import bentos, report, repository
from tests.cluster.client import Api
from tests.cluster.layout import Layout
from tests.cluster.load import Load
from tests.cluster.release import Release
from tests.cluster.visitors import ITEM, RPS
from tests.cluster.waiting import until
from tests.cluster.watch import Watch
from tests.cluster.whole import Whole

_ENVIRONMENT, _MODEL = "s12", "shop/ranker"
_APPLICATION = f"{_ENVIRONMENT}-shop-ranker"
_ROLLOUT = {
    "strategy": "canary",
    "steps": [{"weight": "20%", "hold": "75s"}],
    "guards": [{"metric": "error-rate", "limit": "20%"}],
}
_SOON_S = 120


def test_back_and_forward(layout: Layout, api: Api, tmp_path: Path) -> None:
    whole, release = Whole(api, tmp_path, _ENVIRONMENT), Release(layout, api, _MODEL, _ENVIRONMENT)
    first = _write(whole, 0)
    whole.publish()
    whole.bootstrap()
    space = first.identity.namespace
    until(f"namespace {space}", lambda: api.find(f"/api/v1/namespaces/{space}"), 300)
    release.provide_keys(first)
    until(
        "a healthy Application", lambda: whole.applications().get(_APPLICATION) == ("Synced", "Healthy"), 500
    )
    stable, host = release.stable(first), first.routing.hosts[0]
    with Watch(api, first) as watch, Load(host, RPS, ITEM) as load:
        until("traffic", lambda: load.exposed(stable) > 3 * RPS, 60)
        bad = _write(whole, 1, "errors=0.5")
        whole.synced(_APPLICATION, whole.publish())
        release.until_phase(bad, "Degraded", 500)
        until("an Application that says so", lambda: whole.applications()[_APPLICATION][1] == "Degraded", 60)
        analyses = len(_analyses(api, first))
        done = whole.sluice(
            "revert", _MODEL, "--with-spec", "--quiet", "--reason", "half of its answers fail"
        )
        assert done.returncode == 0, done.stdout + done.stderr
        began = time.time()
        whole.synced(_APPLICATION, whole.merge(done.stdout.strip()))
        release.until_phase(first, "Healthy", _SOON_S)
        back_s = time.time() - began
        seen = len(load.answers)
        until("traffic behind the way back", lambda: len(load.answers) > seen + 2 * RPS, 60)
        assert release.stable(first) == stable
        assert len(_analyses(api, first)) == analyses  # no step, no analysis
        # The same bytes again: refused before anything is rendered.
        refused = _again(whole)
        good = _write(whole, 2)
        whole.synced(_APPLICATION, whole.publish())
        release.until_phase(good, "Healthy", 400)
    whole_said = " ".join(refused.split())
    # The model's own errors say 500; nothing else may fail.
    failures = [
        answer.error for answer in load.answers if answer.error and not answer.error.startswith("500")
    ]
    report.figures(
        "12 the way back",
        {
            **load.told(),
            "failed otherwise than by the bad model": len(failures),
            "seconds from the merge of the revert to Healthy": f"{back_s:.0f}",
            "the same digest again": whole_said[:200].replace("|", "/"),
        },
    )
    print(watch.story())
    weights = [weight for weight, _, _ in watch.spans() if weight]
    assert "WAIV705" in refused
    assert release.stable(good) != stable
    assert weights[0] == 20 and weights[-1] in {20, 100}, weights  # noqa: PT018 - one fact: both canaries took their step
    assert sum(weight == 20 for weight in weights) >= 2, weights
    assert not failures
    whole.remove()


def _write(whole: Whole, number: int, behaviour: str = "") -> Plan:
    """The spec and the lock of a version; its plan. What is in quarantine stays there."""
    version = bentos.versions(_MODEL)[number]
    variables = [{"name": "BED_BEHAVIOUR", "value": behaviour}] if behaviour else []
    changes: dict[str, Any] = {"rollout": _ROLLOUT, "service": {"env": variables}}
    platform = whole.root / "specs" / "platform.yaml"
    kept = platform.read_text() if platform.exists() else ""
    repository.write(whole.root, {_MODEL: version}, changes, _ENVIRONMENT)
    if kept:
        platform.write_text(kept)
    (plan,) = repository.plans(whole.root)
    return plan


def _again(whole: Whole) -> str:
    """What `sluice render` says to the lock of the version that was taken back; nothing is written."""
    before = whole.changed()
    _write(whole, 1)
    done = whole.sluice("render")
    assert done.returncode == 1, done.stdout
    assert all(not name.startswith("rendered/") for name in whole.changed() - before)
    return done.stdout + done.stderr


def _analyses(api: Api, plan: Plan) -> list[str]:
    path = f"/apis/argoproj.io/v1alpha1/namespaces/{plan.identity.namespace}/analysisruns"
    return [item["metadata"]["name"] for item in api.items(path)]
