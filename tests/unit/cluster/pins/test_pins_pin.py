"""`sluice pin` with data in the repository, and with specs and locks that can't be used."""

from __future__ import annotations

import json

import pytest
import yaml

from generator.plan.repository import Repository
from tests.references.sandbox import Sandbox, sandbox
from tests.references.standin import Reply, standing_in

__all__ = ["sandbox"]
DRIFT = '{{name: drift, drift: {{reference: "{0}", current: "{1}", features: [x]}}, tool: ks}}'
MODEL = ("s3://models/m.pkl", f", sha256: {'a' * 64}")


@pytest.fixture
def rows(sandbox: Sandbox) -> Sandbox:
    """A model with a drift gate over two files."""
    for name in ("a.csv", "b.csv"):
        (sandbox.root / name).write_text(name)
    return sandbox.ask(*MODEL, DRIFT.format("a.csv", "b.csv"))


def test_nothing_is_written_when_nothing_changed(rows: Sandbox):
    rows.pinned()
    stamp, text = rows.lock.stat().st_mtime_ns, rows.lock.read_text()
    done = rows.pin(SOURCE_DATE_EPOCH="1900000000")
    assert "unchanged" in done.output
    assert (rows.lock.stat().st_mtime_ns, rows.lock.read_text()) == (stamp, text)


def test_the_time_is_that_of_the_epoch(rows: Sandbox):
    assert rows.pinned(SOURCE_DATE_EPOCH="1900000000")["model"]["at"] == "2030-03-17T17:46:40Z"


def test_the_lock_is_what_a_plan_needs(rows: Sandbox):
    rows.pinned()
    repository = Repository(rows.root)
    _, lock, findings = repository.lock(repository.entries[0])
    assert lock is not None
    assert not findings
    assert set(lock.data) == {"a.csv", "b.csv"}


def test_data_that_changed_is_told_and_its_old_digest_replaced(rows: Sandbox):
    before = rows.pinned()
    (rows.root / "b.csv").write_text("new")
    moved = rows.pin("--check")
    assert (moved.exit_code, "`b.csv` has moved" in moved.output, "`a.csv`" in moved.output) == (
        1,
        True,
        False,
    )
    after = rows.pinned()
    assert after["data"]["a.csv"] == before["data"]["a.csv"]
    assert after["data"]["b.csv"] != before["data"]["b.csv"]
    assert after["model"] == before["model"]


def test_data_that_no_gate_reads_any_more_leaves_the_lock(rows: Sandbox):
    rows.pinned()
    rows.ask(*MODEL, DRIFT.format("a.csv", "a.csv"))
    stale = rows.pin("--check")
    assert (stale.exit_code, "PIN202" in stale.output, "`b.csv`" in stale.output) == (1, True, True)
    assert set(rows.pinned()["data"]) == {"a.csv"}


def test_every_gate_and_every_environment_is_asked(rows: Sandbox):
    for name in ("c.csv", "d.csv", "e.csv", "f.csv"):
        (rows.root / name).write_text(name)
    gates = (
        "{name: p, fairness: demographic-parity-ratio, sensitive: [age], atLeast: 0.8, data: c.csv}, "
        "{name: s, data: {current: d.csv, suite: suite.json}}, "
        "{name: e, explain: {reference: a.csv, current: e.csv}, atMost: 0.1}"
    )
    rows.ask(*MODEL, gates)
    override = "  environments:\n    staging:\n      gates: [" + DRIFT.format("a.csv", "f.csv") + "]\n"
    rows.spec.write_text(rows.spec.read_text() + override)
    assert set(rows.pinned()["data"]) == {"a.csv", "c.csv", "d.csv", "e.csv", "f.csv"}


def test_an_image_stays_with_its_model_and_goes_with_it(rows: Sandbox):
    rows.pinned()
    image = f'# by CI\nimage:\n  digest: sha256:{"b" * 64}\n  bento: "0123456789ab"\n'
    rows.lock.write_text(rows.lock.read_text() + image)
    (rows.root / "b.csv").write_text("new")
    assert "image" in rows.pinned()
    assert "# by CI" in rows.lock.read_text()
    rows.ask(MODEL[0], f", sha256: {'c' * 64}", DRIFT.format("a.csv", "b.csv"))
    assert "image" not in rows.pinned()
    assert "# by CI" not in rows.lock.read_text()


def test_one_reference_that_fails_leaves_the_lock_as_it_was(rows: Sandbox):
    rows.pinned()
    text = rows.lock.read_text()
    (rows.root / "a.csv").write_text("new")
    (rows.root / "b.csv").unlink()
    done = rows.pin()
    assert (done.exit_code, "PIN104" in done.output, "`b.csv`" in done.output) == (1, True, True)
    assert rows.lock.read_text() == text


