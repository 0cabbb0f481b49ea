"""The release key is equal in two environments when and only when the same thing runs there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.pipeline.session import open_session
from generator.plan.release_key import RELEASE_KEY, release_key
from generator.plan.values import Plan
from generator.render.bundle import render_bundle
from generator.render.environment import Templates
from tests.unit.rules.repository import Edits, Sample

PRODUCTION = {
    "server": "https://kubernetes.default.svc",
    "router": {"kind": "none"},
}
STAGING = {
    "server": "https://staging.example.com",
    "router": {
        "kind": "gateway-api",
        "gateway": "public",
        "namespace": "gateways",
        "implementation": "istio",
    },
    "domain": "staging.example.com",
    "namespace": "{environment}-of-{team}",
}
SECRET = {"name": "TOKEN", "secret": {"name": "store", "key": "token", "version": "3"}}
BOTH: Edits = {
    "platform.environments": {"staging": STAGING, "production": PRODUCTION},
    "platform.secrets": {"store": "vault", "key": "{environment}/{team}/{model}/{secret}"},
    "spec.service.env": [SECRET, {"name": "MODE", "value": "fast"}],
    "spec.service.requirements": ["pyyaml==6.0.2"],
}
# What may differ: the same thing runs.
SAME: dict[str, Edits] = {
    "replicas": {"spec.environments.staging.replicas": 1},
    "resources": {"spec.environments.staging.resources": {"cpu": "250m", "memory": "256Mi"}},
    "more resources": {"spec.environments.production.resources": {"cpu": "3", "memory": "3Gi"}},
    "hosts": {"spec.environments.production.traffic": {"hosts": ["ranker.example.com"]}},
    "autoscaler": {"spec.environments.production.autoscaling": {"min": 2, "max": 9, "cpu": "60%"}},
    "gates": {"spec.environments.staging.gates": []},
    "steps": {"spec.environments.production.rollout.steps": [{"weight": "1%", "hold": "2h"}]},
    "guards": {"spec.environments.staging.rollout.guards": []},
    "namespace": {"platform.environments.production.namespace": "elsewhere"},
}
# What may not, in one environment only.
OTHER: dict[str, Edits] = {
    "variable": {"spec.environments.staging.service.env": [SECRET, {"name": "MODE", "value": "slow"}]},
    "no variable": {"spec.environments.staging.service.env": [SECRET]},
    "secret": {
        "spec.environments.staging.service.env": [
            {"name": "TOKEN", "secret": {"name": "store", "key": "token", "version": "4"}},
            {"name": "MODE", "value": "fast"},
        ]
    },
    "startup": {"spec.environments.staging.service.startup": "5m"},
}
# What starts a release everywhere.
EVERYWHERE: dict[str, Edits] = {
    "version": {"lock.model.resolved": "bentoml:ranker:8", "lock.model.version": "8"},
    "digest": {"lock.model.digest": "sha256:" + "b" * 64},
    "registry": {"platform.registry": "registry.example.com/other"},
    "tier": {"platform.tiers.other": {}, "platform.teams.shop.tiers": ["other"], "spec.tier": "other"},
    "variable": {"spec.service.env": [SECRET, {"name": "MODE", "value": "slow"}]},
    "secret name": {
        "spec.service.env": [
            {"name": "TOKEN", "secret": {"name": "keys", "key": "token", "version": "3"}},
            {"name": "MODE", "value": "fast"},
        ]
    },
    "requirement": {"spec.service.requirements": ["pyyaml==6.0.3"]},
    "timeout": {"spec.service.timeout": "3s"},
    "threads": {"spec.service.threads": 2},
    "startup": {"spec.service.startup": "5m"},
    "resources": {"spec.resources": {"cpu": "2", "memory": "1Gi"}},
    "gates": {"spec.gates": [{"name": "unit-tests", "junit": "reports/other.xml"}]},
    "python": {"spec.service.python": "3.12"},
    "Kubernetes without the hook `sleep`": {"platform.controllers.kubernetes": "1.29"},
}


def plans(root: Path, *edits: Edits, templates: dict[str, str] | None = None) -> dict[str, Plan]:
    """The plans by environment, with what the platform team's templates print."""
    merged: Edits = {key: value for edit in (BOTH, *edits) for key, value in edit.items()}
    Sample(root, merged)
    if "lock.model.version" in merged:
        spec = root / "specs/shop/ranker.yaml"
        spec.write_text(spec.read_text().replace("bentoml:ranker:7", "bentoml:ranker:8"))
        lock = spec.with_suffix(".lock.yaml")
        lock.write_text(lock.read_text().replace("ref: bentoml:ranker:7", "ref: bentoml:ranker:8"))
    for name, text in (templates or {}).items():
        file = root / "templates" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    session = open_session(root)
    resolved = session.resolve(session.entries[0])
    assert not resolved.findings, resolved.findings
    return {planned.plan.identity.environment: planned.plan for planned in resolved.plans}


