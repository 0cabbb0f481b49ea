"""Whatever a value holds, it is read back as itself, and as nothing else, wherever a template may put it."""

from __future__ import annotations

import ast
import json
import math
from typing import Any

import pytest
import ryaml
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from generator.render.filters import go_duration, identifier, items, lines, quantity, raw_text, text
from generator.render.scalars import Verbatim, indented_json, prose, python_value, yaml_text, yaml_value

NASTY = [
    "", " ", "a b", " a", "a ", "\n", "a\n", "\na", "a\n\nb", "\t", "\r", "\r\n", "\0", "\x07", "\x1b", "\x7f", "\x85",
    "\xa0", "\u2028", "\u2029", "\ufeff", "\ufffe", "\U0001fffe", "é", "漢", "😀", "\U0010ffff", "'", '"', "\\", "\\n",
    "#", " #x", "a #b", ": ", "a: b", "a:", ":a", "- a", "-", "--", "---", "...", "? a", "?", "!x", "!!str", "&a", "*a",
    "%a", "@a", "`a`", "|", ">", "|-", "[", "]", "{", "}", "{{", "}}", "{{ x }}", "{% x %}", "{# x #}", "${x}", "$(x)",
    ",", "a,b", "null", "Null", "~", "true", "True", "no", "NO", "on", "y", "N", "t", "1", "-1", "0", "01", "0o7", "0x1",
    "1e3", "1.5", ".5", "5.", ".inf", "-.inf", ".NaN", "nan", "inf", "1:30", "1_000", "+1", "2027-01-31", "=", "<<",
    "2001-12-14t21:59:43.10-05:00", "a/b", "/a", "a.b-c_d", "a-", "-a", "_a", "A", "1a", "e1", "0b1", "x" * 500,
]  # fmt: skip


def nasty(strategy):
    for value in NASTY:
        strategy = example(value)(strategy)
    return strategy


def readers(document: str) -> list[Any]:
    return [yaml.load(document, Loader=yaml.CSafeLoader), yaml.safe_load(document), ryaml.loads(document)]


POSITIONS = {
    "{0}\n": lambda v: v,
    "a: {0}\n": lambda v: {"a": v},
    "a: {0} # comment\n": lambda v: {"a": v},
    "{0}: a\n": lambda v: {v: "a"},
    "a:\n  {0}: a\n  b: c\n": lambda v: {"a": {v: "a", "b": "c"}},
    "- {0}\n- b\n": lambda v: [v, "b"],
    "a: [x, {0}, y]\n": lambda v: {"a": ["x", v, "y"]},
    "a: {{x: 1, {0}: {0}, y: 2}}\n": lambda v: {"a": {"x": 1, v: v, "y": 2}},
    "- a:\n    - {0}\n  b: {0}\n": lambda v: [{"a": [v], "b": v}],
}


@nasty
@given(st.text(max_size=100))  # escaped at most 1,000 characters: YAML takes no key above 1,024 on one line
def test_text_stays_text(value):
    for form, expected in POSITIONS.items():
        if value in {"a", "b", "x", "y"}:
            continue  # the form has that key already
        written = form.format(yaml_text(value))
        assert readers(written) == [expected(value)] * 3, written


# What YAML 1.1 takes for a boolean (yaml.org/type/bool.html) or for null. Python's readers leave `y` and `n` alone; that
# of Kubernetes does not (sigs.k8s.io/yaml, goyaml.v2/resolve.go).
WORDS = [
    "y",
    "Y",
    "yes",
    "Yes",
    "YES",
    "n",
    "N",
    "no",
    "No",
    "NO",
    "true",
    "True",
    "TRUE",
    "false",
    "False",
    "FALSE",
    "on",
    "On",
    "ON",
    "off",
    "Off",
    "OFF",
    "null",
    "Null",
    "NULL",
]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_that_some_reader_takes_for_another_value_is_quoted(word):
    assert yaml_text(word) == f'"{word}"'


@given(st.text())
def test_text_is_one_line_of_printable_characters(value):
    written = yaml_text(value)
    assert written == yaml_value(value)
    assert len(written.splitlines()) == 1
    assert written.isprintable()


def test_which_characters_stand_as_they_are_is_no_matter_of_the_interpreter():
    """Their number is fixed: the same under every Python, whatever its Unicode tables say."""
    written = [chr(code) for code in range(0x80, 0x110000) if yaml_text(chr(code)) == f'"{chr(code)}"']
    assert all(character.isprintable() for character in written)
    assert {"é", "ß", "я", "中", "한", "😀"} <= set(written)
    assert not set(written) & {"\xa0", "\xad", "\u200b", "\u202e", "\ufeff", "\u1c89", "\u0378"}
    assert len(written) == 40_217


JSON = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_collections_stay_what_they_are(value):
    assert readers(f"a: {yaml_value(value)}\n") == [{"a": value}] * 3


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(1e-7)
@example(1.5e-10)
@example(1e-25)
@example(5e-324)
@example(1e16)
@example(1e22)
@example(1.7976931348623157e308)
@example(-0.0)
def test_floats_stay_the_same_number_to_every_reader(value):
    for found in readers(f"a: {yaml_value(value)}\n"):
        assert isinstance(found["a"], float)
        assert found["a"] == value