@pytest.mark.parametrize("ref", ["../a.csv", "/etc/hostname", "mlflow:x/1", "out.csv"])
def test_data_that_is_not_of_this_repository(rows: Sandbox, ref: str):
    (rows.root / "out.csv").symlink_to(rows.root.parent / "elsewhere.csv")
    (rows.root.parent / "elsewhere.csv").write_text("x")
    done = rows.ask(*MODEL, DRIFT.format(ref, "a.csv")).pin()
    assert (done.exit_code, "PIN101" in done.output) == (1, True)


@pytest.mark.parametrize(
    "ref", ["mlflow:x", "hf:a/b/c", "oci://h/a", "dvc:a//b@c", "dvc:https://h/a", "bentoml:a:b:c"]
)
def test_a_reference_that_names_nothing(sandbox: Sandbox, ref: str):
    done = sandbox.ask(ref).pin(MLFLOW_TRACKING_URI="http://127.0.0.1:1")
    assert done.exit_code == 1
    assert "PIN101" in done.output or "REF208" in done.output


def test_a_spec_that_can_not_be_used_is_told_as_validate_would(rows: Sandbox):
    rows.spec.write_text(rows.spec.read_text().replace("tier: standard", "tier: standart"))
    done = rows.pin()
    assert (done.exit_code, "REF202" in done.output) == (1, True)


def test_a_lock_that_can_not_be_read_is_not_overwritten(rows: Sandbox):
    rows.lock.write_text("<<<<<<< ours\n")
    done = rows.pin()
    assert (done.exit_code, "ranker.lock.yaml" in done.output) == (1, True)
    assert rows.lock.read_text() == "<<<<<<< ours\n"


def test_findings_in_json(rows: Sandbox):
    done = rows.pin("--check", "--format", "json")
    assert (done.exit_code, {item["code"] for item in json.loads(done.stdout)["findings"]}) == (1, {"PIN202"})


def test_models_that_ask_for_the_same_ask_the_server_once(rows: Sandbox):
    twin = rows.spec.with_name("twin.yaml")
    with standing_in(lambda _: Reply(404, body=b'{"error_code": "RESOURCE_DOES_NOT_EXIST"}')) as server:
        rows.ask("mlflow:x/1")
        twin.write_text(rows.spec.read_text().replace("name: ranker", "name: twin"))
        done = rows.pin(MLFLOW_TRACKING_URI=server.address)
    assert (done.exit_code, done.output.count("[PIN104]"), len(server.requests)) == (1, 2, 1)


def test_a_server_that_is_no_mlflow(rows: Sandbox):
    for reply in (
        Reply(404),
        Reply(body=b"[]"),
        Reply(body=b"{}"),
        Reply(body=b'{"model_version": {"version": "x"}}'),
    ):
        with standing_in(lambda _, reply=reply: reply) as server:
            done = rows.ask("mlflow:x/1").pin(MLFLOW_TRACKING_URI=server.address)
        assert (done.exit_code, "PIN108" in done.output) == (1, True)


@pytest.mark.parametrize(("digit", "released", "code"), [("a", "", 1), ("b", "", 0), ("a", "yes", 0)])
def test_a_version_in_quarantine_is_not_locked_until_it_is_released(
    sandbox: Sandbox, digit: str, released: str, code: int
):
    entry = f'{{model: shop/old, digest: "sha256:{digit * 64}", reason: "it answered 500", since: 2026-11-20'
    entry += (
        ', released: {by: model-risk, reason: "the network was it", at: 2026-11-21}}' if released else "}"
    )
    platform = sandbox.root / "specs/platform.yaml"
    platform.write_text(platform.read_text() + f"  quarantine: [{entry}]\n")
    done = sandbox.ask(*MODEL).pin()
    assert (done.exit_code, "PIN204" in done.output, sandbox.lock.exists()) == (code, bool(code), not code)
    if code:
        assert "in quarantine since 2026-11-20: it answered 500" in done.output


def test_a_halted_version_stays_locked_where_it_runs_and_is_locked_nowhere_anew(sandbox: Sandbox):
    assert sandbox.ask(*MODEL).pin().exit_code == 0
    kept = sandbox.lock.read_text()
    platform = sandbox.root / "specs/platform.yaml"
    digest = yaml.safe_load(kept)["model"]["digest"]
    name = f"{sandbox.lock.parent.name}/{sandbox.lock.name.removesuffix('.lock.yaml')}"
    entry = f'{{model: {name}, digest: "{digest}", reason: drift, since: 2026-11-20, running: [production]}}'
    platform.write_text(platform.read_text() + f"  quarantine: [{entry}]\n")
    assert sandbox.pin().exit_code == 0
    assert sandbox.lock.read_text() == kept
    sandbox.lock.unlink()
    done = sandbox.pin()
    assert (done.exit_code, "PIN204" in done.output, sandbox.lock.exists()) == (1, True, False)
