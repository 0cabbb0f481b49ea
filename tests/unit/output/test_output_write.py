"""Writing: what ends up on disk, what is touched, and what is reported."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.output.bundle import Bundle
from generator.output.check import check
from generator.output.report import WriteReport
from generator.output.write import write
from tests.unit.output.conftest import probe

Make = Callable[..., Bundle]
Snapshot = Callable[[Path], dict[str, bytes | str]]
BUNDLE = "production/shop/recommender"


def test_a_first_and_a_second_render(root: Path, bundle: Make, snapshot: Snapshot) -> None:
    one = bundle({"rollout.yaml": "a: 1\n", "app/service.py": "pass\n"})
    names = (f"{BUNDLE}/.sluice", f"{BUNDLE}/app/service.py", f"{BUNDLE}/rollout.yaml")
    assert write(root, [one]) == WriteReport(created=names)
    before = snapshot(root)
    times = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    second = write(root, [one])
    assert second == WriteReport(identical=3)
    assert not second.changed
    assert snapshot(root) == before
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == times


def test_only_what_differs_is_written(root: Path, bundle: Make) -> None:
    write(root, [bundle({"same.yaml": "1\n", "changed.yaml": "1\n", "gone/away.yaml": "1\n"})])
    inode = (root / BUNDLE / "same.yaml").stat().st_ino
    report = write(root, [bundle({"same.yaml": "1\n", "changed.yaml": "2\n", "new.yaml": "1\n"})])
    assert report == WriteReport(
        created=(f"{BUNDLE}/new.yaml",),
        updated=(f"{BUNDLE}/.sluice", f"{BUNDLE}/changed.yaml"),
        deleted=(f"{BUNDLE}/gone/away.yaml",),
        identical=1,
    )
    assert (root / BUNDLE / "same.yaml").stat().st_ino == inode
    assert not (root / BUNDLE / "gone").exists()


def test_changed_inputs_with_the_same_files_change_the_ledger_alone(root: Path, bundle: Make) -> None:
    write(root, [bundle({"a.yaml": "1\n"})])
    report = write(root, [bundle({"a.yaml": "1\n"}, spec="6" * 64)])
    assert report == WriteReport(updated=(f"{BUNDLE}/.sluice",), identical=1)
    assert probe(root, BUNDLE, {"spec": "6" * 64})


def test_an_edited_file_is_overwritten_and_told(root: Path, bundle: Make) -> None:
    one = bundle({"a.yaml": "1\n"})
    write(root, [one])
    (root / BUNDLE / "a.yaml").write_text("edited\n")
    assert write(root, [one]) == WriteReport(overwritten=(f"{BUNDLE}/a.yaml",), identical=1)
    assert (root / BUNDLE / "a.yaml").read_text() == "1\n"


def test_an_edited_file_that_nothing_renders_any_more_is_kept_and_told_once(root: Path, bundle: Make) -> None:
    write(root, [bundle({"a.yaml": "1\n", "old/b.yaml": "1\n"})])
    (root / BUNDLE / "old/b.yaml").write_text("edited\n")
    two = bundle({"a.yaml": "1\n"})
    assert write(root, [two]).kept_edited == (f"{BUNDLE}/old/b.yaml",)
    assert (root / BUNDLE / "old/b.yaml").read_text() == "edited\n"
    assert write(root, [two]) == WriteReport(identical=2, foreign=(f"{BUNDLE}/old/b.yaml",))
    assert check(root, [two]).foreign == (f"{BUNDLE}/old/b.yaml",)


def test_foreign_files_are_left_alone(root: Path, bundle: Make) -> None:
    write(root, [bundle({"a.yaml": "1\n", "sub/b.yaml": "1\n"})])
    (root / BUNDLE / "sub/NOTES.md").write_text("mine\n")
    write(root, [bundle({"a.yaml": "2\n"})])
    assert (root / BUNDLE / "sub/NOTES.md").read_text() == "mine\n"


def test_a_file_of_somebody_else_in_the_place_of_a_rendered_one_is_overwritten_and_told(
    root: Path, bundle: Make
) -> None:
    (root / BUNDLE).mkdir(parents=True)
    (root / BUNDLE / "a.yaml").write_text("mine\n")
    assert write(root, [bundle({"a.yaml": "1\n"})]).overwritten == (f"{BUNDLE}/a.yaml",)


def test_a_folder_becomes_a_file_and_back(root: Path, bundle: Make, snapshot: Snapshot) -> None:
    deep, flat = bundle({"x/y/z": "1\n", "a": "1\n"}), bundle({"x": "1\n", "a/b": "1\n"})
    write(root, [deep])
    first = snapshot(root)
    write(root, [flat])
    assert {name for name in snapshot(root) if not name.endswith(".sluice")} == {
        f"{BUNDLE}/x",
        f"{BUNDLE}/a/b",
    }
    write(root, [deep])
    assert snapshot(root) == first


@pytest.mark.parametrize("damage", ["cut", "conflict", "link", "empty"])
def test_a_damaged_ledger_is_told_written_anew_and_deletes_nothing(
    root: Path, bundle: Make, damage: str, tmp_path: Path
) -> None:
    write(root, [bundle({"a.yaml": "1\n", "gone.yaml": "1\n"})])
    ledger = root / BUNDLE / ".sluice"
    text = ledger.read_text()
    if damage == "link":
        (tmp_path / "elsewhere").write_text(text)
        ledger.unlink()
        ledger.symlink_to(tmp_path / "elsewhere")
    else:
        broken = {"cut": text[:40], "conflict": f"<<<<<<< HEAD\n{text}", "empty": ""}[damage]
        ledger.write_text(broken)
    two = bundle({"a.yaml": "2\n"})
    assert [finding.code for finding in check(root, [two]).findings] == ["OUT101"]
    report = write(root, [two])
    assert [finding.place.file for finding in report.findings] == [f"{root}/{BUNDLE}/.sluice"]
    assert (report.updated, report.deleted) == ((f"{BUNDLE}/.sluice", f"{BUNDLE}/a.yaml"), ())
    assert (root / BUNDLE / "gone.yaml").read_text() == "1\n"
    assert not ledger.is_symlink()
    assert check(root, [two]).foreign == (f"{BUNDLE}/gone.yaml",)
    (root / BUNDLE / "gone.yaml").unlink()
    assert probe(root, BUNDLE, two.inputs)
    if damage == "link":
        assert (tmp_path / "elsewhere").read_text() == text


def test_a_ledger_that_lists_a_path_outside_deletes_nothing(root: Path, bundle: Make, tmp_path: Path) -> None:
    from hashlib import sha256

    victim = tmp_path / "victim"
    victim.write_text("precious\n")
    write(root, [bundle({"a.yaml": "1\n"})])
    body = f"# sluice 0.1.0\n{sha256(b'precious' + bytes([10])).hexdigest()}  ../../../../victim\n"
    seal = sha256(body.encode()).hexdigest()
    (root / BUNDLE / ".sluice").write_text(f"{body}# seal sha256:{seal}\n")
    assert write(root, [bundle({"a.yaml": "2\n"})]).findings
    assert victim.read_text() == "precious\n"


def test_links_are_replaced_as_links_and_never_written_through(
    root: Path, bundle: Make, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.write_text("precious\n")
    one = bundle({"a.yaml": "1\n", "b.yaml": "1\n"})
    write(root, [one])
    (root / BUNDLE / "a.yaml").unlink()
    (root / BUNDLE / "a.yaml").symlink_to(outside)
    assert probe(root, BUNDLE, one.inputs) is None
    assert write(root, [one]).overwritten == (f"{BUNDLE}/a.yaml",)
    assert not (root / BUNDLE / "a.yaml").is_symlink()
    assert outside.read_text() == "precious\n"


def test_a_link_to_the_very_content_is_not_taken_for_the_file(
    root: Path, bundle: Make, tmp_path: Path
) -> None:
    (tmp_path / "outside").write_text("1\n")
    write(root, [bundle({"a.yaml": "1\n", "old.yaml": "1\n"})])
    for name in ("a.yaml", "old.yaml"):
        (root / BUNDLE / name).unlink()
        (root / BUNDLE / name).symlink_to(tmp_path / "outside")
    report = write(root, [bundle({"a.yaml": "1\n"})])
    assert report.overwritten == (f"{BUNDLE}/a.yaml",)
    assert report.kept_edited == (f"{BUNDLE}/old.yaml",)
    assert (tmp_path / "outside").read_text() == "1\n"


def test_a_hard_link_is_broken_and_not_written_through(root: Path, bundle: Make, tmp_path: Path) -> None:
    write(root, [bundle({"a.yaml": "1\n"})])
    os.link(root / BUNDLE / "a.yaml", tmp_path / "twin")
    write(root, [bundle({"a.yaml": "2\n"})])
    assert (tmp_path / "twin").read_text() == "1\n"


def test_leftovers_of_an_interrupted_run_are_swept(root: Path, bundle: Make, snapshot: Snapshot) -> None:
    one = bundle({"a.yaml": "1\n", "sub/b.yaml": "1\n"})
    write(root, [one])
    before = snapshot(root)
    (root / BUNDLE / "sub/.sluice-0123456789abcdef.tmp").write_text("half")
    assert probe(root, BUNDLE, one.inputs) is None
    assert check(root, [one]).orphaned == (f"{BUNDLE}/sub/.sluice-0123456789abcdef.tmp",)
    write(root, [one])
    assert snapshot(root) == before


def test_the_root_may_be_a_link(root: Path, bundle: Make, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    root.symlink_to(tmp_path / "real")
    write(root, [bundle({"a.yaml": "1\n"})])
    assert (tmp_path / "real" / BUNDLE / "a.yaml").read_text() == "1\n"
    assert probe(root, BUNDLE, {"spec": "5" * 64})


def test_a_large_file_is_read_and_compared_to_its_end(root: Path, bundle: Make) -> None:
    text = "x" * 300_000 + "\n"
    one = bundle({"a.yaml": text})
    write(root, [one])
    assert (root / BUNDLE / "a.yaml").read_text() == text
    assert probe(root, BUNDLE, one.inputs)
    (root / BUNDLE / "a.yaml").write_text(text[:-2] + "y\n")
    assert not probe(root, BUNDLE, one.inputs)


@pytest.mark.parametrize("paths", [("a/b", "a/b"), ("a", "a/b"), ("a/b/c", "a")])
def test_bundles_may_not_overlap(root: Path, bundle: Make, paths: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="inside another"):
        write(root, [bundle({"x.yaml": "1\n"}, path) for path in paths])


def test_bundles_are_taken_one_by_one(root: Path, bundle: Make) -> None:
    seen = []

    def stream() -> object:
        for number in range(3):
            seen.append([path.name for path in sorted((root / "p").glob("*"))])
            yield bundle({"x.yaml": "1\n"}, f"p/m{number}")

    write(root, stream())  # type: ignore[arg-type]
    assert seen == [[], ["m0"], ["m0", "m1"]]


def test_the_umask_decides_about_permissions(root: Path, bundle: Make) -> None:
    mask = os.umask(0o027)
    try:
        write(root, [bundle({"a.yaml": "1\n"})])
    finally:
        os.umask(mask)
    assert (root / BUNDLE / "a.yaml").stat().st_mode & 0o777 == 0o640


names = st.sampled_from(["a", "b", "c", "a/b", "a/c", "b/a/c", "c/a"])
texts = st.sampled_from(["1\n", "2\n", "3\n"])


def fits(files: dict[str, str]) -> bool:
    return bool(files) and not any(a != b and b.startswith(f"{a}/") for a in files for b in files)


@settings(deadline=None, max_examples=60)
@given(renders=st.lists(st.dictionaries(names, texts).filter(fits), min_size=1, max_size=5))
def test_after_any_history_the_tree_is_the_last_render_and_the_foreign_file(
    renders: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("history")
    (root / "p").mkdir()
    (root / "p/NOTES.md").write_text("mine\n")
    for files in renders:
        one = Bundle("p", files, {})
        before = check(root, [one])
        report = write(root, [one])
        found = {p.relative_to(root / "p").as_posix(): p.read_text() for p in root.rglob("*") if p.is_file()}
        del found[".sluice"]
        assert found == {**files, "NOTES.md": "mine\n"}
        assert (before.missing, before.stale, before.orphaned) == (
            report.created,
            report.updated,
            report.deleted,
        )
        assert probe(root, "p", {})
        assert check(root, [one]).clean


def test_folders_that_a_render_empties_go_from_the_inside_out(root: Path, bundle: Make) -> None:
    write(root, [bundle({"a.yaml": "1\n", "one/two/three/b.yaml": "1\n", "one/two/c.yaml": "1\n"})])
    write(root, [bundle({"a.yaml": "1\n"})])
    assert [path.name for path in (root / BUNDLE).iterdir() if path.is_dir()] == []
