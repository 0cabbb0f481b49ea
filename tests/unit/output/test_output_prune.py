"""Bundles that vanished: found by their ledgers, deleted by them, and nothing else with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from generator.output.bundle import Bundle
from generator.output.check import check
from generator.output.errors import OutputError
from generator.output.report import WriteReport
from generator.output.survey import survey
from generator.output.write import prune, write

Make = Callable[..., Bundle]
Snapshot = Callable[[Path], dict[str, bytes | str]]
PATHS = ["production/shop/a", "production/shop/b", "production/support/c", "staging/shop/a"]


@pytest.fixture
def tree(root: Path, bundle: Make) -> Path:
    write(root, [bundle({"x.yaml": "1\n", "deep/er/y.yaml": "1\n"}, path) for path in PATHS])
    return root


@pytest.mark.parametrize(
    ("scope", "expected", "found"),
    [
        ("", PATHS, []),
        ("", [], PATHS),
        ("production", ["production/shop/a"], ["production/shop/b", "production/support/c"]),
        ("production/shop", [], ["production/shop/a", "production/shop/b"]),
        ("staging", ["staging/shop/a"], []),
        ("nowhere", [], []),
    ],
)
def test_orphans_within_a_scope(tree: Path, scope: str, expected: list[str], found: list[str]) -> None:
    assert survey(tree, scope, expected).orphans == found


def test_prune_deletes_what_was_written_and_the_folders_it_empties(tree: Path) -> None:
    report = prune(tree, "production", ["production/shop/a"])
    gone = ["production/shop/b", "production/support/c"]
    files = (".sluice", "deep/er/y.yaml", "x.yaml")
    assert report == WriteReport(deleted=tuple(f"{path}/{name}" for path in gone for name in files))
    left = {path.relative_to(tree).as_posix() for path in tree.rglob("*")}
    assert {"production/shop/a", "staging/shop/a"} <= left
    assert not any(name.startswith(tuple(gone)) or name == "production/support" for name in left)


def test_prune_of_everything_leaves_the_root(tree: Path) -> None:
    prune(tree, "", ())
    assert list(tree.iterdir()) == []


def test_prune_of_the_last_bundle_of_a_scope_removes_the_folders_above_it(tree: Path) -> None:
    prune(tree, "staging/shop", ())
    assert not (tree / "staging").exists()


def test_prune_touches_nothing_when_all_is_expected(tree: Path, snapshot: Snapshot) -> None:
    before = snapshot(tree)
    assert not prune(tree, "", PATHS).changed
    assert snapshot(tree) == before


def test_edited_and_foreign_files_stay_and_keep_their_folders(tree: Path, bundle: Make) -> None:
    folder = tree / "staging/shop/a"
    (folder / "x.yaml").write_text("edited\n")
    (folder / "deep/NOTES.md").write_text("mine\n")
    report = prune(tree, "staging", ())
    assert report.kept_edited == ("staging/shop/a/x.yaml",)
    assert report.deleted == ("staging/shop/a/.sluice", "staging/shop/a/deep/er/y.yaml")
    left = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    assert left == ["deep", "deep/NOTES.md", "x.yaml"]


def test_a_damaged_ledger_keeps_its_whole_bundle(tree: Path, snapshot: Snapshot) -> None:
    ledger = tree / "staging/shop/a/.sluice"
    ledger.write_text(ledger.read_text().replace("x.yaml", "z.yaml"))
    before = snapshot(tree)
    report = prune(tree, "staging", ())
    assert [(f.code, f.place.file) for f in report.findings] == [("OUT101", str(ledger))]
    assert not report.changed
    assert report.foreign == ("staging/shop/a/.sluice",)
    assert snapshot(tree) == before


def test_links_are_neither_followed_nor_removed(
    tree: Path, tmp_path: Path, bundle: Make, snapshot: Snapshot
) -> None:
    outside = tmp_path / "outside"
    write(outside, [bundle({"x.yaml": "1\n"}, "p")])
    before = snapshot(outside)
    (tree / "staging/shop/link").symlink_to(outside / "p")
    (tree / "staging/link.yaml").symlink_to(outside / "p/x.yaml")
    prune(tree, "", ())
    assert snapshot(outside) == before
    assert sorted(path.name for path in tree.rglob("link*")) == ["link", "link.yaml"]


def test_leftovers_and_empty_folders_go(tree: Path) -> None:
    (tree / "staging/new/model").mkdir(parents=True)
    (tree / "staging/new/model/.sluice-0123456789abcdef.tmp").write_text("half")
    (tree / "staging/new/.sluice-notes").write_text("mine\n")
    prune(tree, "staging", PATHS)
    assert [path.name for path in (tree / "staging/new").iterdir()] == [".sluice-notes"]


def test_a_missing_root_is_not_made(root: Path) -> None:
    assert prune(root, "", ()) == WriteReport()
    assert survey(root, "", ()).orphans == []
    assert not root.exists()


def test_a_scope_that_is_a_file(tree: Path) -> None:
    (tree / "odd").write_text("x\n")
    with pytest.raises(OutputError, match="odd: there is a file where a folder is expected"):
        survey(tree, "odd", ())


def test_an_old_bundle_makes_way_for_one_inside_it(root: Path, bundle: Make) -> None:
    write(root, [bundle({"x/a.yaml": "1\n", "b.yaml": "1\n"}, "p")])
    inner = bundle({"a.yaml": "1\n"}, "p/x")
    prune(root, "", [inner.path])
    write(root, [inner])
    assert check(root, [inner], survey(root, "", [inner.path])).clean
    assert sorted(path.name for path in root.rglob("*") if path.is_file()) == [".sluice", "a.yaml"]
