"""Checking and showing the difference: read-only, and in agreement with what writing then does."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from generator.output.bundle import Bundle
from generator.output.check import check, diff
from generator.output.freshness import FreshBundle
from generator.output.ledger import Ledger
from generator.output.report import CheckReport
from generator.output.write import orphans, prune, write
from tests.unit.output.conftest import probe

Make = Callable[..., Bundle]
Snapshot = Callable[[Path], dict[str, bytes | str]]
BUNDLE = "production/shop/recommender"
GONE = "production/shop/gone"
OLD = {"changed.yaml": "a: 1\nb: 1\n", "edited.yaml": "1\n", "gone/x.yaml": "1\n", "same.yaml": "1\n"}
NEW = {"changed.yaml": "a: 1\nb: 2\n", "edited.yaml": "1\n", "added.yaml": "1\n", "same.yaml": "1\n"}
SPEC = {"spec": "5" * 64}


@pytest.fixture
def tree(root: Path, bundle: Make) -> Path:
    write(root, [bundle(OLD), bundle({"x.yaml": "1\n", "edited.yaml": "1\n"}, GONE)])
    (root / BUNDLE / "edited.yaml").write_bytes(b"by hand\r\n\xff no end")
    (root / GONE / "edited.yaml").write_text("by hand\n")
    (root / BUNDLE / "NOTES.md").write_text("mine\n")
    return root


def test_check_names_every_difference_and_writes_nothing(
    tree: Path, bundle: Make, snapshot: Snapshot
) -> None:
    before = snapshot(tree)
    new = bundle(NEW)
    report = check(tree, [new], orphaned=orphans(tree, "", [new.path]))
    assert (report.files, report.keys) == (1, ())
    assert replace(report, files=0) == CheckReport(
        missing=(f"{BUNDLE}/added.yaml",),
        stale=(f"{BUNDLE}/.sluice", f"{BUNDLE}/changed.yaml"),
        edited=(f"{GONE}/edited.yaml", f"{BUNDLE}/edited.yaml"),
        orphaned=(f"{GONE}/.sluice", f"{GONE}/x.yaml", f"{BUNDLE}/gone/x.yaml"),
        foreign=(f"{BUNDLE}/NOTES.md",),
    )
    assert snapshot(tree) == before


def test_check_agrees_with_what_is_then_written(tree: Path, bundle: Make) -> None:
    new = bundle(NEW)
    told = check(tree, [new], orphaned=orphans(tree, "", [new.path]))
    assert not told.clean
    pruned, written = prune(tree, "", [new.path]), write(tree, [new])
    assert told.missing == written.created
    assert told.stale == written.updated
    assert set(told.edited) == {*written.overwritten, *pruned.kept_edited}
    assert set(told.orphaned) == {*written.deleted, *pruned.deleted}
    after = check(tree, [new], orphaned=orphans(tree, "", [new.path]))
    assert after == CheckReport(foreign=(f"{BUNDLE}/NOTES.md",), files=5)
    assert after.clean


def test_check_of_a_tree_that_does_not_exist(root: Path, bundle: Make) -> None:
    report = check(root, [bundle({"a.yaml": "1\n"})], orphaned=["x"])
    assert report == CheckReport(missing=(f"{BUNDLE}/.sluice", f"{BUNDLE}/a.yaml"))
    assert not root.exists()


def test_foreign_files_are_no_difference(root: Path, bundle: Make) -> None:
    written = write(root, [bundle(OLD)])
    (root / BUNDLE / "gone/NOTES.md").write_text("mine\n")
    foreign = (f"{BUNDLE}/gone/NOTES.md",)
    assert probe(root, BUNDLE, SPEC, written.keys) == FreshBundle(5, *written.keys)
    report = check(root, [bundle(OLD)])
    assert (report.foreign, report.files, report.clean, report.keys) == (foreign, 5, True, written.keys)


def test_git_applies_the_difference(
    tree: Path, bundle: Make, tmp_path: Path, snapshot: Snapshot, tool: Callable[[str, str], str]
) -> None:
    (tree / BUNDLE / "edited.yaml").write_text("one line\fwith \x85odd\u2028characters\nno end")
    new = bundle(NEW)
    patch = "".join(diff(tree, [new], orphaned=orphans(tree, "", [new.path])))
    patched = tmp_path / "patched"
    shutil.copytree(tree, patched)
    command = [tool("git", "git"), "apply", "--whitespace=nowarn", "-"]
    done = subprocess.run(command, input=patch.encode(), cwd=patched, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    prune(tree, "", [new.path])
    write(tree, [new])

    def without_ledgers(path: Path) -> dict[str, bytes | str]:
        return {name: text for name, text in snapshot(path).items() if not name.endswith(".sluice")}

    assert without_ledgers(patched) == without_ledgers(tree)


def test_the_form_of_the_difference(tree: Path, bundle: Make) -> None:
    new = bundle(NEW)
    lines = list(diff(tree, [new], orphaned=orphans(tree, "", [new.path])))
    assert all(line.endswith("\n") for line in lines)
    assert "".join(lines) == (
        f"--- /dev/null\n+++ b/{BUNDLE}/added.yaml\n@@ -0,0 +1 @@\n+1\n"
        f"--- a/{BUNDLE}/changed.yaml\n+++ b/{BUNDLE}/changed.yaml\n@@ -1,2 +1,2 @@\n a: 1\n-b: 1\n+b: 2\n"
        f"--- a/{BUNDLE}/edited.yaml\n+++ b/{BUNDLE}/edited.yaml\n@@ -1,2 +1 @@\n"
        "-by hand\r\n-\ufffd no end\n\\ No newline at end of file\n+1\n"
        f"--- a/{BUNDLE}/gone/x.yaml\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n"
        f"--- a/{GONE}/x.yaml\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n"
    )


def test_no_difference_after_writing(root: Path, bundle: Make) -> None:
    assert "".join(diff(root, [bundle({"a.yaml": "1\n"})])).startswith("--- /dev/null\n+++ b/")
    write(root, [bundle(OLD)])
    assert list(diff(root, [bundle(OLD)])) == []


@pytest.mark.parametrize(
    ("inputs", "fresh"),
    [
        (SPEC, True),
        ({}, True),
        ({"spec": "6" * 64}, False),
        ({**SPEC, "lock": "1" * 64, "evidence": "1" * 64}, False),
    ],
)
def test_a_probe_compares_the_inputs(root: Path, bundle: Make, inputs: dict[str, str], fresh: bool) -> None:
    written = write(root, [bundle(OLD)])
    expected = FreshBundle(len(OLD) + 1, *written.keys) if fresh else None
    assert probe(root, BUNDLE, inputs, written.keys) == expected


def test_a_probe_looks_at_every_file(root: Path, bundle: Make) -> None:
    one = bundle(OLD)
    known = write(root, [one]).keys
    leftover = root / BUNDLE / ".sluice-0123456789abcdef.tmp"

    def fresh() -> bool:
        return probe(root, BUNDLE, SPEC, known) is not None

    for name in OLD:
        write(root, [one])
        assert fresh()
        (root / BUNDLE / name).write_text("edited\n")
        assert not fresh()
        (root / BUNDLE / name).unlink()
        assert not fresh()
        (root / BUNDLE / name).symlink_to("same.yaml")
        assert not fresh()
    write(root, [one])
    leftover.write_text("a run was killed\n")
    assert not fresh()
    leftover.unlink()
    assert fresh()
    for damaged in (b"nonsense\n", None, Ledger({}, {}, finished=False).encode()):
        (root / BUNDLE / ".sluice").unlink(missing_ok=True)
        if damaged is not None:
            (root / BUNDLE / ".sluice").write_bytes(damaged)
        assert not fresh()


def test_a_probe_trusts_no_ledger_that_is_not_known(root: Path, bundle: Make) -> None:
    """Other code may render something else, and people can write a ledger that fits what they edited."""
    assert probe(root, BUNDLE, SPEC, ()) is None
    known = write(root, [bundle(OLD)]).keys
    assert probe(root, BUNDLE, SPEC, ()) is None
    assert probe(root, BUNDLE, SPEC, known)
    files = {name: (sha256(text.encode()).hexdigest(),) for name, text in {**OLD, "same.yaml": "2\n"}.items()}
    (root / BUNDLE / "same.yaml").write_text("2\n")
    (root / BUNDLE / ".sluice").write_bytes(Ledger(files, SPEC).encode())
    assert probe(root, BUNDLE, SPEC, known) is None


def test_a_key_is_of_one_place(root: Path, bundle: Make) -> None:
    one, other = write(root, [bundle(OLD)]).keys, write(root, [bundle(OLD, GONE)]).keys
    assert one != other
    assert probe(root, GONE, SPEC, other)
    assert probe(root, GONE, SPEC, one) is None
