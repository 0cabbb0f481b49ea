"""Whatever a file may hold, the reader answers with values or with findings that say where."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from generator.source.document import Document
from generator.source.files import LIMIT
from generator.source.reader import LONGEST, parse, read


def codes(document: Document) -> list[str]:
    return [finding.code for finding in document.findings]


def places(document: Document) -> list[tuple[str, int, int]]:
    return [(f.code, f.place.line, f.place.column) for f in document.findings]


AMBIGUOUS = [
    "no", "No", "NO", "yes", "Yes", "on", "On", "off", "OFF", "True", "TRUE", "False", "Null", "NULL", "1e3", "1E3",
    "1.5e-3", "+1e3", "-.5e3", "012", "0o17", "0x1F", "0b101", "1_000", "1_000.5", "1:30", "-1:30", "190:20:30",
    "1:30.5", ".inf", "-.Inf", "+.INF", ".nan", ".NaN", "00", "-012", "1_:30", "1__0:30", "1:30._", "1:30.5_",
    "9" * 400 + ":30", "9" * 5000 + ":30", "1e999999999", "0b_",
]  # fmt: skip


@pytest.mark.parametrize("scalar", AMBIGUOUS)
def test_a_scalar_that_readers_disagree_on_is_refused_with_its_place(scalar):
    document = parse(f"a: 1\nb: [x, {scalar}]\n".encode(), "s.yaml")
    assert places(document) == [("SRC111", 2, 8)]
    assert document.data is None
    assert f"`{scalar}`" in document.findings[0].message


@pytest.mark.parametrize("quote", ["'", '"'])
@pytest.mark.parametrize("scalar", AMBIGUOUS)
def test_the_same_scalar_in_quotes_is_text(scalar, quote):
    assert parse(f"a: {quote}{scalar}{quote}\n".encode(), "s.yaml").data == {"a": scalar}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("false", False), ("null", None), ("~", None), ("", None), ("0", 0), ("-7", -7), ("+7", 7),
        ("9223372036854775807", 2**63 - 1), ("0.5", 0.5), (".5", 0.5), ("5.", 5.0), ("-0.5", -0.5),
        ("noo", "noo"), ("5%", "5%"), ("60m", "60m"), ("1.2.3", "1.2.3"), ("2027-01-31", "2027-01-31"),
        ("12:30x", "12:30x"), ("<<", "<<"), ("=", "="), ("1e", "1e"), ("e3", "e3"), ("0x", "0x"), ("_1", "_1"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
    ],
)  # fmt: skip
def test_plain_scalars_mean_what_they_look_like(text, value):
    document = parse(f"a: {text}\n".encode(), "s.yaml")
    assert codes(document) == []
    assert document.data == {"a": value}
    assert type(document.data["a"]) is type(value)


def test_merge_keys_do_not_merge():
    assert parse(b"a: {<<: {b: 1}}\n", "s.yaml").data == {"a": {"<<": {"b": 1}}}


def test_every_repeated_key_is_told():
    document = parse(b"a: 1\nb: {c: 1, c: 2, c: 3}\na: 2\n'a': 3\n", "s.yaml")
    assert sorted(places(document)) == [
        ("SRC109", 2, 11),
        ("SRC109", 2, 17),
        ("SRC109", 3, 1),
        ("SRC109", 4, 1),
    ]


@pytest.mark.parametrize("key", ["1", "1.5", "true", "null", "~", "? [a]\n", "? {a: b}\n"])
def test_a_key_that_is_no_text(key):
    assert set(codes(parse(f"{key}: x\n".encode(), "s.yaml"))) == {"SRC110"}


SYNTAX = {
    b"a:\n\tb: 1\n": ("SRC105", 2),
    b"\ta: 1\n": ("SRC105", 1),
    b"a: [1, 2\nb: 1\n": ("SRC105", 1),
    b"a: 'x\n": ("SRC105", 1),
    b"a: b: c\n": ("SRC105", 1),
    b"a: 1\n b: 2\n": ("SRC105", 2),
    b"a: @x\n": ("SRC105", 1),
    b"a: `x`\n": ("SRC105", 1),
    b"a: %x\n": ("SRC105", 1),
    b"%YAML 3.0\n---\na: 1\n": ("SRC105", 1),
    b'a: "\\q"\n': ("SRC105", 1),
    b'a: "\\ud800"\n': ("SRC105", 1),
    b"a: 1\nb: \x01\n": ("SRC105", 2),
    b"a: 1\nb: x\x00y\n": ("SRC105", 2),
    b"a: \xef\xbf\xbe\n": ("SRC105", 1),
    b"a: 1\n---\nb: 2\n": ("SRC106", 2),
    b"---\na: 1\n...\n---\n": ("SRC106", 4),
    b"a: &x 1\nb: *x\n": ("SRC107", 1),
    b"a: 1\nb: *x\n": ("SRC107", 2),
    b"a: 1\nb: !!python/object/apply:os.system [x]\n": ("SRC112", 2),
    b"a: !!str 1\n": ("SRC112", 1),
    b"a: !x\n": ("SRC112", 1),
    b"!!map {a: 1}\n": ("SRC112", 1),
    b"{a: !!binary x}\n": ("SRC112", 1),
    b"a: \xff\n": ("SRC104", 1),
    b"a: 1\nb: \xe4\n": ("SRC104", 2),
    "a: 1\n".encode("utf-16"): ("SRC104", 1),
    "a: 1\n".encode("utf-16-le"): ("SRC104", 1),
    b"\x1f\x8b\x08\x00": ("SRC104", 1),
}


@pytest.mark.parametrize("raw", SYNTAX, ids=repr)
def test_what_is_no_plain_yaml(raw):
    code, line = SYNTAX[raw]
    document = parse(raw, "s.yaml")
    assert document.data is None
    assert [(f.code, f.place.line) for f in document.findings] == [(code, line)]


@pytest.mark.parametrize(
    ("raw", "column"),
    [(b"a: \xff\n", 4), (b"a: x\nb: \xff\n", 4), ("ä: \udcff\n".encode(errors="surrogateescape"), 4)],
)
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["", "bom"])
def test_the_place_of_a_byte_that_is_no_utf8(raw, column, bom):
    place = parse(bom + raw, "s.yaml").findings[0].place
    assert (place.line, place.column) == (raw.count(b"\n"), column)


def test_the_place_of_utf_16_is_its_beginning():
    place = parse("a: 1\nb: 2\n".encode("utf-16-le"), "s.yaml").findings[0].place
    assert (place.line, place.column) == (1, 1)


BOMB = b"".join([b"a0: &a0 [x,x,x,x,x,x,x,x,x]\n"] + [b"a%d: &a%d [%s]\n" % (i, i, b",".join([b"*a%d" % (i - 1)] * 9)) for i in range(1, 12)])  # fmt: skip


@pytest.mark.parametrize(
    "raw",
    [
        BOMB,
        b"a: &a [*a]\n",
        b"[" * 100_000,
        b"{a: " * 50_000,
        b"[" * 101 + b"]" * 101,
        b"- " * 100_000,
        b"? " * 30_000,
        b"\n".join(b"%sa:" % (b" " * i) for i in range(1000)),
        b"- - - - - - - - " * 9 + b"x\n",
    ],
    ids=["bomb", "cycle", "brackets", "braces", "101", "dashes", "questions", "indents", "dashes72"],
)
def test_bombs_and_depth(raw):
    document = parse(raw, "s.yaml")
    assert document.data is None
    assert codes(document)[0] in {"SRC107", "SRC105"}
    assert len(document.findings) == 1


def test_a_depth_that_is_allowed():
    data = parse(b"a: " + b"[" * 60 + b"]" * 60 + b"\n", "s.yaml").data
    for _ in range(60):
        (data,) = data.values() if isinstance(data, dict) else (data,)
        data = data[0] if data else []
    assert data == []


@pytest.mark.parametrize(
    "raw", [b"", b"\n\n", b"# only\n# comments\n", b"\xef\xbb\xbf", b"---\n", b"---\n...\n"]
)
def test_nothing_there(raw):
    document = parse(raw, "s.yaml")
    assert document.data is None
    assert document.findings == []
    assert document.place(()).file == "s.yaml"
    assert document.place(("spec", 0, "a")).file == "s.yaml"


def test_line_ends_and_bom():
    expected = {"a": 1, "b": ["x", "y z"]}
    for text in ("a: 1\nb:\n  - x\n  - y\n    z\n", "\ufeffa: 1\nb:\n  - x\n  - y\n    z\n"):
        for end in ("\n", "\r\n", "\r"):
            document = parse(text.replace("\n", end).encode(), "s.yaml")
            assert document.data == expected
            assert str(document.place(("b", 0))) == "s.yaml:3:5"
            assert document.excerpt(3) == "  - x"


@given(st.binary(max_size=200))
@example(b"\xff\xfe")
@example(b"%TAG ! !\n--- !x\n")
@example(b"%YAML 1.1\n%YAML 1.1\n---\n")
@example(b"a: |\n\t\n")
@example(b"? \n")
@example(b"- ? a\n  : b\n")
def test_any_bytes_give_values_or_findings(raw):
    document = parse(raw, "s.yaml")
    assert document.data is None or not document.findings
    for finding in document.findings:
        assert finding.place.line >= 1
        assert finding.message
        assert finding.hint
        assert "\n" not in finding.message


@given(st.text(alphabet="ab:-?[]{},#&*!|>'\"%@`\\ \t\n\r~<=._01einfo\u0085\u2028\ufeff", max_size=60))
def test_any_punctuation_gives_values_or_findings(text):
    document = parse(text.encode(), "s.yaml")
    assert document.data is None or not document.findings
    document.place(("a",))


@pytest.mark.parametrize("character", ["\u202a", "\u202e", "\u2066", "\u2069"])
@pytest.mark.parametrize("line", ["b: {}x", "b: 1 # {}", "{}b: 1", "b: ['{}']"])
def test_what_a_reviewer_sees_is_what_is_read(line: str, character: str):
    document = parse(f"a: 1\n{line.format(character)}\n".encode(), "s.yaml")
    assert places(document) == [("SRC116", 2, line.index("{") + 1)]
    assert document.data is None
    assert parse(f'a: "\\u{ord(character):04x}"\n'.encode(), "s.yaml").data == {"a": character}


def test_text_from_right_to_left_is_text():
    assert parse("a: مرحبا # שלום\n".encode(), "s.yaml").data == {"a": "مرحبا"}


# Files -----------------------------------------------------------------------------------------------------------


def test_too_large(tmp_path: Path):
    path = tmp_path / "s.yaml"
    path.write_bytes(b"#" + b"x" * (10 << 20))
    assert codes(read(path, tmp_path)) == ["SRC103"]
    path.write_bytes(b"a: 1\n".ljust(LIMIT, b"\n"))
    assert read(path, tmp_path).data == {"a": 1}
    path.write_bytes(b"a: 1\n".ljust(LIMIT + 1, b"\n"))
    assert codes(read(path, tmp_path)) == ["SRC103"]


def test_a_long_text_is_refused_at_its_place_before_any_check_reads_it():
    whole = f"a: 1\nb:\n  c: {'x' * LONGEST}\n"
    assert parse(whole.encode(), "s.yaml").data["b"]["c"] == "x" * LONGEST
    values = parse(f"a: 1\nb:\n  c: x{'x' * LONGEST}\n  d: [0, 'é{'x' * LONGEST}']\n".encode(), "s.yaml")
    assert [(one.code, one.place.line, one.place.column) for one in values.findings] == [
        ("SRC115", 3, 6),
        ("SRC115", 4, 10),
    ]
    assert values.data is None
    (key,) = parse(f"a: 1\n? k{'k' * LONGEST}\n: 1\n".encode(), "s.yaml").findings
    assert (key.code, key.place.line) == ("SRC115", 2)


def test_not_a_file(tmp_path: Path):
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "fifo.yaml")
    assert codes(read(tmp_path / "folder.yaml", tmp_path)) == ["SRC102"]
    assert codes(read(tmp_path / "fifo.yaml", tmp_path)) == ["SRC102"]
    assert codes(read(tmp_path / "nothing.yaml", tmp_path)) == ["SRC101"]
    assert codes(read(tmp_path / ("x" * 300), tmp_path)) == ["SRC101"]
    assert codes(read(Path("/dev/null"))) == ["SRC102"]
    assert codes(read(Path("/dev/zero"))) == ["SRC102"]


def test_links(tmp_path: Path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "good.yaml").write_text("a: 1\n")
    (outside / "s.yaml").write_text("a: 1\n")
    (root / "inside.yaml").symlink_to("good.yaml")
    (root / "out.yaml").symlink_to(outside / "s.yaml")
    (root / "folder").symlink_to(outside)
    (root / "loop.yaml").symlink_to("loop.yaml")
    (root / "to-device.yaml").symlink_to("/dev/zero")
    (root / "dangling.yaml").symlink_to("nothing.yaml")
    assert read(root / "inside.yaml", root).data == {"a": 1}
    assert codes(read(root / "out.yaml", root)) == ["SRC108"]
    assert codes(read(root / "folder" / "s.yaml", root)) == ["SRC108"]
    looping = read(root / "loop.yaml", root).findings[0]
    assert (looping.code, str(tmp_path) in looping.message) == ("SRC101", False)
    assert looping.message.endswith("it is a link that leads back to itself")
    assert codes(read(root / "to-device.yaml", root)) == ["SRC108"]
    assert codes(read(root / "dangling.yaml", root)) == ["SRC101"]
    (tmp_path / "link").symlink_to(root)
    assert read(tmp_path / "link" / "good.yaml", tmp_path / "link").data == {"a": 1}


def test_files_are_shown_below_the_root(tmp_path: Path):
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "s.yaml").write_text("a: [\n")
    assert str(read(tmp_path / "specs" / "s.yaml", tmp_path).findings[0].place).startswith("specs/s.yaml:")
