"""A run that dies at any call that changes files leaves whole files; the next one repairs the rest."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from generator.output.ledger import Ledger, parse
from generator.output.write import prune, write
from tests.unit.output import output_worker as worker

Tree = dict[str, bytes | str]
Snapshot = Callable[[Path], Tree]
Run = Callable[[Path, int], str]
EDITED = f"{worker.KEPT}/edited"
NOTES = f"{worker.KEPT}/deep/NOTES.md"


def scene(root: Path) -> None:
    worker.render(str(root), worker.OLD, "1")
    (root / EDITED).write_text("by hand\n")
    (root / NOTES).write_text("mine\n")


@pytest.fixture
def run() -> Iterator[Run]:
    command = [sys.executable, worker.__file__, "kill"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def dying_at(root: Path, step: int) -> str:
            assert process.stdin
            assert process.stdout
            process.stdin.write(f"{root} {step}\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        yield dying_at
        assert process.stdin
        process.stdin.close()


def allowed(name: str) -> set[bytes]:
    """What a file may hold at any moment: what it held before or holds at the end."""
    by_hand = {EDITED: "by hand\n", NOTES: "mine\n"}
    texts = {by_hand.get(name)}
    for tree in (worker.OLD, worker.NEW):
        texts |= {
            files.get(name.removeprefix(f"{path}/")) for path, files in tree.items() if name.startswith(path)
        }
    return {text.encode() for text in texts if text}


def assert_whole(tree: Tree) -> None:
    for name, content in tree.items():
        if name.endswith(".sluice"):
            assert isinstance(content, bytes)
            assert isinstance(parse(content, name), Ledger), name
        elif isinstance(content, bytes) and not name.endswith(".tmp"):
            assert content in allowed(name), name
    assert (tree[EDITED], tree[NOTES]) == (b"by hand\n", b"mine\n")


def test_dying_at_every_step(tmp_path: Path, run: Run, snapshot: Snapshot) -> None:
    start, goal = tmp_path / "start", tmp_path / "goal"
    scene(start)
    shutil.copytree(start, goal)
    worker.render(str(goal), worker.NEW, "2")
    finished = snapshot(goal)
    back = tmp_path / "back"
    shutil.copytree(goal, back)
    worker.render(str(back), worker.OLD, "1")
    reverted = snapshot(back)

    outcomes: list[str] = []
    while "done" not in outcomes:
        step = len(outcomes) + 1
        root = tmp_path / f"step{step}"
        shutil.copytree(start, root)
        outcomes.append(run(root, step))
        assert outcomes[-1] in {"died", "done"}
        assert_whole(snapshot(root))
        again = tmp_path / f"again{step}"
        shutil.copytree(root, again)
        # The same render finishes the work, and so does the opposite one: no file is left without an owner.
        worker.render(str(again), worker.NEW, "2")
        assert snapshot(again) == finished, step
        worker.render(str(root), worker.OLD, "1")
        assert snapshot(root) == reverted, step
    assert len(outcomes) > 40


def test_dying_twice(tmp_path: Path, run: Run, snapshot: Snapshot) -> None:
    start, goal = tmp_path / "start", tmp_path / "goal"
    scene(start)
    shutil.copytree(start, goal)
    worker.render(str(goal), worker.NEW, "2")
    for first in range(1, 60, 11):
        for second in range(1, 30, 7):
            root = tmp_path / f"{first}-{second}"
            shutil.copytree(start, root)
            run(root, first)
            run(root, second)
            assert_whole(snapshot(root))
            prune(root, "", worker.NEW.keys())
            write(root, worker.bundles(worker.NEW, "2"))
            assert snapshot(root) == snapshot(goal), (first, second)
