"""An edit of a text changes one value and keeps every other byte, or there is none."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from generator.source.edit import edited, encode, flow, same
from generator.source.reader import parse, read

SPECS = sorted((Path(__file__).resolve().parents[3] / "specs").glob("**/*.yaml"))
GONE = object()
At = tuple[str | int, ...]


def leaves(value: Any, path: At = ()) -> list[At]:
    if isinstance(value, dict):
        return [leaf for key, inner in value.items() for leaf in leaves(inner, (*path, key))]
    if isinstance(value, list):
        return [leaf for index, inner in enumerate(value) for leaf in leaves(inner, (*path, index))]
    return [path]


def inner_nodes(value: Any, path: At = ()) -> list[At]:
    """All paths but the root's."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, inner in below for found in ((*path, key), *inner_nodes(inner, (*path, key)))]


def at(value: Any, path: At) -> Any:
    for part in path:
        value = value[part]
    return value


def changed(data: Any, path: At, value: Any) -> Any:
    """The data with one value set, added at the end of its parent, or removed."""
    out = copy.deepcopy(data)
    parent = at(out, path[:-1])
    if value is GONE:
        del parent[path[-1]]
    elif isinstance(parent, list) and path[-1] == len(parent):
        parent.append(value)
    else:
        parent[path[-1]] = value
    return out


def edit(text: str, path: At, value: Any) -> str | None:
    document = parse(text.encode(), "f.yaml")
    assert not document.findings
    after = edited(document, changed(document.data, path, value))
    return None if after is None else after.text


WORDS = st.sampled_from(["5%", "60m", "no", "1e3", "a b", "a: b", "# x", "x#y", "it's", 'say "x"', "- a", "2026-11-01", "é"])  # fmt: skip
SCALARS = st.text(max_size=12) | st.integers(-(10**6), 10**6) | st.booleans() | st.none() | WORDS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=5)  # fmt: skip


# On the specs of this repository


@given(st.data())
def test_a_set_value_changes_nothing_around_it(data):
    document = read(data.draw(st.sampled_from(SPECS)))
    path = data.draw(st.sampled_from(leaves(document.data)))
    value = data.draw(SCALARS)
    after = edited(document, changed(document.data, path, value))
    if after is None:
        return
    assert same(at(after.data, path), value)
    place = document.place(path)
    old, new = document.text.splitlines(), after.text.splitlines()
    assert len(old) == len(new)
    assert [o for i, o in enumerate(old, 1) if i != place.line] == [
        n for i, n in enumerate(new, 1) if i != place.line
    ]
    before, now = old[place.line - 1], new[place.line - 1]
    assert now.startswith(before[: place.column - 1])
    assert now.endswith(before[place.end_column - 1 :])


@pytest.mark.parametrize("file", SPECS, ids=lambda file: file.stem)
def test_every_scalar_of_a_spec_can_be_set_and_every_mapping_extended(file):
    document = read(file)
    for path in leaves(document.data):
        if isinstance(at(document.data, path), (dict, list)):
            continue
        assert edited(document, changed(document.data, path, "5%")) is not None, path
    for path in [(), *inner_nodes(document.data)]:
        if isinstance(at(document.data, path), dict):
            assert edited(document, changed(document.data, (*path, "fresh"), "5%")) is not None, path
        elif isinstance(at(document.data, path), list):
            end = (*path, len(at(document.data, path)))
            assert edited(document, changed(document.data, end, {"a": 1})) is not None, path


# On texts of any shape


@st.composite
def texts(draw: st.DrawFn) -> str:
    """YAML in block and flow style, quoted and plain, with comments and blank lines where they may stand."""
    return draw(st.sampled_from(["", "# head\n"])) + "".join(_block(draw, 0, draw(st.integers(1, 3))))


