"""The check of a change that promotes reads the clock; a revert always passes it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from generator.pipeline.promotions import candidates
from generator.pipeline.session import open_session
from tests.ci.demo import git
from tests.unit.pipeline.test_promote import GATED, LONG, NAME, SERVER, Shop
from tests.unit.rules.repository import STEPS

FREEZE = {
    "environments": ["production"],
    "from": "2026-11-23T00:00",
    "to": "2026-11-25T00:00",
    "reason": "a sale",
}
WEEKLY = {**FREEZE, "environments": ["staging"]}


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose main promoted one release, and whose branch promotes the next one."""
    shop = Shop(tmp_path_factory.mktemp("merged") / "repository", dict(GATED))
    shop.root.mkdir()
    shop.edit({"platform.environments.production": {**SERVER, "requires": LONG}})
    git(shop.root, "init", "--quiet")
    shop.promoted()
    commit(shop, "The first release")
    git(shop.root, "checkout", "--quiet", "-b", "change")
    shop.edit({"spec.service.threads": 2})
    shop.promoted()
    commit(shop, "The next release")
    return shop.root


def commit(shop: Shop, message: str) -> None:
    git(shop.root, "add", "--all")
    git(shop.root, "commit", "--quiet", "--message", message)


@pytest.fixture
def shop(merged: Path, tmp_path: Path) -> Shop:
    shutil.copytree(merged, tmp_path / "repository")
    edits = {
        **GATED,
        "platform.environments.production": {**SERVER, "requires": LONG},
        "spec.service.threads": 2,
    }
    return Shop(tmp_path / "repository", edits)


def checked(shop: Shop, *, hours: float = 0) -> tuple[int, str]:
    done = shop.run("promote", "--check", "--against", "main", hours=hours)
    return done.exit_code, re.sub(r"\s+", " ", done.output)


def test_a_proven_promotion_passes_until_its_record_is_too_old(shop: Shop) -> None:
    assert checked(shop)[0] == 0
    code, output = checked(shop, hours=24 * 20)
    assert (code, "may be at most 14d old" in output) == (1, True), output


def test_a_freeze_stops_promotions_and_nothing_else(shop: Shop) -> None:
    shop.edit({"platform.freezes": [FREEZE]})
    assert "frozen until 2026-11-25 00:00 (UTC): a sale" in checked(shop)[1]
    assert checked(shop)[0] == 1
    assert checked(shop, hours=36)[0] == 0  # it is over
    refused = shop.run("promote", NAME, "--to", "production", "--hotfix", "--reason", "prices")
    assert (refused.exit_code, "is frozen until" in refused.output) == (2, True)
    git(shop.root, "checkout", "--quiet", "main", "--", "specs/shop/ranker.production.lock.yaml")
    assert checked(shop)[0] == 0  # the change promotes nothing
    shop.edit({"platform.freezes": [WEEKLY]})
    git(shop.root, "checkout", "--quiet", "change", "--", "specs/shop/ranker.production.lock.yaml")
    assert checked(shop)[0] == 0  # another environment


def test_a_revert_passes_in_a_freeze_and_its_release_is_refused_afterwards(shop: Shop) -> None:
    git(shop.root, "branch", "--quiet", "--force", "main", "change")
    git(shop.root, "checkout", "--quiet", "main")
    shop.edit({"platform.freezes": [FREEZE]})
    shop.ok("render")
    commit(shop, "A freeze")
    for name in ("AUTHOR", "COMMITTER"):
        git(shop.root, "config", f"{name.lower()}.name", "Ada")
        git(shop.root, "config", f"{name.lower()}.email", "ada@example.com")
    branch = shop.ok("revert", NAME, "--env", "production", "--reason", "worse", "--quiet").strip()
    git(shop.root, "checkout", "--quiet", branch)
    assert checked(shop)[0] == 0
    shop.ok("render", "--check")
    shop.ok("validate")
    git(shop.root, "branch", "--quiet", "--force", "main", branch)
    for words in ((), ("--hotfix", "--reason", "again")):
        refused = shop.run("promote", NAME, "--to", "production", *words, hours=48)
        assert (refused.exit_code, "in quarantine since 2026-11-23" in refused.output) == (2, True), (
            refused.output
        )
    git(shop.root, "checkout", "--quiet", "change", "--", "specs/shop/ranker.production.lock.yaml")
    code, output = checked(shop, hours=48)  # by hand, past `promote`
    assert (code, "taken back from production: worse" in output) == (1, True), output


