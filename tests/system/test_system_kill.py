"""A render that is killed, and renders that run at once: files are whole, and the next run puts everything right."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.system.repositories import PROGRAM, environ, examples, read_tree, sluice

POLLS = 2_000_000


@pytest.fixture(scope="module")
def goal(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    root = examples(tmp_path_factory.mktemp("goal"))
    assert sluice(root, "render").code == 0
    return read_tree(root / "rendered")


def start(root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PROGRAM, "render"],
        cwd=root,
        env=environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def files(root: Path) -> int:
    return sum(len(names) for _, _, names in os.walk(root / "rendered"))


def kill_at(root: Path, count: int) -> bool:
    """Kill a render as soon as it has written so many files; whether it was still running then."""
    process = start(root)
    while files(root) < count and process.poll() is None:
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def assert_whole(root: Path, goal: dict[str, bytes]) -> None:
    for name, content in read_tree(root / "rendered").items():
        if name.endswith(".sluice"):
            assert content.startswith(b"# sluice ")
            assert content.splitlines()[-1].startswith(b"# seal sha256:")
        elif ".sluice-" not in name:
            assert content == goal[name], name


@pytest.mark.parametrize("count", [1, 2, 3, 7, 20, 55, 100, 150, 200])
def test_killed_at_the_first_render(count: int, repo: Path, goal: dict[str, bytes]):
    killed = kill_at(repo, count)
    assert_whole(repo, goal)
    if killed and files(repo) < len(goal):
        assert sluice(repo, "render", "--check").code == 1
    ran = sluice(repo, "render")
    assert ran.code == 0, ran.text
    assert read_tree(repo / "rendered") == goal
    assert "nothing changed" in sluice(repo, "render").out


def test_killed_again_and_again(repo: Path, goal: dict[str, bytes]):
    """Every run gets a little further, whatever the one before it left."""
    for count in range(10, 200, 45):
        kill_at(repo, count)
        assert_whole(repo, goal)
    assert sluice(repo, "render").code == 0
    assert read_tree(repo / "rendered") == goal


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_stopped(stop: signal.Signals, repo: Path, goal: dict[str, bytes]):
    process = start(repo)
    while files(repo) < 20 and process.poll() is None:
        pass
    process.send_signal(stop)
    _, err = process.communicate()
    assert "Traceback" not in err
    assert process.returncode in {0, 130, -signal.SIGTERM}
    assert_whole(repo, goal)
    assert sluice(repo, "render").code == 0
    assert read_tree(repo / "rendered") == goal


def test_two_at_once(repo: Path, goal: dict[str, bytes]):
    running = [start(repo) for _ in range(3)]
    ended = [(process.communicate(), process.returncode) for process in running]
    for (out, err), code in ended:
        assert code == 0, out + err
        assert "Traceback" not in err
    assert read_tree(repo / "rendered") == goal


def test_two_at_once_with_different_specs(repo: Path, tmp_path: Path, goal: dict[str, bytes]):
    """Each finds its own state right when it ends; the next run of the repository's own specs settles it."""
    other = examples(tmp_path / "other")
    spec = other / "specs/shop/recommender.yaml"
    spec.write_text(spec.read_text().replace("60m}", "61m}"))
    target = repo / "rendered"
    first = start(repo)
    second = subprocess.Popen(
        [*PROGRAM, "render", "--output", str(target)],
        cwd=other,
        env=environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert [p.communicate() and p.returncode for p in (first, second)] == [0, 0]
    assert sluice(repo, "render").code == 0
    assert read_tree(target) == goal