def _block(draw: st.DrawFn, indent: int, depth: int) -> list[str]:
    pad, listed, out = " " * indent, draw(st.booleans()) and indent > 0, []
    for index in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            out.append(draw(st.sampled_from([f"{pad}# above\n", "\n", f"{pad}  # aside\n"])))
        head = f"{pad}-" if listed else f"{pad}k{index}:"
        shape = draw(st.sampled_from(["scalar", "flow", "block", "text"]))
        tail = draw(st.sampled_from(["", "  # why"]))
        if shape == "block" and depth > 1:
            out.append(f"{head}{tail}\n")
            out += _block(draw, indent + 2, depth - 1)
        elif shape == "text":
            out.append(f"{head} {draw(st.sampled_from(['|', '>-', '|+']))}\n{pad}    one\n\n{pad}    two\n")
        elif shape == "flow":
            out.append(f"{head} {draw(FLOWS)}{tail}\n")
        else:
            out.append(f"{head} {draw(PLAIN)}{tail}\n")
    return out


PLAIN = st.sampled_from(["1", "x", "a b", '"q # r"', "'it''s'", "null", "", "5%", "true", '"é"'])
FLOWS = st.sampled_from(["{}", "[]", "{a: 1, b: [x, 'y']}", "[1, {c: d}, ]", "{ a: x }", "[one,\n      two]", "{a: {b: {c: 1}}}"])  # fmt: skip


def _differing(old: str, new: str) -> tuple[int, int]:
    """Offsets in the old text between which it differs from the new one."""
    limit = min(len(old), len(new))
    start = next((i for i in range(limit) if old[i] != new[i]), limit)
    end = next((i for i in range(limit - start) if old[-1 - i] != new[-1 - i]), limit - start)
    return start, len(old) - end


@given(st.data())
def test_whatever_the_text_the_edit_is_exact_or_there_is_none(data):
    ends = data.draw(st.sampled_from(["\n", "\r\n"]))
    text = data.draw(texts()).replace("\n", ends)
    document = parse(text.encode(), "f.yaml")
    if document.findings or not isinstance(document.data, dict):
        return
    paths = inner_nodes(document.data)
    kind = data.draw(st.sampled_from(["set", "add", "remove"]))
    path = data.draw(st.sampled_from(paths))
    parent = at(document.data, path[:-1])
    if kind == "add":
        path = (*path[:-1], len(parent) if isinstance(parent, list) else "fresh")
    value = GONE if kind == "remove" else data.draw(VALUES)
    wanted = changed(document.data, path, value)
    after = edited(document, wanted)
    if after is None:
        return
    assert same(after.data, wanted)
    assert ("\n" if ends == "\r\n" else "\r") not in after.text.replace("\r\n", "")
    start, end = _differing(text, after.text)
    if kind == "add":
        assert start >= end  # nothing old was taken away
    elif kind == "remove":
        assert len(text) - (end - start) == len(after.text) or start >= end  # nothing was added
    elif not isinstance(at(document.data, path), (dict, list)):
        for comment in ("# head", "# above", "# aside", "# why"):
            assert after.text.count(comment) == text.count(comment)


@pytest.mark.parametrize("value", ["5%", "60m", True, 7, 0.25, "two words", "no", "a: b", 'say "x"', None])
@pytest.mark.parametrize(
    "template",
    ["a: old # why\nb: 1\n", "x: {a: old, b: 1}\n", "l:\n  - old\n  - 2\n", "\N{BOM}ä: ö\na: old", "a: 'old'\n", 'a: "old"\n', "a: old\n  \n"],
)  # fmt: skip
def test_scalars_are_replaced(template, value):
    data = parse(template.encode(), "").data
    path = next(leaf for leaf in leaves(data) if at(data, leaf) == "old")
    text = edit(template, path, value)
    assert text is not None
    assert same(at(parse(text.encode(), "").data, path), value)
    assert text.count("# why") == template.count("# why")