def lock(shop: Shop, old: str, new: str) -> None:
    path = shop.root / "specs/shop/ranker.production.lock.yaml"
    text = path.read_text()
    assert re.search(old, text)
    path.write_text(re.sub(old, new, text))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (r"records:\n.*\n", "", "names neither a record nor a hot fix"),
        (r"(key: \"?sha256:)[0-9a-f]{8}", r"\g<1>00000000", "another release than the spec gives"),
        (
            r"(staging: \{digest: \"?sha256:)[0-9a-f]{8}",
            r"\g<1>00000000",
            "other records than those next to the spec",
        ),
        (r"records:\n.*\n", 'hotfix: {until: "2026-12-24"}\n', "a hot fix needs a reason"),
        (r"records:\n.*\n", 'reason: x\nhotfix: {until: "2026-12-24"}\n', "now it may last until 2026-11-24"),
        (r"records:\n.*\n", 'reason: x\nhotfix: {until: "2026-11-22"}\n', "now it may last until 2026-11-24"),
    ],
)
def test_a_lock_that_promote_would_not_write_is_refused(shop: Shop, old: str, new: str, reason: str) -> None:
    lock(shop, old, new)
    code, output = checked(shop)
    assert (code, reason in output) == (1, True), output


def test_an_edited_bundle_with_a_lock_that_fits_it_is_refused(shop: Shop) -> None:
    """Key and records stay those of the promotion; only the bytes that production would run are others."""
    from generator.pipeline.held import read_release
    from generator.pipeline.session import open_session
    from generator.render.held import held_digest

    git(shop.root, "branch", "--quiet", "--force", "main", "change")
    rollout = shop.root / "rendered/production/shop/ranker/rollout-main.yaml"
    rollout.write_text(rollout.read_text().replace("registry.example.com", "evil.example.com"))
    digest = held_digest(read_release(open_session(shop.root).rendered, shop.plan()))
    lock(shop, r"held: \"?sha256:[0-9a-f]{64}\"?", f'held: "{digest}"')
    code, output = checked(shop)
    assert (code, "another release than the spec gives" in output) == (1, True), output


def test_a_record_that_is_gone_or_edited_proves_nothing(shop: Shop) -> None:
    record = shop.root / "specs/shop/ranker.staging.record.json"
    record.write_text(record.read_text().replace('"passed"', '"weak"'))
    assert checked(shop)[0] == 1
    record.unlink()
    assert "staging: there is no record" in checked(shop)[1]


def test_an_older_record_never_replaces_a_newer_one(shop: Shop) -> None:
    """Two steps: the record of an abort is removed, and a later change brings back the one that passed before it."""
    path = shop.root / "specs/shop/ranker.staging.record.json"
    passed = path.read_bytes()
    shop.record(hours=-24, **{"rollout.revision": 9, "aborted": True, "current": False, "phase": "Degraded"})
    assert "verdict is aborted" in checked(shop)[1]
    commit(shop, "Aborted")
    path.unlink()
    commit(shop, "Clean up")
    git(shop.root, "branch", "--quiet", "--force", "main", "change")
    path.write_bytes(passed)
    code, output = checked(shop)
    assert (code, "PROM110" in output, "this record is older than one that git has" in output) == (
        1,
        True,
        True,
    )


