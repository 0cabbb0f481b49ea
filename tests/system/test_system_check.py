"""`sluice render --check` and `--diff`: what is missing, edited, stale or orphaned, and nothing is touched."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.system.repositories import (
    BUNDLE,
    ROLLOUT,
    listed,
    read_tree,
    sluice,
    write_tree,
)


def test_check_of_a_fresh_tree(rendered: Path):
    ran = sluice(rendered, "render", "--check")
    assert (ran.code, "error" in ran.err) == (0, False)
    assert "up to date" in ran.out


def test_check_names_what_is_missing(rendered: Path):
    (rendered / ROLLOUT).unlink()
    before = read_tree(rendered)
    ran = sluice(rendered, "render", "--check")
    assert ran.code == 1
    assert listed(ran.out, "missing") == [ROLLOUT]
    assert "sluice render" in ran.err
    assert read_tree(rendered) == before


def test_check_of_another_folder_names_it_in_the_command_that_mends(rendered: Path, tmp_path: Path):
    ran = sluice(rendered, "render", "--check", "--output", str(tmp_path / "a b"))
    assert ran.code == 1
    assert f"run `sluice render --output '{tmp_path}/a b'`" in ran.err


def test_check_names_what_was_edited(rendered: Path):
    (rendered / ROLLOUT).write_text("by: hand\n")
    ran = sluice(rendered, "render", "--check")
    assert ran.code == 1
    assert listed(ran.out, "edited") == [ROLLOUT]
    assert not listed(ran.out, "stale")


def test_check_names_what_is_stale(rendered: Path):
    spec = rendered / "specs/shop/recommender.yaml"
    spec.write_text(spec.read_text().replace("60m}", "61m}"))
    ran = sluice(rendered, "render", "--check")
    assert ran.code == 1
    stale = listed(ran.out, "stale")
    assert {ROLLOUT, ROLLOUT.replace("production", "staging")} <= set(stale)
    assert not [name for name in stale if "fraud" in name or "ticket" in name]
    assert not listed(ran.out, "edited") + listed(ran.out, "missing") + listed(ran.out, "orphaned")


def test_check_names_what_is_orphaned(rendered: Path):
    for file in (rendered / "specs/shop").iterdir():
        file.unlink()
    ran = sluice(rendered, "render", "--check")
    assert ran.code == 1
    assert re.search(r"orphaned \d+:", ran.out)
    assert {name.split("/")[-2] for name in listed(ran.out, "orphaned")} == {"recommender"}


def test_what_was_named_is_up_to_date_though_others_are_not(rendered: Path):
    platform = rendered / "specs/platform.yaml"
    platform.write_text(platform.read_text() + "# a comment\n")
    assert sluice(rendered, "render", "shop/recommender").code == 0
    ran = sluice(rendered, "render", "shop/recommender")
    assert (ran.code, ran.err) == (0, "")
    assert "rendered is up to date" in ran.out
    assert sluice(rendered, "render", "--check").code == 1


@pytest.mark.parametrize("named", ["specs/platform.yaml", "specs", "."])
def test_naming_the_platform_renders_what_is_the_platforms(rendered: Path, named: str):
    platform = rendered / "specs/platform.yaml"
    platform.write_text(platform.read_text().replace('cpu: "40"', 'cpu: "41"'))
    quota = "rendered/production/platform/shop/resourcequota-main.yaml"
    assert quota in listed(sluice(rendered, "render", "--check", named).out, "stale")
    assert sluice(rendered, "render", named).code == 0
    assert sluice(rendered, "render", "--check").code == 0


@pytest.mark.parametrize("output", ["", ".", "..", "specs", "specs/shop", "templates", "rendered/.."])
def test_an_output_among_the_inputs_is_refused(rendered: Path, output: str):
    before = read_tree(rendered)
    ran = sluice(rendered, "render", "--output", output)
    assert ran.code == 2
    assert "choose a folder for rendered files only" in ran.err
    assert read_tree(rendered) == before


def test_check_leaves_what_is_not_sluices(rendered: Path):
    (rendered / BUNDLE / "NOTES.md").write_text("mine\n")
    ran = sluice(rendered, "render", "--check")
    assert ran.code == 0
    assert f"{BUNDLE.removeprefix('rendered/')}/NOTES.md" in ran.out


def test_check_before_the_first_render(repo: Path):
    ran = sluice(repo, "render", "--check")
    assert ran.code == 1
    assert listed(ran.out, "missing")
    assert not (repo / "rendered").exists()


def test_check_says_nothing_is_fine_while_a_spec_is_broken(rendered: Path):
    write_tree(rendered, {"specs/shop/recommender.yaml": "a: [\n"})
    ran = sluice(rendered, "render", "--check")
    assert ran.code == 1
    assert "SRC105" in ran.text
    assert "is up to date" not in ran.out


def test_diff_is_a_patch_that_git_applies(rendered: Path, tmp_path: Path):
    spec = rendered / "specs/shop/recommender.yaml"
    spec.write_text(spec.read_text().replace("60m}", "61m}"))
    before = read_tree(rendered / "rendered")
    ran = sluice(rendered, "render", "--diff")
    assert ran.code == 0
    assert read_tree(rendered / "rendered") == before
    assert any(line.startswith("+") and "61m" in line for line in ran.out.splitlines())
    patch = tmp_path / "p.diff"
    patch.write_text(ran.out)
    subprocess.run(
        ["git", "apply", "--directory", "rendered", "--unsafe-paths", str(patch)], cwd=rendered, check=True
    )
    patched = read_tree(rendered / "rendered")
    assert sluice(rendered, "render").code == 0
    after = read_tree(rendered / "rendered")
    assert {n: t for n, t in patched.items() if not n.endswith(".sluice")} == {
        n: t for n, t in after.items() if not n.endswith(".sluice")
    }


def test_diff_of_a_fresh_tree_is_empty_but_for_the_word(rendered: Path):
    ran = sluice(rendered, "render", "--diff")
    assert ran.code == 0
    assert "@@" not in ran.out