CASES = [
    # A scalar keeps its quotes.
    ('a: "old"\n', ("a",), "5%", 'a: "5%"\n'),
    ("a: 'old'  # why\n", ("a",), "it's", "a: 'it''s'  # why\n"),
    ("a: old\n  older\n", ("a",), "5%", "a: 5%\n"),
    ("a:\nb: 1\n", ("a",), "x", "a: x\nb: 1\n"),
    # A mapping takes one more key.
    ("a: {b: 1}\n", ("a", "new"), "5%", "a: {b: 1, new: 5%}\n"),
    ("a: { b: 1 }  # why\n", ("a", "new"), "5%", "a: { b: 1, new: 5% }  # why\n"),
    ("a: {b: 1,}\n", ("a", "new"), "5%", "a: {b: 1, new: 5%,}\n"),
    ("a: {b: 1,\n  c: 2, # x\n  }\n", ("a", "new"), "5%", "a: {b: 1,\n  c: 2, new: 5%, # x\n  }\n"),
    ("a: {}\n", ("a", "new"), "5%", "a: {new: 5%}\n"),
    ("l: [{b: 1}, {c: 2}]\n", ("l", 0, "new"), "5%", "l: [{b: 1, new: 5%}, {c: 2}]\n"),
    ("a: 1", ("new",), "5%", "a: 1\nnew: 5%"),
    ("a: 1\n", ("b c",), "5%", 'a: 1\n"b c": 5%\n'),
    ("a:\n  b: 1  # why\n  c: [1]\nd: 2\n", ("a", "new"), "5%", "a:\n  b: 1  # why\n  c: [1]\n  new: 5%\nd: 2\n"),
    ("a:\r\n  b: 1\r\nd: 2\r\n", ("a", "new"), "5%", "a:\r\n  b: 1\r\n  new: 5%\r\nd: 2\r\n"),
    ("l:\n  - b: 1\n  - c: 2\n", ("l", 0, "new"), "5%", "l:\n  - b: 1\n    new: 5%\n  - c: 2\n"),
    ("a:\n  b: 1\n  c: |\n    x\n\nd: 1\n", ("a", "new"), "5%", "a:\n  b: 1\n  c: |\n    x\n  new: 5%\n\nd: 1\n"),
    # A list takes one more item, and is made where its mapping lacks it.
    ("s:\n  a: 1 # x\n# end\n", ("s", "l"), [{"n": 1}], "s:\n  a: 1 # x\n  l:\n    - {n: 1}\n# end\n"),
    ("s:\n  l:\n    - {b: 1}  # why\n  a: 1\n", ("s", "l", 1), {"n": 1}, "s:\n  l:\n    - {b: 1}  # why\n    - {n: 1}\n  a: 1\n"),
    ("l:\n- b: 1\n  c:\n    - 2", ("l", 1), {"n": 1}, "l:\n- b: 1\n  c:\n    - 2\n- {n: 1}"),
    ("s:\n  l: []  # none yet\n", ("s", "l"), [{"n": 1}], "s:\n  l:\n    - {n: 1}  # none yet\n"),
    ("l: [{b: 1},\n  {c: 2}]\n", ("l", 2), {"n": 1}, "l: [{b: 1},\n  {c: 2}, {n: 1}]\n"),
    # A collection on one line is replaced.
    ("l: [{a: 1}, {b: 2}]  # why\n", ("l", 1), {"m": "e-r", "limit": "5%"}, "l: [{a: 1}, {m: e-r, limit: 5%}]  # why\n"),
    ("l: [{a: 1}, {b: 2}]\n", ("l", 1), ["fail", "no"], 'l: [{a: 1}, [fail, "no"]]\n'),
    ("l: [{a: 1}, {b: 2}]\n", ("l", 1), {}, "l: [{a: 1}, {}]\n"),
    # A key goes with the comments directly above it.
    ("a: {b: 1, c: 2}\n", ("a", "b"), GONE, "a: {c: 2}\n"),
    ("a: {b: 1, c: 2}\n", ("a", "c"), GONE, "a: {b: 1}\n"),
    ("a: {b: 1}\n", ("a", "b"), GONE, "a: {}\n"),
    ("# top\n\n# x\n# y\nb: 1\nc: 2\n", ("b",), GONE, "# top\n\nc: 2\n"),
    ("a:\r\n  # x\r\n  b: 1\r\n  c: 2\r\n", ("a", "b"), GONE, "a:\r\n  c: 2\r\n"),
    ("a:\n  b: 1\n  c:\n    d: 2\n    # in c\n    e: |\n      x\n", ("a", "c"), GONE, "a:\n  b: 1\n"),
    ("l:\n  # one\n  - a: 1\n    b: 2\n  - c\n", ("l", 0), GONE, "l:\n  - c\n"),
    ("l: [1, 2, 3]\n", ("l", 1), GONE, "l: [1, 3]\n"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "path", "value", "expected"), CASES)
