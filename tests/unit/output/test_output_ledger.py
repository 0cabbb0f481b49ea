"""The ledger: what is written is read back, and damage is reported, never trusted."""

from __future__ import annotations

import string
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.output.bundle import Bundle
from generator.output.ledger import Ledger, parse, union
from generator.output.write import write
from generator.source.finding import Finding

digests = st.text("0123456789abcdef", min_size=64, max_size=64)
segments = st.text(string.ascii_letters + string.digits + "._-+@=", min_size=1, max_size=12).filter(
    lambda name: name not in {".", ".."} and not name.lower().startswith((".sluice", ".git"))
)
names = st.lists(segments, min_size=1, max_size=3).map("/".join)
ledgers = st.builds(
    Ledger,
    files=st.dictionaries(names, digests.map(lambda digest: (digest,)), max_size=6),
    inputs=st.dictionaries(segments, digests, max_size=4),
)


def sealed(body: str) -> bytes:
    return f"{body}# seal sha256:{sha256(body.encode()).hexdigest()}\n".encode()


@settings(deadline=None)
@given(ledgers)
def test_round_trip(ledger: Ledger) -> None:
    assert parse(ledger.encode(), "x/.sluice") == ledger


@settings(deadline=None)
@given(ledgers, ledgers)
def test_round_trip_of_an_unfinished_ledger_keeps_every_hash(old: Ledger, new: Ledger) -> None:
    both = union(old, new)
    assert parse(both.encode(), "x/.sluice") == both
    for ledger in (old, new):
        assert all(set(hashes) <= set(both.files[name]) for name, hashes in ledger.files.items())


@settings(deadline=None)
@given(ledgers, st.data())
def test_any_damage_is_found(ledger: Ledger, data: st.DataObject) -> None:
    whole = ledger.encode()
    start = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(start, len(whole)))
    broken = whole[:start] + data.draw(st.binary(max_size=5)) + whole[end:]
    result = parse(broken, "x/.sluice")
    assert isinstance(result, Finding) == (broken != whole)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_a_finding(data: bytes) -> None:
    assert isinstance(parse(data, "x/.sluice"), Finding)


@pytest.mark.parametrize(
    "name",
    [
        "../escape",
        "a/../../escape",
        "a/..",
        ".",
        "./a",
        "/etc/passwd",
        "a//b",
        "a/",
        "",
        "a\\b",
        "a b",
        "a\x00b",
        "é",
        ".git/config",
        "x/.GIT/hooks/post-checkout",
        ".sluice",
        "x/.sluice",
        ".sluice-0123456789abcdef.tmp",
    ],
)
def test_a_name_that_sluice_would_not_write_is_refused_though_the_seal_is_right(name: str) -> None:
    result = parse(sealed(f"# sluice 0.1.0\n{'a' * 64}  {name}\n"), "x/.sluice")
    assert isinstance(result, Finding)
    with pytest.raises(ValueError, match="not a name"):
        Bundle("p", {name: "x\n"}, {})


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("", 1),
        ("# sluice\n", 1),
        ("# sluice 1\n# something new\n", 2),
        ("# sluice 1\n# input spec sha256:12\n", 2),
        (f"# sluice 1\n# input spec sha256:{'a' * 64}\n# input spec sha256:{'a' * 64}\n", 3),
        (f"# sluice 1\n{'a' * 64} *binary\n", 2),
        (f"# sluice 1\n{'A' * 64}  a\n", 2),
        (f"# sluice 1\n{'a' * 64}  a\n{'b' * 64}  a\n", 3),
        (f"# sluice 1\n{'a' * 64}  a\n# input spec sha256:{'a' * 64}\n", 3),
        (f"# sluice 1\n{'a' * 64}  a", 1),
    ],
)
def test_a_sealed_line_that_sluice_would_not_write_is_refused_with_its_number(body: str, line: int) -> None:
    result = parse(sealed(body), "x/.sluice")
    assert isinstance(result, Finding)
    assert (result.code, result.place.file, result.place.line) == ("OUT101", "x/.sluice", line)


