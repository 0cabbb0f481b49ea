"""Breaks the generator on purpose, one way at a time, and shows who notices: the lint, a unit test, a scenario.

python -m tests.cluster.sabotage [--only lint|unit|scenario] [NAME...]     default: everything of all

Each way is an edit of a copy of this checkout. In it the examples are rendered and verified, the unit tests run (golden
files left out: they notice every change and judge none), and the scenario, which must fail. Around a cluster that stands
already (`python -m tests.cluster.bed up python -m tests.cluster.sabotage`) that one is used; else every scenario brings up
its own. Not a part of CI: a scenario takes minutes. Exit code 1: a scenario passed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.bed import ROOT
from tests.cluster.report import folder

_TEMPLATES = "templates/kubernetes"
_APPLICATION = "templates/argocd/application.yaml.j2"
_OPTIONS = "      - CreateNamespace=false\n"
_COPIED = ("generator", "templates", "tests", "specs", "rendered", "docs", "pyproject.toml", "README.md")
_UNIT = (
    "tests/unit/render",
    "tests/unit/plan",
    "tests/unit/promql",
    "tests/unit/lint/kinds",
    "tests/unit/cli",
)
_LONGEST_S = 1500


@dataclass(frozen=True)
class Sabotage:
    """One way to break the generator.

    Args:
        name: how it is called.
        what: what is wrong then.
        scenario: the file of the scenario that must fail.
        edits: file, text that occurs once in it, and the text that replaces it.
    """

    name: str
    what: str
    scenario: str
    edits: tuple[tuple[str, str, str], ...]


WAYS = (
    Sabotage(
        "swapped-templates",
        "step and background template swapped",
        "scenario_02_good_canary.py",
        (
            (
                f"{_TEMPLATES}/rollout-canary.yaml.j2",
                "templateName: {{ names.guards }}",
                "templateName: {{ names.evidence(0) }}",
            ),
            (
                "generator/render/outputs/rollout.py",
                "_analysis(names.evidence(index), ",
                "_analysis(names.guards, ",
            ),
        ),
    ),
    Sabotage(
        "failure-limit",
        "failureLimit = count",
        "scenario_09_shadow.py",
        (
            (
                f"{_TEMPLATES}/analysistemplate.yaml.j2",
                "{{ metric.failure_limit }}",
                "{{ metric.count or 1000 }}",
            ),
        ),
    ),
    Sabotage(
        "server-side-apply",
        "server-side apply without ignoring the hash in selectors",
        "scenario_08_commits_in_mid_canary.py",
        ((_APPLICATION, _OPTIONS, f"{_OPTIONS}      - ServerSideApply=true\n"),),
    ),
    Sabotage(
        "out-of-sync-only",
        "ApplyOutOfSyncOnly with a wave of gates",
        "scenario_07_gates.py",
        ((_APPLICATION, _OPTIONS, f"{_OPTIONS}      - ApplyOutOfSyncOnly=true\n"),),
    ),
    Sabotage(
        "no-prestop",
        "no preStop",
        "scenario_02_good_canary.py",
        (
            (
                f"{_TEMPLATES}/_pod.yaml.j2",
                (
                    "          lifecycle:\n"
                    "            preStop:\n"
                    "{% if sleeps %}\n"
                    "              sleep:\n"
                    "                seconds: {{ pre_stop_s }}\n"
                    "{% else %}\n"
                    "              exec:\n"
                    "                command:\n"
                    "                  - python3\n"
                    "                  - -c\n"
                    '                  - {{ "import time; time.sleep(" ~ pre_stop_s ~ ")" }}\n'
                    "{% endif %}\n"
                ),
                "",
            ),
        ),
    ),
    Sabotage(
        "wrong-wave",
        "the gate Workflow in a wave after the Rollout",
        "scenario_07_gates.py",
        ((f"{_TEMPLATES}/workflow-gates.yaml.j2", 'sync-wave: "-1"', 'sync-wave: "2"'),),
    ),
    Sabotage(
        "unguarded-condition",
        "conditions that read the first result without asking whether there is one",
        "scenario_05_no_traffic.py",
        (
            (
                "generator/promql/conditions.py",
                '"len(result) == 1 && !isNaN(result[0]) && !isInf(result[0])"',
                '"true"',
            ),
            (
                "generator/promql/conditions.py",
                'f"len(result) == 0 || len(result) == 1 && result[0] < {bound}"',
                'f"result[0] < {bound}"',
            ),
            (
                "generator/promql/conditions.py",
                'f"len(result) == 1 && result[0] >= {bound}"',
                'f"result[0] >= {bound}"',
            ),
        ),
    ),
    Sabotage(
        "no-alive",
        "a switch is watched by its guards alone, not by whether its pods answer",
        "scenario_04_crash_loop.py",
        (("generator/render/outputs/analysis.py", "[*metrics, alive_metric(plan, rollout)]", "[*metrics]"),),
    ),
    Sabotage(
        "respected-differences",
        "RespectIgnoreDifferences on route weights",
        "scenario_08_commits_in_mid_canary.py",
        ((_APPLICATION, _OPTIONS, f"{_OPTIONS}      - RespectIgnoreDifferences=true\n"),),
    ),
    Sabotage(
        "no-namespace",
        "the platform's Application without a namespace",
        "scenario_13_01_everything_at_once.py",
        (("templates/argocd/application-platform.yaml.j2", "    namespace: {{ namespaces[0] }}\n", ""),),
    ),
)


def main(arguments: Sequence[str]) -> int:
    """Break it and look; 1 when a scenario passed although it should not, or did not run."""
    looks, names = {"lint": lint, "unit": unit, "scenario": scenario}, list(arguments)
    if names[:1] == ["--only"]:
        looks, names = {names[1]: looks[names[1]]}, names[2:]
    unknown = set(names) - {way.name for way in WAYS}
    if unknown:
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(way.name for way in WAYS)}")
    failures = 0
    for way in WAYS:
        if names and way.name not in names:
            continue
        with tempfile.TemporaryDirectory(prefix="sabotage-") as scratch:
            copy = broken(way, Path(scratch))
            seen = {name: look(copy, way) for name, look in looks.items()}
            failures += seen.get("scenario", "").startswith(("passed", "did not run"))
        _tell(way, seen)
    print((folder() / "sabotage.md").read_text())
    return 1 if failures else 0


def broken(way: Sabotage, copy: Path) -> Path:
    """A copy of this checkout with the edits of one way.

    Raises:
        ValueError: the code has moved on, and an edit finds no place.
    """
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    for name, old, new in way.edits:
        text = (copy / name).read_text()
        if text.count(old) != 1:
            raise ValueError(f"{way.name}: {name} has {text.count(old)} times {old!r}")
        (copy / name).write_text(text.replace(old, new))
    return copy


def lint(copy: Path, _: Sabotage) -> str:
    """What `sluice render` and `sluice verify` say of the examples now, beyond what they always say."""
    run = [sys.executable, "-c", "from generator.cli.main import run; run()"]
    made = _run(copy, [*run, "render"])
    if made.returncode:
        return f"render refuses: {_first(made.stdout + made.stderr)}"
    told = []
    for tree, python in ((ROOT, ROOT), (copy, copy)):
        done = _run(python, [*run, "verify", str(tree / "rendered"), "--format", "json", "--all"])
        told.append({(item["code"], item["message"]) for item in json.loads(done.stdout)["findings"]})
    new = sorted({code for code, _ in told[1] - told[0]})
    return ", ".join(new) or "–"


def unit(copy: Path, _: Sabotage) -> str:
    """The first unit test that fails, golden files left out."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        "-k",
        "not golden",
    ]
    done = _run(copy, [*command, *_UNIT])
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    return found[1].rpartition("/")[2] if found else "–"