def test_nothing_leaves_the_quarantine(shop: Shop) -> None:
    path = shop.root / "specs/shop/ranker.quarantine.yaml"
    item = (
        f"key: 'sha256:{'a' * 64}', version: '7', environment: production, reason: worse, since: 2026-11-20"
    )
    text = f"schema: sluice/quarantine/v1\nreleases:\n  - {{{item}}}\n"
    path.write_text(text)
    commit(shop, "Rejected")
    git(shop.root, "branch", "--quiet", "--force", "main", "change")
    released = "released: {by: model-risk, reason: prices, at: 2026-11-21}"
    path.write_text(text.replace("2026-11-20", f"2026-11-20, {released}"))
    assert checked(shop)[0] == 0
    for other in (None, text.replace("version: '7'", "version: '8'"), text.replace("aaaa'", "aaab'")):
        path.unlink() if other is None else path.write_text(other)
        code, output = checked(shop)
        assert (code, "was taken out of quarantine" in output) == (1, True), output


def renamed(shop: Shop, old: str, new: str) -> None:
    """Give a model another name in every file that has it."""
    for path in sorted((shop.root / "specs/shop").glob(f"{old}.*")):
        text = path.read_text().replace(f"name: {old}", f"name: {new}").replace(f"shop/{old}", f"shop/{new}")
        path.with_name(path.name.replace(old, new, 1)).write_text(text)
        path.unlink()


def reject(shop: Shop) -> Path:
    """Put a release of the model into its quarantine, on main as well."""
    path = shop.root / "specs/shop/ranker.quarantine.yaml"
    item = f"key: 'sha256:{'a' * 64}', version: '7', digest: '{shop.plan().version.digest}'"
    more = "environment: production, reason: worse, since: 2026-11-20"
    path.write_text(f"schema: sluice/quarantine/v1\nreleases:\n  - {{{item}, {more}}}\n")
    commit(shop, "Rejected")
    git(shop.root, "branch", "--quiet", "--force", "main", "change")
    return path


def test_a_quarantine_outlives_the_name_of_its_model(shop: Shop) -> None:
    """Two steps: the model goes, or gets another name, with its quarantine; a later change brings it back without."""
    path = reject(shop)
    renamed(shop, "ranker", "other")
    assert "was taken out of quarantine" not in checked(shop)[1]  # it is in the other file
    path.with_name("other.quarantine.yaml").rename(path)
    assert "was taken out of quarantine" not in checked(shop)[1]
    path.unlink()
    code, output = checked(shop)
    assert (code, "the release sha256:aaaaaaaaaaaa of shop/ranker was taken out" in output) == (1, True), (
        output
    )
    for file in (shop.root / "specs/shop").glob("other.*"):
        file.unlink()
    assert "was taken out of quarantine" in checked(shop)[1]
    git(shop.root, "checkout", "--quiet", "main", "--", path.relative_to(shop.root).as_posix())
    assert checked(shop)[0] == 0
    assert "REF210" not in shop.run("validate").output  # it may stay without its model


def test_a_rejected_model_is_rejected_under_another_name(shop: Shop) -> None:
    path = reject(shop)
    shutil.rmtree(shop.root / "rendered")
    renamed(shop, "ranker", "other")
    path.with_name("other.quarantine.yaml").rename(path)
    path.with_name("other.production.lock.yaml").unlink()
    path.with_name("other.staging.record.json").unlink()
    (one,) = candidates(open_session(shop.root))
    assert (one.model, one.standing) == ("shop/other", "rejected")
    refused = shop.run("promote", "shop/other", "--to", "production")
    assert "(version 7 of shop/ranker) is in quarantine since 2026-11-20" in refused.output
    path.write_text(re.sub("digest: 'sha256:[0-9a-f]{8}", "digest: 'sha256:00000000", path.read_text()))
    (one,) = candidates(open_session(shop.root))
    assert one.standing != "rejected"  # another model was