def keys(root: Path, *edits: Edits, templates: dict[str, str] | None = None) -> list[str]:
    """The keys of staging and of production."""
    found = plans(root, *edits, templates=templates)
    return [release_key(found[name]) for name in ("staging", "production")]


@pytest.mark.parametrize("what", SAME)
def test_what_may_differ_between_environments_does_not_count(tmp_path, what):
    staging, production = keys(tmp_path, SAME[what])
    assert staging == production
    assert re.fullmatch("sha256:[0-9a-f]{64}", staging)


@pytest.mark.parametrize("what", OTHER)
def test_another_thing_in_one_environment_is_another_key(tmp_path, what):
    plain = keys(tmp_path / "plain")
    staging, production = keys(tmp_path / "other", OTHER[what])
    assert staging != production == plain[1]


@pytest.mark.parametrize("what", EVERYWHERE)
def test_another_release_is_another_key_in_every_environment(tmp_path, what):
    plain = keys(tmp_path / "plain")
    staging, production = keys(tmp_path / "other", EVERYWHERE[what])
    assert staging == production != plain[0]


@settings(max_examples=15, deadline=None)
@given(
    same=st.sets(st.sampled_from(sorted(SAME)), max_size=4),
    other=st.sets(st.sampled_from(sorted(set(OTHER) - {"no variable", "secret"})), max_size=2),
)
def test_any_mixture_of_differences(tmp_path_factory, same, other):
    """Equal when and only when none of the differences is about what runs."""
    found = keys(tmp_path_factory.mktemp("mixed"), *(SAME[what] for what in same), *(OTHER[w] for w in other))
    assert (found[0] == found[1]) == (not other)


def own(name: str, old: str = "", new: str = "") -> dict[str, str]:
    """Our template as an override, with a replaced part."""
    text = Templates().text(name)
    assert old in text
    return {name: text.replace(old, new, 1)}


POD = "kubernetes/_pod.yaml.j2"
ANNOTATIONS = "      annotations:\n"


def test_templates_of_the_platform_team_count_with_what_they_print(tmp_path):
    plain = keys(tmp_path / "plain")
    label = "        example.com/owner: {{ plan.identity.owner }}\n"
    changed = own(POD, ANNOTATIONS, ANNOTATIONS + label)
    staging, production = keys(tmp_path / "one", templates=changed)
    assert staging == production != plain[0]
    again, _ = keys(tmp_path / "two", {"metadata.owner": "she@example.com"}, templates=changed)
    assert again != staging, "the template prints another owner"
    assert keys(tmp_path / "three", {"metadata.owner": "she@example.com"}) == plain, "ours does not"


def test_templates_that_render_no_pods_do_not_count(tmp_path):
    changed = own("kubernetes/service.yaml.j2", "kind: Service", "kind: Service # ours")
    assert keys(tmp_path / "one", templates=changed) == keys(tmp_path / "plain")


def test_a_template_that_prints_the_environment_does_not_part_the_keys(tmp_path):
    changed = own(
        POD, ANNOTATIONS, ANNOTATIONS + "        example.com/where: x{{ plan.identity.environment }}\n"
    )
    staging, production = keys(tmp_path, templates=changed)
    assert staging == production


def test_a_new_version_of_sluice_is_a_new_release(tmp_path, monkeypatch):
    found = plans(tmp_path)["staging"]
    before = release_key(found)
    monkeypatch.setattr("generator.plan.release_key.__version__", "99.0.0")
    assert release_key(found) != before


def test_pods_and_rollout_carry_the_key(tmp_path):
    for plan in plans(tmp_path).values():
        rollout = yaml.safe_load(render_bundle(plan, Templates(), {})["rollout-main.yaml"])
        pods = rollout["spec"]["template"]["metadata"]["annotations"]
        assert rollout["metadata"]["annotations"][RELEASE_KEY] == pods[RELEASE_KEY] == release_key(plan)
