"""Where findings stand, what they name, and what becomes of those that a team accepts."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.lint.engine import rules
from generator.plan.repository import Repository
from generator.plan.resolve import resolve
from generator.render.bento import Bentos
from generator.render.environment import Templates
from generator.rules.context import Context
from generator.rules.evaluate import run_fleet_rules, run_rules
from tests.unit.rules.cases import CASES
from tests.unit.rules.repository import CTR, ERRORS, PLATFORM, STEPS, TODAY, Sample, footprints
from tests.unit.rules.samples import DIGEST, HOT_FIX, ROUTER

ROOT = Path(__file__).parents[3]
_TIER = [case for case in CASES if case.code.startswith("TIER")]


@pytest.mark.parametrize("case", _TIER, ids=[f"{case.code}-{index}" for index, case in enumerate(_TIER)])
def test_a_ceiling_is_named_with_its_line(case, tmp_path):
    finding = next(
        f for f in Sample(tmp_path, case.trip).findings() if f.code == case.code and f.path == case.at
    )
    assert "the tier `standard`" in finding.message
    ((_, place),) = finding.related
    assert place.file == "specs/platform.yaml"
    text = (tmp_path / place.file).read_text().splitlines()[place.line - 1]
    written = yaml.safe_load((tmp_path / "specs/platform.yaml").read_text())["spec"]["tiers"]["standard"]
    default = ("standard",) if "ceilings" not in written else ()
    keys = {*_keys(written.get("ceilings", {})), *written["requires"], *default}
    assert any(key in text for key in keys) or text.strip().startswith("- ")


def _keys(written: Any) -> Iterator[str]:
    """The keys of a mapping, and of those inside it."""
    for key, value in written.items() if isinstance(written, dict) else ():
        yield key
        yield from _keys(value)


def test_a_finding_stands_at_the_line_of_the_value(tmp_path):
    sample = Sample(tmp_path, {"platform.tiers.standard.ceilings.firstWeight": "4%"})
    (finding,) = sample.findings()
    line = (tmp_path / finding.place.file).read_text().splitlines()[finding.place.line - 1]
    assert (finding.place.file, line.strip()) == ("specs/shop/ranker.yaml", "- weight: 5%")
    assert finding.excerpt == line


def test_a_default_above_the_ceiling_stands_in_the_platform_and_has_no_fix(tmp_path):
    edits = {
        "platform.tiers.standard.defaults": {"replicas": 9},
        "platform.tiers.standard.ceilings.replicas": 8,
    }
    (finding,) = Sample(tmp_path, edits).findings()
    assert (finding.code, finding.place.file, finding.fix) == ("TIER304", "specs/platform.yaml", None)


def test_what_one_environment_overrides_is_said_of_that_one(tmp_path):
    staging = {"server": "https://s.example.com", "router": {"kind": "traefik"}}
    edits = {
        "platform.environments.staging": staging,
        "spec.environments": {"staging": {"rollout": {"steps": [STEPS[0], {"weight": "4%", "hold": "1h"}]}}},
    }
    (finding,) = [f for f in Sample(tmp_path, edits).findings() if f.code == "PLAN501"]
    assert finding.path == "spec.environments.staging.rollout.steps[1].weight"
    assert finding.message.endswith("(in staging)")


def test_a_missing_key_of_an_override_is_told_at_the_override(tmp_path):
    guards = [CTR, {"metric": "error-rate", "detect": {"rise": "100%"}}]
    edits = {"spec.environments": {"production": {"rollout": {"guards": guards}}}}
    (finding,) = [f for f in Sample(tmp_path, edits).findings() if f.code == "CAN107"]
    assert finding.path == "spec.environments.production.rollout.guards[1].baseline"


def test_what_all_environments_share_is_said_once(tmp_path):
    staging = {"server": "https://s.example.com", "router": {"kind": "traefik"}}
    edits = {"platform.environments.staging": staging, "spec.rollout.guards": []}
    (finding,) = [f for f in Sample(tmp_path, edits).findings() if f.code == "CAN108"]
    assert "(in " not in finding.message


_ACCEPTED = [
    ("2026-11-23", "CAN210", "info"),
    ("2026-11-22", "CAN210", "warning"),
    ("2026-12-24", "CAN212", "warning"),
]


@pytest.mark.parametrize(("until", "code", "severity"), _ACCEPTED)
def test_an_accepted_warning_is_an_information_until_the_day(until, code, severity, tmp_path):
    edits = {
        "spec.rollout.steps": [{**STEPS[0], "hold": "20m"}, *STEPS[1:]],
        "spec.accept": [{"code": code, "reason": "known", "until": until}],
    }
    (finding,) = [f for f in Sample(tmp_path, edits).findings(TODAY) if f.code == "CAN210"]
    assert finding.severity == severity
    assert ("known" in finding.hint) == (severity == "info")


CODES = {found.code.code for found in rules(Context)}
_WARNINGS = [
    (index, case)
    for index, case in enumerate(CASES)
    if case.severity == "warning" and "accept" not in str(case.trip) and case.code in CODES
]


@pytest.mark.parametrize(
    ("index", "case"), _WARNINGS, ids=[f"{case.code}-{index}" for index, case in _WARNINGS]
)
def test_every_warning_can_be_accepted_or_the_acceptance_is_refused(index, case, tmp_path):
    accept = [{"code": case.code, "reason": "known", "until": "2026-12-24"}]
    found = Sample(tmp_path, {**case.trip, "spec.accept": accept}, case.models).findings()
    refused = [f for f in found if f.code == "WAIV704"]
    left = [f for f in found if f.code == case.code and f.path == case.at and f.severity == "warning"]
    assert bool(left) == bool(refused), (left, refused)


HOT_STEPS = {"spec.rollout.steps": [{"weight": "25%", "hold": "5m"}]}
TIER = {
    "platform.tiers.standard.ceilings": {
        "firstWeight": "10%", "largestIncrease": "50%", "power": "50%", "shortestHold": "10m", "maxExposed": 20000,
    }
}  # fmt: skip


def test_a_hot_fix_goes_out_for_a_day_with_its_guards(tmp_path):
    def errors(name: str, edits, day=TODAY) -> set[str]:
        found = Sample(tmp_path / name, {**HOT_STEPS, **TIER, **edits}).findings(day)
        return {finding.code for finding in found if finding.severity == "error"}

    accepted = {"platform.hotFixes": [HOT_FIX]}
    refused = {"TIER301", "TIER321", "TIER322", "TIER323", "CAN102"}
    assert errors("a", {}) == refused
    assert errors("b", accepted) == set()
    assert errors("c", accepted, TODAY + datetime.timedelta(days=1)) == refused
    assert errors("d", {"platform.hotFixes": [{**HOT_FIX, "digest": "sha256:" + "b" * 64}]}) == refused
    # To delete the guards is not the easier way, with or without the hot fix.
    bare = {"spec.rollout.guards": []}
    assert errors("e", bare) >= {"CAN108", "TIER309", "TIER322", "TIER323"}
    assert errors("f", bare | accepted) >= {"CAN108", "WAIV709", "TIER309", "TIER322"}
    found = Sample(tmp_path / "g", {**HOT_STEPS, **TIER, **accepted}).findings()
    assert "accepted as a hot fix until 2026-11-23 by boss: r" in {finding.hint for finding in found}


def test_a_hot_fix_needs_no_ceilings_to_be_better_than_no_guards(tmp_path):
    codes = {
        f.code
        for f in Sample(tmp_path, {**HOT_STEPS, "spec.rollout.guards": []}).findings()
        if f.severity == "error"
    }
    assert "CAN108" in codes


def test_one_model_in_two_environments_of_a_gateway_gets_the_remedy(tmp_path):
    production = PLATFORM["environments"]["production"]
    shared = {"platform.environments.staging": {**production, "domain": "models.internal"}}
    found = Sample(
        tmp_path / "a", {**shared, "platform.environments.production.domain": "models.internal"}
    ).findings()
    (finding,) = [f for f in found if f.code == "TEAM803"]
    assert finding.place.file == "specs/platform.yaml"
    assert finding.hint == "give production another domain, such as `production.models.internal`"
    listed = {"platform.teams.shop.hosts": ["a.example.com"], "spec.traffic.hosts": ["a.example.com"]}
    edits = {**listed, "platform.environments.staging": {**production, "domain": "staging.internal"}}
    (finding,) = [f for f in Sample(tmp_path / "b", edits).findings() if f.code == "TEAM803"]
    assert (
        "`environments: {production: {traffic: {hosts: [ranker.shop.production.models.internal]}}}`"
        in finding.hint
    )


def test_borrowed_traffic_names_its_environment(tmp_path):
    staging = {
        "server": "https://other.example.com",
        "router": PLATFORM["environments"]["production"]["router"],
    }
    edits = {
        "platform.environments.staging": staging,
        "platform.environments.production.requires": ["staging"],
    }
    (finding,) = [f for f in Sample(tmp_path, edits).findings() if f.code == "CAN109"]
    assert finding.message == (
        "the odds in staging assume 200 requests per second, which are declared for all environments (in staging)"
    )
    assert finding.hint == (
        "declare what staging gets, from users or from a load generator: "
        "`environments: {staging: {traffic: {minRps: …}}}`"
    )


def test_an_error_stays_an_error(tmp_path):
    accept = [{"code": "CAN102", "reason": "known", "until": "2030-01-01"}]
    edits = {"spec.traffic.minRps": 20, "spec.accept": accept}
    (finding,) = [f for f in Sample(tmp_path, edits).findings() if f.code == "CAN102"]
    assert finding.severity == "error"
    assert finding.hint.endswith("`accept` has no effect here, because this CAN102 is an error")


def test_a_strict_tier_accepts_no_odds(tmp_path):
    accept = [{"code": "CAN107", "reason": "known", "until": "2030-01-01"}]
    edits = {
        "spec.traffic": {"designEffect": 1},
        "spec.accept": accept,
        "platform.tiers.standard.requires.imageDigest": True,
    }
    found = {f.code: f.severity for f in Sample(tmp_path, edits).findings()}
    assert (found["CAN107"], found["WAIV704"]) == ("warning", "error")


def test_an_image_of_another_bento_does_not_count(tmp_path):
    edits = {
        "platform.tiers.standard.requires.imageDigest": True,
        "lock.image": {"digest": "sha256:" + "b" * 64, "bento": "c" * 12},
    }
    (finding,) = [f for f in Sample(tmp_path / "a", edits).findings() if f.code == "TIER313"]
    assert finding.place.file == "specs/shop/ranker.lock.yaml"
    assert "bento cccccccccccc" in finding.message
    bento = finding.hint.rpartition("bento: ")[2].rstrip("}`")
    edits["lock.image"]["bento"] = bento
    assert "TIER313" not in {f.code for f in Sample(tmp_path / "b", edits).findings()}


def test_a_waiver_lasts_to_the_end_of_its_day(tmp_path):
    waiver = {
        "model": "shop/ranker",
        "gate": "unit-tests",
        "kind": "tests",
        "digest": DIGEST,
        "reason": "r",
        "approvedBy": "b",
        "until": "2026-11-23",
    }
    sample = Sample(tmp_path, {"platform.waivers": [waiver]})
    assert sample.findings(datetime.date(2026, 11, 23)) == []
    assert {f.code for f in sample.findings(datetime.date(2026, 11, 24))} == {"WAIV701"}


def test_the_same_bare_threshold_as_in_the_design_is_refused(tmp_path):
    """The recommender with a bare threshold is a coin toss, and the finding gives the reason."""
    edits = {
        "spec.rollout.guards": [{"outcome": "ctr", "limit": "3.6%"}, ERRORS],
        f"{ROUTER}.implementation": "cilium",
    }
    (finding,) = [f for f in Sample(tmp_path, edits).findings() if f.code == "CAN101"]
    assert finding.severity == "error"
    assert "`detect: {drop: 10%}` instead of `limit`" in finding.hint


def test_the_specs_of_this_repository_have_no_errors():
    """The strict tier's image digest is the lock's business: it is written when CI has pushed."""
    repository = Repository(ROOT)
    digest = Bentos(Templates()).digest
    models = [resolve(repository, entry, digest) for entry in repository.entries]
    found = [f for model in models for f in (*model.findings, *run_rules(model, TODAY))]
    found += run_fleet_rules(footprints(models), repository, TODAY)
    assert len(models) == 3
    assert [(f.code, str(f.place), f.message) for f in found if f.severity == "error"] == []
