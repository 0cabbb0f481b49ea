"""No input ends in a traceback: specs, platforms and locks mutated as bytes and as values."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.cli.main import cli
from generator.source.reader import read
from tests.unit.cli.conftest import CHECKOUT

FILES = (
    "specs/platform.yaml",
    "specs/shop/recommender.yaml",
    "specs/risk/fraud.yaml",
    "specs/support/ticket-classifier.yaml",
    "specs/risk/fraud.lock.yaml",
)
_QUIET = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fuzz")
    shutil.copytree(CHECKOUT / "specs", root / "specs")
    return root


def check(root: Path, name: str, raw: bytes) -> None:
    """Validate the tree with one file changed, then put it back."""
    file = root / name
    kept = file.read_bytes()
    file.write_bytes(raw)
    try:
        runner = CliRunner(env={"SOURCE_DATE_EPOCH": "1795392000"})
        done = runner.invoke(cli, ["validate", "--root", str(root)])
        assert done.exit_code in {0, 1, 2}, done.output
        assert "Traceback" not in done.output
    finally:
        file.write_bytes(kept)


SNIPPETS = (
    b"\x00", b"\xff", b"\xc3", b"\t", b"\r", b"\n\n", b"\n---\n", b"...", b"- ", b": ", b"{", b"}", b"[", b"]",
    b"&a ", b"*a", b"!!python/object ", b"<<: ", b"#", b"'", b'"', b"|", b">", b"%", b"null", b"-1", b"1e999",
    b"999999999999999d", b"0%", b"100%", "\u2028".encode(), "\ud7ff".encode(), b"\xed\xa0\x80", b"\xef\xbb\xbf",
    b"\\ud800", b'"\\ud800"',
)  # fmt: skip


@st.composite
def bytes_mutations(draw: st.DrawFn, raw: bytes) -> bytes:
    """Cut, repeat, insert, replace: a few times each."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(raw)))
        end = draw(st.integers(start, min(len(raw), start + 40)))
        filler = draw(st.sampled_from(SNIPPETS) | st.binary(max_size=6) | st.just(raw[start:end] * 2))
        raw = raw[:start] + filler + raw[end:]
    return raw


@_QUIET
@given(st.data())
def test_bytes(tree: Path, data: st.DataObject):
    name = data.draw(st.sampled_from(FILES))
    check(tree, name, data.draw(bytes_mutations((CHECKOUT / name).read_bytes())))


WORDS = (
    None, True, "", "0s", "0%", "100%", "1%", "1ms", "999999999d", "1000000000000Ti", "0m", "a", "a/b", "none",
    "istio", "blue-green", "canary", "pass", "manual", "2027-02-31", "0001-01-01", "x" * 600, "\u202e", "\x85",
)  # fmt: skip
NUMBERS = st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False, width=32)
SCALARS: st.SearchStrategy[Any] = st.sampled_from(WORDS) | NUMBERS | st.text(max_size=8)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=6), SCALARS, max_size=3)


def parents(value: Any) -> list[Any]:
    """Every mapping and list that is not empty."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [
        *([value] if isinstance(value, (dict, list)) and value else []),
        *(p for v in inner for p in parents(v)),
    ]


@_QUIET
@given(st.data())
def test_values(tree: Path, data: st.DataObject):
    name = data.draw(st.sampled_from(FILES))
    document = read(CHECKOUT / name).data
    for _ in range(data.draw(st.integers(1, 3))):
        parent = data.draw(st.sampled_from(parents(document)))
        key = data.draw(st.sampled_from(sorted(parent) if isinstance(parent, dict) else range(len(parent))))
        if data.draw(st.booleans()):
            parent[key] = data.draw(VALUES)
        else:
            del parent[key]
        if not parents(document):
            break
    check(tree, name, json.dumps(document).encode())
