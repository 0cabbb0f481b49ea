"""Asks the oracle: what the controller's own code says of Rollouts, metrics, conditions and references."""

from __future__ import annotations

import functools
import json
import subprocess
from pathlib import Path

BUILD = Path(__file__).with_name("build.sh")
VERSIONS = {"1.9": "v1.9.3", "1.10": "v1.10.2"}


@functools.cache
def program(version):
    """The path of the oracle for a controller version, built on first use (3 to 8 minutes cold, then at once)."""
    return _build(VERSIONS[version])


def _build(*arguments):
    done = subprocess.run([BUILD, *arguments], capture_output=True, text=True)
    if done.returncode:
        command = " ".join(["tests/oracle/build.sh", *arguments])
        raise AssertionError(f"{command} failed:\n{done.stderr[-2000:]}")
    return done.stdout.strip()


def ask(version, questions):
    """The answers to some questions, in order, from one process."""
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    done = subprocess.run([program(version)], input=lines, capture_output=True, text=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(questions), done.stderr[-2000:]
    return answers


def rejects(answer):
    """Whether the controller refuses: by a finding, because its types cannot hold the object, or by a panic."""
    return bool(answer.get("errors") or "error" in answer or "panic" in answer)


@functools.cache
def module_folder(version):
    """The folder of the controller's sources in the Go module cache."""
    return Path(_build("--sources", VERSIONS[version]))
