"""The digest of an artifact, judged by coreutils."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.cluster.pins.errors import PinError
from generator.cluster.pins.files import listing_digest, path_digest
from tests.bento.serving import tree_sha256

# The documented command, with its `find *`, leaves out names that begin with a dot and trips over a dash.
NAME = st.text("aZ-_. ü\u20ac1", min_size=1, max_size=6).filter(lambda name: name[0] not in ".-")


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.tuples(NAME, NAME), st.binary(max_size=20), min_size=1, max_size=6))
def test_a_folder_has_the_digest_of_its_listing(files):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for (above, file), content in files.items():
            (folder / above).mkdir(exist_ok=True)
            (folder / above / file).write_bytes(content)
        assert path_digest(folder, "it") == f"sha256:{tree_sha256(folder)}"


def test_a_file_has_the_digest_of_its_content(tmp_path):
    (tmp_path / "m.pkl").write_bytes(b"weights")
    assert path_digest(tmp_path / "m.pkl", "it") == f"sha256:{tree_sha256(tmp_path / 'm.pkl')}"


def test_what_is_left_out_does_not_count(tmp_path):
    (tmp_path / "m.pkl").write_bytes(b"weights")
    before = path_digest(tmp_path, "it")
    (tmp_path / "extra").write_text("x")
    assert path_digest(tmp_path, "it", frozenset({"extra"})) == before != path_digest(tmp_path, "it")


@pytest.mark.parametrize("make", ["nothing", "link", "pipe"])
def test_what_no_digest_covers(tmp_path, make):
    if make == "link":
        (tmp_path / "a").symlink_to("b")
    elif make == "pipe":
        os.mkfifo(tmp_path / "a")
    with pytest.raises(PinError) as raised:
        path_digest(tmp_path, "it")
    assert raised.value.code == "PIN109"


def test_a_listing_is_sorted_by_bytes():
    one, two = "0" * 64, "1" * 64
    assert listing_digest({"a/b": one, "a-b": two}) == listing_digest({"a-b": two, "a/b": one})
