"""The git reader: real repositories, programs that misbehave in git's place, and names that look like options."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from generator.history import git_call
from generator.history.checkout import snapshot
from generator.history.git import Git, fetched
from generator.history.git_call import GitError, run
from tests.unit.history.story import Story


@pytest.fixture
def fake(tmp_path: Path, monkeypatch):
    """Puts a shell script in git's place."""

    def make(script: str) -> None:
        program = tmp_path / "bin" / "git"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    return make


def test_output_is_bounded(tmp_path: Path, fake, monkeypatch):
    monkeypatch.setattr(git_call, "LIMIT", 1 << 20)
    fake("yes")
    with pytest.raises(GitError, match="printed more than 1 MiB"):
        run(tmp_path, "log")


def test_time_is_bounded_though_a_child_holds_the_output(tmp_path: Path, fake):
    fake("sleep 30 & sleep 30")
    with pytest.raises(GitError, match=r"did not end within 0\.2 s") as raised:
        run(tmp_path, "log", timeout_s=0.2)
    assert raised.value.reason == "unreachable"


def test_input_that_git_does_not_read_is_no_error(tmp_path: Path, fake):
    fake("exit 7")
    assert run(tmp_path, "cat-file", given=b"x\n" * (1 << 20)).code == 7


def test_a_git_that_stops_in_the_middle_gives_no_content(tmp_path: Path, fake):
    fake("printf 'abc blob 3\\nxyz\\n'")
    git = Git(tmp_path)
    assert git.read([("HEAD", "a"), ("HEAD", "b")]) == {("HEAD", "a"): b"xyz"}


def test_without_git_there_is_a_hint(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git is not installed; install git") as raised:
        Git.at(tmp_path)
    assert raised.value.reason == "not-installed"


def test_hooks_of_git_do_not_change_the_repository(two: Story, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other"))
    assert Git.at(two.root).commit("HEAD") is not None


def test_settings_of_the_user_do_not_change_the_output(two: Story, tmp_path: Path, monkeypatch):
    settings = tmp_path / "gitconfig"
    settings.write_text(
        "[color]\n  ui = always\n[log]\n  showSignature = true\n[core]\n  fsmonitor = /bin/false\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    git = Git.at(two.root)
    assert "\x1b" not in git.ask("log", "--format=%H", "--name-status")
    assert len(git.changes(git.steps("HEAD"), "specs")) == 3


@pytest.mark.parametrize("revision", ["--help", "-n1", "--output=/tmp/x", "no such", "", "HEAD\n"])
def test_what_is_no_revision_has_no_commit(two: Story, revision: str):
    assert Git.at(two.root).commit(revision) is None


@pytest.mark.parametrize(
    ("url", "revision"), [("--upload-pack=touch x", "HEAD"), ("{root}", "--upload-pack=x"), ("{root}", "-x")]
)
def test_names_that_look_like_options_are_refused(two: Story, url: str, revision: str):
    with pytest.raises(GitError) as raised, fetched(url.format(root=two.root), revision):
        pass
    assert raised.value.reason == "unknown"


@pytest.mark.parametrize("url", ["ext::sh -c touch% ran", "fd::7", "ftp://127.0.0.1/x"])
def test_only_plain_protocols_are_used(tmp_path: Path, url: str, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GitError), fetched(url, "HEAD"):
        pass
    assert not (tmp_path / "ran").exists()


def test_one_commit_of_another_repository_is_fetched(two: Story):
    key_of = "specs/shop/ranker.lock.yaml"
    with fetched(f"file://{two.root}", "HEAD") as (git, commit):
        assert commit == Git.at(two.root).commit("HEAD")
        assert b"ranker/2" in git.read([(commit, key_of)])[commit, key_of]
        assert git.steps(commit).keys() == {commit}
    with pytest.raises(GitError) as raised, fetched(f"file://{two.root}", "v9"):
        pass
    assert raised.value.reason == "unknown"
    with pytest.raises(GitError) as raised, fetched("file:///no/such/place", "HEAD"):
        pass
    assert raised.value.reason == "unreachable"


def test_no_credentials_in_a_message(tmp_path: Path):
    with pytest.raises(GitError) as raised, fetched("http://ada:secret@127.0.0.1:1/x.git", "HEAD"):
        pass
    assert "secret" not in str(raised.value)


def test_a_snapshot_has_the_files_of_the_commit_and_no_link_that_leaves_it(two: Story):
    (two.root / "templates").mkdir()
    (two.root / "templates" / "own.j2").symlink_to("../specs/platform.yaml")
    (two.root / "templates" / "out.j2").symlink_to("/etc/hostname")
    (two.root / "templates" / "a\nb.j2").write_text("x")
    commit = two.commit("Links", "2026-11-04T10:00:00+00:00")
    with snapshot(Git.at(two.root), commit) as folder:
        names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
        assert names == {
            "specs/platform.yaml", "specs/shop/ranker.yaml", "specs/shop/ranker.lock.yaml",
            "templates/own.j2", "templates/a\nb.j2",
        }  # fmt: skip
        assert (folder / "templates" / "own.j2").read_bytes() == (
            two.root / "specs" / "platform.yaml"
        ).read_bytes()
    assert not folder.exists()


def test_a_snapshot_copies_where_the_system_refuses_links(two: Story, monkeypatch):
    (two.root / "templates").mkdir()
    (two.root / "templates" / "own.j2").symlink_to("../specs/platform.yaml")
    commit = two.commit("A link", "2026-11-04T10:00:00+00:00")

    def refuse(*_: object) -> None:
        raise OSError("a required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with snapshot(Git.at(two.root), commit) as folder:
        link = folder / "templates" / "own.j2"
        assert not link.is_symlink()
        assert link.read_bytes() == (two.root / "specs" / "platform.yaml").read_bytes()
