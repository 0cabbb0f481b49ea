"""Where findings stand, what they name, and what becomes of those that a team accepts."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.plan.repository import Repository
from generator.plan.resolve import resolve
from generator.render.bento import Bentos
from generator.render.environment import Templates
from generator.rules.evaluate import run_fleet_rules, run_rules
from tests.unit.rules.cases import CASES
from tests.unit.rules.repository import CTR, ERRORS, STEPS, TODAY, Sample, footprints
from tests.unit.rules.samples import DIGEST, ROUTER

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
    keys = {*_keys(written.get("ceilings", {})), *written["requires"]}
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


def test_an_error_stays_an_error(tmp_path):
    accept = [{"code": "CAN102", "reason": "known", "until": "2030-01-01"}]
    edits = {"spec.traffic.minRps": 20, "spec.accept": accept}
    (finding,) = [f for f in Sample(tmp_path, edits).findings() if f.code == "CAN102"]
    assert finding.severity == "error"
    assert finding.hint.endswith("`accept` has no effect here, because this CAN102 is an error")


def test_a_strict_tier_accepts_no_odds(tmp_path):
    accept = [{"code": "CAN108", "reason": "known", "until": "2030-01-01"}]
    edits = {
        "spec.rollout.guards": [],
        "spec.accept": accept,
        "platform.tiers.standard.requires.imageDigest": True,
    }
    found = {f.code: f.severity for f in Sample(tmp_path, edits).findings()}
    assert (found["CAN108"], found["WAIV704"]) == ("warning", "error")


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
