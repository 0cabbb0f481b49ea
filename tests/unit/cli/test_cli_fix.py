"""Fixes change one scalar and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from generator.pipeline.fix import edit, fix_files
from generator.source.document import Document
from generator.source.finding import Finding, Fix, Place
from generator.source.reader import parse, read
from tests.unit.cli.conftest import CHECKOUT

SPECS = sorted((CHECKOUT / "specs").glob("**/*.yaml"))


def leaves(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in leaves(inner, (*path, key))]
    if isinstance(value, list):
        return [leaf for index, inner in enumerate(value) for leaf in leaves(inner, (*path, index))]
    return [path]


def at(value, path):
    for part in path:
        value = value[part]
    return value


words = st.sampled_from(["5%", "60m", "no", "1e3", "a b"])
scalars = st.text(max_size=12) | st.integers(-(10**6), 10**6) | st.booleans() | st.none() | words


@given(st.data())
def test_an_edit_changes_one_value_and_keeps_every_other_byte(data):
    document = read(data.draw(st.sampled_from(SPECS)))
    path = data.draw(st.sampled_from(leaves(document.data)))
    value = data.draw(scalars)
    edited = edit(document, Fix(path, value))
    if edited is None:
        return
    assert at(yaml.load(edited.text, Loader=yaml.CBaseLoader), path) == _text(value)
    assert at(edited.data, path) == value
    assert at(edited.data, path).__class__ is value.__class__
    old, new = document.text, edited.text
    place = document.place(path)
    assert len(old.splitlines()) == len(new.splitlines())
    kept = [
        (a, b)
        for number, (a, b) in enumerate(zip(old.splitlines(), new.splitlines(), strict=True), 1)
        if number != place.line
    ]
    assert all(a == b for a, b in kept)
    before, after = old.splitlines()[place.line - 1], new.splitlines()[place.line - 1]
    assert after.startswith(before[: place.column - 1])
    assert after.endswith(before[place.end_column - 1 :])


def _text(value: object) -> str:
    return (
        {None: "null", True: "true", False: "false"}.get(value, str(value))
        if not isinstance(value, (int, str)) or isinstance(value, bool)
        else str(value)
    )


@pytest.mark.parametrize("value", ["5%", "60m", True, 7, 0.25, "two words", "no", "a: b", 'say "x"'])
@pytest.mark.parametrize(
    "template", ["a: old # why\nb: 1\n", "x: {a: old, b: 1}\n", "l:\n  - old\n  - 2\n", "\N{BOM}ä: ö\na: old"]
)
def test_plain_scalars_are_replaced(template, value):
    document = parse(template.encode(), "f.yaml")
    path = next(leaf for leaf in leaves(document.data) if at(document.data, leaf) == "old")
    edited = edit(document, Fix(path, value))
    assert edited is not None
    assert at(edited.data, path) == value
    assert edited.text.count("# why") == template.count("# why")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('a: "old"\n', ("a",)),
        ("a: 'old'\n", ("a",)),
        ("a: |\n  old\n", ("a",)),
        ("a: >-\n  old\n  older\n", ("a",)),
        ("a: old\n  older\n", ("a",)),
        ("a: [1,\n  2]\n", ("a",)),
        ("a:\n  b: 1\nc: 1\n", ("a",)),
        ("a:\nb: 1\n", ("a",)),
        ("a: 1\n", ("b", "c")),
        ("a: 1\n", ("a", "c")),
        ("a: 1\n", ("b c",)),
        ("a: 1\n", ()),
        ("a: {b: 1,\n  c: 2}\n", ("a", "d")),
        ("a: |\n  text\n", ("b",)),
        ("a: [1]\n", ("a", 4)),
    ],
)
def test_everything_else_is_refused(text, path):
    assert edit(parse(text.encode(), "f.yaml"), Fix(path, "new")) is None


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("a: {b: 1}\n", ("a", "new"), "a: {b: 1, new: 5%}\n"),
        ("a: { b: 1 }  # why\n", ("a", "new"), "a: { b: 1, new: 5% }  # why\n"),
        ("a: {b: 1,}\n", ("a", "new"), "a: {b: 1, new: 5%}\n"),
        ("a: {}\n", ("a", "new"), "a: {new: 5%}\n"),
        ("l: [{b: 1}, {c: 2}]\n", ("l", 0, "new"), "l: [{b: 1, new: 5%}, {c: 2}]\n"),
        ("a: 1", ("new",), "a: 1\nnew: 5%"),
        (
            "a:\n  b: 1  # why\n  c: [1]\nd: 2\n",
            ("a", "new"),
            "a:\n  b: 1  # why\n  c: [1]\n  new: 5%\nd: 2\n",
        ),
        ("a:\r\n  b: 1\r\nd: 2\r\n", ("a", "new"), "a:\r\n  b: 1\r\n  new: 5%\r\nd: 2\r\n"),
        ("l:\n  - b: 1\n  - c: 2\n", ("l", 0, "new"), "l:\n  - b: 1\n    new: 5%\n  - c: 2\n"),
        ("a:\n  b: 1\n  c: |\n    x\n", ("a", "new"), "a:\n  b: 1\n  new: 5%\n  c: |\n    x\n"),
    ],
)
def test_a_key_is_added_where_its_mapping_has_room(text, path, expected):
    edited = edit(parse(text.encode(), "f.yaml"), Fix(path, "5%"))
    assert edited is not None
    assert edited.text == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"metric": "error-rate", "limit": "5%"}, "{metric: error-rate, limit: 5%}"),
        ({"outcome": "ctr", "detect": {"drop": "10%"}}, "{outcome: ctr, detect: {drop: 10%}}"),
        (["fail", "no"], '["fail", "no"]'),
        ({}, "{}"),
    ],
)
def test_a_collection_on_one_line_is_replaced(value, expected):
    edited = edit(parse(b"l: [{a: 1}, {b: 2}]  # why\n", "f.yaml"), Fix(("l", 1), value))
    assert edited is not None
    assert edited.text == f"l: [{{a: 1}}, {expected}]  # why\n"


@pytest.mark.parametrize("value", [object(), {"a b": 1}, {"a": object()}])
def test_what_has_no_form_on_one_line_is_refused(value):
    assert edit(parse(b"a: 1\n", "f.yaml"), Fix(("a",), value)) is None


def finding(file: str, path: tuple[str | int, ...], value: object) -> Finding:
    return Finding("TST100", "error", "said", "do", Place(file), fix=Fix(path, value))


def test_files_keep_mark_line_ends_comments_and_other_findings(tmp_path: Path):
    raw = b"\xef\xbb\xbf# first\r\na: 5   # keep\r\nb: {c: 7}\r\n"
    (tmp_path / "f.yaml").write_bytes(raw)
    wanted = [
        finding("f.yaml", ("a",), "5%"),
        finding("f.yaml", ("b", "c"), "7m"),
        finding("f.yaml", ("a", "c"), "x"),
    ]
    done = fix_files(wanted, tmp_path)
    assert (done.written, done.refused, done.files) == (2, 1, ("f.yaml",))
    assert (tmp_path / "f.yaml").read_bytes() == b"\xef\xbb\xbf# first\r\na: 5%   # keep\r\nb: {c: 7m}\r\n"


def test_a_linked_spec_stays_a_link(tmp_path: Path):
    (tmp_path / "real.yaml").write_text("a: 5\n")
    (tmp_path / "f.yaml").symlink_to("real.yaml")
    fix_files([finding("f.yaml", ("a",), "5%")], tmp_path)
    assert (tmp_path / "f.yaml").is_symlink()
    assert (tmp_path / "real.yaml").read_text() == "a: 5%\n"


def test_a_file_that_is_gone_is_left_alone(tmp_path: Path):
    assert fix_files([finding("f.yaml", ("a",), 1)], tmp_path).written == 0


def test_validate_fixes_looks_again_and_says_so(repository, sluice, monkeypatch):
    spec = repository / "specs" / "shop" / "recommender.yaml"
    before = spec.read_text()
    spec.write_text(before.replace("weight: 5%", "weight: 5"))

    def fixable(
        document: Document, code: str, path: tuple[str | int, ...], *more: str, **named: object
    ) -> Finding:
        found = original(document, code, path, *more, **named)
        return replace(found, fix=Fix(path, "5%")) if code == "SPEC105" else found

    original = Document.finding
    monkeypatch.setattr(Document, "finding", fixable)
    done = sluice("validate", "shop/recommender", "--fix")
    assert done.exit_code == 0, done.stdout
    assert "fixed 1 in specs/shop/recommender.yaml" in done.stderr
    assert spec.read_text() == before
