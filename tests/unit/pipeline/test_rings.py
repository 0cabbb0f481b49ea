"""The rings of an environment get a release one after the other, each by its own lock and record."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.gates.records import record_bytes
from generator.history.git import Git
from generator.pipeline.promotions import candidates
from generator.pipeline.session import open_session
from generator.plan.inputs import plain_environments
from generator.plan.release_key import release_key
from tests.gates.record_samples import sample
from tests.unit.pipeline.test_promote import GATED, NAME, NOW, SERVER, Shop, git
from tests.unit.rules.repository import Edits

PLATFORM = "platform.environments.production"
RINGS = {
    "router": SERVER["router"],
    "requires": ["staging"],
    "rings": [
        {"name": "canary", "server": "https://canary.example.com"},
        {"name": "eu", "server": "https://eu.example.com", "soak": "2h"},
        {"name": "us", "server": "https://us.example.com", "soak": "24h", "domain": "us.example.com"},
    ],
}
ALL = ["production-canary", "production-eu", "production-us"]


@pytest.fixture
def rings(tmp_path: Path) -> Shop:
    edits: Edits = {
        **GATED,
        PLATFORM: RINGS,
        "spec.environments": {"production": {"traffic": {"minRps": 200}}},
    }
    shop = Shop(tmp_path, dict(edits))
    shop.edit({})
    return shop


def record(shop: Shop, environment: str, hours: float) -> None:
    """Write the record of the release in an environment, which ended some hours after now."""
    end = NOW + dt.timedelta(hours=hours)
    times = [f"{end - dt.timedelta(hours=back):%Y-%m-%dT%H:%M:%SZ}" for back in (2, 0)]
    edits = {"subject.environment": environment, "subject.releaseKey": release_key(shop.plan(environment))}
    edits |= {"start": times[0], "runs.0.start": times[0], "end": times[1], "runs.1.start": times[1]}
    path = shop.root / f"specs/shop/ranker.{environment}.record.json"
    path.write_bytes(record_bytes(sample(edits)))


def application(shop: Shop, environment: str) -> Any:
    path = shop.root / f"rendered/{environment}/argocd/applications/shop/ranker/application.yaml"
    return yaml.safe_load(path.read_text())


def test_a_release_goes_from_ring_to_ring(rings: Shop) -> None:
    rings.ok("render")
    assert not any((rings.root / "rendered" / name / NAME).exists() for name in ALL)
    record(rings, "staging", -48)
    # The second ring waits for the record of the first one, not for that of staging.
    assert (
        "production-canary: there is no record" in rings.run("promote", NAME, "--to", "production-eu").output
    )
    rings.ok("promote", NAME, "--to", "production-canary")
    rings.ok("render")
    record(rings, "production-canary", 0)
    early = rings.run("promote", NAME, "--to", "production-eu", hours=1)
    assert early.exit_code == 2
    assert "soak" in early.output
    rings.ok("promote", NAME, "--to", "production-eu", hours=3)
    record(rings, "production-eu", 3)
    assert "soak" in rings.run("promote", NAME, "--to", "production-us", hours=26).output
    rings.ok("promote", NAME, "--to", "production-us", hours=28)
    rings.ok("render")
    rings.ok("render", "--check")
    for environment, server in zip(ALL, ("canary", "eu", "us"), strict=True):
        destination = application(rings, environment)["spec"]["destination"]
        assert destination == {"server": f"https://{server}.example.com", "namespace": "shop-production"}
        assert application(rings, environment)["metadata"]["name"] == f"{environment}-shop-ranker"
        assert (rings.root / "rendered" / environment / NAME / "rollout-main.yaml").exists()


def test_one_ring_goes_back_alone(rings: Shop) -> None:
    """The branch has the ring's files; the key is in quarantine, so it is a candidate for no other ring."""
    git(rings.root, "init", "-q", "-b", "main")
    for step, value in enumerate(("1", "2")):
        rings.edit({"spec.service.env": [{"name": "STEP", "value": value}]})
        record(rings, "staging", -48 + step)
        rings.ok("promote", NAME, "--to", ALL[0])
        rings.ok("render")
        git(rings.root, "add", "-A")
        git(rings.root, "commit", "-qm", f"Promote {value}", hour=step)
    found = {one.environment: one.standing for one in candidates(open_session(rings.root))}
    assert found == {ALL[0]: "promoted", ALL[1]: "waiting", ALL[2]: "waiting"}
    rings.ok("revert", NAME, "--env", ALL[0], "--reason", "it answered 500")
    read = Git.at(rings.root)
    (branch,) = read.ask("branch", "--list", "sluice/*", "--format", "%(refname:short)").split()
    changed = read.ask("diff", "--name-only", "main", branch).split()
    assert all(path.startswith(("specs/shop/", f"rendered/{ALL[0]}/shop/ranker/")) for path in changed), (
        changed
    )
    git(rings.root, "checkout", "--quiet", branch)
    found = {one.environment: one.standing for one in candidates(open_session(rings.root))}
    assert set(found.values()) == {"rejected"}
    rings.ok("render", "--check")


def test_the_same_thing_runs_in_every_ring(rings: Shop) -> None:
    plans = [rings.plan(name) for name in ALL]
    assert len({release_key(plan) for plan in [rings.plan("staging"), *plans]}) == 1
    assert [plan.routing.hosts for plan in plans] == [
        ("ranker.shop.production.models.internal",),
        ("ranker.shop.production.models.internal",),
        ("ranker.shop.us.example.com",),
    ]
    # One path in the store for all rings, so one name of the Secret.
    assert {secret.remote for plan in plans for secret in plan.secrets} == {"shop/production/store"}


