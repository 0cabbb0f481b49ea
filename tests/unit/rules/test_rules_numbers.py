"""Numbers of findings against independent sources, and constants against what is rendered."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from generator.odds import odds
from generator.odds.footprint import monthly
from generator.plan.guards import Comparison
from generator.plan.measurements import LIMIT_FAILURES
from generator.plan.peak import GATE_CPU, GATE_MEMORY, GATE_SCRATCH, SURGE, WAIT_STORAGE, peak, steady_state
from generator.render import metrics
from generator.report.sections.odds import odds as section
from generator.rules import secrets
from generator.rules.secrets import looks_secret
from generator.spec.platform import Prices
from generator.spec.quantities import share_down, share_up
from tests.unit.rules.repository import CTR, ERRORS, STEPS, Sample
from tests.unit.rules.samples import BLUE_GREEN, FAIR, SHADOW

TEMPLATES = Path(__file__).parents[3] / "templates"


@pytest.mark.parametrize("rows", [50, 200, 1000, 2000])
def test_accuracy_gates(rows, tmp_path):
    """Wilson's lower bound decides: 80% of models at 0.94 pass 0.92 on about 1,044 rows."""
    gate = {"name": "accuracy", "metric": "accuracy", "atLeast": 0.92, "rows": rows}
    found = [f for f in Sample(tmp_path, {"spec.gates": [gate]}).findings() if f.code == "GATE301"]
    lower = (
        stats.binomtest(right, rows).proportion_ci(0.90, method="wilson").low for right in range(rows + 1)
    )
    enough = next((right for right, low in enumerate(lower) if low >= 0.92), rows + 1)
    chance = stats.binom.sf(enough - 1, rows, 0.94)
    assert bool(found) == (chance < 0.8) == (rows < 1044)
    for finding in found:
        assert finding.severity == "warning"
        assert f"{math.floor(1000 * chance) / 10:g}%" in finding.message


UNPRICED = {**ERRORS, "baseline": None}
LIMIT = {"metric": "error-rate", "limit": "5%"}


@pytest.mark.parametrize(
    ("guards", "bound", "uncounted"),
    [
        ([CTR, ERRORS], 0.05, ()),
        ([CTR, {k: v for k, v in UNPRICED.items() if v}], 0.05, ()),
        ([CTR, FAIR], None, ("parity",)),
        ([CTR, LIMIT], None, ("error-rate",)),
    ],
)
def test_the_bound_counts_every_promise_and_names_who_makes_none(guards, bound, uncounted, tmp_path):
    """A sequential test keeps its share of the risk whatever the baseline; of a limit without one nothing is known."""
    (planned,) = Sample(tmp_path, {"spec.rollout.guards": guards}).resolved()[0].plans
    found = odds.odds_of(planned.plan)
    alphas = [guard.alpha for guard in planned.plan.guards if isinstance(guard, Comparison)]
    assert found.uncounted == uncounted
    assert found.false_rollback_bound == pytest.approx(math.fsum(alphas))
    told = section(planned)
    assert told.data["family_false_rollback_bound"] == (pytest.approx(bound) if bound else None)
    text, note = "\n".join(told.lines()), odds.odds_annotations(planned.plan)["sluice.dev/false-rollback"]
    for name in uncounted:
        assert f"{name} not counted" in text
        assert f"{name} not counted" in note
    assert ("not counted" in text) is bool(uncounted)


@given(st.floats(0, 1))
def test_shares_are_rounded_against_us(share):
    up, down = share_up(share), share_down(share)
    assert float(up[:-1]) / 100 >= share - 1e-9
    assert float(down[:-1]) / 100 <= share + 1e-9
    assert float(up[:-1]) - float(down[:-1]) < 0.11


def test_limits_are_priced_as_they_are_rendered(tmp_path):
    (planned,) = (
        Sample(tmp_path, {"spec.rollout.guards": [{"outcome": "ctr", "limit": "2%"}]}).resolved()[0].plans
    )
    (metric,) = metrics.live_metrics(planned.plan)
    assert (metric.failure_limit, metric.interval_s) == (LIMIT_FAILURES, 60)
    assert f"[{planned.plan.clock.window_s / 60:.0f}m]" in metric.query
    assert metrics.FLOOR == 100


def test_names_are_those_of_the_rendered_metrics(tmp_path):
    edits = {
        "spec.rollout.guards": [CTR, {**ERRORS, "name": "a-name-that-is-far-too-long-for-a-job"}, FAIR],
        "spec.rollout.shadow": SHADOW,
    }
    (planned,) = Sample(tmp_path, edits).resolved()[0].plans
    written = planned.source.file.spec.rollout.guards
    rendered = [metric.name for metric in metrics.live_metrics(planned.plan)]
    assert [name for item in written for name in item.metric_names] == rendered
    assert [name for guard in planned.plan.guards for name in guard.metric_names] == rendered


