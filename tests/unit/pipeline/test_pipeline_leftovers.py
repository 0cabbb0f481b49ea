"""What killed commands left is removed by the next one, and only while no other command is writing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from generator.history.checkout import worktree
from generator.history.git import Git
from generator.output.folder import open_root
from generator.output.platform_support import share_lock
from generator.pipeline.atomic_write import clear_leftovers, write_file

_LEFT = ".sluice-0123456789abcdef.tmp"


def test_the_next_write_into_a_folder_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    (tmp_path / _LEFT).write_text("half")
    (tmp_path / ".sluice-notes.tmp").write_text("mine")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / _LEFT).write_text("of another folder")
    write_file(tmp_path / "a.yaml", b"whole\n")
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"a.yaml", ".sluice-notes.tmp", f"inner/{_LEFT}"}


def test_what_another_command_is_writing_stays(tmp_path: Path) -> None:
    (tmp_path / _LEFT).write_text("half")
    writer = open_root(tmp_path)
    assert writer is not None
    with writer:
        share_lock(writer.descriptor)
        clear_leftovers([tmp_path])
        write_file(tmp_path / "a.yaml", b"whole\n")
        assert (tmp_path / _LEFT).exists()
    clear_leftovers([tmp_path, tmp_path / "missing"])
    assert not (tmp_path / _LEFT).exists()


def test_the_checkout_of_a_killed_revert_is_removed_by_the_next_one(begun: Path) -> None:
    git = Git.at(begun)
    program = (
        "import os, signal, sys; from pathlib import Path; from generator.history.checkout import worktree;"
        "from generator.history.git import Git; made = worktree(Git.at(Path(sys.argv[1])), 'HEAD');"
        "made.__enter__(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program, str(begun)], env={**os.environ, "PYTHONPATH": str(root)}
    )
    assert done.returncode < 0

    def checkouts() -> int:
        return git.ask("worktree", "list", "--porcelain").count("worktree ")

    assert checkouts() == 2
    with worktree(git, "HEAD"), worktree(git, "HEAD"):  # those of a command that runs stay
        assert checkouts() == 3
    assert checkouts() == 1
