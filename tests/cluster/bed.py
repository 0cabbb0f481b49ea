"""A real cluster on one machine, for the tests: a program, and the parts that it starts.

python -m tests.cluster.bed test [NUMBER...]     scenarios; KEEP=1 leaves the cluster standing afterwards
python -m tests.cluster.bed up [COMMAND...]      a cluster for one command; without one, until Ctrl-C
python -m tests.cluster.bed api COMMAND...       for what asks only the API server: control plane and definitions
python -m tests.cluster.bed down                 removes what dead runs left, ends living ones
"""

from __future__ import annotations

import itertools
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.cluster import argocd, bentos, control_plane, delivery, gate_images, node, programs, report
from tests.cluster.client import Api, install_crds
from tests.cluster.layout import Layout
from tests.cluster.sandbox import (
    first_process,
    hide_machine_folders,
    living_runs,
    remove_dead_runs,
    run_folder,
    run_inside,
)  # fmt: skip

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = Path(__file__).with_name("scenarios")
Part = tuple[str, Callable[[Layout], None]]
DEFINITIONS: Part = (
    "definitions",
    lambda layout: install_crds(Api(layout.pki), programs.folder("crds").glob("*.yaml")),
)
FIRST: tuple[Part, ...] = (("control plane", control_plane.start), ("node", node.start))
# Then side by side: unpacking images is work for the disk, definitions for the processor.
LANES: tuple[tuple[Part, ...], ...] = (
    (
        ("model images", lambda layout: node.import_image(layout, bentos.archive())),
        ("gate image", lambda layout: node.import_image(layout, gate_images.archive())),
    ),
    (
        DEFINITIONS,
        ("quotas", control_plane.count_new_kinds),
        ("gateway", delivery.gateway),
        ("Prometheus", delivery.prometheus),
        ("Argo Rollouts", delivery.rollouts),
        ("Argo Workflows", delivery.workflows),
        ("Argo CD", argocd.start),
    ),
)


def main(arguments: Sequence[str]) -> int:
    """Run one subcommand; its exit code."""
    commands = {
        "test": _test,
        "up": lambda command: _up("inside", command),
        "api": lambda command: _up("inside-api", command),
        "down": _down,
        "inside": lambda given: _inside(_bring_up, given),
        "inside-api": lambda given: _inside(_bring_up_api, given),
    }
    if not arguments or arguments[0] not in commands:
        sys.exit((__doc__ or "").partition("\n\n")[2])
    return commands[arguments[0]](list(arguments[1:]))


def _test(numbers: list[str]) -> int:
    chosen = [file for number in numbers for file in scenario_files(number)]
    files = [str(file) for file in dict.fromkeys(chosen or sorted(SCENARIOS.glob("scenario_*.py")))]
    return _up("inside", [sys.executable, "-m", "tests.cluster.phases", *files])


def scenario_files(number: str) -> list[Path]:
    """The files of a scenario; one file may serve several numbers.

    Raises:
        SystemExit: there is none of that number.
    """
    by_number: dict[int, list[Path]] = {}
    for file in sorted(SCENARIOS.glob("scenario_*.py")):
        for one in _numbers(file):
            by_number.setdefault(one, []).append(file)
    found = by_number.get(int(number), []) if number.isdecimal() else []
    if not found:
        sys.exit(f"there is no scenario {number}; there are {', '.join(map(str, sorted(by_number)))}")
    return found


def _numbers(file: Path) -> list[int]:
    """The scenarios of a file: all numbers with which its name begins."""
    parts = file.stem.split("_")[1:]
    return [int(part) for part in itertools.takewhile(str.isdecimal, parts)]


def _up(what: str, command: list[str]) -> int:
    if platform.system() != "Linux" or os.geteuid() != 0:
        sys.exit("the test bed needs root on Debian Linux: it makes network, process and mount namespaces")
    if what == "inside":
        programs.gateway_plugin()
        programs.provide_all()
        bentos.archive()
        gate_images.archive()
    with run_folder() as folder:
        # A signal that asks for the end must find the clean-up of this block.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        inside = [sys.executable, "-m", "tests.cluster.bed", what, str(folder), *command]
        os.chdir(ROOT)
        return run_inside(folder, inside)


def _down(_: list[str]) -> int:
    for folder in living_runs():
        os.kill(first_process(folder), signal.SIGKILL)
        print(f"ended {folder.name}")
    for name in remove_dead_runs():
        print(f"removed {name}")
    return 0


def _inside(bring_up: Callable[[Layout], None], arguments: list[str]) -> int:
    """The first program in the new namespaces: brings the parts up, runs the command."""
    folder, *command = arguments
    layout = Layout(Path(folder))
    hide_machine_folders()
    try:
        bring_up(layout)
    except Exception:  # whatever it was: the logs say more
        report.collect_logs(layout)
        raise
    environment = {
        **os.environ,
        "SLUICE_BED": folder,
        "KUBECONFIG": str(layout.kubeconfig),
        "KUBECACHEDIR": str(layout.work("kubectl")),  # its own would outlive the run in the user's home
        "PATH": f"{programs.folder('kubernetes')}:{os.environ['PATH']}",
    }
    code = subprocess.run(command, env=environment).returncode if command else 0
    if code:
        report.collect_logs(layout)
    if os.environ.get("KEEP") == "1" or not command:
        _stand(layout)
    return code


def _bring_up(layout: Layout) -> None:
    began = time.monotonic()

    def run(parts: Sequence[Part]) -> None:
        for name, start in parts:
            start(layout)
            print(f"{time.monotonic() - began:5.1f} s  {name}", flush=True)

    run(FIRST)
    with ThreadPoolExecutor() as lanes:
        for done in [lanes.submit(run, parts) for parts in LANES]:
            done.result()
    report.figures(
        "0 bring-up", {"seconds from nothing to everything Ready": f"{time.monotonic() - began:.0f}"}
    )


def _bring_up_api(layout: Layout) -> None:
    for _, start in (FIRST[0], DEFINITIONS):
        start(layout)


def _stand(layout: Layout) -> None:
    enter = f"nsenter --target {first_process(layout.folder)} --net --pid --mount"
    kubectl = f"{programs.folder('kubernetes')}/kubectl --kubeconfig {layout.kubeconfig}"
    print(
        f"""
The cluster stands until Ctrl-C. From another terminal:
  {enter} {kubectl} get pods -A
Logs of its processes: {layout.folder}/processes""",
        flush=True,
    )
    signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
