"""Checking and showing the difference: read-only, and in agreement with what writing then does."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import chdir
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from generator.output import freshness
from generator.output.bundle import Bundle
from generator.output.check import check, diff
from generator.output.folder import open_root
from generator.output.freshness import FreshBundle
from generator.output.ledger import Ledger
from generator.output.report import CheckReport
from generator.output.survey import Survey, survey
from generator.output.write import prune, write
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
    report = check(tree, [new], survey(tree, "", [new.path]))
    assert (report.files, report.keys) == (1, ())
    assert replace(report, files=0) == CheckReport(
        missing=(f"{BUNDLE}/added.yaml",),
        stale=(f"{BUNDLE}/.sluice", f"{BUNDLE}/changed.yaml"),
        edited=(f"{GONE}/edited.yaml", f"{BUNDLE}/edited.yaml"),
        orphaned=(f"{GONE}/.sluice", f"{GONE}/x.yaml", f"{BUNDLE}/gone/x.yaml"),
        notes=(f"{BUNDLE}/NOTES.md",),
    )
    assert snapshot(tree) == before


def test_check_agrees_with_what_is_then_written(tree: Path, bundle: Make) -> None:
    new = bundle(NEW)
    told = check(tree, [new], survey(tree, "", [new.path]))
    assert not told.clean
    pruned, written = prune(tree, "", [new.path]), write(tree, [new])
    assert told.missing == written.created
    assert told.stale == written.updated
    assert set(told.edited) == {*written.overwritten, *pruned.kept_edited}
    assert set(told.orphaned) == {*written.deleted, *pruned.deleted}
    after = check(tree, [new], survey(tree, "", [new.path]))
    kept = (f"{GONE}/edited.yaml",)
    assert after == CheckReport(foreign=kept, notes=(f"{BUNDLE}/NOTES.md",), files=5)
    assert not after.clean
    assert not after.outdated
    (tree / GONE / "edited.yaml").unlink()
    (tree / GONE).rmdir()
    assert check(tree, [new], survey(tree, "", [new.path])).clean


def test_check_of_a_tree_that_does_not_exist(root: Path, bundle: Make) -> None:
    report = check(root, [bundle({"a.yaml": "1\n"})], Survey(orphans=["x"]))
    assert report == CheckReport(missing=(f"{BUNDLE}/.sluice", f"{BUNDLE}/a.yaml"))
    assert not root.exists()


@pytest.mark.parametrize(
    "note", ["NOTES.md", "gone/NOTES.txt", "Übergabe an uns.md", "README.MD", ".gitkeep"]
)
def test_a_note_is_no_difference(root: Path, bundle: Make, note: str) -> None:
    written = write(root, [bundle(OLD)])
    (root / BUNDLE / note).write_text("mine\n")
    assert probe(root, BUNDLE, SPEC, written.keys) == FreshBundle(5, *written.keys)
    report = check(root, [bundle(OLD)])
    assert (report.notes, report.files, report.clean, report.keys) == (
        (f"{BUNDLE}/{note}",),
        5,
        True,
        written.keys,
    )


@pytest.mark.parametrize(
    "name",
    ["x.yaml", "X.YML", "x.jsonnet", "kustomization.yaml", "Chart.yaml", ".argocd-source.yaml", ".helmignore",
     ".hidden.md", "a.md.yaml", "NOTES", "inner/.sluice", "two\nlines.md", "\u202emd.txt"],
)  # fmt: skip
@pytest.mark.parametrize("place", [BUNDLE, "production", "production/shop/new", "elsewhere", "."])
def test_every_other_file_is_a_difference_wherever_it_is(
    root: Path, bundle: Make, name: str, place: str
) -> None:
    one = bundle(OLD)
    known = write(root, [one]).keys
    path = root / place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine\n")
    report = check(root, [one], survey(root, "", [one.path]))
    assert not report.clean
    shown = path.relative_to(root).as_posix()
    if name == "inner/.sluice" and place != BUNDLE:  # a damaged ledger
        assert [finding.code for finding in report.findings] == ["OUT101"]
    else:
        assert report.foreign == (shown,)
    if place == BUNDLE:
        assert probe(root, BUNDLE, SPEC, known) is None
    prune(root, "", [one.path])
    write(root, [one])
    assert path.read_text() == "mine\n"


@pytest.mark.parametrize("target", ["same.yaml", "../../..", "/nowhere"])
@pytest.mark.parametrize("name", ["x.yaml", "NOTES.md", ".sluice-0123456789abcdef.tmp"])
@pytest.mark.parametrize("place", [BUNDLE, "production", "."])
def test_a_link_is_a_difference(root: Path, bundle: Make, name: str, target: str, place: str) -> None:
    one = bundle(OLD)
    write(root, [one])
    (root / place / name).symlink_to(target)
    shown = (root / place / name).relative_to(root).as_posix()
    report = check(root, [one], survey(root, "", [one.path]))
    assert (report.foreign, report.clean) == ((shown,), False)


def test_a_link_in_the_place_of_a_bundle_is_a_difference(root: Path, bundle: Make) -> None:
    one = bundle(OLD)
    write(root, [one])
    (root / BUNDLE).rename(root / "elsewhere")
    (root / BUNDLE).symlink_to("../../elsewhere")
    report = check(root, [one], survey(root, "", [one.path]))
    assert report.foreign == (BUNDLE,)
    assert f"{BUNDLE}/same.yaml" in report.missing


def test_an_empty_folder_is_a_difference_because_a_checkout_has_them_for_submodules(
    root: Path, bundle: Make
) -> None:
    one = bundle(OLD)
    known = write(root, [one]).keys
    for path in (f"{BUNDLE}/a/b", "production/c"):
        (root / path).mkdir(parents=True)
    report = check(root, [one], survey(root, "", [one.path]))
    assert report.orphaned == ("production/c/", f"{BUNDLE}/a/b/")
    assert probe(root, BUNDLE, SPEC, known) is None
    prune(root, "", [one.path])
    write(root, [one])
    assert check(root, [one], survey(root, "", [one.path])) == CheckReport(files=5)


@pytest.mark.parametrize("place", [BUNDLE, "production", "."])
def test_folders_that_are_too_deep_are_a_difference_and_not_searched(
    root: Path, bundle: Make, place: str
) -> None:
    one = bundle(OLD)
    write(root, [one])
    deep = root / place
    with chdir(deep):
        for _ in range(1500):
            Path("d").mkdir()
            os.chdir("d")
        Path("x.yaml").write_text("mine\n")
    report = check(root, [one], survey(root, "", [one.path]))
    (found,) = report.foreign
    assert found.endswith("/d/d/d")
    assert len(found) < 100
    prune(root, "", [one.path])
    write(root, [one])
    subprocess.run(["rm", "-rf", str(deep / "d")], check=True)


def test_a_huge_file_in_the_place_of_a_rendered_one_is_not_read(root: Path, bundle: Make) -> None:
    one = bundle(OLD)
    write(root, [one])
    for name in ("same.yaml", ".sluice"):
        with (root / BUNDLE / name).open("wb") as file:
            file.truncate(1 << 40)
    report = check(root, [one])
    assert f"{BUNDLE}/.sluice" in report.stale
    assert [finding.code for finding in report.findings] == ["OUT101"]
    write(root, [one])
    assert check(root, [one]).clean


def test_a_folder_that_a_build_copies_holds_no_note(root: Path) -> None:
    one = Bundle(BUNDLE, OLD, SPEC, closed=True)
    known = write(root, [one]).keys
    (root / BUNDLE / "NOTES.md").write_text("mine\n")
    assert check(root, [one]).foreign == (f"{BUNDLE}/NOTES.md",)
    with_notes = open_root(root)
    assert with_notes is not None
    with with_notes:
        assert freshness.probe(with_notes, BUNDLE, SPEC, known, closed=True) is None


def test_a_ledger_around_bundles_has_no_say_about_them(root: Path, bundle: Make, snapshot: Snapshot) -> None:
    """A ledger with a seal that anyone can compute, in a folder above bundles, which names their files as its own."""
    one = bundle(OLD)
    write(root, [one])
    before = snapshot(root)
    for folder in ("production", "production/shop"):
        inner = BUNDLE.removeprefix(f"{folder}/")
        files = {f"{inner}/{name}": (sha256(text.encode()).hexdigest(),) for name, text in OLD.items()}
        (root / folder / ".sluice").write_bytes(Ledger(files, {}).encode())
    report = check(root, [one], survey(root, "", [one.path]))
    assert report.orphaned == ("production/.sluice", "production/shop/.sluice")
    assert prune(root, "", [one.path]).deleted == report.orphaned
    assert snapshot(root) == before


def test_git_applies_the_difference(
    tree: Path, bundle: Make, tmp_path: Path, snapshot: Snapshot, tool: Callable[[str, str], str]
) -> None:
    (tree / BUNDLE / "edited.yaml").write_text("one line\fwith \x85odd\u2028characters\nno end")
    new = bundle(NEW)
    patch = "".join(diff(tree, [new], survey(tree, "", [new.path])))
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
    lines = list(diff(tree, [new], survey(tree, "", [new.path])))
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
