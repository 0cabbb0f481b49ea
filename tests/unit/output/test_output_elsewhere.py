"""The same tree on a system without descriptors of folders, locks and processes that fork."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = """
import sys
from generator.output.bundle import Bundle
from generator.output.check import check, diff
from generator.output.errors import OutputError
from generator.output.freshness import probe
from generator.output.platform_support import BY_DESCRIPTOR, cores
from generator.output.folder import open_root
from generator.output.survey import survey
from generator.output.write import prune, write

root = {root!r}
INPUTS = {{"spec": "5" * 64}}

def bundles(tree):
    return [Bundle(path, files, INPUTS) for path, files in tree.items()]

def fresh(path, known):
    top = open_root(root)
    return probe(top, path, INPUTS, known) is not None

OLD = {{"a/b/c": {{"same": "s\\n", "changed": "old\\n", "gone": "g\\n", "deep/gone": "g\\n", "x": "x\\n", "y/z": "y\\n"}},
       "a/b/orphan": {{"a": "a\\n", "deep/b": "b\\n"}}}}
NEW = {{"a/b/c": {{"same": "s\\n", "changed": "new\\n", "deep/er/added": "n\\n", "x/y": "x\\n", "y": "y\\n"}}}}
write(root, bundles(OLD))
"""
REST = """
known = write(root, bundles(OLD)).keys
print(cores() > 0, fresh("a/b/c", known), check(root, bundles(OLD)).clean, survey(root, "", set(NEW)).orphans)
print(len(list(diff(root, bundles(NEW), survey(root, "", set(NEW))))))
print(prune(root, "", set(NEW)).deleted, write(root, bundles(NEW)).changed, write(root, bundles(NEW)).changed)
print(check(root, bundles(NEW)).clean, fresh("a/b/c", known))
"""


@pytest.fixture
def run(root: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(program: str, *, elsewhere: bool = True) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *(["-m", "tests.unit.output.elsewhere"] if elsewhere else ["-"])]
        path = {"PYTHONPATH": str(Path(__file__).resolve().parents[3])}
        text = PROGRAM.format(root=str(root)) + program
        return subprocess.run(command, input=text, env={**os.environ, **path}, capture_output=True, text=True)

    return run


def test_the_same_happens(root, run, snapshot):
    there = run("print(BY_DESCRIPTOR)" + REST)
    tree = snapshot(root)
    assert (there.stderr, there.stdout.partition("\n")[0]) == ("", "False")
    for path in sorted(root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    here = run("print(BY_DESCRIPTOR)" + REST, elsewhere=False)
    assert (here.stderr, here.stdout.partition("\n")) == ("", ("True", "\n", there.stdout.partition("\n")[2]))
    assert snapshot(root) == tree
    assert set(tree) == {
        f"a/b/c/{name}" for name in (".sluice", "same", "changed", "deep/er/added", "x/y", "y")
    }


@pytest.mark.parametrize("name", ["a", "a/b", "a/b/c"])
def test_a_link_where_a_folder_belongs_is_refused(root, run, tmp_path, name):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (root / name).parent.mkdir(parents=True)
    (root / name).symlink_to(elsewhere)
    done = run("")
    assert done.stderr.endswith(
        f"can't open {root}/{name}: it is a link, and links are not followed; remove it\n"
    )
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_what_is_no_file_is_never_read(root, run, tmp_path, kind):
    assert run("").stderr == ""
    path, target = root / "a/b/c/same", tmp_path / "target"
    path.unlink()
    target.write_text("s\n")
    path.symlink_to(target) if kind == "link" else os.mkfifo(path)
    assert run("").stderr == ""
    assert (path.read_text(), path.is_symlink(), target.read_text()) == ("s\n", False, "s\n")


def test_a_folder_where_a_file_belongs_is_an_error(root, run):
    (root / "a/b/c/same/inner").mkdir(parents=True)
    (root / "a/b/c/same/inner/mine").write_text("mine\n")
    assert "there is a folder where a file is expected; move it away" in run("").stderr
    assert (root / "a/b/c/same/inner/mine").read_text() == "mine\n"
