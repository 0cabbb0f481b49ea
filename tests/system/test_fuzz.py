"""Mutated specs: no traceback, no exit code 3."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.system.fuzzing import CHUNKS, EACH, fuzz
from tests.system.mutations import bases, load
from tests.system.pipeline import run_files


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_mutated_spec_is_rendered_or_refused(chunk: int):
    """12,800 mutations in all; a failure names the seeds."""
    found, rendered = fuzz(chunk, range(EACH))
    assert found == {}
    assert rendered > EACH / 20, "hardly any mutation is accepted: the fuzzer has lost its teeth"


def test_an_error_is_found_with_its_seed_and_its_place(monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise KeyError("ab12cd34ef")

    monkeypatch.setattr("generator.pipeline.session.Session.platform_inputs", property(broken))
    found, rendered = fuzz(0, range(3))
    assert rendered == 0
    ((what, seed),) = found.items()
    assert what.startswith("KeyError in ")
    assert "ab12cd" not in what
    assert seed == "0-0"


NAMES = sorted(bases())


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(st.sampled_from(NAMES), st.data())
def test_a_value_of_any_kind_anywhere(name: str, data: st.DataObject):
    """By hypothesis, so that a failure shrinks: one value of one file replaced."""
    files = dict(bases()[name])
    target = data.draw(st.sampled_from(sorted(files)), label="file")
    tree = load(files[target])
    parents = [node for node in _containers(tree) if node]
    parent = data.draw(st.sampled_from(parents), label="parent")
    key = data.draw(
        st.sampled_from(list(parent) if isinstance(parent, dict) else range(len(parent))), label="key"
    )
    scalars = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text()
    )
    parent[key] = data.draw(
        st.recursive(
            scalars,
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
            max_leaves=3,
        )
    )
    files[target] = yaml.safe_dump(tree, allow_unicode=True).encode()
    with tempfile.TemporaryDirectory() as folder:
        run_files(Path(folder), files)


def _containers(tree: Any) -> Iterator[Any]:
    if isinstance(tree, (dict, list)):
        yield tree
        for item in tree.values() if isinstance(tree, dict) else tree:
            yield from _containers(item)