def test_a_small_edit(text: str, path: At, value: Any, expected: str):
    assert edit(text, path, value) == expected


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("a: |\n  old\n", ("a",), "new"),
        ("a: >-\n  old\n  older\n", ("a",), "new"),
        ("a: [1, # x\n  2]\n", ("a",), "new"),
        ("a:\n  b: 1\nc: 1\n", ("a",), "new"),
        ("a: 1\n", ("a",), {"b": 1}),
        ("a: |+\n  old\n\n# c\n", ("b",), "new"),
        ("a:\n  b: 1\n", ("a", "b"), GONE),
        ("l:\n  - a: 1\n    b: 2\n", ("l", 0, "a"), GONE),
        ("l:\n  - a\n  - b\n", ("l",), []),
        ("a: 1\n", ("b",), object()),
        ("a: 1\n", ("b",), {"c": object()}),
        ("a: 1\n", ("b",), "\udc80"),
        ("a: 1\n", ("b",), {"c": float("nan")}),
    ],
)
def test_what_can_not_be_edited_exactly_is_refused(text, path, value):
    assert edit(text, path, value) is None


def test_the_root_is_never_replaced():
    assert edited(parse(b"a: 1\n", ""), [1]) is None
    assert edited(parse(b"", ""), {"a": 1}) is None


def test_several_values_at_once():
    text = "# top\na: 1\nb:\n  c: x  # why\n  d: [1, 2]\nl:\n  - 1\n  - 2\n  - 3\n"
    wanted = {"a": 2, "b": {"c": "y", "e": True}, "l": [1, 3], "z": {}}
    after = edited(parse(text.encode(), ""), wanted)
    assert after is not None
    assert after.text == "# top\na: 2\nb:\n  c: y  # why\n  e: true\nl:\n  - 1\n  - 3\nz: {}\n"


def test_nothing_to_change_is_the_same_text():
    text = "a:   1   # x\n"
    assert edited(parse(text.encode(), ""), {"a": 1}).text == text


def test_a_byte_order_mark_stays():
    raw = b"\xef\xbb\xbfa: 1\r\n"
    after = edited(parse(raw, ""), {"a": 2})
    assert encode(after, raw) == b"\xef\xbb\xbfa: 2\r\n"
    assert encode(after, raw[3:]) == b"a: 2\r\n"


@given(VALUES)
def test_a_value_on_one_line_reads_back(value):
    document = parse(b"a: 1\n", "")
    after = edited(document, {"a": 1, "b": value})
    if after is None:
        return
    assert same(after.data["b"], value)
    assert same(yaml.load(after.text, Loader=yaml.CBaseLoader)["a"], "1")


def test_text_is_quoted_only_where_it_must_be():
    texts = ["5%", "no", "1.0", "a: b", "10000000000000000000", "2026-11-01", "1:30", "0x1f", "1e3"]
    assert flow({"a": "x", "b": texts, "c d": 1.5}) == (
        '{a: x, b: [5%, "no", "1.0", "a: b", "10000000000000000000", "2026-11-01", "1:30", "0x1f", "1e3"], "c d": 1.5}'
    )
