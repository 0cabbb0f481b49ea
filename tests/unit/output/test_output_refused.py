"""The file system says no: one sentence that names the path, and every file old or new."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from generator.output.bundle import Bundle
from generator.output.check import check
from generator.output.errors import OutputError
from generator.output.survey import survey
from generator.output.write import prune, write
from tests.unit.output.conftest import probe

Make = Callable[..., Bundle]
Snapshot = Callable[[Path], dict[str, bytes | str]]
BUNDLE = "production/shop/recommender"
OLD = {"a.yaml": "1\n", "b.yaml": "1\n", "gone.yaml": "1\n"}
NEW = {"a.yaml": "2\n", "b.yaml": "2\n", "c.yaml": "2\n"}


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may do everything, so become an unprivileged user for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def public_folder() -> Iterator[Path]:
    """A folder that every user can reach, as pytest's own is not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def refuse(monkeypatch: pytest.MonkeyPatch, name: str, number: int, after: int = 0) -> None:
    """Let an `os` function fail once it has worked `after` times; a write stores half before it fails."""
    real = getattr(os, name)
    calls = 0

    def failing(*args: Any, **options: Any) -> Any:
        nonlocal calls
        if name == "open" and not args[1] & os.O_CREAT:
            return real(*args, **options)
        calls += 1
        if calls <= after:
            return real(*args, **options)
        if name == "write":
            real(args[0], bytes(args[1])[: len(args[1]) // 2])
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, name, failing)


def message_of(root: Path, bundle: Bundle) -> str:
    try:
        write(root, [bundle])
    except OutputError as error:
        return error.message
    return ""


@pytest.mark.parametrize(
    ("name", "number", "words"),
    [
        ("write", errno.ENOSPC, "no space is left on the device"),
        ("write", errno.EDQUOT, "the disk quota is used up"),
        ("open", errno.EROFS, "the file system is read-only"),
        ("open", errno.EACCES, "permission is denied"),
        ("replace", errno.EPERM, "the operation is not permitted"),
        ("replace", errno.EIO, "input/output error"),
        ("unlink", errno.EBUSY, "busy"),
        ("mkdir", errno.ENOSPC, "no space is left on the device"),
    ],
)
def test_a_refusal_at_any_moment_loses_nothing(
    root: Path, bundle: Make, snapshot: Snapshot, name: str, number: int, words: str
) -> None:
    new = bundle({**NEW, "deep/d.yaml": "2\n"})
    for after in range(20):
        write(root, [bundle(OLD)])
        with pytest.MonkeyPatch.context() as patch:
            refuse(patch, name, number, after)
            message = message_of(root, new)
        if not message:
            assert after > 0
            break
        assert f"{root}/{BUNDLE}" in message
        assert words in message
        contents = {text for path, text in snapshot(root).items() if not path.endswith((".sluice", "/deep"))}
        assert contents <= {b"1\n", b"2\n"}
        write(root, [new])
        assert check(root, [new]).clean
        assert not [path for path in snapshot(root) if path.endswith(".tmp")]
    else:
        pytest.fail("the refusal never stopped")


def test_no_temporary_file_is_left_when_a_write_is_refused(
    root: Path, bundle: Make, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root, [bundle(OLD)])
    before = snapshot(root)
    refuse(monkeypatch, "write", errno.ENOSPC)
    with pytest.raises(OutputError, match=r"can't write .*/\.sluice: no space is left"):
        write(root, [bundle(NEW)])
    assert snapshot(root) == before


def test_a_real_limit_of_the_kernel(root: Path, bundle: Make, snapshot: Snapshot) -> None:
    write(root, [bundle(OLD)])
    before = snapshot(root)
    code = f"""
import resource
from generator.output.bundle import Bundle
from generator.output.errors import OutputError
from generator.output.survey import survey
from generator.output.write import write
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write({str(root)!r}, [Bundle({BUNDLE!r}, {{**{NEW!r}, "a.yaml": "x" * 9000 + "\\n"}}, {{}})])
except OutputError as error:
    print(error.message)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    reason = "the file size limit of this process is reached"
    assert (done.stdout, done.stderr) == (f"can't write {root}/{BUNDLE}/a.yaml: {reason}\n", "")
    after = snapshot(root)
    assert after.keys() == before.keys()
    assert {name for name in before if after[name] != before[name]} == {f"{BUNDLE}/.sluice"}
    write(root, [bundle(OLD)])
    assert snapshot(root) == before


def test_a_folder_without_permission_to_write(bundle: Make, snapshot: Snapshot) -> None:
    with public_folder() as base:
        root = base / "rendered"
        write(root, [bundle(OLD)])
        before = snapshot(root)
        folder = root / BUNDLE
        folder.chmod(0o555)
        with unprivileged():
            assert probe(root, BUNDLE, {"spec": "5" * 64})
            assert not write(root, [bundle(OLD)]).changed
            with pytest.raises(OutputError, match=rf"can't write .*{BUNDLE}/\.sluice: permission is denied"):
                write(root, [bundle(NEW)])
            with pytest.raises(OutputError, match=r"can't remove .*: permission is denied"):
                prune(root, "", ())
        folder.chmod(0o755)
        assert snapshot(root) == before


def test_a_folder_without_permission_to_read(bundle: Make) -> None:
    with public_folder() as base:
        root = base / "rendered"
        write(root, [bundle(OLD)])
        for path in (root / BUNDLE / "a.yaml", root / "production"):
            mode = path.stat().st_mode
            path.chmod(0)
            with unprivileged():
                with pytest.raises(OutputError, match=rf"can't (open|read) {path}: permission is denied"):
                    probe(root, BUNDLE, {"spec": "5" * 64})
                with pytest.raises(OutputError, match=rf"can't (open|read) {path}: permission is denied"):
                    check(root, [bundle(OLD)])
            path.chmod(mode)


@pytest.mark.parametrize("place", ["", "production", "production/shop", BUNDLE, f"{BUNDLE}/deep"])
def test_a_file_where_a_folder_belongs(root: Path, bundle: Make, snapshot: Snapshot, place: str) -> None:
    file = root / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("mine\n")
    one = bundle({"deep/a.yaml": "1\n"})
    with pytest.raises(OutputError, match=f"can't open {file}: there is a file where a folder is expected"):
        write(root, [one])
    assert file.read_text() == "mine\n"
    file.unlink()
    write(root, [one])
    assert check(root, [one]).clean


@pytest.mark.parametrize("name", ["a.yaml", ".sluice"])
def test_a_folder_where_a_file_belongs(root: Path, bundle: Make, name: str) -> None:
    (root / BUNDLE / name).mkdir(parents=True)
    (root / BUNDLE / name / "mine").write_text("mine\n")
    with pytest.raises(
        OutputError, match=rf"can't write .*{name}: there is a folder where a file is expected"
    ):
        write(root, [bundle({"a.yaml": "1\n"})])
    assert (root / BUNDLE / name / "mine").read_text() == "mine\n"


@pytest.mark.parametrize("place", ["production", "production/shop", BUNDLE, f"{BUNDLE}/deep"])
def test_a_link_where_a_folder_belongs_is_not_followed(
    root: Path, bundle: Make, snapshot: Snapshot, tmp_path: Path, place: str
) -> None:
    one = bundle({"deep/a.yaml": "1\n"})
    write(tmp_path / "outside", [one])
    before = snapshot(tmp_path / "outside")
    (root / place).parent.mkdir(parents=True)
    (root / place).symlink_to(tmp_path / "outside" / place)
    with pytest.raises(OutputError, match=f"can't open {root / place}: it is a link"):
        write(root, [bundle({"deep/a.yaml": "2\n"})])
    prune(root, "", ())
    assert survey(root, "", ()).orphans == []
    assert snapshot(tmp_path / "outside") == before


def test_a_root_that_links_to_nothing(root: Path, bundle: Make, tmp_path: Path) -> None:
    root.symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="rendered"):
        write(root, [bundle(OLD)])


def test_a_name_too_long_for_the_file_system(root: Path, bundle: Make) -> None:
    with pytest.raises(OutputError, match="the name is too long"):
        write(root, [bundle({"a" * 300: "1\n"})])


def test_a_pipe_does_not_block(root: Path, bundle: Make) -> None:
    (root / BUNDLE).mkdir(parents=True)
    os.mkfifo(root / BUNDLE / "a.yaml")
    one = bundle({"a.yaml": "1\n"})
    assert check(root, [one]).edited == (f"{BUNDLE}/a.yaml",)
    write(root, [one])
    assert (root / BUNDLE / "a.yaml").read_text() == "1\n"