def test_peaks_by_hand(tmp_path):
    """A routed canary and a blue-green double; without a router a quarter comes on top; shadow and gates add."""
    base = {"spec.replicas": 6, "spec.resources": {"cpu": "250m", "memory": "512Mi", "gpu": 1}}
    canary = _plan(tmp_path / "a", base)
    assert peak(canary).total.pods == 12 + 1
    assert peak(canary).total.cpu == pytest.approx(12 * 0.25 + 0.5)
    assert peak(canary).total.memory == 12 * 512 * 2**20 + 2**30
    assert peak(canary).total.gpu == 12
    assert peak(canary).total.storage == (12 + 11) * 2**30
    assert peak(canary).total.services == 2 + 1
    shadow = _plan(tmp_path / "b", {**base, "spec.rollout.shadow": SHADOW})
    assert (peak(shadow).shadow.pods, steady_state(shadow).pods) == (2, 8)
    blue = _plan(tmp_path / "c", {**base, "spec.rollout": BLUE_GREEN})
    assert peak(blue).total.pods == 13
    counted = {**base, "platform.environments.production.router": {"kind": "none"}, "spec.replicas": 21}
    assert peak(_plan(tmp_path / "d", counted)).fresh.pods == 6
    scaled = _plan(tmp_path / "e", {**base, "spec.autoscaling": {"min": 2, "max": 9}})
    assert (
        steady_state(scaled).pods,
        steady_state(scaled, scaled_up=True).pods,
        peak(scaled).stable.pods,
    ) == (2, 9, 9)


def test_gates_only_in_git_need_no_pods(tmp_path):
    plan = _plan(tmp_path, {"platform.tiers.standard.evidence": ["git"]})
    assert peak(plan).gates.pods == 0


def test_needs_are_those_of_the_templates():
    gate = (TEMPLATES / "kubernetes/_gate-container.yaml.j2").read_text()
    requests = re.search(r"\n\s+cpu: (\d+)m\s+memory: (\d+)Gi", gate)
    assert requests is not None
    assert int(requests[1]) / 1000 == GATE_CPU
    assert int(requests[2]) * 2**30 == GATE_MEMORY
    limit = re.search(r"limits:\s+memory: 2Gi\s+ephemeral-storage: (\d+)Gi", gate)
    default = re.search(
        r"default:\s+memory: 512Mi\s+ephemeral-storage: (\d+)Gi",
        (TEMPLATES / "platform/limitrange.yaml.j2").read_text(),
    )
    assert limit is not None
    assert default is not None
    assert int(limit[1]) * 2**30 == GATE_SCRATCH
    assert int(default[1]) * 2**30 == WAIT_STORAGE
    rollout = (TEMPLATES / "kubernetes/rollout-canary.yaml.j2").read_text()
    assert f'maxSurge: "{100 * SURGE:.0f}%"' in rollout


def test_cost_by_hand(tmp_path):
    plan = _plan(tmp_path, {"spec.replicas": 4, "spec.resources": {"cpu": "2", "memory": "4Gi"}})
    prices = Prices.model_validate({"cpuHour": "0.05 EUR", "memoryHour": "0.01 EUR"})
    assert monthly(steady_state(plan), prices) == pytest.approx(730 * (8 * 0.05 + 16 * 0.01))


def _plan(root, edits):
    (planned,) = Sample(root, edits).resolved()[0].plans
    return planned.plan


_SECRETS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "Basic dXNlcjpwYXNzd29yZA" + "==",
    "https://hooks.slack.com" + "/services/T00000000/B00000000/abcdefghijkl",
    "dop_v1_" + "0123456789abcdef" * 4,
    "https://store.blob.example.net/c?sv=2020&sig=" + "abcdEFGH12345678%3D",
    "ghp_" + "a1B2" * 9,
    "glpat-" + "x" * 20,
    "-----BEGIN " + "RSA PRIVATE KEY-----",
    "hf_" + "aB3d" * 9,
    "postgres://user:" + "hunter22@db/x",
    "Zm9vYmFyIQ9kLm2Xw7Tq" + "Rv8nHs3Jc5Yb1Pd4Ge6Ua0",
    "DB_PASS=" + "hunter2",
    "jdbc:postgresql://db/x?user=a&password=" + "hunter2",
    "Server=db;User Id=sa;Pwd=" + "hunter2;",
    "Bearer " + "abc123def456",
    "Authorization: Basic " + "dXNlcjpodW50ZXIy",
    "redis://:" + "hunter22@cache:6379",
    "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=" + "a1B2" * 10 + "==",
    "Endpoint=sb://x.example.com/;SharedAccessKey=" + "a1B2" * 10,
    "-----BEGIN " + "PGP PRIVATE KEY BLOCK-----",
    "-----BEGIN " + "OPENSSH PRIVATE KEY-----",
    "AGE-SECRET-KEY-1" + "QPZRY9X8" * 7,
    "GOCSPX-" + "a1B2" * 6,
    "hvs." + "a1B2" * 6,
    "dapi" + "0123456789abcdef" * 2,
    "npm_" + "a1B2" * 9,
    "pypi-AgEIcHlwaS5vcmc" + "a1B2" * 9,
    "rk_live_" + "a1B2" * 6,
]
_PLAIN = [
    "info",
    "https://models.example.com/a/very/long/path/to/something",
    "a-long-name-of-a-thing-with-many-words-in-it-and-more",
    "f170ff6d078d0cd5b5b199ed52b5e26fcd6ae173a1117f039c01d4dc8b1fa972",
    "123e4567-e89b-12d3-a456-426614174000",
    "registry.example.com/models/shop/ranker:7-0123456789ab",
    "SELECT 1",
    "AbCdEfGhIjKlMnOp",
    "/var/lib/models/Ranker/Version7/Weights/Final/Model.onnx",
    "MyCompanyProductionFeatureFlagsEnabled",
    "set token=$TOKEN before use",
    "password=<from the vault>",
    "--max-tokens=512",
    "use_token=true",
    "bearer authentication is required",
    "redis://cache:6379",
    "https://git.example.com:8443/a@b",
]


