"""`sluice track-record` over the records in a git history."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from click.testing import CliRunner, Result

from generator.cli.main import cli
from generator.gates.records import record_bytes
from generator.report.schemas import schema_text
from tests.gates.record_samples import KEY, sample

CHECKOUT = Path(__file__).resolve().parents[3]
FILE = "specs/shop/ranker.staging.record.json"
ABORT = {
    "aborted": True, "current": False, "phase": "Degraded", "runs.1.verdict": "Failed", "runs.1.metrics.0.verdict": "Failed",
    "runs.1.metrics.0.failed": 1,
}  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "specs/shop").mkdir(parents=True)
    (tmp_path / "specs/platform.yaml").write_text("spec: {}\n")
    git(tmp_path, "init", "-q")
    return tmp_path


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=root, check=True)


def commit(root: Path, edits: dict[str, Any], text: bytes = b"") -> None:
    (root / FILE).write_bytes(text or record_bytes(sample(edits)))
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "a record")


def run(root: Path, *words: str) -> Result:
    done = CliRunner().invoke(cli, ["track-record", *words, "--root", str(root)])
    assert done.exit_code in {0, 1}, done.output
    return done


def test_every_record_counts_once(root: Path) -> None:
    commit(root, ABORT)
    commit(root, {"rollout.revision": 3, "end": "2026-11-21T12:00:00Z"})
    commit(root, {}, b"{}\n")
    commit(root, {"rollout.revision": 3, "end": "2026-11-21T12:00:00Z"})
    done = run(root)
    assert done.output.splitlines()[:6] == [
        "records that can't be trusted and are left out: 1",
        "all: 2 releases, 1 aborted",
        "  false rollbacks: promised 5%, seen 50% (1.2% to 98.8%)",
        "  until an abort: 2h on average, 9 of 10 within 2h",
        "  requests to aborted versions: 36,000 on average, 36,000 at most, promised 31,383 on average for a bad version",
        "  time: 1d 2h in the steps of completed releases",
    ]
    document = json.loads(run(root, "--format", "json").stdout)
    jsonschema.validate(document, json.loads(schema_text("track-record")))
    first, rate = document["groups"][0], document["groups"][0]["false_rollbacks"]
    assert (document["schema"], document["untrusted_records"]) == ("sluice/track-record/v1", 1)
    assert (first["releases"], first["aborted"], rate["count"], rate["broken"]) == (2, 1, 1, False)


def test_a_broken_promise_is_the_exit_code(root: Path) -> None:
    for number in range(8):
        edits = ABORT if number < 7 else {}
        commit(root, {**edits, "rollout.revision": 2 + number, "end": f"2026-11-2{number}T12:00:00Z"})
    done = run(root)
    assert done.exit_code == 1
    assert "the promise is broken" in done.output


def test_no_record_is_no_track_record(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "none")
    assert run(root).output == "all: 0 releases, 0 aborted\n"
    assert "No release is known to be good or bad yet" in run(root, "--format", "html").output


SPEC = """\
metadata: {name: ranker, team: shop}
spec: {tier: high-traffic}
"""
LOCK = """\
at: "2026-11-21T12:00:00Z"
model: {digest: "sha256:1"}
records: {staging: {verdict: passed, end: "2026-11-20T12:00:00Z"}}
"""
TAKEN_BACK = """\
releases:
  - {key: "%s", environment: staging, reason: clicks fell, since: 2026-11-22}
  - {key: other, environment: production, reason: clicks fell, since: 2026-11-22}
"""


def test_tiers_promotions_and_what_was_taken_back_count(root: Path) -> None:
    folder = root / "specs/shop"
    (folder / "ranker.yaml").write_text(SPEC)
    (folder / "ranker.production.lock.yaml").write_text(LOCK)
    (folder / "ranker.quarantine.yaml").write_text(TAKEN_BACK % KEY)
    commit(root, {})
    found = {one["kind"]: one for one in json.loads(run(root, "--format", "json").stdout)["groups"]}
    tier = found["tier"]
    assert (tier["label"], tier["promotions"], tier["waited_s"]) == ("high-traffic", 1, 86_400.0)
    assert (tier["harms"]["got_through"], tier["harms"]["got_through_exposed"]) == (1, 36_000)
    assert (tier["false_rollbacks"]["among"], tier["taken_back_without_record"]) == (0, 1)


def test_a_version_in_the_quarantine_of_the_platform_got_through(root: Path) -> None:
    digest = "sha256:" + "a" * 64
    (root / "specs/platform.yaml").write_text(
        f'spec: {{quarantine: [{{model: shop/ranker, digest: "{digest}", since: 2026-11-20}}]}}\n'
    )
    commit(root, {})
    assert json.loads(run(root, "--format", "json").stdout)["groups"][0]["harms"]["got_through"] == 1


def test_the_page_draws_promises_against_what_was_seen(root: Path) -> None:
    for number in range(8):
        edits: dict[str, Any] = ABORT if number < 7 else {"promised.false-rollback": "<b>2%"}
        commit(root, {**edits, "rollout.revision": 2 + number, "end": f"2026-11-2{number}T12:00:00Z"})
    done = run(root, "--format", "html")
    assert done.exit_code == 1
    page = done.output
    assert page == run(root, "--format", "html").output
    picture = ElementTree.fromstring(
        page[
            page.index('<svg class="calibration') : page.index(
                "</svg>", page.index('<svg class="calibration')
            )
            + 6
        ]
    )
    titles = [title.text for title in picture.iter("title")]
    assert titles == ["promised 5%, seen 100% (59% to 100%), 7 of 7"]
    assert len([line for line in picture.iter("line") if line.get("class") == "off"]) == 3
    assert len([line for line in picture.iter("line") if line.get("class") == "as-promised"]) == 1
    for words in (
        "By team",
        "By guard",
        "<strong>all</strong>: more false rollbacks",
        "2026-11-20 to 2026-11-27",
    ):
        assert words in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_index_shows_the_track_record_and_the_last_record(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    shutil.copytree(CHECKOUT / "specs", root / "specs")
    git(root, "init", "-q")
    for number, edits in enumerate((ABORT, {}, ABORT)):
        named = {
            "subject.model": "shop/recommender",
            "rollout.revision": 2 + number,
            "end": f"2026-11-2{number}T12:00:00Z",
        }
        (root / "specs/shop/recommender.staging.record.json").write_bytes(
            record_bytes(sample({**edits, **named}))
        )
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "a record")
    pages = tmp_path / "pages"
    done = CliRunner().invoke(
        cli, ["plan", "--all", "--format", "html", "--output", str(pages), "--root", str(root)]
    )
    assert done.exit_code == 0, done.output
    index = (pages / "index.html").read_text()
    assert "3 releases, 2 aborted, 1 of them falsely" in index
    assert '<span class="worse">staging: aborted by ctr, 2026-11-22</span>' in index
    assert index.count("no record") == 2
