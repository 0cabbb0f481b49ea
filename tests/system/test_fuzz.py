"""Mutated specs: no traceback, no exit code 3."""

from __future__ import annotations

import re
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.system.mutations import bases, load, mutated
from tests.system.pipeline import run_files

CHUNKS, EACH = 16, 1300


def failure(error: BaseException) -> str:
    """An error and the line of ours that raised it, without the values in it: many mutations find the same bug."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/generator/" in frame.filename]
    where = f"{frames[-1].filename.rpartition('/generator/')[2]}:{frames[-1].name}" if frames else "the test"
    return f"{type(error).__name__} in {where}: {re.sub(r'[0-9a-f]{6,}|[0-9]+', '_', str(error))[:120]}"


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_mutated_spec_is_rendered_or_refused(chunk: int):
    """20,800 mutations in all; a failure names the seeds, and `mutated(seed)` gives the files again."""
    found: dict[str, str] = {}
    rendered = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(EACH):
            seed = f"{chunk}-{number}"
            name, files = mutated(seed)
            try:
                rendered += bool(run_files(Path(folder, name), files).files)
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                found.setdefault(failure(error), seed)
    assert found == {}
    assert rendered > EACH / 20, "hardly any mutation is accepted: the fuzzer has lost its teeth"


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