@pytest.mark.parametrize("text", _SECRETS)
def test_secrets_are_seen(text):
    assert looks_secret(text)


@pytest.mark.parametrize(("words", "pattern"), [known[1:] for known in secrets._KNOWN])
def test_every_credential_has_one_of_its_words(words, pattern):
    """Other texts are not searched for it."""

    @settings(max_examples=100, deadline=None)
    @given(st.from_regex(pattern, alphabet=st.characters(max_codepoint=127)))
    def check(text):
        assert any(word in text.lower() for word in words)

    check()


@pytest.mark.parametrize("text", _PLAIN)
def test_plain_values_are_left_alone(text):
    assert looks_secret(text) == ""


_PERCENT = st.sampled_from(["0%", "0.000001%", "0.5%", "4%", "50%", "97%", "99.999999%", "100%"])
_HOLD = st.sampled_from(["0s", "1s", "59s", "20m", "60m", "3d", "30d"])
_DETECT = st.one_of(
    st.builds(lambda v: {"drop": v}, _PERCENT),
    st.builds(lambda v: {"rise": v}, st.one_of(_PERCENT, st.just("900%"))),
)
_JUDGED = st.one_of(st.builds(lambda d: {"detect": d}, _DETECT), st.builds(lambda v: {"limit": v}, _PERCENT))
_GUARD = st.builds(
    lambda index, judged, baseline: {**(_SUBJECTS[index](baseline)), **judged},
    st.integers(0, 2),
    _JUDGED,
    _PERCENT,
)
_SUBJECTS = (
    lambda _: {"outcome": "ctr"},
    lambda baseline: {"metric": "error-rate", "baseline": baseline},
    lambda baseline: {"metric": "slow-rate", "slowerThan": "1s", "baseline": baseline},
)
_STEP = st.builds(lambda weight, hold: {"weight": f"{weight}%", "hold": hold}, st.integers(1, 100), _HOLD)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_plan_makes_the_rules_fail(data, tmp_path_factory):
    """Whatever the numbers are: findings, never an exception."""
    rollout = {
        "strategy": "canary",
        "steps": data.draw(st.lists(_STEP, min_size=1, max_size=4)),
        "guards": data.draw(st.lists(_GUARD, max_size=3)),
        "risk": {"falseRollback": data.draw(_PERCENT), "power": data.draw(_PERCENT)},
    }
    edits = {
        "spec.rollout": rollout,
        "spec.traffic": {"minRps": data.draw(st.sampled_from([0.001, 1, 200, 1e7]))},
        "spec.outcomes.ctr.baseline": data.draw(_PERCENT),
        "spec.outcomes.ctr.delay": data.draw(_HOLD),
        "spec.outcomes.ctr.better": data.draw(st.sampled_from(["higher", "lower"])),
    }
    found = Sample(tmp_path_factory.mktemp("fuzz"), edits).findings()
    assert all(f.message and "nan" not in f.message.lower().split() for f in found)


def test_the_first_step_of_the_fact_sheet(tmp_path):
    """Power is 12% after 20 minutes and 83% after an hour, and the exposure falls by more than a third."""
    steps = [{**STEPS[0], "hold": "20m"}, *STEPS[1:]]
    slow = {"metric": "slow-rate", "slowerThan": "300ms", "baseline": "2.8%", "detect": {"rise": "50%"}}
    edits = {"spec.rollout.steps": steps, "spec.rollout.guards": [CTR, ERRORS, slow]}
    (finding,) = [f for f in Sample(tmp_path, edits).findings() if f.code == "CAN210"]
    assert "11.6% of 10% drops" in finding.message
    assert finding.hint.startswith("hold 5% for 1h: 82.7% caught")
    assert int(re.search(r"exposure -(\d+)%", finding.hint)[1]) in range(35, 45)
