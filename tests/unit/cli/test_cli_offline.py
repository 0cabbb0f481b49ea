"""Offline commands open no connection and start no program but git."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from generator.cli.main import cli
from tests.system.repositories import examples

WATCHED: list[str] | None = None
COMMANDS = [
    ("validate",),
    ("plan", "--all"),
    ("diff", "--against", "HEAD"),
    ("render",),
    ("render", "--check"),
    ("verify",),
    ("status",),
    ("audit",),
    ("gates", "check"),
    ("codeowners", "--check"),
    ("templates",),
]


def hook(event: str, arguments: tuple[object, ...]) -> None:
    if WATCHED is None:
        return
    if event in {
        "socket.connect",
        "socket.getaddrinfo",
        "socket.bind",
        "os.system",
        "os.exec",
        "os.posix_spawn",
    }:
        WATCHED.append(f"{event} {arguments}")
    if event == "subprocess.Popen" and os.path.basename(str(arguments[0])) != "git":  # noqa: PTH119
        WATCHED.append(f"{event} {arguments[0]}")


sys.addaudithook(hook)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_offline_command_opens_no_connection_and_starts_git_only(command, tmp_path, monkeypatch):
    root = examples(tmp_path)
    for arguments in (
        ("init", "-q"),
        ("add", "-A"),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"),
    ):
        subprocess.run(["git", *arguments], cwd=root, check=True)
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    seen: list[str] = []
    monkeypatch.setattr(sys.modules[__name__], "WATCHED", seen)
    with pytest.raises(SystemExit):
        cli.main(list(command))
    assert seen == []
