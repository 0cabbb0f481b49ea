"""Two hundred promotions, open at once: each with its own record, lock and bundle; git merges all of them."""

from __future__ import annotations

import datetime as dt
import re

from generator.gates.records import record_bytes
from generator.pipeline.promote import PromotionRequest, promote
from generator.pipeline.session import open_session
from generator.plan.release_key import release_key
from tests.bench.organisation import generate
from tests.gates.record_samples import sample
from tests.system.repositories import EPOCH, sluice
from tests.system.test_system_parallel import MODELS, changed_files, git, merge_all

END = dt.datetime.fromtimestamp(int(EPOCH), tz=dt.UTC) - dt.timedelta(hours=1)


def test_two_hundred_promotions_merge_without_a_conflict(tmp_path, monkeypatch):
    root = generate(tmp_path / "repository", MODELS, 2)
    platform = root / "specs/platform.yaml"
    text = platform.read_text()
    platform.write_text(re.sub(r"(\n    env1:\n)", r"\1      requires: [env0]\n", text))
    assert platform.read_text() != text
    assert sluice(root, "render").code == 0
    assert not list(root.glob("rendered/env1/*/model-*"))
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "all models in env0")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)
    session = open_session(root)
    times = {
        key: f"{END - dt.timedelta(hours=ago):%Y-%m-%dT%H:%M:%SZ}" for key, ago in (("start", 2), ("end", 0))
    }
    for entry in session.entries:
        (plan,) = (
            one.plan for one in session.resolve(entry).plans if one.plan.identity.environment == "env0"
        )
        subject = {
            "subject.model": entry.name,
            "subject.environment": "env0",
            "subject.releaseKey": release_key(plan),
        }
        runs = {"runs.0.start": times["start"], "runs.1.start": times["end"]}
        entry.record("env0").write_bytes(record_bytes(sample({**subject, **times, **runs})))
        promote(session, entry, PromotionRequest("env1", "a test"))
    git(root, "checkout", "-q", "-b", "edited")
    assert sluice(root, "render").code == 0
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "all promotions at once")
    changes = changed_files(root)
    assert len(changes) == MODELS
    for name, files in changes.items():
        paths = {path for _, _, path in files}
        assert {path.rpartition("/")[2] for path in paths if path.startswith("specs/")} == {
            f"{name}.env0.record.json",
            f"{name}.env1.lock.yaml",
        }
        assert all(path.startswith(("specs/", "rendered/env1/")) for path in paths)
    merge_all(root, changes)
