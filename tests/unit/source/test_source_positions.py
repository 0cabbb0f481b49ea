"""`Document.place` against documents that are written by the test, which knows where it put every value."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.source.document import Document, dotted
from generator.source.reader import parse

Path = tuple[str | int, ...]
KEYS = st.text(st.sampled_from("abcxyzäß漢😀 :#-"), min_size=1, max_size=6)
TEXTS = st.text(st.sampled_from("abc é😀\t\"'\\:#-{}[],\n\u2028\u00a0"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@dataclass
class Writer:
    """Writes a value as YAML, and notes the line and column (1-based) of each value and each key."""

    draw: Any
    text: str = ""
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def here(self) -> tuple[int, int]:
        """Counted in the text written so far, LF only: the writer escapes every other line break."""
        return self.text.count("\n") + 1, len(self.text) - self.text.rfind("\n")

    def scalar(self, value: Any) -> str:
        if value is None or isinstance(value, (bool, int)):
            return json.dumps(value)
        if "'" not in value and value.isprintable() and self.draw(st.booleans()):
            return f"'{value}'"
        # YAML knows no surrogate pairs, and takes U+2028 for the end of a line.
        escaped = self.draw(st.booleans()) and max(value, default="") <= "\uffff"
        return json.dumps(value, ensure_ascii=escaped).replace("\u2028", "\\u2028")

    def key(self, path: Path, key: str) -> None:
        self.keys[path] = self.here()
        plain = key.isascii() and key.isalpha()
        self.text += key if plain and self.draw(st.booleans()) else self.scalar(key)
        self.text += ":"

    def flow(self, path: Path, value: Any) -> None:
        self.values[path] = self.here()
        if isinstance(value, (list, dict)):
            pairs = list(value.items() if isinstance(value, dict) else enumerate(value))
            self.text += "{" if isinstance(value, dict) else "["
            for number, (name, item) in enumerate(pairs):
                self.text += self.draw(st.sampled_from(["", " ", "  "])) if not number else ", "
                if isinstance(value, dict):
                    self.key((*path, name), name)
                    self.text += " "
                self.flow((*path, name), item)
            self.text += "}" if isinstance(value, dict) else "]"
        else:
            self.text += self.scalar(value)

    def block(self, path: Path, value: Any, indent: int) -> None:
        if not value or not isinstance(value, (list, dict)) or self.draw(st.integers(0, 3)) == 0:
            self.flow(path, value)
            self.text += self.draw(st.sampled_from(["\n", "  # a comment\n"]))
            return
        self.values[path] = self.here()
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for number, (name, item) in enumerate(pairs):
            if number:
                self.text += self.draw(st.sampled_from(["", "\n", "# note\n"])) + " " * indent
                if self.text.endswith("\n") and indent:
                    self.text += " " * indent
            if isinstance(value, dict):
                self.key((*path, name), name)
                self.after_key((*path, name), item, indent)
            else:
                self.text += "- "
                self.block((*path, name), item, indent + 2)

    def after_key(self, path: Path, item: Any, indent: int) -> None:
        if item and isinstance(item, (list, dict)) and self.draw(st.booleans()):
            self.text += "\n" + " " * (indent + 2)
            self.block(path, item, indent + 2)
        else:
            self.text += " "
            self.flow(path, item)
            self.text += "\n"


@st.composite
def documents(draw) -> Writer:
    writer = Writer(draw, draw(st.sampled_from(["", "# a head\n", "---\n", "# yaml\n\n---\n"])))
    writer.block((), draw(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4)), 0)
    return writer


def independent(value: Any, path: Path = ()) -> dict[Path, Any]:
    found = {path: value}
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in pairs:
        found.update(independent(item, (*path, name)))
    return found


@settings(max_examples=300, deadline=None)
@given(documents(), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_every_value_and_key_is_found_where_it_was_written(writer, end, bom):
    raw = ("\ufeff" * bom + writer.text.replace("\n", end)).encode()
    document = parse(raw, "s.yaml")
    assert document.findings == [], writer.text
    assert set(independent(document.data)) == set(writer.values)
    for path, (line, column) in writer.values.items():
        place = document.place(path)
        assert (place.line, place.column) == (line, column), (dotted(path), writer.text)
        assert document.has(path)
        raw = document.raw(path)
        assert document.excerpt(line)[column - 1 :].startswith(raw.splitlines()[0] if raw else "")
    for path, (line, column) in writer.keys.items():
        place = document.place(path, key=True)
        assert (place.line, place.column) == (line, column), (dotted(path), writer.text)
        shown = document.excerpt(line)[column - 1 : place.end_column - 1].strip("'\"")
        assert path[-1] == shown or "\\" in shown


@pytest.mark.parametrize(
    ("path", "key", "expected"),
    [
        (("spec", "b", 1, "c"), False, "s.yaml:4:10"),
        (("spec", "b", 1, "c"), True, "s.yaml:4:7"),
        (("spec", "b", 1, "d"), False, "s.yaml:4:7"),
        (("spec", "b", 7), False, "s.yaml:2:3"),
        (("spec", "nothing", "deep", 3), False, "s.yaml:1:1"),
        (("nothing",), False, "s.yaml:1:1"),
        (("spec", "b", 0, "x"), False, "s.yaml:3:7"),
    ],
)
def test_what_is_not_there_is_shown_at_its_parent(path, key, expected):
    document = parse(b"spec:\n  b:\n    - 7\n    - c: 8\n", "s.yaml")
    assert str(document.place(path, key=key)) == expected


def test_excerpts():
    document = Document("s.yaml", "a\n\tb\u00e9\r\nc")
    assert [document.excerpt(n) for n in (-1, 0, 1, 2, 3, 4)] == ["", "", "a", "\tb\u00e9", "c", ""]


@pytest.mark.parametrize(
    ("path", "text"),
    [((), ""), (("a",), "a"), (("a", 0, "b"), "a[0].b"), ((0, 1), "[0][1]"), (("a", "b"), "a.b")],
)
def test_dotted(path, text):
    assert dotted(path) == text