def test_the_finding_says_what_is_wrong() -> None:
    good = Ledger({"a": ("a" * 64,)}, {}).encode()
    conflict = b"# sluice 1\n<<<<<<< ours\n# input a\n=======\n>>>>>>> theirs\n"
    for data, words, line in [
        (conflict, "merge-conflict markers", 2),
        (good.replace(b"\n", b"\r\n"), "CRLF", 0),
        (good[:-30], "cut short", 0),
    ]:
        result = parse(data, "x/.sluice")
        assert isinstance(result, Finding)
        assert words in result.message
        assert result.place.line == line


def test_a_clean_merge_of_two_renders_is_not_trusted() -> None:
    # One branch changed `evidence` and a.yaml, the other `spec` and z.yaml; git merges such lines silently.
    base = ["1", "1", "1", "1"]
    ours, theirs, merged = ["2", "1", "2", "1"], ["1", "2", "1", "2"], ["2", "2", "2", "2"]

    def lines(values: list[str]) -> list[bytes]:
        evidence, spec, a, z = (value * 64 for value in values)
        files = {"a.yaml": (a,), "m.yaml": ("0" * 64,), "z.yaml": (z,)}
        return Ledger(files, {"evidence": evidence, "lock": "0" * 64, "spec": spec}).encode().split(b"\n")

    for seal in (lines(base)[-2], lines(ours)[-2], lines(theirs)[-2]):
        data = b"\n".join([*lines(merged)[:-2], seal, b""])
        assert isinstance(parse(data, "x/.sluice"), Finding)


def test_sha256sum_verifies_the_files(
    root: Path, bundle: Callable[..., Bundle], tool: Callable[[str, str], str]
) -> None:
    write(root, [bundle({"rollout.yaml": "a: 1\n", "sub/dir/x.py": "pass\n"})])
    folder = root / "production/shop/recommender"
    command = [tool("sha256sum", "coreutils"), "--check", "--strict", "--warn", ".sluice"]
    good = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert (good.returncode, good.stdout, good.stderr) == (0, "rollout.yaml: OK\nsub/dir/x.py: OK\n", "")
    (folder / "rollout.yaml").write_text("a: 2\n")
    assert subprocess.run(command, cwd=folder, capture_output=True).returncode == 1


def test_a_ledger_of_an_earlier_version_still_says_who_owns_a_file() -> None:
    result = parse(
        sealed(f"# sluice 0.1.0\n# input templates sha256:{'b' * 64}\n{'a' * 64}  x\n"), "x/.sluice"
    )
    assert result == Ledger({"x": ("a" * 64,)}, {"templates": "b" * 64})


def test_the_form_of_the_ledger(root: Path, bundle: Callable[..., Bundle]) -> None:
    write(root, [bundle({"b.yaml": "b\n", "a.yaml": "a\n"})])
    lines = (root / "production/shop/recommender/.sluice").read_text().splitlines()
    assert lines[:-1] == [
        "# sluice ledger/v1",
        f"# input spec sha256:{'5' * 64}",
        f"{sha256(b'a' + bytes([10])).hexdigest()}  a.yaml",
        f"{sha256(b'b' + bytes([10])).hexdigest()}  b.yaml",
    ]


@pytest.mark.parametrize(
    ("path", "files", "inputs", "words"),
    [
        ("../x", {"a": "a\n"}, {}, "not a path"),
        ("", {"a": "a\n"}, {}, "not a path"),
        ("p", {}, {}, "without files"),
        ("p", {"a": "a"}, {}, "LF"),
        ("p", {"a": ""}, {}, "LF"),
        ("p", {"a": "a\r\n"}, {}, "LF"),
        ("p", {"a": "a\n", "A": "a\n"}, {}, "case"),
        ("p", {"a/b": "a\n", "A": "a\n"}, {}, "inside another"),
        ("p", {"a": "a\n"}, {"spec": "abc"}, "not an input"),
        ("p", {"a": "a\n"}, {"sp ec": "a" * 64}, "not an input"),
    ],
)
def test_a_bundle_refuses_what_could_not_be_written_or_read_back(
    path: str, files: dict[str, str], inputs: dict[str, str], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Bundle(path, files, inputs)