def test_a_lock_of_an_earlier_commit_of_a_change_is_no_revert(shop: Shop) -> None:
    """Merged commit by commit, the lock would have been on the branch; a later change could go back to it."""
    path = shop.root / "specs/shop/ranker.production.lock.yaml"
    judged = path.read_text()
    path.write_text(re.sub(r"records:\n.*\n", "", judged))
    commit(shop, "Look at this")
    path.write_text(judged)
    commit(shop, "Never mind")
    code, output = checked(shop)
    assert (code, "of this change has another lock of shop/ranker in production" in output) == (1, True), (
        output
    )
    merge(shop)
    assert "has another lock" in checked(shop)[1]
    git(shop.root, "reset", "--quiet", "--soft", "main")
    commit(shop, "One commit")
    assert checked(shop)[0] == 0


def test_a_change_may_have_several_commits(shop: Shop) -> None:
    path = shop.root / "specs/shop/ranker.production.lock.yaml"
    judged = path.read_text()
    git(shop.root, "checkout", "--quiet", "main", "--", path.relative_to(shop.root).as_posix())
    commit(shop, "The lock of main")
    path.write_text(judged)
    (shop.root / "notes.txt").write_text("other")
    commit(shop, "The lock of this change again")
    merge(shop)
    assert checked(shop)[0] == 0


def merge(shop: Shop) -> None:
    """Check out what a merge of the change would give, as CI does."""
    git(shop.root, "checkout", "--quiet", "--detach", "main")
    git(shop.root, "merge", "--quiet", "--no-ff", "--no-edit", "change")


def test_another_release_of_a_rejected_model_needs_a_reason(shop: Shop) -> None:
    """One more thread is another key: the model that was taken back is the same."""
    path = shop.root / "specs/shop/ranker.quarantine.yaml"
    item = f"key: 'sha256:{'a' * 64}', version: '7', digest: '{shop.plan().version.digest}'"
    more = "environment: production, reason: worse, since: 2026-11-20"
    path.write_text(f"schema: sluice/quarantine/v1\nreleases:\n  - {{{item}, {more}}}\n")
    code, output = checked(shop)
    assert (code, "another release of this model (version 7) is in quarantine" in output) == (1, True), output
    shop.edit({"spec.service.threads": 3})
    shop.record()
    refused = shop.run("promote", NAME, "--to", "production")
    assert (refused.exit_code, "--reason TEXT" in refused.output) == (2, True), refused.output
    (one,) = candidates(open_session(shop.root))
    assert one.standing == "rejected"  # so CI proposes nothing by itself
    shop.ok("promote", NAME, "--to", "production", "--reason", "it had too few threads")
    shop.ok("render")
    assert checked(shop)[0] == 0


def test_the_options_belong_together(shop: Shop) -> None:
    for words in (("--check",), ("--against", "main"), ("--check", "--against", "main", NAME)):
        assert "belong together" in shop.run("promote", *words).output
    assert "no revision `nowhere`" in shop.run("promote", "--check", "--against", "nowhere").output


def test_finish_first_lets_a_release_finish(shop: Shop) -> None:
    """Main has a release in staging that is not in production yet; the change would start another one."""
    git(shop.root, "checkout", "--quiet", "main")
    first = {"staging": {**LONG["staging"], "order": "finish-first"}}
    shop.edit({"platform.environments.production": {**SERVER, "requires": first}})
    shop.ok("render")
    commit(shop, "On its way")
    git(shop.root, "checkout", "--quiet", "-b", "next")
    assert checked(shop)[0] == 0
    shop.edit({"spec.rollout.steps": [*STEPS[:2], {"weight": "60%", "hold": "20m"}]})
    assert checked(shop)[0] == 0  # it starts no release
    shop.edit({"spec.service.threads": 3})
    code, output = checked(shop)
    assert (code, "PROM107" in output, "has not finished its way to production" in output) == (1, True, True)
    before = {**shop.edits, "spec.service.threads": 2}
    shop.edits["spec.service.threads"] = 2
    shop.edit({})
    shop.record(aborted=True, current=False, phase="Degraded")
    shop.edit({**before, "spec.service.threads": 3})
    assert checked(shop)[0] == 0  # it was aborted
    (shop.root / "specs/shop/ranker.staging.record.json").unlink()
    assert checked(shop)[0] == 1
    shop.edit({"platform.environments.production": {**SERVER, "requires": LONG}})
    assert checked(shop)[0] == 0  # newest wins


