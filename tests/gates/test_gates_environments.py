"""Environments of tools: made once by content, never when offline, never believed when interrupted."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from generator.gates import environments
from generator.gates.environments import Environments
from generator.gates.errors import InstallError, NoVerdictError
from generator.gates.tools import Tool

ECHO = "import json, sys\nopen(sys.argv[2], 'w').write(json.dumps({'seen': json.load(open(sys.argv[1]))}))\n"


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    """A tool without packages, and a separate cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "tools"
    (folder / "echo").mkdir(parents=True)
    (folder / "common.py").write_text("")
    (folder / "echo" / "requirements.txt").write_text("")
    (folder / "echo" / "run.py").write_text(ECHO)
    return Tool(folder, "echo", "run")


def test_made_once_and_said_once(tool: Tool) -> None:
    said: list[str] = []
    made = Environments(said.append)
    assert made.missing(tool)
    assert made.run(tool, {"a": 1}) == {"seen": {"a": 1}}
    assert made.run(tool, {"a": 2}) == {"seen": {"a": 2}}
    assert len(said) == 1
    assert "installing the environment of echo" in said[0]
    assert Environments(said.append, offline=True).run(tool, {}) == {"seen": {}}


def test_offline_makes_none(tool: Tool) -> None:
    with pytest.raises(NoVerdictError, match="--offline does not create it"):
        Environments(print, offline=True).run(tool, {})
    assert Environments(print).missing(tool)


def test_without_uv_pip_makes_the_same(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "uv_command", list)
    assert Environments(print).run(tool, {"a": 1}) == {"seen": {"a": 1}}


def test_an_interrupted_environment_is_made_again(tool: Tool) -> None:
    python = Environments(print).python(tool)
    home = python.parent.parent
    (home / ".complete").unlink()
    (home / "torn").touch()
    Environments(print).python(tool)
    assert not (home / "torn").exists()


def test_what_killed_processes_left_is_removed(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script's temporary files are in the folder of its run; a folder that no process locks is removed later."""
    place = tool.folder.parent / "tmp"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    left, young = place / "sluice-gate-left", place / "sluice-gate-young"
    for folder in (left, young):
        (folder / "sluice-spill-x").mkdir(parents=True)
    os.utime(left, (0, 0))
    (tool.folder / "echo" / "run.py").write_text(f"import tempfile\ntempfile.mkdtemp()\n{ECHO}")
    with environments.work_folder() as kept:
        os.utime(kept, (0, 0))
        Environments(print).run(tool, {})
        assert sorted(place.iterdir()) == sorted([Path(kept), young])
    assert sorted(place.iterdir()) == [young]


def test_packages_without_hashes_are_refused(tool: Tool) -> None:
    tool.requirements.write_text("numpy==2.4.6\n")
    with pytest.raises(InstallError, match="hash"):
        Environments(print).python(tool)
    assert Environments(print).missing(tool)


def test_the_digest_covers_packages_script_and_what_scripts_share(tool: Tool) -> None:
    digests = {tool.digest}
    for path in (tool.requirements, tool.program, tool.folder / "common.py"):
        path.write_text(path.read_text() + "\n# more\n")
        digests.add(tool.digest)
    assert len(digests) == 4


def test_a_tool_that_breaks_leaves_no_verdict(tool: Tool) -> None:
    tool.program.write_text("raise SystemExit('out of memory')")
    with pytest.raises(NoVerdictError, match="code 1: out of memory"):
        Environments(print).run(tool, {})


def test_nothing_of_our_own_python_leaks_in(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONSTARTUP", "/nowhere")
    found = environments.surroundings(tool, "/tmp")
    assert "PYTHONSTARTUP" not in found
    assert found["PYTHONHASHSEED"] == "0"
