"""Findings of `resolve`: each code has an input that trips it and a neighbour that does not."""

from __future__ import annotations

import pytest

from generator.plan.guards import Limit
from generator.plan.locks import immutable_form, version_of
from tests.system.repositories import DIGEST, LOCK, MODEL, PLATFORM, codes, resolve_one, small

DRIFT = '  gates: [{name: drift, drift: {reference: "dvc:a", current: "dvc:b", features: [x]}}]\n'
DVC_A, DVC_B = (immutable_form(ref).example for ref in ("dvc:a", "dvc:b"))
LOCKED = LOCK + (
    f"data:\n  dvc:a: {{digest: {DIGEST}, resolved: '{DVC_A}'}}\n  dvc:b: {{digest: {DIGEST}, resolved: '{DVC_B}'}}\n"
)
OUTCOME = "  outcomes: {ctr: {kind: ratio, event: click, baseline: 4%}}\n"


def model(*edits: tuple[str, str], more: str = "") -> str:
    text = MODEL
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text + more


def guard(text: str) -> tuple[str, str]:
    return ("    steps:", f"    guards: [{text}]\n    steps:")


def platform(old: str, new: str) -> str:
    assert old in PLATFORM
    return PLATFORM.replace(old, new)


def ref(text: str, more: str = "") -> str:
    return model(('ref: "mlflow:ranker/3", framework: sklearn', f'ref: "{text}", framework: sklearn{more}'))


def locked(text: str) -> str:
    form = immutable_form(text, "a1" * 32).example
    return (
        LOCK.replace('resolved: "mlflow:ranker/3"', f'resolved: "{form}"')
        .replace("mlflow:ranker/3", text)
        .replace('version: "3"', f'version: "{version_of(text, form)}"')
    )


