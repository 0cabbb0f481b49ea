"""Tokens and what remembers them, by the rendered modules: bounded, exact, and never twice."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.bento.bentos import BENTOS
from tests.bento.serving import KEY, surroundings, write

pytestmark = pytest.mark.slow


@pytest.fixture
def played(python: Path, tmp_path: Path) -> Any:
    """Run a script next to the rendered modules; what it prints, as JSON."""
    write(BENTOS["recommender"], tmp_path / "service")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "current").write_text(KEY)

    def play(script: str, **variables: str) -> Any:
        environment = surroundings(python, tmp_path / "home") | {
            "SLUICE_FEEDBACK_KEYS": str(tmp_path / "keys")
        }
        done = subprocess.run(
            [str(python), "-c", script],
            cwd=tmp_path / "service",
            env=environment | variables,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return play


def test_memory_is_bounded_and_nothing_counts_twice(played: Any) -> None:
    """Ten times as many chunks as fit, then all of them again, in the order of an attacker."""
    script = """
import json, random, tokens
tokens.Seen.CHUNK, tokens.Seen.MOST = 64, 10
seen, counted, again = tokens.Seen(), 0, 0
made = [tokens.Token("a", bytes([run]) * 8, number, 1000 + number, tokens.NOWHERE) for number in range(640) for run in range(10)]
def add(token):
    try:
        seen.add(token)
    except tokens.RefusedError:
        return 0
    return 1
first = [add(token) for token in made]
random.Random(1).shuffle(made)
print(json.dumps([sum(first), sum(map(add, made)), len(seen._bits), len(seen._newest)]))
"""
    first, again, chunks, newest = played(script)
    assert first == 6400
    assert again == 0
    assert chunks == newest == 10


def test_old_tokens_do_not_count(played: Any) -> None:
    script = """
import json, time, tokens
now, token = time.time(), tokens.served_by()
found = []
for later in (0, tokens.WINDOW_S - 60, tokens.WINDOW_S + 60):
    tokens.time.time = lambda: now + later
    try:
        found.append(tokens.verify(token).version)
    except tokens.RefusedError as error:
        found.append(str(error))
print(json.dumps(found))
"""
    assert played(script, SLUICE_SERVED_BY="7d9f") == ["7d9f", "7d9f", "old"]


def test_a_version_without_feedback_for_a_day_makes_room(played: Any) -> None:
    script = """
import json, counters
clock = [0.0]
counters.time.monotonic = lambda: clock[0]
counters.create()
full = [counters.admit(f"arm-{number}") for number in range(101)]
clock[0] = counters.FORGET_S + 1
counters.admit("arm-7")
later = counters.admit("new")
print(json.dumps([full.count(True), full[-1], later, "arm-7" in counters.arms, "7d9f" in counters.arms, len(counters.arms)]))
"""
    assert played(script, SLUICE_SERVED_BY="7d9f") == [100, False, True, True, True, 101]


@pytest.mark.parametrize("address", ["10.0.0.7", "fd00::7", ""])
def test_a_token_names_the_pod_that_issued_it(played: Any, address: str) -> None:
    script = """
import json, tokens
token = tokens.verify(tokens.served_by())
print(json.dumps([token.host, token.issuer == tokens.ME, token.issuer == tokens.NOWHERE]))
"""
    host, mine, nowhere = played(script, SLUICE_POD_IP=address)
    assert mine
    assert nowhere == (address == "")
    assert address in host
