"""However a run ends, nothing of it is left: no process, no cgroup, no folder, no mount."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.bed import ROOT
from tests.cluster.sandbox import CGROUPS, cache, remove_dead_runs
from tests.cluster.waiting import until

_RUN = """
import sys
from tests.cluster.sandbox import run_folder, run_inside
with run_folder() as folder:
    print(folder, flush=True)
    run_inside(folder, ["bash", "-c", sys.argv[1], "bash", str(folder)])
"""
# A mount, a process that left its parent, a process in the run's cgroup: what containers leave.
_BUSY = """
mount -t tmpfs tmpfs "$1" && touch "$1/mounted"
name=$(basename "$1")
top=$(ls -d /sys/fs/cgroup/pids/"$name" /sys/fs/cgroup/"$name" 2>/dev/null | head -n 1)
mkdir "$top/pod"
setsid bash -c 'echo 0 > "$0/pod/cgroup.procs"; exec -a "$1" sleep 1000' "$top" "busy-$name" &
exec -a "front-$name" sleep 1000
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left(ending: signal.Signals) -> None:
    # A shell starts what it puts into the background with Ctrl-C ignored, and so would be all below it.
    with subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-c", _RUN, _BUSY],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as run:
        assert run.stdout is not None
        folder = Path(run.stdout.readline().strip())
        try:
            until("both processes", lambda: len(_processes(folder.name)) == 2, 20)
            run.send_signal(ending)
            run.wait(60)
        finally:
            run.kill()
    remove_dead_runs()  # what a killed run could not do itself, the next one does
    until("the end of all processes", lambda: not _processes(folder.name), 20)
    assert not folder.exists()
    assert not list(CGROUPS.glob(f"*/{folder.name}"))
    assert not (CGROUPS / folder.name).exists()
    assert folder.name not in Path("/proc/mounts").read_text()
    assert folder.parent == cache() / "runs"


# A bridge, an address and a port that every run has, and behind them the run's own folder.
_SAME = """
ip link set lo up && ip link add cni0 type bridge && ip address add 10.214.0.1/16 dev cni0
echo "$1" > "$1/whose"
python3 -m http.server --bind 10.214.0.1 --directory "$1" 6443 > /dev/null 2>&1 &
until [ "$(curl --silent --noproxy '*' http://10.214.0.1:6443/whose)" = "$1" ]; do kill -0 %1 || exit 1; done
touch "$1/own"
exec sleep 1000
"""


def test_two_runs_do_not_meet() -> None:
    command = [sys.executable, "-c", _RUN, _SAME]
    runs = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        folders = [Path(run.stdout.readline().strip()) for run in runs if run.stdout]
        until("both runs", lambda: all((folder / "own").exists() for folder in folders), 60)
    finally:
        for run in runs:
            run.terminate()
            run.communicate()
    assert len(set(folders)) == 2
    assert not [folder for folder in folders if folder.exists()]


def _processes(name: str) -> list[str]:
    found = []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            first = command.read_bytes().split(b"\0")[0].decode()
        except OSError:
            continue
        if first in {f"busy-{name}", f"front-{name}"}:
            found.append(first)
    return found
