"""Asks the real Prometheus engine what a query gives on synthetic samples."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import yaml

Samples = Mapping[str, Sequence[float | None] | str]
_ANSWER = re.compile(r'exp: \{question="(\d+)"\} 0E\+00\n\s+got: (.*)')


class Promtool:
    """`promtool test rules`, used as a calculator: every expectation is wrong, so it prints every result."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder

    def ask(
        self, samples: Samples, questions: Sequence[tuple[str, float]], scrape_s: int = 15
    ) -> list[list[float]]:
        """Evaluate queries at times (seconds); each answer lists the values of the resulting series."""
        document = {
            "evaluation_interval": f"{scrape_s}s",
            "tests": [
                {
                    "interval": f"{scrape_s}s",
                    "input_series": [{"series": name, "values": _values(v)} for name, v in samples.items()],
                    "promql_expr_test": [
                        {
                            "expr": _with_arguments(query),
                            "eval_time": f"{round(at * 1000)}ms",
                            "exp_samples": [{"labels": f'{{question="{number}"}}', "value": 0}],
                        }
                        for number, (query, at) in enumerate(questions)
                    ],
                }
            ],
        }
        answers = dict(_ANSWER.findall(self.run(document)))
        assert len(answers) == len(questions), answers
        return [_numbers(answers[str(number)]) for number in range(len(questions))]

    def write(self, name: str, document: object) -> str:
        """Write a YAML file next to the test file and return its name."""
        (self._folder / name).write_text(yaml.safe_dump(document), encoding="utf-8")
        return name

    def run(self, document: object, *, passes: bool = False) -> str:
        """Run one test file and return what promtool printed."""
        command = [self._program, "test", "rules", self.write("rules_test.yaml", document)]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, check=False)
        output = (done.stdout + done.stderr).decode()
        assert (done.returncode == 0) == passes, output
        return output


def _values(values: Sequence[float | None] | str) -> str:
    if isinstance(values, str):
        return values
    return " ".join("_" if value is None else repr(float(value)) for value in values)


def _with_arguments(query: str) -> str:
    return query.replace("{{args.canary-hash}}", "c").replace("{{args.stable-hash}}", "s")


def _numbers(answer: str) -> list[float]:
    if answer == "nil":
        return []
    return [float(value) for value in re.findall(r"\} (\S+?)(?:,|$)", answer)]


@pytest.fixture(scope="session")
def promtool(tmp_path_factory: pytest.TempPathFactory) -> Promtool:
    program = shutil.which("promtool")
    if program is None:
        pytest.fail("promtool is missing; install it with: sh tests/tools/prometheus.sh", pytrace=False)
    return Promtool(program, tmp_path_factory.mktemp("promtool"))
