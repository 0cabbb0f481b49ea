"""A run's own network, process and mount namespaces, its cgroups and its folder; and their end, however the run ends.

Everything of a run lives in one process namespace: when its first process ends, the kernel ends the rest, and mounts
and network go with them. That first process dies with the process that made the sandbox, even if that one is killed.
Only cgroups and the folder outlive it; they are removed afterwards, or by the next run.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from tests.cluster.waiting import until

CGROUPS = Path("/sys/fs/cgroup")
_LOCK = "lock"
# After Ctrl-C the command may write its report.
_GRACE_S = 10
# The kernel ends the process namespace with the first process, which this shell is: it reaps orphans meanwhile.
_FIRST = ["bash", "-c", '"$@"; exit $?', "sluice-bed"]
_UNSHARE = ["unshare", "--net", "--pid", "--mount", "--fork", "--kill-child=SIGKILL", "--mount-proc"]


def cache() -> Path:
    """Where programs, images and the folders of runs are kept."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluice" / "cluster"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def run_folder() -> Iterator[Path]:
    """A folder that is locked as long as the run lives, and removed with the run's cgroups when it ends."""
    with _register():
        _remove_dead()
        folder = Path(tempfile.mkdtemp(prefix="sluice-", dir=_runs()))
        lock = (folder / _LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    with lock:
        try:
            for cgroup in _cgroups(folder.name):
                _make_cgroup(cgroup)
            yield folder
        finally:
            _remove_cgroups(folder.name)
            with _register():
                shutil.rmtree(folder)


def remove_dead_runs() -> list[str]:
    """Remove what runs left that could not clean up behind themselves; their names."""
    with _register():
        return _remove_dead()


def _runs() -> Path:
    folder = cache() / "runs"
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def _register() -> Iterator[None]:
    """Held while runs come or are counted: a folder that is made and not locked yet looks like that of a dead run."""
    with (cache() / "runs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_dead() -> list[str]:
    removed = []
    for folder in sorted(_runs().glob("sluice-*")):
        with (folder / _LOCK).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            _remove_cgroups(folder.name)
            shutil.rmtree(folder)
        removed.append(folder.name)
    return removed


def living_runs() -> list[Path]:
    """Folders of the runs that are alive."""
    remove_dead_runs()
    return sorted(_runs().glob("sluice-*"))


def run_inside(folder: Path, command: Sequence[str]) -> int:
    """Run a command as the only content of new namespaces; its exit code once nothing of it is left.

    SIGTERM to this process ends the run at once. Ctrl-C reaches the command as well, which may tidy up first.
    """
    head = ["setpriv", "--pdeathsig", "KILL", *_UNSHARE]
    process = subprocess.Popen([*head, *_FIRST, *command])
    (folder / "pid").write_text(str(until("the sandbox", lambda: _child(process.pid), 10)))
    previous = signal.signal(signal.SIGTERM, lambda *_: process.kill())
    try:
        return _wait(process)
    finally:
        process.kill()
        process.wait()
        signal.signal(signal.SIGTERM, previous)


def first_process(folder: Path) -> int:
    """Process id, as the machine counts, of the first process of a living run: what `nsenter --target` takes."""
    return int((folder / "pid").read_text())


def hide_machine_folders() -> None:
    """Inside: fresh folders where container tools leave sockets, locks and links at fixed paths."""
    for folder in ("/run", "/var/log"):
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
    Path("/run/netns").mkdir()


def _wait(process: subprocess.Popen[bytes]) -> int:
    with suppress(KeyboardInterrupt):
        return process.wait()
    with suppress(KeyboardInterrupt, subprocess.TimeoutExpired):
        process.wait(_GRACE_S)
    return 130


def _child(parent: int) -> int | None:
    """The first child of a process, once it runs what it was started for."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    if not children:
        return None
    command = Path(f"/proc/{children[0]}/cmdline").read_bytes().split(b"\0")
    return int(children[0]) if command[0] == b"bash" else None


def _cgroups(name: str) -> list[Path]:
    """The run's cgroup: one of the unified hierarchy, or one in each controller's."""
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS / name]
    return [item / name for item in sorted(CGROUPS.iterdir()) if item.is_dir() and not item.is_symlink()]


def _make_cgroup(cgroup: Path) -> None:
    cgroup.mkdir(exist_ok=True)
    for name in (
        "cpuset.cpus",
        "cpuset.mems",
    ):  # a new cpuset is empty, and takes no process before it is filled
        if (cgroup / name).exists() and (cgroup.parent / name).exists():
            (cgroup / name).write_text((cgroup.parent / name).read_text())
    # By default all pods together weigh as much as one other process, but a node's pods are most of its work.
    for name, weight in (
        ("cpu.shares", "4096"),
        ("cpu.weight", "400"),
    ):  # first and second version, four times usual
        if (cgroup / name).exists():
            (cgroup / name).write_text(weight)


def _remove_cgroups(name: str) -> None:
    for cgroup in _cgroups(name):
        if cgroup.exists():
            until(f"the end of the processes in {cgroup}", partial(_remove_cgroup, cgroup), 30)


def _remove_cgroup(top: Path) -> bool:
    """Whether a cgroup and all below it could be removed: the kernel says busy while a process is ending."""
    try:
        for parent, _, _ in os.walk(top, topdown=False):
            Path(parent).rmdir()
    except OSError:
        return False
    return True
