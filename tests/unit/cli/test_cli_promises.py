"""A change is measured against what was promised before: the same harms on both sides, lost guards first."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.unit.cli.edits import change

RECOMMENDER = "shop/recommender.yaml"


def edited(root, edit) -> None:
    """Edit the rollout of the recommender."""
    path = root / "specs" / RECOMMENDER
    data = yaml.safe_load(path.read_text())
    edit(data["spec"]["rollout"])
    path.write_text(yaml.safe_dump(data, sort_keys=False))


def difference(sluice) -> dict:
    """Return what differs in production."""
    found = json.loads(sluice("diff", "--format", "json").output)["differences"]
    return next(one for one in found if one["environment"] == "production")


def test_a_lost_guard_is_the_first_row_with_what_it_caught(committed, sluice):
    change(committed, RECOMMENDER, "model:", "replicas: 4\n  model:")
    change(committed, RECOMMENDER, "  - {outcome: ctr, detect: {drop: 10%}}", "  # none")
    lines = [line.strip() for line in sluice("diff").output.splitlines()]
    assert lines[2] == (
        "guard ctr: removed; a 10% drop of ctr: caught in the first step 82.7% → 0%, by the end 99.9% → 0% (looser)"
    )
    assert "so power: 99.9% → 0%" in lines
    assert "so caught in the first step: 82.7% → 0%" in lines
    page = sluice("plan", "shop/recommender", "--format", "html").output
    assert page.index('<th scope="row" class="word">guard ctr') < page.index("capacity replicas")
    assert "82.7% → 0%" in page
    assert ">looser<" in page
    comment = sluice("plan", "--all", "--against", "HEAD", "--format", "markdown").output
    first = next(line for line in comment.splitlines() if "| guard ctr" in line)
    assert first.startswith("| 1 model | guard ctr | removed, was")
    assert "looser" in first
    assert "| 99.9% → 0% |" in comment
    assert "82.7% → 0%, by the end 99.9% → 0% (looser)" in comment


@pytest.mark.parametrize("index", range(3))
def test_no_number_gets_better_without_a_guard(index, committed, sluice):
    edited(committed, lambda rollout: rollout["guards"].pop(index))
    found = difference(sluice)
    old, new = found["numbers"]["old"], found["numbers"]["new"]
    assert new["power"] == 0
    assert new["exposed"] >= old["exposed"]
    colored = sluice("diff", env={"FORCE_COLOR": "1", "NO_COLOR": None}).output
    assert "\x1b[32m" not in colored


@pytest.mark.parametrize("drop", ["20%", "99.9%"])
def test_a_loosened_guard_is_judged_at_the_stricter_harm(drop, committed, sluice):
    edited(committed, lambda rollout: rollout["guards"][0].update({"detect": {"drop": drop}}))
    found = difference(sluice)
    (harm,) = found["harms"]
    assert harm["change"] == "a 10% drop of ctr"
    assert harm["new"]["share"] < 0.7 < 0.99 < harm["old"]["share"]
    assert harm["new"]["exposed"] > 2 * harm["old"]["exposed"]
    assert [one["direction"] for one in found["changes"]] == ["looser"]
    old, new = found["numbers"]["old"], found["numbers"]["new"]
    assert new["power"] < old["power"]
    assert new["exposed"] >= old["exposed"]


def test_a_limit_in_place_of_a_comparison_is_judged_by_its_odds(committed, sluice):
    def limit(rollout):
        del rollout["guards"][1]["detect"]
        rollout["guards"][1]["limit"] = "5%"

    edited(committed, limit)
    (harm,) = difference(sluice)["harms"]
    assert (harm["guard"], harm["change"]) == ("error-rate", "a 100% rise of error-rate")
    assert harm["new"]["share"] < 0.01 < 0.9 < harm["old"]["share"]
    assert "guard error-rate threshold: rise of 100% → at most 5% (looser)" in sluice("diff").output


def test_a_baseline_that_is_removed_takes_no_harm_out_of_the_numbers(committed, sluice):
    def forget(rollout):
        del rollout["guards"][2]["baseline"]

    edited(committed, forget)
    found = difference(sluice)
    assert found["numbers"]["new"]["power"] <= found["numbers"]["old"]["power"]
    assert found["numbers"]["new"]["exposed"] >= found["numbers"]["old"]["exposed"]


def test_better_assumptions_are_not_shown_as_a_better_release(committed, sluice):
    change(committed, RECOMMENDER, "minRps: 200", "minRps: 20000")
    colored = sluice("diff", env={"FORCE_COLOR": "1", "NO_COLOR": None}).output
    assert "release min rps: 200 → 20000 (an assumption of the odds)" in colored
    assert "\x1b[32m" not in colored


def test_a_switch_catches_nothing_that_a_canary_compared(committed, sluice):
    def switch(rollout):
        del rollout["steps"]
        rollout.update(
            strategy="blue-green", approve="manual", guards=[{"metric": "error-rate", "limit": "1%"}]
        )

    edited(committed, switch)
    found = difference(sluice)
    lost = {harm["guard"]: harm["new"]["share"] for harm in found["harms"] if harm["lost"]}
    assert lost == {"ctr": 0, "slow-rate": 0}
    strategy = next(one for one in found["changes"] if one["field"] == "strategy")
    assert strategy["direction"] == "looser"


def test_what_applies_at_once_is_separate_from_what_starts_a_release(committed, sluice):
    change(committed, RECOMMENDER, "  traffic:", "  autoscaling: {cpu: 80%}\n  traffic:")
    found = difference(sluice)
    assert [(one["field"], one["applies"]) for one in found["changes"]] == [("target cpu", "at once")]
    assert not found["starts_release"]
    told = sluice("plan", "shop/recommender", "--against", "HEAD").output
    assert "capacity target cpu: 65% → 80% (at once, to everybody)" in told
    assert "so no release starts: steps, guards and gates apply from the next release on" in told
    change(committed, RECOMMENDER, "traffic:", "resources: {cpu: '2'}\n  traffic:")
    assert difference(sluice)["starts_release"]
    assert "so a release starts" in sluice("diff").output
    assert "2 releases start, 2 bundles change at once for everybody" in sluice("diff").output


def test_rules_of_the_platform_are_looser_or_stricter_too(committed, sluice):
    path = committed / "specs/platform.yaml"
    data = yaml.safe_load(path.read_text())
    tier = data["spec"]["tiers"]["high-traffic"]
    tier["ceilings"].update(firstWeight="50%", power="99%")
    del tier["ceilings"]["shortestHold"]
    data["spec"]["environments"]["production"]["requires"] = ["staging"]
    fix = {"model": "shop/recommender", "digest": "sha256:" + "a" * 64, "reason": "r", "approvedBy": "b"}
    data["spec"]["hotFixes"] = [{**fix, "until": "2026-11-24"}]
    text = yaml.safe_dump(data, sort_keys=False)
    path.write_text(text.replace("daily: 04:30", 'daily: "04:30"'))
    found = json.loads(sluice("diff", "--format", "json").output)["policies"]
    assert {one["key"]: one["direction"] for one in found} == {
        "tiers.high-traffic.ceilings.firstWeight": "looser",
        "tiers.high-traffic.ceilings.shortestHold": "looser",
        "tiers.high-traffic.ceilings.power": "stricter",
        "environments.production.requires": "stricter",
        "hotFixes": "looser",
    }
    assert [one["direction"] for one in found] == [*["looser"] * 3, *["stricter"] * 2]
    assert "tiers.high-traffic.ceilings.firstWeight: 5% → 50% (looser)" in sluice("diff").output
    assert (
        "| the platform | tiers.high-traffic.ceilings.power |"
        in sluice("diff", "--format", "markdown").output
    )
    assert "rules of the platform:" in sluice("plan", "--all", "--against", "HEAD").output


@pytest.mark.parametrize(
    ("old", "new", "direction"),
    [
        ({"ceilings": {"gates": {"metric": {"atLeast": {"accuracy": 0.9}}}}}, {"ceilings": {}}, "looser"),
        ({"ceilings": {"gates": {"metric": {"atLeast": {"accuracy": 0.9}}}}},
         {"ceilings": {"gates": {"metric": {"atLeast": {"accuracy": 0.8}}}}}, "looser"),
        ({"ceilings": {"guards": {"outcome": {"detect": "30%"}}}},
         {"ceilings": {"guards": {"outcome": {"detect": "60%"}}}}, "looser"),
        ({"ceilings": {"shortestHold": "90m"}}, {"ceilings": {"shortestHold": "1h"}}, "looser"),
        ({"requires": {"imageDigest": True}}, {"requires": {"imageDigest": False}}, "looser"),
        ({"requires": {"noData": ["fail"]}}, {"requires": {}}, "looser"),
        ({"requires": {"approvals": ["a", "b"]}}, {"requires": {"approvals": ["a"]}}, "looser"),
        ({"evidence": ["cluster"]}, {}, "stricter"),
        ({"models": ["shop/a"]}, {"models": []}, "looser"),
    ],
)  # fmt: skip
def test_each_kind_of_rule_has_a_direction(old, new, direction):
    from generator.report.diffs.policy import policy_changes

    def platform(tier):
        return {"spec": {"tiers": {"standard": tier}}}

    (change,) = policy_changes(platform(old), platform(new))
    assert change.direction == direction
    (back,) = policy_changes(platform(new), platform(old))
    assert {change.direction, back.direction} == {"looser", "stricter"}
