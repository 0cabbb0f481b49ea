"""Routes in git send everything to the stable version: that is where a sync in mid-canary puts them for some seconds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from generator.plan.timeline import timeline
from generator.render.bundle import render_bundle
from generator.render.environment import Templates
from tests.golden import render
from tests.system.repositories import MODEL, resolve_one, small

WHERE = {
    "gateway-api": ("HTTPRoute", ("rules", "backendRefs"), "name"),
    "istio": ("VirtualService", ("http", "route"), "destination"),
    "traefik": ("TraefikService", ("weighted", "services"), "name"),
}


def weights(router: str, body: dict[str, Any]) -> Iterator[dict[str, int]]:
    """Weight by Service of every rule."""
    _, (outer, inner), name = WHERE[router]
    found = body["spec"].get(outer)
    for rule in found if isinstance(found, list) else [found or {}]:
        yield {
            each[name]["host"] if isinstance(each[name], dict) else each[name]: each.get("weight", 1)
            for each in rule.get(inner, ())
        }


@pytest.mark.parametrize("router", WHERE)
def test_a_canary_starts_with_nothing_whatever_the_router(router):
    kind = WHERE[router][0]
    bodies = [
        yaml.safe_load(text) for name, text in render(f"canary-{router}").items() if name.endswith(".yaml")
    ]
    shares = [share for body in bodies if body["kind"] == kind for share in weights(router, body) if share]
    assert shares
    for share in shares:
        (stable,) = (weight for name, weight in share.items() if name.endswith("-stable"))
        (canary,) = (weight for name, weight in share.items() if name.endswith("-canary"))
        assert (stable, canary) == (100, 0)


COHORT, FIVE, HALF = (
    "{cohort: {header: x-a, exact: b}, hold: 5m}",
    "{weight: 5%, hold: 9m}",
    "{weight: 50%, hold: 9m}",
)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([COHORT, FIVE], [{"replicas": 1}, {"matchTrafficWeight": True}]),
        ([COHORT, COHORT, FIVE, HALF], [{"replicas": 1}, {"matchTrafficWeight": True}]),
        ([FIVE, COHORT, HALF], []),
        ([COHORT, FIVE, COHORT, HALF, COHORT], [{"replicas": 1}, {"matchTrafficWeight": True}]),
    ],
)
def test_a_cohort_never_squeezes_the_share_of_the_others_into_one_pod(steps, expected, tmp_path):
    old = "[{weight: 5%, hold: 10m}]"
    assert old in MODEL
    small(tmp_path, MODEL.replace(old, f"[{', '.join(steps)}]"))
    (planned,) = resolve_one(tmp_path).plans
    canary = yaml.safe_load(render_bundle(planned.plan, Templates(None), {})["rollout-main.yaml"])["spec"][
        "strategy"
    ]
    assert [
        step["setCanaryScale"] for step in canary["canary"]["steps"] if "setCanaryScale" in step
    ] == expected
    told = [event.text for event in timeline(planned.plan).events if event.kind == "cohort"]
    live = [
        index > 0 and any("weight" in step for step in steps[:index])
        for index, step in enumerate(steps)
        if step == COHORT
    ]
    assert ["beside" in text for text in told] == live
    assert [text.endswith("one pod of the new version, and no others do") for text in told] == [
        not each for each in live
    ]
