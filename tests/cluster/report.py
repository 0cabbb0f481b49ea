"""What a run leaves for people: a line of figures for each scenario, and the logs of a run that failed."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.cluster import programs
from tests.cluster.layout import Layout
from tests.cluster.processes import Command

_HEAD = "| scenario | figures |\n|---|---|\n"
_KINDS = "pods,rollouts,analysisruns,httproutes,services,events,workflows,applications"


def folder() -> Path:
    """Where reports and logs go: SLUICE_REPORT, or `build/cluster` below the current directory."""
    chosen = Path(os.environ.get("SLUICE_REPORT") or "build/cluster")
    chosen.mkdir(parents=True, exist_ok=True)
    return chosen


def figures(scenario: str, values: Mapping[str, object]) -> None:
    """Write the line of a scenario; an earlier one of the same scenario is replaced."""
    report, told = folder() / "report.md", "; ".join(f"{name} {value}" for name, value in values.items())
    with (folder() / "report.lock").open("w") as lock:  # scenarios run side by side
        fcntl.flock(lock, fcntl.LOCK_EX)
        rows = report.read_text().splitlines()[2:] if report.exists() else []
        rows = [row for row in rows if not row.startswith(f"| {scenario} |")]
        rows.append(f"| {scenario} | {told} |")
        report.write_text(_HEAD + "\n".join(sorted(rows, key=_by_number)) + "\n")
    print(f"\n{scenario}: {told}")


def _by_number(row: str) -> tuple[int, str]:
    number = row.removeprefix("| ").partition(" ")[0]
    return int(number) if number.isdecimal() else 0, row


def collect_logs(layout: Layout) -> None:
    """Copy what processes and containers said, and all objects, to the report's folder."""
    target = folder() / "logs"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(layout.processes.folder, target / "processes")
    if layout.pod_logs.exists():
        shutil.copytree(layout.pod_logs, target / "pods", symlinks=True)
    kubectl = programs.folder("kubernetes") / "kubectl"
    command: Command = [
        kubectl,
        f"--kubeconfig={layout.kubeconfig}",
        "get",
        _KINDS,
        "--all-namespaces",
        "-o",
        "yaml",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    (target / "objects.yaml").write_text(done.stdout or done.stderr)
    print(f"logs: {target}")
