"""`sluice render` of an environment, of a path, into another folder, and what goes with a deleted spec."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.repositories import (
    listed,
    read_tree,
    sluice,
)


def test_env(repo: Path):
    assert sluice(repo, "render", "--env", "staging").code == 0
    assert {name.split("/")[0] for name in read_tree(repo / "rendered")} == {"staging", "bentos", "gates"}
    assert sluice(repo, "render", "--env", "staging", "--check").code == 0
    assert sluice(repo, "render", "--check").code == 1
    assert sluice(repo, "render").code == 0
    whole = read_tree(repo / "rendered")
    assert sluice(repo, "render", "--env", "production").code == 0
    assert read_tree(repo / "rendered") == whole


def test_an_unknown_env(repo: Path):
    ran = sluice(repo, "render", "--env", "stagin")
    assert ran.code == 2
    assert "staging" in ran.err
    assert not (repo / "rendered").exists()


def test_output(rendered: Path, tmp_path: Path):
    for target in (tmp_path / "deep/er/out", tmp_path / "out"):
        assert sluice(rendered, "render", "--output", str(target)).code == 0
        assert read_tree(target) == read_tree(rendered / "rendered")
    assert sluice(rendered, "render", "--output", "relative").code == 0
    assert read_tree(rendered / "relative") == read_tree(rendered / "rendered")


@pytest.mark.parametrize(
    "path",
    [
        "specs/shop/recommender.yaml",
        "specs/shop/recommender.lock.yaml",
        "specs/shop",
        "shop/recommender",
        "shop",
        "./specs/shop/",
    ],
)
def test_a_path_selects(path: str, repo: Path):
    """The model's own bundles, and the images that its gates run in: no other's, and the same bytes as of a whole run."""
    assert sluice(repo, "render", path).code == 0
    written = read_tree(repo / "rendered")
    used = written["bentos/shop/recommender/GATES"].decode().split()
    images = {reference.rpartition(":")[0].rpartition("/")[2] for reference in used}
    assert images
    assert {name.split("/")[1] for name in written if name.startswith("gates/")} == images
    own = [name for name in written if not name.startswith("gates/")]
    assert own
    assert all("/shop/recommender/" in name for name in own)
    assert sluice(repo, "render").code == 0
    whole = read_tree(repo / "rendered")
    assert {name: whole.get(name) for name in written} == written
    assert {name.split("/")[1] for name in whole if name.startswith("gates/")} > images


def test_a_path_that_selects_nothing(repo: Path):
    ran = sluice(repo, "render", "specs/shop/recomender.yaml")
    assert ran.code == 2
    assert "recommender" in ran.err


def test_a_path_leaves_the_others_even_when_they_are_orphaned(rendered: Path):
    for file in (rendered / "specs/support").iterdir():
        file.unlink()
    assert sluice(rendered, "render", "shop").code == 0
    assert (rendered / "rendered/production/support/ticket-classifier").is_dir()


def test_a_deleted_spec_takes_its_files_and_no_others_with_it(rendered: Path):
    before = read_tree(rendered / "rendered")
    edited = "production/support/ticket-classifier/service-active.yaml"
    (rendered / "rendered" / edited).write_text("by: hand\n")
    for file in (rendered / "specs/support").iterdir():
        file.unlink()
    ran = sluice(rendered, "render")
    after = read_tree(rendered / "rendered")
    assert (
        listed(ran.out, "kept, they had been edited and nothing renders them any more:") or edited in ran.out
    )
    assert set(after) == {name for name in before if "/support/ticket-classifier/" not in name} | {edited}
    assert after[edited] == b"by: hand\n"
    changed = {name for name in after if name != edited and after[name] != before[name]}
    root = (".sluice", "application-applications.yaml")  # it lists the Applications of models by name
    assert changed == {
        f"{environment}/argocd/root/{name}" for environment in ("production", "staging") for name in root
    }
    assert not (rendered / "rendered/staging/support/ticket-classifier").exists()
    (rendered / "rendered" / edited).unlink()
    assert sluice(rendered, "render").code == 0
    assert sluice(rendered, "render", "--check").code == 0


def test_a_deleted_team_and_environment_go(rendered: Path):
    platform = rendered / "specs/platform.yaml"
    text = platform.read_text()
    start, end = text.index("    staging:"), text.index("    production:")
    platform.write_text(text[:start] + text[end:])
    assert sluice(rendered, "render").code == 0
    assert {name.split("/")[0] for name in read_tree(rendered / "rendered")} == {
        "production",
        "bentos",
        "gates",
    }
