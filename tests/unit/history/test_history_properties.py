"""Whatever git or a webhook holds: an answer or a refusal, never a traceback, and nothing gets out of its place."""

from __future__ import annotations

import csv
import datetime as dt
import html
import io
import json
from collections.abc import Iterable
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from generator.history.audit import Span
from generator.history.git import Change, Commit, Git, Renamed, _parsed
from generator.history.releases import History, Release
from generator.pipeline.terminal import emit
from generator.report.audit import COLUMNS, write
from generator.report.tables import Screen
from generator.source.errors import UserError
from generator.source.line import visible
from tests.unit.history.anything import QUIET, TEXT, nearly

NAME = "shop/ranker"
WHEN = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
LOCKS = nearly(model=nearly(version=TEXT, digest=TEXT, resolved=TEXT), image=nearly(digest=TEXT))
WAIVERS = st.lists(
    nearly(model=st.just(NAME), gate=TEXT, reason=TEXT, approvedBy=TEXT, until=TEXT), max_size=2
)
PLATFORMS = nearly(
    spec=nearly(waivers=WAIVERS, environments=st.just({"live": {}}), git=nearly(path=st.just("rendered")))
)
SPECS = nearly(spec=nearly(rollout=nearly(approve=TEXT, steps=st.lists(nearly(approve=TEXT), max_size=2))))
EVIDENCE = nearly(
    subject=st.lists(nearly(digest=nearly(sha256=TEXT)), max_size=1),
    predicate=nearly(gates=st.lists(nearly(name=TEXT, verdict=TEXT, reason=TEXT), max_size=2)),
)
FILES = st.fixed_dictionaries({
    f"specs/{NAME}.lock.yaml": LOCKS,
    f"specs/{NAME}.evidence.json": EVIDENCE,
    f"specs/{NAME}.yaml": SPECS,
    "specs/platform.yaml": PLATFORMS,
    f"rendered/live/{NAME}/.sluice": TEXT,
})  # fmt: skip
COMMITS = st.builds(
    Commit,
    sha=st.sampled_from(["a" * 40, "b" * 40]),
    parents=st.just(()),
    author=TEXT,
    committer=TEXT,
    written=st.just(WHEN),
    message=TEXT | st.just("Subject\n\nApproved-by: \x1b[2J<b>Ada</b>\nReviewed-by: =cmd()"),
)


class Remembered(Git):
    """A repository whose files are the same at every commit; only the `git` command is a stand-in."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(Path(), "")
        object.__setattr__(self, "files", files)

    def read(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
        files: dict[str, bytes] = self.files  # type: ignore[attr-defined]
        return {key: files[key[1]] for key in wanted if key[1] in files}


def told(files: dict[str, bytes], commit: Commit) -> list[Release]:
    change = Change(commit, WHEN, (Renamed(None, f"specs/{NAME}.lock.yaml"),))
    return History(Remembered(files), [change], {commit.sha: WHEN}).releases(NAME)


class Tags(HTMLParser):
    """The elements of a page, and the text of its cells."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)


