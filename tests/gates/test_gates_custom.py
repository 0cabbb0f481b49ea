"""Programs of a team's own: their numbers are believed, their verdicts are not asked for."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from tests.gates.tables import MODEL, OTHER
from tests.gates.tables import run as run_gate

GOOD = {
    "tool": "toxicity-check",
    "version": "1.4",
    "model": MODEL,
    "measures": [
        {"name": "toxicity", "value": 0.01, "bound": "atMost", "threshold": 0.02, "samples": {"rows": 900}}
    ],
}
WRITE = "import os, sys; open(os.environ['SLUICE_REPORT'], 'w').write(sys.argv[1])"


def run(folder: Path, report: object, code: str = WRITE):
    text = report if isinstance(report, str) else json.dumps(report)
    command = shlex.join([sys.executable, "-c", code])
    return run_gate(folder, {"custom": command, "args": [text]})


def test_a_program_that_measures(tmp_path: Path) -> None:
    entry = run(tmp_path, GOOD)
    assert (entry.verdict, entry.tool, entry.tool_version, entry.binding) == (
        "pass",
        "toxicity-check",
        "1.4",
        "digest",
    )


def test_verdicts_follow_from_numbers(tmp_path: Path) -> None:
    worse = {**GOOD, "measures": [{**GOOD["measures"][0], "value": 0.05}]}
    assert run(tmp_path, worse).verdict == "fail"
    wide = {**GOOD, "measures": [{**GOOD["measures"][0], "interval": {"low": 0.0, "high": 0.5}}]}
    assert run(tmp_path, wide).verdict == "inconclusive"


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        ({**GOOD, "model": OTHER}, "about another model"),
        ({**GOOD, "verdict": "pass"}, "invalid: verdict"),
        ({**GOOD, "measures": []}, "invalid: measures"),
        ('{"tool": "x"', "truncated?"),
        (json.dumps(GOOD).replace("0.01", "NaN"), "NaN is not a number"),
    ],
)
def test_reports_of_another_form(tmp_path: Path, report, reason) -> None:
    entry = run(tmp_path, report)
    assert (entry.verdict, reason in entry.reason) == ("inconclusive", True)


def test_programs_that_do_not_report(tmp_path: Path) -> None:
    assert "wrote no report" in run(tmp_path, "-", "pass").reason
    assert "code 3: oh" in run(tmp_path, "-", "import sys; print('oh', file=sys.stderr); sys.exit(3)").reason
    assert "can't be started" in run_gate(tmp_path, {"custom": "/no/such/program"}).reason
    image = "registry.example/check@sha256:" + "0" * 64
    assert "run it in the cluster" in run_gate(tmp_path, {"custom": image}).reason


def test_the_program_is_told_what_it_judges(tmp_path: Path) -> None:
    code = "import os, json; assert json.loads(os.environ['SLUICE_GATE'])['name'] == 'gate'; "
    code += f"assert os.environ['SLUICE_MODEL_DIGEST'] == '{MODEL}'; assert len(os.environ['SLUICE_GATE_KEY']) == 64; "
    code += "import sys; open(os.environ['SLUICE_REPORT'], 'w').write(sys.argv[1])"
    assert run(tmp_path, GOOD, code).verdict == "pass"
