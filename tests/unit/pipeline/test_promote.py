"""A gated environment runs what was promoted, byte for byte, and what governs it follows the spec."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from generator.cli.main import cli
from generator.gates.records import record_bytes
from generator.pipeline.session import open_session
from generator.plan.promotion import standing
from generator.plan.release_key import release_key
from generator.plan.values import Plan
from generator.render.bundle import render_outputs
from generator.render.environment import Templates
from generator.render.outputs.rollout import rollout
from generator.report.diffs.policy import policy_changes
from tests.gates.record_samples import sample
from tests.unit.rules.repository import Edits, Sample

NAME = "shop/ranker"
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
SERVER: dict[str, Any] = {
    "server": "https://kubernetes.default.svc",
    "router": {
        "kind": "gateway-api",
        "gateway": "public",
        "namespace": "gateways",
        "implementation": "envoy-gateway",
    },
}
GATED: Edits = {
    "platform.environments.staging": SERVER,
    "platform.environments.production": {**SERVER, "requires": ["staging"]},
    "platform.tiers.standard.evidence": ["cluster"],
    "platform.secrets": {"store": "vault"},
    "spec.replicas": 20,
    "spec.service.env": [{"name": "TOKEN", "secret": {"name": "store", "key": "token"}}],
}
LONG = {"staging": {"soak": "24h", "maxAge": "14d", "verdict": "passed", "minPower": "50%"}}
BUNDLE = "rendered/production/shop/ranker"


@dataclass
class Shop:
    """A repository with a gated production, at a moment."""

    root: Path
    edits: dict[str, Any]

    def edit(self, edits: Edits) -> None:
        """Write the spec and the platform with more edits; locks of environments and records stay."""
        self.edits |= edits
        Sample(self.root, self.edits)

    def run(self, *words: str, hours: float = 0) -> Result:
        """Run a command some hours later."""
        epoch = int((NOW + dt.timedelta(hours=hours)).timestamp())
        env = {"SOURCE_DATE_EPOCH": str(epoch), "SLUICE_CACHE": None}
        return CliRunner(env=env).invoke(cli, [*words, "--root", str(self.root)])

    def ok(self, *words: str, hours: float = 0) -> str:
        done = self.run(*words, hours=hours)
        assert done.exit_code == 0, done.output
        return done.output

    def plan(self, environment: str = "production") -> Plan:
        session = open_session(self.root)
        plans = session.resolve(session.entries[0]).plans
        return next(one.plan for one in plans if one.plan.identity.environment == environment)

    def record(self, hours: float = -48, **more: Any) -> None:
        """Write the record of the release in staging, which ended some hours ago."""
        end = NOW + dt.timedelta(hours=hours)
        start = end - dt.timedelta(hours=2)
        shown = {"start": f"{start:%Y-%m-%dT%H:%M:%SZ}", "end": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
        edits = {"subject.releaseKey": release_key(self.plan("staging")), **shown}
        edits |= {"runs.0.start": shown["start"], "runs.1.start": shown["end"], **more}
        (self.root / "specs/shop/ranker.staging.record.json").write_bytes(record_bytes(sample(edits)))

    @property
    def lock(self) -> Any:
        return yaml.safe_load((self.root / "specs/shop/ranker.production.lock.yaml").read_text())

    def bundle(self) -> dict[str, str]:
        folder = self.root / BUNDLE
        return {path.name: path.read_text() for path in folder.iterdir()} if folder.is_dir() else {}

    def release(self) -> dict[str, Any]:
        """What the bundle runs: its pod template, its configuration, its secrets and its gates."""
        files = self.bundle()
        names = [
            n for n in files if n.startswith(("configmap-config", "externalsecret", "workflow", "cronw"))
        ]
        template = yaml.safe_load(files["rollout-main.yaml"])["spec"]["template"]
        return {"pods": template, **{name: files[name] for name in names}}

    def promoted(self) -> None:
        self.record()
        self.ok("promote", NAME, "--to", "production")
        self.ok("render")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path, dict(GATED))
    shop.edit({})
    return shop


def test_nothing_is_rendered_before_the_first_promotion(shop: Shop) -> None:
    said = shop.ok("render")
    assert "production: not promoted yet" in said
    assert not shop.bundle()
    assert (shop.root / "rendered/staging/shop/ranker/rollout-main.yaml").exists()
    shop.ok("render", "--check")
    assert "PROM103" in shop.ok("validate")


def test_a_proven_release_enters(shop: Shop) -> None:
    shop.promoted()
    plan = shop.plan()
    lock = shop.lock
    assert (lock["schema"], lock["key"]) == ("sluice/promotion/v1", release_key(plan))
    assert lock["records"]["staging"]["verdict"] == "passed"
    assert standing(plan) == "promoted"
    assert shop.bundle()["rollout-main.yaml"]
    shop.ok("render", "--check")
    assert "already" in shop.ok("promote", NAME, "--to", "production")


# What starts a release, and what governs one.
RELEASES: dict[str, Edits] = {
    "spec": {"spec.service.threads": 2},
    "secret": {"spec.service.env": []},
    "gate": {"spec.gates": [{"name": "unit-tests", "junit": "reports/other.xml"}]},
    "tier": {"platform.tiers.other": {"evidence": ["cluster"]}, "platform.teams.shop.tiers": ["other"], "spec.tier": "other"},
    "version": {"lock.model.digest": "sha256:" + "b" * 64},
    "own resources": {"spec.environments.production.resources": {"cpu": "3", "memory": "2Gi"}},
}  # fmt: skip


@pytest.mark.parametrize("what", RELEASES)
def test_another_release_waits_and_the_old_one_stays_byte_for_byte(shop: Shop, what: str) -> None:
    shop.promoted()
    before, files = shop.release(), shop.bundle()
    staging = shop.root / "rendered/staging/shop/ranker/rollout-main.yaml"
    there = staging.read_text()
    shop.edit(RELEASES[what])
    shop.ok("render")
    assert shop.release() == before
    changed = {name for name, text in shop.bundle().items() if files.get(name) != text}
    assert what == "tier" or changed <= {".sluice"}  # the labels name the tier
    assert (staging.read_text() != there) == (what != "own resources")
    shop.ok("render", "--check")
    head = yaml.safe_load(shop.bundle()["rollout-main.yaml"])["metadata"]["annotations"]
    assert head["sluice.dev/release-key"] == shop.lock["key"]


def test_resources_that_change_between_promotion_and_rendering_are_a_finding(shop: Shop) -> None:
    """The lock is about pods that were never rendered: only this model waits, and a new promotion settles it."""
    shop.record()
    shop.ok("promote", NAME, "--to", "production")
    shop.ok("validate")
    shop.edit(RELEASES["own resources"])
    refused = shop.run("render")
    assert (refused.exit_code, "PROM102" in refused.output) == (1, True)
    shop.ok("promote", NAME, "--to", "production")
    shop.ok("render")
    shop.ok("render", "--check")


def test_what_governs_a_release_applies_at_once(shop: Shop) -> None:
    shop.promoted()
    shop.edit({"spec.service.threads": 2})
    shop.ok("render")
    before, files = shop.release(), shop.bundle()
    guards = [{"metric": "error-rate", "limit": "1%"}]
    steps = [{"weight": "10%", "hold": "90m"}, {"weight": "50%", "hold": "30m"}]
    shop.edit(
        {
            "spec.rollout.guards": guards,
            "spec.rollout.steps": steps,
            "spec.environments.production.traffic": {"hosts": ["a.shop.production.models.internal"]},
        }
    )
    shop.ok("render")
    assert shop.release() == before
    changed = {name for name, text in shop.bundle().items() if files.get(name) != text}
    assert {"analysistemplate-guards.yaml", "rollout-main.yaml", "httproute-main.yaml"} <= changed
    shop.ok("render", "--check")


def test_templates_of_the_platform_team_wait_too(shop: Shop) -> None:
    shop.promoted()
    before = shop.release()
    template = Path("templates/kubernetes/_pod.yaml.j2").read_text()
    own = shop.root / "templates/kubernetes/_pod.yaml.j2"
    own.parent.mkdir(parents=True)
    own.write_text(template.replace("periodSeconds: {{ probes.startup.period }}\n", "periodSeconds: 3\n"))
    shop.ok("render")
    assert shop.release() == before
    assert "periodSeconds: 3" in (shop.root / "rendered/staging/shop/ranker/rollout-main.yaml").read_text()
    own.unlink()
    shop.ok("render")
    assert standing(shop.plan()) == "promoted"


def test_a_rollout_of_the_platform_team_may_render_the_pods_that_are_held_anyway(shop: Shop) -> None:
    """Our template leaves them out while another release is held; one that was copied before does not know of that."""
    shop.promoted()
    shop.edit({"spec.service.threads": 2})
    shop.ok("render")
    held = shop.bundle()["rollout-main.yaml"]
    template = Path("templates/kubernetes/rollout-canary.yaml.j2").read_text()
    before, _, rest = template.partition("{% if held %}\n")
    own = shop.root / "templates/kubernetes/rollout-canary.yaml.j2"
    own.parent.mkdir(parents=True)
    own.write_text(before + rest.partition("{% else %}\n")[2].removesuffix("{% endif %}\n"))
    shop.ok("render")
    assert shop.bundle()["rollout-main.yaml"] == held


@pytest.mark.parametrize("strategy", ["canary", "blue-green"])
def test_what_governs_a_release_is_rendered_alike_without_its_pods(shop: Shop, strategy: str) -> None:
    if strategy == "blue-green":
        shop.edit({"spec.rollout": {"strategy": "blue-green", "approve": "manual"}})
    plan = shop.plan("staging")
    (whole, held) = (
        render_outputs([rollout(plan, "", {}, held=held)], plan, Templates())["rollout-main.yaml"]
        for held in (False, True)
    )
    assert held.partition("  template:\n")[0] == whole.partition("  template:\n")[0]
    assert "startupProbe" in whole
    assert "startupProbe" not in held


def test_a_new_version_of_sluice_waits(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.promoted()
    before = shop.release()
    monkeypatch.setattr("generator.plan.release_key.__version__", "99.0.0")
    shop.ok("render")
    assert shop.release() == before


def test_the_next_release_enters_once_it_is_proven(shop: Shop) -> None:
    shop.promoted()
    shop.edit({"spec.service.threads": 2})
    shop.ok("render")
    refused = shop.run("promote", NAME, "--to", "production")
    assert refused.exit_code == 2
    assert "the record is about another release" in refused.output
    shop.record()
    shop.ok("promote", NAME, "--to", "production")
    shop.ok("render")
    template = shop.release()["pods"]
    assert template["metadata"]["annotations"]["sluice.dev/release-key"] == release_key(shop.plan())


DAMAGE = {
    "edited": lambda folder: _sub(folder / "rollout-main.yaml", "cpu:", "memory: 1Gi\n              cpu:"),
    "missing": lambda folder: (folder / "rollout-main.yaml").unlink(),
    "without configuration": lambda folder: (folder / "configmap-config.yaml").unlink(),
    "with one more": lambda folder: (folder / "externalsecret-own.yaml").write_text("a: 1\n"),
}


def _sub(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("how", DAMAGE)
def test_a_held_release_that_was_edited_is_an_error_with_the_way_out(shop: Shop, how: str) -> None:
    shop.promoted()
    shop.edit({"spec.service.threads": 2})
    shop.ok("render")
    DAMAGE[how](shop.root / BUNDLE)
    for words in (("render",), ("render", "--check"), ("validate",)):
        done = shop.run(*words)
        assert done.exit_code == 1, done.output
        assert "PROM102" in done.output
        assert f"git checkout main -- {BUNDLE}" in re.sub(r"\s+", " ", done.output)


def test_the_hash_is_that_of_the_lock_and_not_of_the_ledger(shop: Shop) -> None:
    """A bundle that was edited with its ledger is refused, and so is a lock that was edited alone."""
    shop.promoted()
    shop.edit({"spec.service.threads": 2})
    shop.ok("render")
    lock = shop.root / "specs/shop/ranker.production.lock.yaml"
    lock.write_text(lock.read_text().replace(shop.lock["held"], "sha256:" + "0" * 64))
    done = shop.run("render", "--check")
    assert (done.exit_code, "PROM102" in done.output) == (1, True)


@pytest.mark.parametrize(
    ("requires", "record", "reason"),
    [
        (["staging"], None, "there is no record"),
        (["staging"], {"aborted": True, "current": False, "phase": "Degraded"}, "its verdict is aborted"),
        (LONG, {"hours": -3}, "its soak of 1d ends in"),
        (LONG, {"hours": -24 * 15}, "may be at most 14d"),
        (LONG, {"power.seen": 0.4, "power.byGuard": {"ctr": 0.4}}, "power"),
        (LONG, {"firstRelease": True, "rollout.revision": 1}, "its verdict is weak"),
    ],
)
def test_what_is_not_proven_is_refused(shop: Shop, requires: Any, record: Any, reason: str) -> None:
    shop.edit({"platform.environments.production": {**SERVER, "requires": requires}})
    if record is not None:
        shop.record(**record)
    done = shop.run("promote", NAME, "--to", "production")
    assert (done.exit_code, reason in done.output) == (2, True), done.output
    assert not (shop.root / "specs/shop/ranker.production.lock.yaml").exists()


def test_an_unsigned_record_proves_nothing_where_evidence_is_signed(shop: Shop) -> None:
    ci = {"name": "ci", "role": "ci", "ed25519": "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="}
    shop.edit({"platform.signers": [ci], "platform.tiers.standard.requires.signed": ["evidence"]})
    shop.record()
    done = shop.run("promote", NAME, "--to", "production")
    assert done.exit_code == 1
    assert "requires signed record, and this has no signature" in done.output


def test_a_weak_record_where_that_is_enough(shop: Shop) -> None:
    requires = {"staging": {"verdict": "weak"}}
    shop.edit({"platform.environments.production": {**SERVER, "requires": requires}})
    shop.record(firstRelease=True, **{"rollout.revision": 1})
    shop.ok("promote", NAME, "--to", "production")


def test_chains_and_several(shop: Shop) -> None:
    shop.edit({
        "platform.environments.canary": {**SERVER, "requires": ["staging"]},
        "platform.environments.production": {**SERVER, "requires": ["staging", "canary"]},
    })  # fmt: skip
    shop.record()
    shop.ok("promote", NAME, "--to", "canary")
    done = shop.run("promote", NAME, "--to", "production")
    assert (done.exit_code, "canary: there is no record" in done.output) == (2, True)


def test_a_hot_fix_needs_a_reason_and_ends(shop: Shop) -> None:
    assert "needs a reason" in shop.run("promote", NAME, "--to", "production", "--hotfix").output
    shop.ok("promote", NAME, "--to", "production", "--hotfix", "--reason", "prices are wrong")
    shop.ok("render")
    assert shop.lock["hotfix"] == {"until": "2026-11-24"}
    told = " ".join(shop.ok("plan", NAME, "--env", "production", "--full").split())
    assert "as a hot fix until 2026-11-24: prices are wrong" in told
    shop.ok("validate", hours=24)
    ended = shop.run("validate", hours=48)
    assert (ended.exit_code, "PROM105" in ended.output) == (1, True)
    shop.record()
    shop.ok("promote", NAME, "--to", "production", hours=48)
    assert "hotfix" not in shop.lock


def test_a_hot_fix_of_a_tier_with_approvals_needs_one(shop: Shop) -> None:
    shop.edit({
        "platform.tiers.standard.requires.approvals": ["model-risk"],
        "spec.rollout.steps": [{"weight": "5%", "hold": "60m"}, {"approve": "model-risk"}, {"weight": "50%", "hold": "20m"}],
    })  # fmt: skip
    words = ("promote", NAME, "--to", "production", "--hotfix", "--reason", "prices are wrong")
    done = shop.run(*words)
    assert (done.exit_code, "when model-risk approved it" in done.output) == (2, True), done.output
    fix = {"model": NAME, "digest": "sha256:" + "a" * 64, "reason": "prices", "approvedBy": "model-risk", "until": "2026-11-23"}  # fmt: skip
    shop.edit({"platform.hotFixes": [{**fix, "approvedBy": "another-role"}]})
    assert shop.run(*words).exit_code == 2
    shop.edit({"platform.hotFixes": [fix]})
    shop.ok(*words)
    assert shop.lock["hotfix"] == {"approved_by": "model-risk", "until": "2026-11-23"}


def test_a_repository_from_before_adopts_what_runs(shop: Shop) -> None:
    shop.edit({"platform.environments.production": SERVER})
    shop.ok("render")
    before = shop.bundle()
    shop.edit({"platform.environments.production": {**SERVER, "requires": ["staging"]}})
    for words in (("render",), ("render", "--check"), ("validate",)):
        done = shop.run(*words)
        assert (done.exit_code, "PROM101" in done.output) == (1, True), done.output
        assert shop.bundle() == before
    shop.ok("promote", "--to", "production", "--adopt", "--reason", "from before")
    shop.ok("render")
    ours = {n: t for n, t in shop.bundle().items() if n not in {".sluice", "RUNBOOK.md"}}
    assert ours == {n: t for n, t in before.items() if n not in {".sluice", "RUNBOOK.md"}}
    shop.ok("render", "--check")


def test_a_freeze_stops_promotions_and_hot_fixes(shop: Shop) -> None:
    freeze = {
        "environments": ["production"],
        "from": "2026-11-23T00:00",
        "to": "2026-11-24T00:00",
        "zone": "UTC",
    }
    shop.edit({"platform.freezes": [{**freeze, "reason": "peak season"}]})
    shop.record()
    for more in ((), ("--hotfix", "--reason", "prices are wrong")):
        done = shop.run("promote", NAME, "--to", "production", *more)
        assert (done.exit_code, "peak season" in done.output) == (2, True), done.output
    shop.ok("promote", NAME, "--to", "production", hours=24)


def test_a_version_is_not_an_environment(shop: Shop) -> None:
    before = (shop.root / "specs/shop/ranker.yaml").read_text()
    for words in (("promote", NAME, "13"), ("promote", NAME, "--to", "13")):
        done = shop.run(*words)
        assert (done.exit_code, f"sluice pin {NAME} --version 13" in done.output) == (2, True)
    assert "requires no other" in shop.run("promote", NAME, "--to", "staging").output
    shop.run("promote", NAME, "--to", "production")
    assert (shop.root / "specs/shop/ranker.yaml").read_text() == before


def git(root: Path, *words: str, hour: int = 0) -> None:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    at = f"2026-11-23T{hour:02}:00:00Z"
    env = {**os.environ, "GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True, env=env)


def test_a_diff_says_what_is_held_and_what_applies_at_once(shop: Shop) -> None:
    shop.promoted()
    git(shop.root, "init", "-q", "-b", "main")
    git(shop.root, "add", "-A")
    git(shop.root, "commit", "-qm", "Released")

    def difference(environment: str) -> Any:
        found = json.loads(shop.ok("diff", "--against", "main", "--format", "json"))["differences"]
        return next((one for one in found if one["environment"] == environment), None)

    shop.edit({"spec.service.threads": 2, "spec.rollout.guards": [{"metric": "error-rate", "limit": "1%"}]})
    assert difference("staging")["starts_release"]
    production = difference("production")
    assert not production["starts_release"]
    assert production["held"].startswith("held: production keeps version 7")
    told = " ".join(shop.ok("diff", "--against", "main").split())
    assert "threads: 4 → 2 (held)" in told
    words = ("--all", "--env", "production", "--against", "main", "--format", "markdown")
    assert "| 7 (held) |" in shop.ok("plan", *words)
    assert "so no release starts; held: production keeps version 7" in told
    assert "1 release starts, 1 release waits for a promotion" in told
    git(shop.root, "commit", "-qam", "Two threads")
    shop.record()
    shop.ok("promote", NAME, "--to", "production")
    assert difference("staging") is None
    assert difference("production")["starts_release"]


def test_status_says_what_is_held_since_when_and_for_what(shop: Shop) -> None:
    shop.promoted()
    shop.edit({"spec.service.threads": 2})
    git(shop.root, "init", "-q", "-b", "main")
    git(shop.root, "add", "-A")
    git(shop.root, "commit", "-qm", "Two threads")

    def row() -> Any:
        rows = json.loads(shop.ok("status", NAME, "--format", "json", hours=1))["models"]
        return next(one for one in rows if one["environment"] == "production")

    found = row()["promotion"]
    assert (found["standing"], found["kept"]) == ("held", shop.lock["key"])
    assert found["since"].startswith("20")
    assert ["the record is about another release" in reason for reason in found["lacks"]] == [True]
    shop.record(hours=0)
    assert row()["promotion"]["lacks"] == []
    assert row()["commands"][0]["command"] == f"sluice promote {NAME} --to production"
    told = " ".join(shop.ok("status", NAME).split())
    assert "held: production keeps version 7" in told
    assert "it waits since it was merged, 20" in told


def test_a_shallow_clone_does_not_know_since_when_a_release_waits(shop: Shop, tmp_path_factory: Any) -> None:
    """Its first commit adds every file, so its date says nothing."""
    shop.promoted()
    shop.edit({"spec.service.threads": 2})
    git(shop.root, "init", "-q", "-b", "main")
    git(shop.root, "add", "-A")
    git(shop.root, "commit", "-qm", "Two threads")
    (shop.root / "README.md").write_text("unrelated\n")
    git(shop.root, "add", "-A")
    git(shop.root, "commit", "-qm", "Unrelated")
    assert "it waits since" in shop.ok("status", NAME)
    folder = tmp_path_factory.mktemp("clone")
    git(folder, "clone", "-q", "--depth", "1", f"file://{shop.root}", "shallow")
    told = Shop(folder / "shallow", dict(GATED)).ok("status", NAME)
    assert "held: production keeps version 7" in " ".join(told.split())
    assert "it waits since" not in told


def test_a_lock_with_a_conflict_is_one_finding_and_no_reason_to_adopt(shop: Shop) -> None:
    shop.promoted()
    path = shop.root / "specs/shop/ranker.production.lock.yaml"
    path.write_text(f"<<<<<<< HEAD\n{path.read_text()}=======\n>>>>>>> topic\n")
    told = shop.run("validate").output
    assert "SRC113" in told
    assert "PROM101" not in told
    assert "--adopt" not in told
    path.unlink()
    assert "PROM101" in shop.run("validate").output


def test_a_record_with_a_conflict_is_named_with_the_command_that_writes_it(shop: Shop) -> None:
    shop.record()
    path = shop.root / "specs/shop/ranker.staging.record.json"
    path.write_text(f"<<<<<<< HEAD\n{path.read_text()}=======\n{{}}\n>>>>>>> topic\n")
    told = shop.run("promote", NAME, "--to", "production").output
    assert "the markers of a merge conflict" in told
    assert f"run `sluice record {NAME} --env staging --cluster` again" in told


def test_audit_says_what_entered_when_and_what_was_recorded(shop: Shop) -> None:
    shop.ok("render")
    git(shop.root, "init", "-q", "-b", "main")
    git(shop.root, "add", "-A")
    git(shop.root, "commit", "-qm", "Version 7")

    def audited() -> list[Any]:
        return json.loads(shop.ok("audit", NAME, "--format", "json"))["releases"]

    (first,) = audited()
    assert (first["environments"], first["promoted"], first["recorded"]) == (["staging"], [], [])
    assert "nothing: git does not know how far its rollouts came" in shop.ok("audit", NAME)
    shop.promoted()
    git(shop.root, "add", "-A")
    git(shop.root, "commit", "-qm", "Into production", hour=1)
    (first,) = audited()
    assert first["environments"] == ["production", "staging"]
    assert [(one["environment"], one["verdict"]) for one in first["recorded"]] == [("staging", "passed")]
    assert [(one["environment"], one["until"], one["how"]) for one in first["promoted"]] == [
        ("production", None, "staging: passed")
    ]
    shop.edit({"lock.model.digest": "sha256:" + "b" * 64})
    shop.ok("render")
    git(shop.root, "add", "-A")
    git(shop.root, "commit", "-qm", "Other bytes", hour=2)
    old, new = audited()
    assert (old["environments"], new["environments"]) == (["production", "staging"], ["staging"])
    assert old["promoted"][0]["until"] is None
    assert "live" not in shop.ok("audit", NAME)


@pytest.mark.parametrize(
    ("old", "new", "direction"),
    [
        (LONG, {"staging": {**LONG["staging"], "soak": "1h"}}, "looser"),
        (LONG, {"staging": {**LONG["staging"], "maxAge": "7d"}}, "stricter"),
        (LONG, {"staging": {**LONG["staging"], "verdict": "weak"}}, "looser"),
        (["staging"], {"staging": {"minPower": "80%"}}, "stricter"),
        (["staging"], [], "looser"),
    ],
)
def test_a_change_of_what_is_required_has_a_direction(old: Any, new: Any, direction: str) -> None:
    def platform(requires: Any) -> Any:
        return {"spec": {"environments": {"production": {"requires": requires}}}}

    (found,) = policy_changes(platform(old), platform(new))
    assert found.direction == direction


def test_a_lock_that_is_not_read_is_reported(shop: Shop) -> None:
    shop.promoted()
    assert "PROM108" not in shop.ok("validate")
    (shop.root / "specs/shop/ranker.old.lock.yaml").write_text("schema: sluice/promotion/v1\n")
    told = shop.ok("validate")
    assert told.count("PROM108") == 1 + told.count("explain PROM108")
    shop.edit({"platform.environments.production": SERVER})
    assert "specs/shop/ranker.production.lock.yaml" in shop.ok("validate")


def test_a_hot_fix_is_proposed_again_once_it_is_proven(shop: Shop) -> None:
    shop.ok("promote", NAME, "--to", "production", "--hotfix", "--reason", "prices are wrong")
    shop.ok("render")
    assert f"{NAME}\tproduction\thotfix\t" in shop.ok("ci", "promotions")
    bundle = shop.release()
    shop.promoted()
    assert f"{NAME}\tproduction\tpromoted\t" in shop.ok("ci", "promotions")
    assert ("hotfix" in shop.lock, shop.release()) == (False, bundle)


def test_the_runbook_takes_back_the_version_of_a_gated_environment_alone(shop: Shop) -> None:
    shop.edit({"platform.monitoring.alerts": {}})
    shop.promoted()
    assert f"sluice revert {NAME} --env production --reason" in shop.bundle()["RUNBOOK.md"]
    ungated = (shop.root / "rendered/staging/shop/ranker/RUNBOOK.md").read_text()
    assert f"sluice revert {NAME} --reason" in ungated