def check_forms(found: list[Release]) -> None:
    rows = list(csv.reader(io.StringIO(write("csv", found, "", Screen()), newline="")))
    assert [len(row) for row in rows] == [len(COLUMNS)] * (len(found) + 1)
    assert not [cell for row in rows[1:] for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert len(json.loads(write("json", found, "", Screen()))["releases"]) == len(found)
    page = Tags()
    page.feed(write("html", found, "", Screen()))
    known = {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "div",
        "table",
        "caption",
        "thead",
        "tr",
        "th",
    }
    assert page.tags <= known | {"tbody", "td"}
    text = write("text", found, "", Screen())
    assert all(visible(line) == line for line in text.split("\n")), text
    lines = [line for line in text.split("\n") if line and not line.startswith("  ")]
    assert len(lines) == len(found)
    for fmt in ("text", "json", "csv", "html"):
        with CliRunner().isolation() as (out, *_):
            emit(
                write(fmt, found, "", Screen())
            )  # bytes that are not UTF-8 reach a terminal, or a file, as some text
            assert out.getvalue()


@QUIET
@given(FILES, COMMITS)
def test_whatever_values_the_files_hold_there_is_an_answer(files: dict[str, Any], commit: Commit) -> None:
    raw = {path: json.dumps(value).encode() for path, value in files.items()}
    found = told(raw, commit)
    assert len(found) <= 1
    if found:
        check_forms(found)


@QUIET
@given(st.dictionaries(st.sampled_from([f"specs/{NAME}.evidence.json", f"specs/{NAME}.yaml", "specs/platform.yaml"]), st.binary(max_size=80)), COMMITS)  # fmt: skip
def test_whatever_bytes_the_files_hold_there_is_an_answer(files: dict[str, bytes], commit: Commit) -> None:
    lock = json.dumps({"model": {"version": "1", "digest": "d", "resolved": "r"}}).encode()
    (release,) = told({**files, f"specs/{NAME}.lock.yaml": lock}, commit)
    assert release.version == "1"
    check_forms([release])


@QUIET
@given(st.binary(max_size=120))
def test_a_lock_of_any_bytes_names_one_version_or_none(raw: bytes) -> None:
    assert len(told({f"specs/{NAME}.lock.yaml": raw}, Commit("a" * 40, (), "", "", WHEN, ""))) <= 1


@pytest.mark.parametrize("evidence", [b"[" * 100_000, b"9" * 10_000, b'{"subject": ' * 10_000])
def test_evidence_that_nests_too_deeply_is_none(evidence: bytes) -> None:
    lock = json.dumps({"model": {"version": "1", "digest": "d", "resolved": "r"}}).encode()
    files = {f"specs/{NAME}.lock.yaml": lock, f"specs/{NAME}.evidence.json": evidence}
    (release,) = told(files, Commit("a" * 40, (), "", "", WHEN, ""))
    assert release.evidence_fits is None


def test_what_is_written_rightly_is_told() -> None:
    """The strategies above hold what is right: were everything unreadable, they would prove nothing."""
    files = {
        f"specs/{NAME}.lock.yaml": {"model": {"version": "7", "digest": "sha256:d", "resolved": "r"}},
        f"specs/{NAME}.evidence.json": {
            "subject": [{"digest": {"sha256": "d"}}],
            "predicate": {"gates": [{"name": "g", "verdict": "pass", "reason": "<b>\x1b[31m"}]},
        },
        "specs/platform.yaml": {"spec": {"waivers": [
            {"model": NAME, "gate": "g", "reason": "<i>r\nx", "approvedBy": "a", "until": "2099-01-01"}
        ]}},
        f"specs/{NAME}.yaml": {"spec": {"rollout": {"approve": "boss"}}},
    }  # fmt: skip
    raw = {path: json.dumps(value).encode() for path, value in files.items()}
    found = told(raw, Commit("a" * 40, (), "Ada", "Ada", WHEN, "Subject"))
    check_forms(found)
    text = write("text", found, "", Screen())
    assert r"<b>\x1b[31m" in text
    assert r"<i>r\nx" in text
    assert html.escape(r"<i>r\nx") in write("html", found, "", Screen())
    assert found[0].evidence_fits
    assert found[0].roles == ("boss",)


@QUIET
@given(TEXT | st.from_regex(r"\d{1,5}-\d{1,2}-\d{1,2}(T[0-9:+.]{1,12}Z?)?", fullmatch=True))
def test_any_text_is_a_moment_or_a_refusal(text: str) -> None:
    with suppress(UserError):
        span = Span.of(text)
        assert span.start < span.end
        assert span.start.tzinfo is not None


# The log of git

_PLAIN = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
_FILE = _PLAIN.filter(bool)
_MOVES = st.tuples(st.sampled_from(["A", "M", "D", "T"]), _FILE) | st.tuples(st.sampled_from(["R", "C"]), _FILE, _FILE)  # fmt: skip
_LOGGED = st.tuples(
    st.from_regex(r"[0-9a-f]{40}", fullmatch=True),
    _PLAIN,
    _PLAIN,
    _PLAIN,
    st.lists(_MOVES, min_size=1, max_size=3),
)


@QUIET
@given(st.lists(_LOGGED, max_size=3))
def test_a_log_is_read_as_git_wrote_it(logged: list[Any]) -> None:
    """`log -z --name-status`: the fields of a commit, then its files after a line end, all of it ended by NUL."""
    out = ""
    for sha, author, committer, message, moves in logged:
        out += f"{sha}\0\0{author}\0{committer}\x001793000000\0{message}\0\n"
        for status, *names in moves:
            out += "\0".join([status + ("87" if status in "RC" else ""), *names]) + "\0"
    found = _parsed(out)
    assert [(c.sha, c.author, c.committer, c.message) for c, _ in found] == [
        (sha, author, committer, message.strip()) for sha, author, committer, message, _ in logged
    ]
    for (_, files), (*_, moves) in zip(found, logged, strict=True):
        assert [file.after for file in files] == [None if s == "D" else names[-1] for s, *names in moves]
        assert [file.before for file in files] == [None if s in "AC" else names[0] for s, *names in moves]