@pytest.mark.parametrize("value", [None, math.inf, -math.inf, math.nan, object(), b"x", {1, 2}, 1j, ...])
def test_what_has_no_form_is_refused(value):
    with pytest.raises(TypeError):
        yaml_value(value)
    with pytest.raises(TypeError):
        yaml_value([value])


LITERALS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(LITERALS)
def test_python_literals(value):
    written = python_value(value)
    found = ast.literal_eval(written)
    assert found == value
    assert repr(found) == repr(value)
    assert written.isascii()
    assert written.isprintable()


@nasty
@given(st.text())
def test_python_text(value):
    assert ast.literal_eval(f"({python_value(value)})") == value
    assert ast.literal_eval(f"{{{python_value(value)}: [{python_value(value)}]}}") == {value: [value]}


@pytest.mark.parametrize("value", [math.inf, math.nan, object(), {1, 2}, [math.inf], {"a": math.nan}])
def test_what_is_no_literal_is_refused(value):
    with pytest.raises(TypeError):
        python_value(value)


BLOCKS = st.text(st.sampled_from("ab \t\n#:-'\"{}[]%&*!|>é\r\u2028"), max_size=30)


@nasty
@given(st.text() | BLOCKS)
@example("a\nb")
@example(" a\nb")
@example("a\n b")
@example("a\n\n\nb")
@example("a\nb\n")
@example("\n\na")
@example("---\na")
@example("a\n---\nb")
@example("a\n...\nb")
@example("# a\nb")
@example("a: b\nc: d")
@example("a\n\tb")
@example("a \nb")
@example("-\n-")
@example("|\n|")
def test_the_filter_text(value):
    expected = {"k": [{"a": value, "b": 1}]}
    written = f"k:\n  - a: {text(value, 6)}\n    b: 1\n"
    assert readers(written) == [expected] * 3, written
    last = f"k:\n  - b: 1\n    a: {text(value, 6)}\n"
    assert readers(last) == [expected] * 3, last


@given(st.dictionaries(st.text(max_size=100), st.text(), min_size=1, max_size=4), st.sampled_from([2, 4, 8]))
def test_the_filter_lines(mapping, indent):
    written = f"k:\n{' ' * indent}{lines(mapping, indent)}\nz: 1\n"
    assert readers(written) == [{"k": mapping, "z": 1}] * 3


@given(st.lists(st.text(), min_size=1, max_size=4), st.sampled_from([2, 4, 8]))
def test_the_filter_items(values, indent):
    written = f"k:\n{' ' * indent}{items(values, indent)}\nz: 1\n"
    assert readers(written) == [{"k": values, "z": 1}] * 3


@nasty
@given(st.text())
@example("shop\x00")
@example("a\x1b[31mb\u202ec\u200bd\ufeff")
def test_prose_is_one_line(value):
    for written in (prose(value), raw_text(value)):
        assert not set(written) & set("\x00\x1b\x7f\x85\xad\u200b\u202e\u2066\ufeff")
        assert len(written.splitlines()) <= 1
        assert written == written.strip()


@pytest.mark.parametrize("name", ["a", "_a", "A9"])
def test_identifier(name):
    assert identifier(name) == name
    assert isinstance(identifier(name), Verbatim)


@pytest.mark.parametrize("name", ["", "9", "a-b", "a b", "a\n", "é", "a;b", "a.b"])
def test_no_identifier(name):
    with pytest.raises(ValueError, match="identifier"):
        identifier(name)


GO_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@given(st.integers(0, 2**53 // 1000).map(lambda ms: ms / 1000))
@example(0.0)
@example(0.25)
@example(90.0)
@example(5400.0)
@example(86400.0)
@example(0.001)
def test_go_duration_is_exact_to_the_millisecond(seconds):
    written = go_duration(seconds)
    number = written.rstrip("hms")
    assert number.isdecimal()
    assert round(int(number) * GO_UNITS[written[len(number) :]] * 1000) == round(seconds * 1000)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.25, "250ms"), (1.5, "1500ms"), (60, "1m"), (90, "90s"), (3600, "1h"), (86400, "24h"), (0, "0s")],
)
def test_go_duration(seconds, written):
    assert go_duration(seconds) in {written, "0h" if not seconds else written}


@pytest.mark.parametrize(
    ("given_", "written"),
    [("500m", "500m"), ("2", "2"), ("0.5", "500m"), ("2.0", "2"), ("1.25", "1250m"), ("0.1", "100m"), ("0.001", "1m"),
     ("512Mi", "512Mi"), ("999.999", "999999m")],
)  # fmt: skip
def test_quantity(given_, written):
    assert quantity(given_) == written


@given(st.integers(1, 10**6).map(lambda milli: f"{milli / 1000:.3f}"))
def test_quantity_keeps_the_value(cpu):
    written = quantity(cpu)
    milli = int(written[:-1]) if written.endswith("m") else int(written) * 1000
    assert milli == round(float(cpu) * 1000)


@given(JSON)
def test_json_inside_a_scalar(value):
    written = json.dumps(value)
    assert [json.loads(found["a"]) for found in readers(f"a: {yaml_value(written)}\n")] == [value] * 3


KEYED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(KEYED)
def test_indented_json_is_that_of_the_standard_library(value):
    assert indented_json(value) == json.dumps(value, indent=1)