def test_a_ring_overrides_what_its_environment_overrides(rings: Shop) -> None:
    overrides = {"production": {"replicas": 30}, "production-eu": {"traffic": {"minRps": 90}}}
    rings.edit({"spec.environments": overrides})
    plans = {name: rings.plan(name) for name in ALL}
    assert [plans[name].capacity.replicas for name in ALL] == [30, 30, 30]
    assert [plans[name].min_rps for name in ALL] == [200, 90, 200]


def test_what_requires_the_environment_requires_its_last_ring(rings: Shop) -> None:
    rings.edit({"platform.environments.archive": {**SERVER, "requires": ["production"]}})
    assert rings.plan("archive").delivery.requires == ("production-us",)


def test_a_freeze_of_the_environment_freezes_every_ring(rings: Shop) -> None:
    window = {"from": "2026-11-23T00:00", "to": "2026-11-30T00:00", "reason": "peak"}
    rings.edit({"platform.freezes": [{"environments": ["production"], **window}]})
    record(rings, "staging", -48)
    refused = rings.run("promote", NAME, "--to", "production-canary").output
    assert "production-canary is frozen until 2026-11-30 00:00 (UTC): peak" in refused
    rings.ok("render")
    for environment in ALL:
        project = rings.root / f"rendered/{environment}/argocd/projects/shop/appproject.yaml"
        assert yaml.safe_load(project.read_text())["spec"]["syncWindows"][0]["kind"] == "deny"
    rings.edit({"platform.freezes": [{"environments": ["production-eu"], **window}]})
    rings.ok("promote", NAME, "--to", "production-canary")
    assert "frozen" in rings.run("promote", NAME, "--to", "production-eu").output


def test_names_of_environments_with_rings_have_hints(rings: Shop) -> None:
    whole = rings.run("promote", NAME, "--to", "production")
    assert "`production` has rings: write production-canary or production-eu or production-us" in whole.output
    assert "did you mean `production-eu`?" in rings.run("promote", NAME, "--to", "production/eu").output
    assert "has rings" in rings.run("plan", NAME, "--env", "production").output
    rings.edit({"spec.environments": {"production-asia": {"replicas": 30}}})
    assert "unknown environment `production-asia`" in rings.run("validate").output


def test_plain_values_give_the_same_environments(rings: Shop) -> None:
    session = open_session(rings.root)
    found = session.platform_inputs.environments
    assert found.keys() == session.platform.environments.keys()
    for name, environment in session.platform.environments.items():
        assert found[name]["server"] == environment.server
        assert [*(found[name].get("requires") or ())] == list(environment.proofs)
    assert session.platform_inputs.gated == set(ALL)
    assert plain_environments({"environments": {"a": {"rings": [None, {}]}, "b": None}}) == {
        "a-None": {"rings": [None, {}], "server": None, "requires": None},
        "b": None,
    }


WRONG: dict[str, tuple[Edits, str, tuple[str, ...]]] = {
    "name twice": ({f"{PLATFORM}.rings.1.name": "canary"}, "PLAT946", ("two rings are named `canary`", "rings[1].name")),
    "cluster twice": ({f"{PLATFORM}.rings.1.server": "https://CANARY.example.com:443/"}, "PLAT946", ("the rings `canary` and `eu` are in one cluster",)),
    "an environment of that name": ({"platform.environments.production-eu": SERVER}, "PLAT946", ("`production-eu` is also an environment",)),
    "one ring": ({f"{PLATFORM}.rings": RINGS["rings"][:1]}, "PLAT946", ("`production` has one ring", "server: https://canary.example.com")),
    "first ring soaks": ({f"{PLATFORM}.rings.0.soak": "1h"}, "PLAT946", ("`soak` of the first ring has no effect",)),
    "no server": ({f"{PLATFORM}.rings.1": {"name": "eu"}}, "SPEC103", ("`server`",)),
    "a server and rings": ({f"{PLATFORM}.server": "https://eu.example.com"}, "SPEC107", ("`server` and `rings` can't be combined",)),
    "a circle": ({"platform.environments.staging": {**SERVER, "requires": ["production"]}}, "PLAT905", ("`production-canary` requires `staging`",)),
    "an unknown requirement": ({f"{PLATFORM}.requires": ["stagging"]}, "PLAT904", ("unknown environment `stagging`",)),
    "a namespace for all teams": ({f"{PLATFORM}.namespace": "models"}, "PLAT908", ("the namespace `models` is the same for every team",)),
    "a router without its gateway": ({f"{PLATFORM}.rings.1.router": {"kind": "gateway-api"}}, "ROUTE606", ("of production-eu has no `gateway`", "rings[1].router")),
}  # fmt: skip


@pytest.mark.parametrize("mistake", WRONG)
def test_mistakes_in_rings_are_found_where_they_are_written(rings: Shop, mistake: str) -> None:
    edits, code, texts = WRONG[mistake]
    rings.edit(edits)
    done = rings.run("validate", "--format", "json")
    found = [one for one in yaml.safe_load(done.output)["findings"] if one["code"] == code]
    assert len({(str(one["place"]), one["message"]) for one in found}) == len(found) > 0, done.output
    for text in texts:
        assert any(text in str(one) for one in found), found