def approver(folder: Path, name: str, role: str) -> dict[str, str]:
    """A signer of the platform, whose private key is a file of that name."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name], check=True
    )
    return {"name": name, "role": role, "ssh": (folder / f"{name}.pub").read_text().strip()}


@pytest.fixture
def regulated(shop: Shop, tmp_path: Path) -> Shop:
    """The same, where a person of model-risk signs promotions; the branch knows that already."""
    signers = [approver(tmp_path, "ada", "model-risk"), approver(tmp_path, "ci", "ci")]
    wanted = {"platform.tiers.standard.promotions": {"signedBy": ["model-risk"]}, "platform.signers": signers}
    git(shop.root, "checkout", "--quiet", "main")
    shop.edit(wanted)
    git(shop.root, "checkout", "--quiet", "HEAD", "--", "specs/shop")
    commit(shop, "Promotions are signed")
    git(shop.root, "checkout", "--quiet", "change")
    shop.edit(wanted)
    commit(shop, "The same here")
    return shop


def sign(shop: Shop, key: str, *more: str) -> None:
    words = ("--document", "promotion", "--env", "production", "--key", str(shop.root.parent / key))
    shop.ok("gates", "sign", NAME, *words, *more)


def signatures(shop: Shop) -> list[Path]:
    return sorted((shop.root / "specs/shop").glob("ranker.production.lock.yaml.*"))


@pytest.mark.parametrize("form", ["ssh", "dsse"])
def test_only_a_named_signer_approves_a_promotion(regulated: Shop, form: str) -> None:
    code, output = checked(regulated)
    assert (code, "requires that model-risk signs a promotion of shop/ranker to production" in output) == (
        1,
        True,
    )
    sign(regulated, "ci", "--format", form)
    assert checked(regulated)[0] == 1
    sign(regulated, "ada", "--format", form)
    assert checked(regulated)[0] == 0
    lock(regulated, "by: .*", "by: mallory")
    assert "PROM109" in checked(regulated)[1]


def test_a_change_can_not_approve_itself(regulated: Shop, tmp_path: Path) -> None:
    own = approver(tmp_path, "mallory", "model-risk")
    regulated.edit({"platform.signers": [*regulated.edits["platform.signers"], own]})
    sign(regulated, "mallory")
    assert "PROM109" in checked(regulated)[1]
    regulated.edit({"platform.tiers.standard.promotions": {"signedBy": []}})  # nor drop the requirement
    assert "PROM109" in checked(regulated)[1]
    regulated.edit(
        {"platform.signers": regulated.edits["platform.signers"][1:]}
    )  # who is removed counts no more
    sign(regulated, "ada")
    assert "PROM109" in checked(regulated)[1]


def test_a_promotion_can_not_leave_the_tier_that_requires_approval(regulated: Shop) -> None:
    other = {
        "requires": {"noData": ["fail", "pause"]},
        "evidence": ["cluster"],
        "promotions": {"signedBy": ["ci"]},
    }
    regulated.edit(
        {
            "platform.tiers.other": other,
            "platform.teams.shop.tiers": ["standard", "other"],
            "spec.tier": "other",
            "spec.service.threads": 3,
        }
    )
    commit(regulated, "Another tier")
    regulated.promoted()
    code, output = checked(regulated)
    assert (code, "PROM109" in output, "requires that model-risk signs a promotion" in output) == (
        1,
        True,
        True,
    )
    sign(regulated, "ci", "--format", "ssh")
    assert "the tier `standard` requires that model-risk signs" in checked(regulated)[1]
    assert "the tier `other`" not in checked(regulated)[1]
    sign(regulated, "ada", "--format", "dsse")
    assert "PROM109" not in checked(regulated)[1]


def test_without_a_platform_on_the_branch_nobody_approves(regulated: Shop) -> None:
    """Whose signature counts is what the branch says, and never what the change says."""
    git(regulated.root, "checkout", "--quiet", "main")
    platform = regulated.root / "specs/platform.yaml"
    platform.write_text(platform.read_text().replace("kind: Platform", "kind: Platfrom"))
    commit(regulated, "Broken")
    git(regulated.root, "checkout", "--quiet", "change")
    sign(regulated, "ada")
    assert "PROM109" in checked(regulated)[1]


def test_a_signature_for_another_environment_does_not_fit(regulated: Shop) -> None:
    folder = regulated.root / "specs/shop"
    shutil.copy(folder / "ranker.production.lock.yaml", folder / "ranker.staging.lock.yaml")
    words = ("--document", "promotion", "--env", "staging", "--key", str(regulated.root.parent / "ada"))
    regulated.ok("gates", "sign", NAME, *words)
    name = "lock.yaml.dsse.json"
    shutil.copy(folder / f"ranker.staging.{name}", folder / f"ranker.production.{name}")
    code, output = checked(regulated)
    assert (code, "this envelope is not about ranker.production.lock.yaml" in output) == (1, True), output


def test_a_promotion_is_approved_by_name_only(regulated: Shop) -> None:
    regulated.ok("gates", "sign", NAME, "--key", str(regulated.root.parent / "ada"))
    assert not signatures(regulated)
    refused = regulated.run(
        "gates", "sign", NAME, "--document", "promotion", "--key", str(regulated.root.parent / "ada")
    )
    assert (refused.exit_code, "belong together" in refused.output) == (2, True)


def test_a_revert_has_the_signature_of_its_release_and_a_new_promotion_has_none(regulated: Shop) -> None:
    git(regulated.root, "checkout", "--quiet", "main")
    sign(regulated, "ada")
    commit(regulated, "The first release is signed")
    (first,) = (path.read_text() for path in signatures(regulated))
    regulated.edit({"spec.service.threads": 6})
    regulated.promoted()
    assert not signatures(regulated)
    sign(regulated, "ada")
    regulated.ok("render")
    commit(regulated, "The next release")
    (release,) = json.loads(regulated.ok("audit", NAME, "--format", "json"))["releases"]
    who = {"document": "promotion", "environment": "production", "by": "ada", "role": "model-risk"}
    assert release["signatures"] == [{**who, "form": "dsse"}]
    for name in ("AUTHOR", "COMMITTER"):
        git(regulated.root, "config", f"{name.lower()}.name", "Ada")
        git(regulated.root, "config", f"{name.lower()}.email", "ada@example.com")
    branch = regulated.ok("revert", NAME, "--env", "production", "--reason", "worse", "--quiet").strip()
    git(regulated.root, "checkout", "--quiet", branch)
    assert [path.read_text() for path in signatures(regulated)] == [first]
    assert checked(regulated)[0] == 0
    regulated.ok("gates", "verify-signature", NAME)


def test_a_hot_fix_is_signed_too(regulated: Shop) -> None:
    git(regulated.root, "checkout", "--quiet", "main")
    git(regulated.root, "checkout", "--quiet", "-b", "fix")
    regulated.edit({"spec.service.threads": 3})
    regulated.ok("promote", NAME, "--to", "production", "--hotfix", "--reason", "prices are wrong")
    regulated.ok("render")
    assert "PROM109" in checked(regulated)[1]
    sign(regulated, "ada")
    assert checked(regulated)[0] == 0
