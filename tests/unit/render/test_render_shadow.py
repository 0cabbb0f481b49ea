"""The shadow's hold is held: the analysis step, which is what makes a Rollout wait, is not over before it."""

from __future__ import annotations

import pytest
import yaml

from generator.render.bundle import render_bundle
from generator.render.environment import Templates
from generator.spec.parsing import seconds
from tests.system.repositories import MODEL, resolve_one, small

SHADOW = """\
    shadow: {{percent: 100%, hold: {hold}, guards: [{{fairness: demographic-parity-difference, sensitive: [group], atMost: 0.2}}]}}
"""


@pytest.mark.parametrize("hold", ["1s", "60s", "90s", "10m", "24h", "7d", "30d"])
def test_the_hold_is_held(hold: str, tmp_path):
    model = MODEL.replace(
        "  rollout:\n", "  service: {attributes: {group: [a, b]}, positive: [1]}\n  rollout:\n"
    )
    small(tmp_path, model + SHADOW.format(hold=hold))
    (planned,) = resolve_one(tmp_path).plans
    text = render_bundle(planned.plan, Templates(None), {})["analysistemplate-shadow-watch.yaml"]
    (metric,) = yaml.safe_load(text)["spec"]["metrics"]
    interval = seconds(metric["interval"])
    lasts = seconds(metric["initialDelay"]) + (metric["count"] - 1) * interval
    assert seconds(hold) <= lasts <= seconds(hold) + interval + seconds(metric["initialDelay"])
    assert metric["count"] <= 201 + 1
