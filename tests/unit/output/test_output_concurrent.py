"""Two runs at once: one waits for the other, and without locks every file is still whole."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generator.output.bundle import Bundle
from generator.output.check import check
from generator.output.errors import OutputError
from generator.output.write import prune, write
from tests.unit.output import output_worker

Make = Callable[..., Bundle]
TIMES = "40"


def start(root: Path, text: str, locks: str) -> subprocess.Popen[str]:
    command = [sys.executable, output_worker.__file__, "loop", str(root), text, TIMES, locks]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def assert_whole(path: Path, texts: tuple[str, str]) -> None:
    try:
        content = path.read_text()
    except FileNotFoundError:
        return
    assert content in {f"{text}\n" * 5000 for text in texts}


@pytest.mark.parametrize("texts", [("1", "2"), ("1", "1")], ids=["different", "same"])
@pytest.mark.parametrize("locks", ["with-locks", "without-locks"])
def test_two_writers(root: Path, tool: Callable[[str, str], str], texts: tuple[str, str], locks: str) -> None:
    writers = [start(root, text, locks) for text in texts]
    while any(writer.poll() is None for writer in writers):
        for name in "abcdefgh":
            assert_whole(root / "p/deep" / name, texts)
    assert [writer.communicate()[1] for writer in writers] == ["", ""]
    assert [writer.returncode for writer in writers] == [0, 0]
    if locks == "with-locks":
        contents = {(root / "p/deep" / name).read_text() for name in "abcdefgh"}
        assert len(contents) == 1
        command = [tool("sha256sum", "coreutils"), "--check", "--quiet", ".sluice"]
        assert subprocess.run(command, cwd=root / "p").returncode == 0
    last = output_worker.loop_bundle(texts[0])
    write(root, [last])
    assert check(root, [last]).clean
    assert not list(root.rglob("*.tmp"))


def test_the_second_run_says_that_it_waits_and_then_writes(root: Path, bundle: Make) -> None:
    root.mkdir()
    descriptor = os.open(root, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    told = threading.Event()
    notices: list[str] = []

    def notice(text: str) -> None:
        notices.append(text)
        told.set()

    thread = threading.Thread(target=write, args=(root, [bundle({"a.yaml": "1\n"})], notice))
    thread.start()
    assert told.wait(30)
    assert notices == [f"waiting: another sluice is writing {root}"]
    assert list(root.iterdir()) == []
    os.close(descriptor)
    thread.join(30)
    assert (root / "production/shop/recommender/a.yaml").exists()


def test_a_root_replaced_while_waiting_is_opened_anew(root: Path, bundle: Make, tmp_path: Path) -> None:
    root.mkdir()
    descriptor = os.open(root, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    def replace_root(_: str) -> None:
        root.rename(tmp_path / "moved")
        os.close(descriptor)

    write(root, [bundle({"a.yaml": "1\n"})], replace_root)
    assert (root / "production/shop/recommender/a.yaml").exists()
    assert list((tmp_path / "moved").iterdir()) == []


def test_the_lock_is_free_after_a_run_and_after_a_refusal(root: Path, bundle: Make) -> None:
    def never(text: str) -> None:
        raise AssertionError(text)

    write(root, [bundle({"a.yaml": "1\n"})], never)
    (root / "production/shop/recommender/b.yaml").mkdir()
    (root / "production/shop/recommender/b.yaml/mine").touch()
    with pytest.raises(OutputError):
        write(root, [bundle({"b.yaml": "1\n"})], never)
    prune(root, "", (), never)


def test_a_sweep_beneath_a_writer_without_locks_is_survived(
    root: Path, bundle: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.replace
    swept: list[str] = []

    def sweeping(source: str, target: str, **options: Any) -> None:
        if len(swept) < 3:
            swept.append(source)
            os.unlink(source, dir_fd=options["src_dir_fd"])
        real(source, target, **options)

    monkeypatch.setattr(os, "replace", sweeping)
    one = bundle({"a.yaml": "1\n", "b.yaml": "1\n"})
    report = write(root, [one])
    assert len(report.created) + len(report.updated) == 3
    assert check(root, [one]).clean


def test_a_folder_that_keeps_vanishing_is_told(
    root: Path, bundle: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanished(*_: object, **__: object) -> None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    monkeypatch.setattr(os, "replace", vanished)
    with pytest.raises(OutputError, match=r"can't write .*recommender: another program keeps deleting it"):
        write(root, [bundle({"a.yaml": "1\n"})])