SHA = f"sha256: {'a1' * 32}"
ENVIRONMENT = "  environments: {%s: {replicas: 3}}\n"
# code: (what trips it, where), the neighbour that does not; each is (model, platform, lock).
CASES = {
    "REF201": (
        (MODEL, platform("shop: {owners", "shopp: {owners"), LOCK, "specs/shop/ranker.yaml:3:32"),
        (MODEL, PLATFORM, LOCK),
    ),
    "REF202": (
        (model(("tier: basic", "tier: basics")), PLATFORM, LOCK, "specs/shop/ranker.yaml:5:9"),
        (model(("tier: basic", 'tier: "basic"')), PLATFORM, LOCK),
    ),
    "REF203": (
        (MODEL, platform("basic: {evidence", "other: {}\n    basic: {evidence").replace("tiers: [basic]", "tiers: [other]"), LOCK, "specs/shop/ranker.yaml:5:9"),
        (MODEL, platform("basic: {evidence", "other: {}\n    basic: {evidence").replace("tiers: [basic]", "tiers: [other, basic]"), LOCK),
    ),
    "REF204": (
        (model(guard("{outcome: crt, detect: {drop: 10%}}"), more=OUTCOME), PLATFORM, LOCK, "specs/shop/ranker.yaml:9:24"),
        (model(guard("{outcome: ctr, detect: {drop: 10%}}"), more=OUTCOME), PLATFORM, LOCK),
    ),
    "REF205": (
        (model(guard("{fairness: demographic-parity-difference, sensitive: [sex], atMost: 0.1}"), more="  service: {positive: [1]}\n"), PLATFORM, LOCK, "specs/shop/ranker.yaml:9:68"),
        (model(guard("{fairness: demographic-parity-difference, sensitive: [sex], atMost: 0.1}"), more="  service: {attributes: {sex: [a, b]}, positive: [1]}\n"), PLATFORM, LOCK),
    ),
    "REF216": (
        (model(guard("{fairness: demographic-parity-difference, sensitive: [sex], atMost: 0.1}")), PLATFORM + "  attributes: {sex: [a, b]}\n", LOCK, "specs/shop/ranker.yaml:9:68"),
        (model(more="  service: {attributes: {sex: [a, b]}, positive: [x]}\n"), PLATFORM, LOCK),
    ),
    "REF206": (
        (ref("s3://bucket/m.pkl"), PLATFORM, locked("s3://bucket/m.pkl"), "specs/shop/ranker.yaml:6:16"),
        (ref("s3://bucket/m.pkl", f", {SHA}"), PLATFORM, locked("s3://bucket/m.pkl")),
    ),
    "REF207": (
        (model(("framework: sklearn", "framework: custom")), PLATFORM, LOCK, "specs/shop/ranker.yaml:6:46"),
        (model(("framework: sklearn", 'framework: custom, load: "m:Model"')), PLATFORM, LOCK),
    ),
    "REF208": (
        (ref("bentoml:ranker"), PLATFORM, locked("bentoml:ranker"), "specs/shop/ranker.yaml:6:16"),
        (ref("bentoml:ranker:3"), PLATFORM, locked("bentoml:ranker:3")),
    ),
    "REF209": (
        (model(more=ENVIRONMENT % "life"), PLATFORM, LOCK, "specs/shop/ranker.yaml:10:18"),
        (model(more=ENVIRONMENT % "live"), PLATFORM, LOCK),
    ),
    "REF211": (
        (model(more="  environments: {live: {tier: basic}}\n"), PLATFORM, LOCK, "specs/shop/ranker.yaml:10:25"),
        (model(more="  environments: {live: {resources: {cpu: 250m}}}\n"), PLATFORM, LOCK),
    ),
    "REF212": (
        (model(("name: ranker", "name: rankers")), PLATFORM, LOCK, "specs/shop/ranker.yaml:3:18"),
        (model(("name: ranker", "name: 'ranker'")), PLATFORM, LOCK),
    ),
    "LOCK201": (
        (MODEL, PLATFORM, None, "specs/shop/ranker.yaml:6:16"),
        (MODEL, PLATFORM, LOCK),
    ),
    "LOCK202": (
        (ref("mlflow:ranker/4"), PLATFORM, LOCK, "specs/shop/ranker.yaml:6:16"),
        (ref("mlflow:ranker/4"), PLATFORM, locked("mlflow:ranker/4")),
    ),
    "LOCK203": (
        (ref("mlflow:ranker/3", f", sha256: {'b2' * 32}"), PLATFORM, LOCK, "specs/shop/ranker.yaml:6:63"),
        (ref("mlflow:ranker/3", f", {SHA}"), PLATFORM, LOCK),
    ),
    "LOCK204": (
        (MODEL + DRIFT, PLATFORM, LOCKED.replace("dvc:b", "dvc:c"), "specs/shop/ranker.yaml:10:62"),
        (MODEL + DRIFT, PLATFORM, LOCKED),
    ),
    "LOCK205": (
        (MODEL, PLATFORM, LOCK.replace('resolved: "mlflow:ranker/3"', 'resolved: "mlflow:other/3"'), "specs/shop/ranker.lock.yaml:4:13"),
        (MODEL, PLATFORM, LOCK),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("ref", "wanted"), [("dvc:b", []), ("dvc:rows", ["LOCK204"])])
def test_the_rows_of_a_fairness_gate_are_locked_too(ref, wanted, tmp_path):
    gate = (
        f'{{name: f, fairness: demographic-parity-difference, sensitive: [age], atMost: 0.1, data: "{ref}"}}'
    )
    spec = MODEL + f"  gates:\n    - {gate}\n"
    assert codes(resolve_one(small(tmp_path, spec, PLATFORM, LOCKED))) == wanted


@pytest.mark.parametrize("code", CASES)
def test_trips(code, tmp_path):
    *texts, place = CASES[code][0]
    found = resolve_one(small(tmp_path, *texts))
    assert codes(found) == [code]
    assert str(found.findings[0].place) == place
    assert found.plans == []


@pytest.mark.parametrize("code", CASES)
def test_near_miss(code, tmp_path):
    found = resolve_one(small(tmp_path, *CASES[code][1]))
    assert codes(found) == []
    assert [p.plan.identity.environment for p in found.plans] == ["live"]


@pytest.mark.parametrize("prefix", ["https://example.com/m.pkl", "s3://bucket/m.pkl"])
def test_an_address_needs_a_digest(prefix, tmp_path):
    assert codes(resolve_one(small(tmp_path, ref(prefix), lock=locked(prefix)))) == ["REF206"]


@pytest.mark.parametrize("override", ["null", "[]", "x", "1"])
def test_an_override_is_a_mapping(override, tmp_path):
    found = resolve_one(small(tmp_path, model(more=f"  environments: {{live: {override}}}\n")))
    assert codes(found) == ["SPEC104"]
    found = resolve_one(small(tmp_path, model(more=f"  environments: {override}\n")))
    assert codes(found) in (["SPEC104"], [] if override == "null" else ["SPEC104"])


def test_a_wrong_override_hides_no_other(tmp_path):
    override = "  environments: {live: {tier: x, replcas: 2}, other: 5, prod: {replicas: 2}}\n"
    found = resolve_one(small(tmp_path, MODEL + override)).findings
    assert sorted((finding.code, finding.path.removeprefix("spec.environments.")) for finding in found) == [
        ("REF209", "prod"),
        ("REF211", "live.tier"),
        ("SPEC102", "live.replcas"),
        ("SPEC104", "other"),
    ]


def test_a_mistake_of_all_environments_is_told_once(tmp_path):
    two = PLATFORM.replace("  tiers:", '    test: {server: "https://x", router: {kind: none}}\n  tiers:')
    found = resolve_one(small(tmp_path, model(guard("{outcome: ctr, detect: {drop: 1%}}")), two))
    assert codes(found) == ["REF204"]


def test_a_mistake_of_one_environment_keeps_the_other_plan(tmp_path):
    two = PLATFORM.replace("  tiers:", '    test: {server: "https://x", router: {kind: none}}\n  tiers:')
    override = "  environments: {test: {rollout: {guards: [{outcome: ctr, detect: {drop: 1%}}]}}}\n"
    found = resolve_one(small(tmp_path, MODEL + override, two))
    assert codes(found) == ["REF204"]
    assert [p.plan.identity.environment for p in found.plans] == ["live"]


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "[]\n", "5\n", "spec: 5\n", "spec: {tier: [basic]}\n", "spec: {}\n"]
)
def test_what_is_no_spec_is_a_finding(text, tmp_path):
    found = resolve_one(small(tmp_path, text))
    assert found.plans == []
    assert {code[:4] for code in codes(found)} == {"SPEC"}


