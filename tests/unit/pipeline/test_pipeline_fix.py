"""Fixes change one scalar and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from generator.pipeline.fix import apply, fix_files
from generator.source.document import Document
from generator.source.finding import Finding, Fix, Place
from generator.source.reader import parse
from tests.unit.cli.conftest import CHECKOUT

SPECS = sorted((CHECKOUT / "specs").glob("**/*.yaml"))


@pytest.mark.parametrize("path", [(), ("b", "c"), ("a", "c"), ("l", 4), ("l", -1), ("l", "x")])
def test_a_fix_needs_its_parent(path):
    assert apply(parse(b"a: 1\nl: [1]\n", "f.yaml"), Fix(path, "new")) is None


def finding(file: str, path: tuple[str | int, ...], value: object) -> Finding:
    return Finding("TST100", "error", "said", "do", Place(file), fix=Fix(path, value))


def never(found: Finding, diff: str) -> bool:
    return False


def test_files_keep_mark_line_ends_comments_and_other_findings(tmp_path: Path):
    raw = b"\xef\xbb\xbf# first\r\na: 5   # keep\r\nb: {c: 7}\r\n"
    (tmp_path / "f.yaml").write_bytes(raw)
    wanted = [
        finding("f.yaml", ("a",), "5%"),
        finding("f.yaml", ("b", "c"), "7m"),
        finding("f.yaml", ("a", "c"), "x"),
    ]
    done = fix_files(wanted, tmp_path, never)
    assert (len(done.written), done.refused, done.files) == (2, 1, {"f.yaml": raw})
    assert "-b: {c: 7}\n+a: 5%   # keep\n" in done.diff
    assert (tmp_path / "f.yaml").read_bytes() == b"\xef\xbb\xbf# first\r\na: 5%   # keep\r\nb: {c: 7m}\r\n"


def test_a_linked_spec_stays_a_link(tmp_path: Path):
    (tmp_path / "real.yaml").write_text("a: 5\n")
    (tmp_path / "f.yaml").symlink_to("real.yaml")
    fix_files([finding("f.yaml", ("a",), "5%")], tmp_path, never)
    assert (tmp_path / "f.yaml").is_symlink()
    assert (tmp_path / "real.yaml").read_text() == "a: 5%\n"


def test_a_file_that_is_gone_is_left_alone(tmp_path: Path):
    assert fix_files([finding("f.yaml", ("a",), 1)], tmp_path, never).written == ()


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
    done = sluice("validate", "shop/recommender", "--fix", "--apply", "SPEC105")
    assert done.exit_code == 0, done.stdout
    assert "fixed 1 in specs/shop/recommender.yaml" in done.stderr
    assert spec.read_text() == before


def test_two_holds_of_one_step_become_the_longer_one(tmp_path: Path):
    (tmp_path / "f.yaml").write_text("hold: 5m\n")
    wanted = [finding("f.yaml", ("hold",), "2h"), finding("f.yaml", ("hold",), "90m")]
    assert fix_files(wanted, tmp_path, never).written == ()
    fix_files(wanted, tmp_path, lambda found, diff: "+hold: 2h" in diff)
    assert (tmp_path / "f.yaml").read_text() == "hold: 2h\n"


def test_an_edit_that_is_not_safe_is_not_written(tmp_path: Path):
    (tmp_path / "f.yaml").write_text("a: 1\n")
    unsafe = replace(finding("f.yaml", ("a",), 2), fix=Fix(("a",), 2, safe=False))
    assert fix_files([unsafe], tmp_path, never).written == ()


def test_of_several_repairs_that_need_an_answer_one_is_written_at_a_time(tmp_path: Path):
    (tmp_path / "f.yaml").write_text("steps: [{hold: 1m}, {hold: 1m}]\n")
    wanted = [finding("f.yaml", ("steps", at, "hold"), "1h") for at in (0, 1)]
    assert len(fix_files(wanted, tmp_path, lambda found, diff: True).written) == 1
    assert (tmp_path / "f.yaml").read_text() == "steps: [{hold: 1h}, {hold: 1m}]\n"


def test_a_fix_that_causes_an_error_is_taken_back(repository, sluice, monkeypatch):
    """A gate that is changed makes its evidence outdated: the file is as it was before."""
    spec = repository / "specs" / "risk" / "fraud.yaml"
    before = spec.read_text()

    def harmful(findings, root, agreed):
        place = Place("specs/risk/fraud.yaml")
        wrong = Finding(
            "TST100", "warning", "said", "do", place, fix=Fix(("spec", "gates", 0, "atMost"), 0.2)
        )
        extra = [] if tried else [wrong]
        tried.append(wrong)
        return original([*findings, *extra], root, agreed)

    original, tried = fix_files, []
    monkeypatch.setattr("generator.pipeline.fix.fix_files", harmful)
    done = sluice("validate", "risk/fraud", "--fix")
    assert "nothing is fixed in specs/risk/fraud.yaml" in done.stderr
    assert spec.read_text() == before
