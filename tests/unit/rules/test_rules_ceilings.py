"""Ways around the ceilings of the example's tiers, each tried on a model of the example; docs/tiers.md lists them."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.pipeline.new_repository import new_repository
from generator.plan.repository import Repository
from generator.plan.resolve import no_digest, resolve
from generator.render.environment import Templates
from generator.rules.evaluate import run_fleet_rules, run_rules
from generator.source.finding import Finding
from tests.unit.rules.repository import TODAY, edited, footprints

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/tiers.md"
RECOMMENDER, FRAUD = "shop/recommender", "risk/fraud"
STEPS = [{"weight": "5%", "hold": "60m"}, {"weight": "25%", "hold": "20m"}, {"weight": "50%", "hold": "20m"}]
ERRORS = {"metric": "error-rate", "baseline": "0.5%", "detect": {"rise": "100%"}}
SLOW = {"metric": "slow-rate", "slowerThan": "250ms", "baseline": "2%", "detect": {"rise": "50%"}}
CTR = {"outcome": "ctr", "detect": {"drop": "10%"}}
EVERY_USER = {"cohort": {"header": "user-agent", "regex": ".*"}, "hold": "5h"}
BLUE = {"strategy": "blue-green", "approve": "model-risk", "watch": "1s"}
G, S = "rollout.guards", "rollout.steps"
NO_ROUTER = {
    "environments.production.router": {"kind": "none"},
    "environments.staging.router": {"kind": "none"},
}


@dataclass(frozen=True)
class Way:
    """An edit of a model's spec (and of the platform's) of the example, and the code that refuses it."""

    model: str
    code: str
    spec: dict[str, Any]
    platform: dict[str, Any] | None = None


WAYS: dict[str, Way] = {
    "a switch": Way(RECOMMENDER, "TIER301", {"rollout": {"strategy": "blue-green", "approve": "automatic", "watch": "1s"}}),
    "an approved switch": Way(FRAUD, "TIER301", {"rollout": BLUE}),
    "a large first weight": Way(RECOMMENDER, "TIER301", {S: [{"weight": "6%", "hold": "2h"}, *STEPS[1:]]}),
    "a cohort of all users": Way(RECOMMENDER, "TIER301", {S: [EVERY_USER, *STEPS]}),
    "a cohort after the first weight": Way(RECOMMENDER, "TIER301", {S: [STEPS[0], EVERY_USER, *STEPS[1:]]}),
    "a listed header with another value": Way(
        RECOMMENDER,
        "TIER301",
        {S: [{"cohort": {"header": "x-cohort", "prefix": "s"}, "hold": "1h"}, *STEPS]},
        {"cohorts": [{"header": "x-cohort", "exact": "staff", "share": "1%"}]},
    ),
    "a large cohort": Way(
        RECOMMENDER,
        "TIER301",
        {S: [{"cohort": {"header": "x-cohort", "exact": "staff"}, "hold": "1h"}, *STEPS]},
        {"cohorts": [{"header": "x-cohort", "exact": "staff", "share": "30%"}]},
    ),
    "a weight of few pods": Way(RECOMMENDER, "TIER301", {"autoscaling": {"min": 4, "max": 12, "cpu": "65%"}}, NO_ROUTER),
    "an environment with other steps": Way(
        RECOMMENDER,
        "TIER301",
        {"environments": {"production": {"rollout": {"steps": [{"weight": "25%", "hold": "2h"}, STEPS[2]]}}}},
    ),
    "an environment with another strategy": Way(
        RECOMMENDER, "TIER301", {"environments": {"production": {"rollout": {"strategy": "blue-green"}}}}
    ),
    "all users after the first step": Way(RECOMMENDER, "TIER321", {S: [{"weight": "5%", "hold": "4h"}]}),
    "a jump between two steps": Way(FRAUD, "TIER321", {S: [{"weight": "1%", "hold": "2h"}, {"approve": "model-risk"}, {"weight": "90%", "hold": "2h"}]}),
    "weights that go down": Way(RECOMMENDER, "PLAN501", {S: [STEPS[0], STEPS[2], STEPS[1]]}),
    "a step of a second": Way(RECOMMENDER, "TIER322", {S: [{"weight": "5%", "hold": "1s"}, *STEPS[1:]]}),
    "a shadow of a second": Way(FRAUD, "TIER322", {"rollout.shadow.hold": "1s"}),
    "a watch of a second": Way("support/ticket-classifier", "TIER322", {"rollout.watch": "1s"}),
    "a switch under `maxExposed`": Way(RECOMMENDER, "TIER308", {"rollout": {"strategy": "blue-green"}}),
    "a slow judge": Way(RECOMMENDER, "TIER308", {"traffic.minRps": 3000, f"{G}.0": {"outcome": "ctr", "detect": {"drop": "3%"}}}),
    "no traffic declared": Way(RECOMMENDER, "TIER309", {"traffic": {}}),
    "no traffic in production": Way(RECOMMENDER, "TIER309", {"environments": {"production": {"traffic": {"minRps": None}}}}),
    "no guard": Way(RECOMMENDER, "TIER309", {G: []}),
    "no baseline": Way(FRAUD, "TIER309", {G: [{"metric": "error-rate", "detect": {"rise": "100%"}}]}),
    "less power": Way(RECOMMENDER, "TIER323", {"rollout.risk": {"power": "5%"}}),
    "too few requests": Way(RECOMMENDER, "TIER323", {"traffic.minRps": 1}),
    "a required guard left out": Way(RECOMMENDER, "TIER315", {G: [CTR, ERRORS]}),
    "the guard of the tier replaced": Way(FRAUD, "TIER315", {G: [{"fairness": "demographic-parity-difference", "sensitive": ["gender"], "atMost": 0.1}]}),
    "no guard in production": Way(RECOMMENDER, "TIER315", {"environments": {"production": {"rollout": {"guards": []}}}}),
    "a drop of 99.9%": Way(RECOMMENDER, "TIER325", {G: [{"outcome": "ctr", "detect": {"drop": "99.9%"}}, ERRORS, SLOW]}),
    "a rise of 5,000%": Way(FRAUD, "TIER325", {G: [{**ERRORS, "detect": {"rise": "5000%"}}]}),
    "a limit of 99%": Way(RECOMMENDER, "TIER325", {G: [CTR, {"metric": "error-rate", "limit": "99%"}, SLOW]}),
    "a baseline of 49%": Way(RECOMMENDER, "TIER325", {G: [CTR, {**ERRORS, "baseline": "49%"}, SLOW]}),
    "a latency bound that most requests miss": Way(RECOMMENDER, "TIER325", {G: [CTR, ERRORS, {**SLOW, "slowerThan": "5ms", "baseline": "60%"}]}),
    "a low limit of an outcome": Way(RECOMMENDER, "TIER325", {G: [{"outcome": "ctr", "limit": "0.01%"}, ERRORS, SLOW]}),
    "a latency bound of seconds": Way(RECOMMENDER, "TIER325", {G: [CTR, ERRORS, {**SLOW, "slowerThan": "1900ms"}]}),
    "a latency bound of a millisecond": Way(RECOMMENDER, "TIER325", {G: [CTR, ERRORS, {**SLOW, "slowerThan": "1ms"}]}),
    "a parity of 1 in the shadow": Way(FRAUD, "TIER325", {"rollout.shadow.guards.0.atMost": 1}),
    "nothing measured passes": Way(FRAUD, "TIER314", {"rollout.noData": "pass"}),
    "nothing measured passes for one guard": Way(RECOMMENDER, "TIER314", {f"{G}.1": {**ERRORS, "noData": "pass"}}),
    "an approval before any traffic": Way(FRAUD, "TIER312", {S: [{"approve": "model-risk"}, {"weight": "1%", "hold": "2h"}, {"weight": "50%", "hold": "2h"}]}),
    "an approval before the first measurement": Way(FRAUD, "TIER312", {S: [{"weight": "1%", "hold": "1s"}, {"approve": "model-risk"}, {"weight": "50%", "hold": "2h"}]}),
    "an approval at half of the traffic": Way(FRAUD, "TIER312", {S: [{"weight": "1%", "hold": "2h"}, {"weight": "50%", "hold": "2h"}, {"approve": "model-risk"}, {"weight": "60%", "hold": "2h"}]}),
    "another role": Way(FRAUD, "TIER312", {S: [{"weight": "1%", "hold": "2h"}, {"approve": "intern"}, {"weight": "50%", "hold": "2h"}]}),
    "a fairness limit of 0.9": Way(FRAUD, "TIER324", {"gates.0.atMost": 0.9}),
    "a fairness limit of 1": Way(FRAUD, "GATE305", {"gates.0.atMost": 1}),
    "a measure without a bound": Way(FRAUD, "TIER324", {"gates.0": {"name": "parity", "fairness": "demographic-parity-ratio", "sensitive": ["age_band", "gender"], "atLeast": 0.01}}),
    "a bound turned round": Way(FRAUD, "TIER324", {"gates.0": {"name": "parity", "fairness": "demographic-parity-ratio", "sensitive": ["age_band", "gender"], "atMost": 0.1}}),
    "an attribute left out": Way(FRAUD, "TIER324", {"gates.0.sensitive": ["gender"]}),
    "groups too small to decide": Way(FRAUD, "TIER324", {"gates.0.minGroup": 1_000_000}),
    "a drift limit of 1,000,000": Way(FRAUD, "TIER324", {"gates.1.tool": "psi", "gates.1.atMost": 1_000_000}),
    "a drift test that is never significant": Way(FRAUD, "TIER324", {"gates.1.alpha": 0.0001}),
    "drift of one feature": Way(FRAUD, "TIER324", {"gates.1.drift.features": ["hour"]}),
    "drift of data against itself": Way(FRAUD, "GATE305", {"gates.1.drift.current": "dvc:data/train.parquet"}),
    "attributions that may all change": Way(FRAUD, "TIER324", {"gates.3.atMost": 0.99}),
    "a large loss against the champion": Way(RECOMMENDER, "TIER324", {"gates.0.noWorseBy": "60%"}),
    "a tier with higher ceilings": Way(RECOMMENDER, "TIER326", {"tier": "standard", "rollout": {"strategy": "blue-green"}}),
    "groups redefined by the model": Way(FRAUD, "PLAN516", {"service.attributes": {"gender": ["male", "other"]}}),
    "an accepted error": Way(RECOMMENDER, "WAIV704", {"accept": [{"code": "TIER301", "reason": "r", "until": "2027-01-01"}]}),
    "an accepted missing number": Way(RECOMMENDER, "WAIV704", {"accept": [{"code": "TIER309", "reason": "r", "until": "2027-01-01"}]}),
    "a waiver for a gate that is gone": Way(FRAUD, "WAIV702", {"gates.0.name": "fair"}),
    "a host of another service": Way(RECOMMENDER, "TEAM804", {"traffic": {"minRps": 200, "hosts": ["login.example.com"]}}),
    "a host of another team": Way(RECOMMENDER, "TEAM804", {"traffic": {"minRps": 200, "hosts": ["new.risk.models.example.com"]}}),
}  # fmt: skip


def findings(root: Path, way: Way) -> list[Finding]:
    """The findings about the example with the edits of a way."""
    shutil.copytree(ROOT / "specs", root / "specs")
    _edit(root / "specs/platform.yaml", way.platform or {})
    _edit(root / f"specs/{way.model}.yaml", way.spec)
    repository = Repository(root)
    models = [resolve(repository, entry, no_digest) for entry in repository.entries]
    unread = [finding for model in models for finding in model.findings] + repository.findings
    assert not unread, [f"{f.place} {f.message}" for f in unread]
    fleet = run_fleet_rules(footprints(models), repository, TODAY)
    return [*(finding for model in models for finding in run_rules(model, TODAY)), *fleet]


def _edit(path: Path, edits: dict[str, Any]) -> None:
    data = yaml.safe_load(path.read_text())
    # JSON is YAML with quoted text: `04:30` stays what it is.
    path.write_text(json.dumps({**data, "spec": edited(data["spec"], edits)}, default=str))


@pytest.mark.parametrize("name", WAYS)
def test_a_way_around_a_ceiling_is_refused(name, tmp_path):
    way = WAYS[name]
    found = {(f.code, f.severity) for f in findings(tmp_path, way)}
    assert (way.code, "error") in found, found


def test_the_example_itself_keeps_its_ceilings(tmp_path):
    found = findings(tmp_path, Way(FRAUD, "", {}))
    # The digest of its image is compared with a real bento elsewhere.
    assert [f.message for f in found if f.severity == "error" and f.code != "TIER313"] == []


STRICT = ("first_weight", "largest_increase", "max_exposed", "power", "shortest_hold", "guards")


def test_the_strict_tiers_of_the_example_and_of_init_set_every_ceiling_on_users(tmp_path):
    for path, text in new_repository(Templates(), {}).items():
        if path == "specs/platform.yaml":
            (tmp_path / "specs").mkdir()
            (tmp_path / path).write_text(text)
    platforms = {"example": Repository(ROOT).platform, "init": Repository(tmp_path).platform}
    for name, tier in (("example", "high-traffic"), ("example", "regulated"), ("init", "standard")):
        platform = platforms[name]
        assert platform is not None
        ceilings = platform.tiers[tier].ceilings
        assert [key for key in STRICT if not getattr(ceilings, key)] == [], (name, tier)
        assert platform.tiers[tier].requires.guards, (name, tier)
        assert ceilings.gates.metric or ceilings.gates.fairness, (name, tier)


def test_the_page_lists_exactly_the_ways_that_are_tried():
    rows = re.findall(r"^\| (?:[^|]*\|){2} ([A-Z]+[0-9]+) \| `([^|]+)` \|$", PAGE.read_text(), re.MULTILINE)
    assert {name: code for code, name in rows} == {
        name.replace("`", ""): way.code for name, way in WAYS.items()
    }