@pytest.mark.parametrize(
    "lock", ["", "[]\n", "schema: sluice/lock/v2\n", LOCK.replace("a1a1", "a1a"), "a: [\n"]
)
def test_a_broken_lock_is_told_in_the_lock_and_nothing_else(lock, tmp_path):
    found = resolve_one(small(tmp_path, lock=lock))
    assert found.plans == []
    assert {str(finding.place).partition(":")[0] for finding in found.findings} == {
        "specs/shop/ranker.lock.yaml"
    }


@pytest.mark.parametrize("delay", ["0s", "1s", "10m"])
def test_the_mask_outlasts_outcomes_that_pods_hold_back(tmp_path, delay):
    """Held for two scrapes, seen a scrape later, and for as long as a stratum sees them."""
    outcome = OUTCOME.replace("baseline", f"delay: {delay}, baseline")
    guards = guard(
        "{outcome: ctr, detect: {drop: 10%}}, {metric: error-rate, detect: {rise: 100%}}, {name: floor, outcome: ctr, limit: 2%}"
    )
    resolved = resolve_one(small(tmp_path, model(guards, more=outcome), PLATFORM, LOCK))
    (planned, *_) = resolved.plans
    by_clicks, by_errors, floor = planned.plan.guards
    scrape, look = planned.plan.clock.scrape_s, planned.plan.clock.interval_s
    held = planned.plan.bento.hold_s + 2 * scrape + max(look, 4 * scrape) + scrape
    assert 2 * by_clicks.mask_s >= max(held, 5 * by_clicks.delay_s)
    assert by_errors.mask_s == 0  # counted where it happens, at once
    assert isinstance(floor, Limit)  # compares nothing: its query has no mask, and no page may show one
