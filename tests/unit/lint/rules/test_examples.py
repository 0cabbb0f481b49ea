"""The example of every code trips exactly that code, and what to write instead has no finding at all."""

from __future__ import annotations

import pytest

from generator.lint.engine import CODES, load
from generator.lint.verification import verify
from tests.unit.lint.rules.examples import found_in

load("generator.lint.rules")
OURS = [
    code
    for code in sorted(CODES)
    if code[:3] in {"ROL", "ANA", "CAP", "SYN"} or "VER130" <= code <= "VER169" or code == "VER117"
]
OURS += ["VER180", "VER181", "VER182"]
# Codes whose violation is always one of another code, too.
ALSO = {
    "ANA307": {"ROL212"},  # braces without an argument: the metric, and the Rollout that uses it
    "ANA413": {"ANA410"},  # an empty result passes
    "ROL151": {"ROL210"},  # an argument that cannot be resolved gets no value
    "ROL212": {"ANA307"},
}


@pytest.mark.parametrize("name", [code for code in OURS if CODES[code].example])
def test_an_example_trips_its_code_and_no_other(name):
    found = {violation.code.code for violation in found_in(CODES[name], CODES[name].example)}
    assert found == {name} | ALSO.get(name, set())


@pytest.mark.parametrize("name", [code for code in OURS if CODES[code].instead])
def test_what_to_write_instead_is_right(name):
    assert [(v.code.code, v.problem.message) for v in found_in(CODES[name], CODES[name].instead)] == []


def test_every_code_has_an_example():
    assert [name for name in OURS if not CODES[name].example] == []


SHAPES = ["VER105", "VER106", *(f"VER11{number}" for number in range(7))]


@pytest.mark.parametrize("name", SHAPES)
def test_the_example_of_a_shape_trips_its_code_and_no_other(name, tmp_path):
    code = CODES[name]
    (tmp_path / "a.yaml").write_text(code.example)
    assert {finding.code for finding in verify(tmp_path).findings} == {name}
    if code.instead:
        (tmp_path / "a.yaml").write_text(code.instead)
        found = [finding for finding in verify(tmp_path).findings if finding.severity != "info"]
        assert found == []
