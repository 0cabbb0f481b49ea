"""A shadow answers copies of live requests: its answers reach no user, and a biased model does not get past its guard.

Two environments side by side: one gets a biased version, the other a fair one. Contour copies every request whatever the
share says, so the specs ask for all of them, and Sluice refuses 20 % there.
"""

from __future__ import annotations

import json
import random
import urllib.parse
import urllib.request
from pathlib import Path

from generator.plan.values import Plan
from tests.cluster import report
from tests.cluster.client import Api
from tests.cluster.envoy import refused
from tests.cluster.gitops import Delivered
from tests.cluster.layout import PROMETHEUS
from tests.cluster.load import Load
from tests.cluster.release import Release
from tests.cluster.waiting import until
from tests.cluster.watch import Watch
from tests.cluster.whole import Whole

_MODEL, _RPS = "risk/fraud", 30.0


def _person() -> object:
    return {"group": random.choice("ab")}


def test_a_share_is_refused_where_it_would_be_all(api: Api, tmp_path: Path) -> None:
    whole = Whole(api, tmp_path, "s9")
    whole.write({_MODEL: {"rollout": {"shadow": {"percent": "20%"}}}})
    done = whole.sluice("validate")
    assert done.returncode == 1
    assert "ROUTE604" in done.stdout


def test_biased_and_fair(delivered: Delivered) -> None:
    (biased_git, before), (fair_git, other) = delivered(_MODEL, "s9b"), delivered(_MODEL, "s9f")
    biased, fair = biased_git.release, fair_git.release
    with (
        Watch(biased.api, before) as bad, Watch(fair.api, other) as good,
        Load(before.routing.hosts[0], _RPS, _person) as unfairly, Load(other.routing.hosts[0], _RPS, _person) as fairly,
    ):  # fmt: skip
        until("traffic", lambda: unfairly.exposed(biased.stable(before)) > 2 * _RPS, 60)
        stable, old = biased.stable(before), fair.stable(other)
        one, two = biased.fresh("2", "bias=0.5"), fair.fresh("2")
        for git, plan in ((biased_git, one), (fair_git, two)):
            git.synced(plan, git.commit(plan), 300)  # the Rollout comes once the shadow is ready
        biased.until_phase(one, "Degraded", 500)
        fair.until_phase(two, "Healthy", 600)
        # The controller ends the analysis in the background after it has reported the Rollout as healthy.
        until("the end of the analyses", lambda: "Running" not in _verdicts(good), 60)
    mirrored, asked = _mirrored(one), len(unfairly.answers)
    report.figures(
        "9 shadow",
        {
            **fairly.told(),
            "copies answered by the biased shadow": f"{mirrored:.0f} of {asked} requests",
            "biased": _verdicts(bad),
            "fair": _verdicts(good),
        },
    )
    print(bad.story(), good.story(), sep="\n\n")
    for load in (unfairly, fairly):
        assert not load.failed, refused(biased.layout, load.host)
        assert not [answer for answer in load.answers if answer.version.startswith("shadow")]
    assert mirrored > 10 * _RPS
    assert set(unfairly.versions(0, 9e18)) == {stable}  # no user met the biased version
    assert {weight for weight, _, _ in bad.spans()} == {0}
    assert "Failed" in _verdicts(bad)
    assert fair.stable(two) != old
    assert set(_verdicts(good).split(", ")) == {"Successful"}
    _same_name(biased, one)


def _verdicts(watch: Watch) -> str:
    return ", ".join(phase for _, phase in watch.look().analyses)


def _mirrored(plan: Plan) -> float:
    """Predictions that the shadow answered, as Prometheus counted them."""
    query = f'sum(sluice_predictions_total{{namespace="{plan.identity.namespace}",served_by=~"shadow-.*"}})'
    url = f"{PROMETHEUS}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
        (found,) = json.load(answer)["data"]["result"]
    return float(found["value"][1])


def _same_name(release: Release, plan: Plan) -> None:
    """What the guard asked for is what the shadow calls itself."""
    space = plan.identity.namespace
    pods = release.api.items(f"/api/v1/namespaces/{space}/pods?labelSelector=sluice.dev%2Frole%3Dshadow")
    names = {
        item["value"]
        for pod in pods
        for item in pod["spec"]["containers"][0]["env"]
        if item["name"] == "SLUICE_SERVED_BY"
    }
    template = f"/apis/argoproj.io/v1alpha1/namespaces/{space}/analysistemplates/fraud-shadow-watch"
    query = release.api.request("GET", template)["spec"]["metrics"][0]["provider"]["prometheus"]["query"]
    assert names
    assert all(f'served_by="{name}"' in query for name in names)
