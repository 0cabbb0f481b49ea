"""Digests of content, judged by coreutils and by the rendered `import_model.py`: no two artifacts share one."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.gates.errors import NoVerdictError
from generator.gates.inputs import tree_digest
from generator.source.content import LISTED, UNSAFE, ContentError, check_names, listing_digest, path_digest
from tests.bento.serving import tree_sha256

ROOT = Path(__file__).resolve().parents[3]
IMPORT_MODEL = ROOT / "rendered" / "bentos" / "shop" / "recommender" / "import_model.py"
# The documented command, with its `find *`, leaves out names that begin with a dot and trips over a dash.
NAME = st.text("aZ-_. ü\u20ac1", min_size=1, max_size=6).filter(lambda name: name[0] not in ".-")
# Each stands for its kind: C0, DEL, C1, line and paragraph separators, directions, invisible, not UTF-8, backslash.
CHARACTERS = ["\n", "\r", "\t", "\x1b", "\x00", "\x7f", "\x85", "\x9b", "\u2028", "\u2029", "\u202e", "\u2066", "\u200f", "\u200b", "\u061c", "\ufeff", "\udcff", "\\"]  # fmt: skip


@pytest.fixture(scope="module")
def imported() -> types.ModuleType:
    """The rendered module, without the BentoML that it imports."""
    module = types.ModuleType("import_model")
    with patch.dict(sys.modules, {"bentoml": types.ModuleType("bentoml")}):
        exec(compile(IMPORT_MODEL.read_text(), str(IMPORT_MODEL), "exec"), module.__dict__)
    return module


@pytest.fixture
def digests(imported: types.ModuleType) -> dict[str, tuple[Callable[[Path], str], type[Exception]]]:
    """The three places that compute the digest of an artifact, and how each refuses one."""
    return {
        "pin": (lambda path: path_digest(path, "it").removeprefix("sha256:"), ContentError),
        "gates": (tree_digest, NoVerdictError),
        "import": (imported.digest, ValueError),
    }


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.tuples(NAME, NAME), st.binary(max_size=20), min_size=1, max_size=6))
def test_a_folder_has_the_digest_of_its_listing(imported, files):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for (above, file), content in files.items():
            (folder / above).mkdir(exist_ok=True)
            (folder / above / file).write_bytes(content)
        expected = tree_sha256(folder)
        assert path_digest(folder, "it") == f"sha256:{expected}"
        assert tree_digest(folder) == imported.digest(folder) == expected


def test_a_file_has_the_digest_of_its_content(tmp_path):
    (tmp_path / "m.pkl").write_bytes(b"weights")
    assert path_digest(tmp_path / "m.pkl", "it") == f"sha256:{tree_sha256(tmp_path / 'm.pkl')}"


def test_what_is_left_out_does_not_count(tmp_path):
    (tmp_path / "m.pkl").write_bytes(b"weights")
    before = path_digest(tmp_path, "it")
    (tmp_path / "extra").write_text("x")
    assert path_digest(tmp_path, "it", frozenset({"extra"})) == before != path_digest(tmp_path, "it")


@pytest.mark.parametrize("make", ["nothing", "link", "pipe"])
@pytest.mark.parametrize("place", ["pin", "gates", "import"])
def test_what_no_digest_covers(tmp_path, digests, place, make):
    digest, error = digests[place]
    if make == "link":
        (tmp_path / "a").symlink_to("b")
    elif make == "pipe":
        os.mkfifo(tmp_path / "a")
    with pytest.raises(error):
        digest(tmp_path)


def test_a_listing_is_sorted_by_bytes():
    one, two = "0" * 64, "1" * 64
    assert listing_digest([("a/b", one), ("a-b", two)], "it") == listing_digest(
        [("a-b", two), ("a/b", one)], "it"
    )


@pytest.mark.parametrize("place", ["pin", "gates", "import"])
def test_two_models_never_share_a_digest(tmp_path, digests, place):
    """A file name that holds a line of the listing would give both folders one digest."""
    digest, error = digests[place]
    good, evil = b"good", b"evil"
    honest, forged = tmp_path / "honest", tmp_path / "forged"
    honest.mkdir()
    (honest / "a").write_bytes(evil)
    (honest / "model.pkl").write_bytes(good)
    forged.mkdir()
    (forged / f"a\n{hashlib.sha256(good).hexdigest()}  model.pkl").write_bytes(evil)
    listing = "".join(
        f"{hashlib.sha256(c).hexdigest()}  {n}\n" for n, c in (("a", evil), ("model.pkl", good))
    )
    assert digest(honest) == hashlib.sha256(listing.encode()).hexdigest()
    with pytest.raises(error):
        digest(forged)


@pytest.mark.parametrize("place", ["pin", "gates", "import"])
def test_a_file_never_has_the_digest_of_a_folder(tmp_path, digests, place):
    digest, error = digests[place]
    folder, file = tmp_path / "folder", tmp_path / "file"
    folder.mkdir()
    (folder / "model.pkl").write_bytes(b"good")
    file.write_text(f"{hashlib.sha256(b'good').hexdigest()}  model.pkl\n")
    assert digest(folder) == hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(error):
        digest(file)
    file.write_text(f"{'0' * 64} model.pkl\n")  # one space: not a listing
    assert digest(file) == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("form", ["{}", "a{}", "a{}b/c", "a/{}b", "a/b{}"])
@pytest.mark.parametrize("character", CHARACTERS)
def test_a_name_with_a_character_that_hides_or_ends_a_line(tmp_path, digests, character, form):
    name = form.format(character)
    with pytest.raises(ContentError) as raised:
        check_names(["fine", name], "it")
    assert raised.value.trouble == "name"
    assert raised.value.message.isprintable()
    if "\0" in name:
        return
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    for digest, error in digests.values():
        with pytest.raises(error) as refused:
            digest(tmp_path)
        assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "names", [["a", "a"], ["a", "a/b"], ["a/../b"], ["/a"], ["a//b"], ["./a"], ["a/"], [""], [".."]]
)
def test_names_that_are_not_those_of_files_in_one_folder(names):
    with pytest.raises(ContentError) as raised:
        check_names(names, "it")
    assert raised.value.trouble == "name"


def test_a_path_that_no_file_system_has_is_refused_at_once():
    with pytest.raises(ContentError, match="longer than 4,096"):
        check_names(["a/" * 200_000 + "b"], "it")


def test_names_of_any_language_are_fine():
    check_names(["größe.txt", "模型/权重.bin", "a b", ".hidden", "-dash", "e\u0301"], "it")


def test_the_rendered_import_has_the_same_rules(imported):
    assert (imported.UNSAFE, imported.LISTED) == (UNSAFE, LISTED)