def scenario(copy: Path, way: Sabotage) -> str:
    """What the scenario said: it must have failed in its test, not before."""
    file = f"tests/cluster/scenarios/{way.scenario}"
    number = int(way.scenario.split("_")[1])
    command = [sys.executable, "-m", "tests.cluster.bed", "test", str(number)]
    if "SLUICE_BED" in os.environ:
        command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", file]
    done = _run(copy, command)
    (folder() / f"sabotage-{way.name}.log").write_text(done.stdout + done.stderr)
    if done.returncode == 0:
        return f"passed: {number}"
    error = re.findall(r"^E +(.*)$", done.stdout, re.MULTILINE)
    if not error:
        return f"did not run: {_first(done.stderr or done.stdout)}"
    return f"{number} fails: {_first(error[0])}"


def _run(cwd: Path, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    surroundings = {
        **os.environ,
        "PYTHONPATH": str(cwd),
        "SLUICE_REPORT": str(folder().resolve() / "sabotage"),
    }
    return subprocess.run(
        command, cwd=cwd, env=surroundings, capture_output=True, text=True, timeout=_LONGEST_S
    )


def _first(text: str) -> str:
    line = next((line for line in text.splitlines() if line.strip()), "")
    return " ".join(line.split()).replace("|", "/")[:160]


def _tell(way: Sabotage, seen: dict[str, str]) -> None:
    """Write the row of one way; what an earlier run saw and this one did not ask for stays."""
    file = folder() / "sabotage.json"
    rows = json.loads(file.read_text()) if file.exists() else {}
    rows[way.name] = {**rows.get(way.name, {}), **seen}
    file.write_text(json.dumps(rows, indent=1))
    head = "| broken on purpose | lint | unit test | scenario |\n|---|---|---|---|\n"
    lines = [
        f"| {item.what} | {row.get('lint', '')} | {row.get('unit', '')} | {row.get('scenario', 'not run')} |"
        for item in WAYS
        if (row := rows.get(item.name))
    ]
    (folder() / "sabotage.md").write_text(head + "\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
