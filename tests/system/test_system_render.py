"""`sluice render` when something blocks its files, and names that other folders use."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.system.repositories import (
    BUNDLE,
    LOCK,
    MODEL,
    PLATFORM,
    PROGRAM,
    ROLLOUT,
    environ,
    examples,
    sluice,
    write_tree,
)


def test_a_file_where_a_folder_belongs(repo: Path):
    for name in ("rendered", "rendered/production", f"{BUNDLE}"):
        write_tree(repo, {name: "x"})
        ran = sluice(repo, "render")
        assert ran.code == 2
        assert "there is a file where a folder is expected" in ran.err
        assert name in ran.err
        assert (repo / name).read_text() == "x"
        (repo / name).unlink()


def test_a_folder_where_a_file_belongs(rendered: Path):
    (rendered / ROLLOUT).unlink()
    write_tree(rendered, {f"{ROLLOUT}/mine.txt": "x"})
    ran = sluice(rendered, "render")
    assert ran.code == 2
    assert "there is a folder where a file is expected" in ran.err
    assert (rendered / ROLLOUT / "mine.txt").read_text() == "x"


def test_links_are_not_followed(repo: Path, tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (repo / "rendered").mkdir()
    (repo / "rendered/production").symlink_to(outside)
    ran = sluice(repo, "render")
    assert ran.code == 2
    assert "link" in ran.err
    assert list(outside.iterdir()) == []


def test_a_target_that_cannot_be_written(repo: Path):
    """`/proc` refuses everybody, root too: there a read-only folder would prove nothing."""
    ran = sluice(repo, "render", "--output", "/proc/sluice")
    assert ran.code == 2
    assert "/proc/sluice" in ran.err
    assert len(ran.err.splitlines()) <= 2


def test_a_full_disk(repo: Path):
    """A limit on the size of files stands in for it: the same call fails, in the middle of the run."""
    command = ["bash", "-c", 'trap "" XFSZ; ulimit -f 4; exec "$@"', "bash", *PROGRAM, "render"]
    done = subprocess.run(
        command, cwd=repo, env=environ(XDG_CACHE_HOME="/dev/null"), capture_output=True, text=True
    )
    assert done.returncode == 2, done.stderr
    assert "file size limit" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((repo / "rendered").rglob("*.tmp"))
    assert sluice(repo, "render").code == 0


def test_a_closed_pipe_is_no_bug_of_ours(repo: Path):
    command = ["bash", "-c", '"$@" --diff | true; exit ${PIPESTATUS[0]}', "bash", *PROGRAM, "render"]
    done = subprocess.run(command, cwd=repo, env=environ(), capture_output=True, text=True)
    assert done.returncode != 3
    assert "Traceback" not in done.stderr
    assert "mistake is its own" not in done.stderr


def test_without_a_repository(tmp_path: Path):
    ran = sluice(tmp_path, "render")
    assert ran.code == 2
    assert "specs/platform.yaml" in ran.err


def test_a_repository_without_models(tmp_path: Path):
    examples(tmp_path)
    for path in tmp_path.glob("specs/*/"):
        shutil.rmtree(path)
    platform = tmp_path / "specs/platform.yaml"
    text = re.sub(r"\n *models: \[.*\]", "", platform.read_text())
    platform.write_text(text.partition("  waivers:")[0])
    assert sluice(tmp_path, "render").code == 0
    assert "nothing changed" in sluice(tmp_path, "render").out


@pytest.mark.parametrize(
    ("environment", "team", "model"),
    [
        ("production", "argocd", "platform"),
        ("production", "argocd", "applications"),
        ("production", "argocd", "projects"),
        ("production", "platform", "shop"),
        ("production", "platform", "platform"),
        ("bentos", "shop", "recommender"),
        ("argocd", "platform", "argocd"),
    ],
)
def test_names_that_folders_have_are_refused_or_kept_apart(
    environment: str, team: str, model: str, tmp_path: Path
):
    platform = PLATFORM.replace("    live:", f"    {environment}:").replace("    shop:", f"    {team}:")
    platform += "    shop: {owners: [shop@example.com], tiers: [basic]}\n" if team != "shop" else ""
    text = MODEL.replace("name: ranker, team: shop", f"name: {model}, team: {team}")
    write_tree(
        tmp_path,
        {
            "specs/platform.yaml": platform,
            f"specs/{team}/{model}.yaml": text,
            f"specs/{team}/{model}.lock.yaml": LOCK,
        },
    )
    ran = sluice(tmp_path, "render")
    assert ran.code in {0, 1}, ran.text
    again = sluice(tmp_path, "render", "--check")
    assert again.code == ran.code, again.text
