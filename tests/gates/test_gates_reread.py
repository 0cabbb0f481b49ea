"""A report that is in the repository is read again: evidence can't say something else about it."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from generator.gates.document import own_digest
from generator.source.canonical import canonical_document
from tests.gates.models import ROOT

EVIDENCE = "specs/support/ticket-classifier.evidence.json"
SPEC = "support/ticket-classifier"
MODEL = "sha256:" + json.loads((ROOT / EVIDENCE).read_text())["subject"][0]["digest"]["sha256"]
GOOD = {"accuracy": 2308 / 2400, "rows": 2400, "model": MODEL}


def checked(root: Path, name: str, report: bytes) -> tuple[int, str]:
    """`gates check` with a report in the repository, whose digest the evidence has."""
    shutil.copytree(ROOT / "specs", root / "specs")
    data: dict[str, Any] = json.loads((root / EVIDENCE).read_text())
    for entry in data["predicate"]["gates"]:
        for source in entry["sources"]:
            if source["path"] == name:
                path = root / name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(report)
                source["digest"] = f"sha256:{hashlib.sha256(report).hexdigest()}"
        entry["digest"] = own_digest(entry)
    data["digest"] = own_digest(data)
    (root / EVIDENCE).write_text(canonical_document(data))
    done = CliRunner().invoke(cli, ["gates", "check", SPEC, "--root", str(root)])
    return done.exit_code, done.output


def junit(cases: int, failed: int = 0, model: str = MODEL) -> bytes:
    body = "".join(
        f'<testcase name="t{n}">{"<failure/>" if n < failed else ""}</testcase>' for n in range(cases)
    )
    named = f'<properties><property name="sluice.model" value="{model}"/></properties>' if model else ""
    return f"<testsuite>{named}{body}</testsuite>".encode()


def test_the_report_that_the_evidence_is_about(tmp_path: Path) -> None:
    assert checked(tmp_path / "a", "metrics.json", json.dumps(GOOD).encode())[0] == 0
    assert checked(tmp_path / "b", "reports/junit.xml", junit(24))[0] == 0


@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("metrics.json", {**GOOD, "accuracy": 0.5}),
        ("metrics.json", {**GOOD, "rows": 2300}),
        ("metrics.json", {**GOOD, "model": "sha256:" + "b" * 64}),
        ("metrics.json", {key: value for key, value in GOOD.items() if key != "model"}),
        ("metrics.json", {**GOOD, "accuracy": 96}),
        ("reports/junit.xml", junit(24, failed=1)),
        ("reports/junit.xml", junit(21)),
        ("reports/junit.xml", junit(24, model="sha256:" + "b" * 64)),
        ("reports/junit.xml", junit(24, model="")),
        ("reports/junit.xml", b"<html/>"),
    ],
)
def test_another_report_contradicts_the_evidence(tmp_path: Path, name: str, report: Any) -> None:
    raw = report if isinstance(report, bytes) else json.dumps(report).encode()
    code, output = checked(tmp_path, name, raw)
    assert (code, "EVID114" in output) == (1, True), output
