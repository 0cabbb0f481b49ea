from __future__ import annotations

import copy
import datetime as dt
import functools
import json
import math
import operator
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from generator.report.formats import render
from generator.report.formats.findings_json import Document
from generator.report.formats.json_schema import schema_of
from generator.report.formats.report import page
from generator.source.finding import Finding, Fix, Place
from tests.unit.report.formats.samples import CEILING, EXAMPLES, REPORT, REPORTS, UNKNOWN_KEY

VALIDATOR = Draft202012Validator(schema_of(Document))


def _document(findings: tuple[Finding, ...] | list[Finding], checked: int = 0) -> dict[str, Any]:
    def refuse(name: str) -> None:
        pytest.fail(f"{name} is not JSON")

    document: dict[str, Any] = json.loads(render(findings, "json", checked=checked), parse_constant=refuse)
    return document


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema_of(Document))


def test_a_finding_in_full() -> None:
    (written,) = _document([CEILING])["findings"]
    assert written == {
        "code": "SPEC301",
        "page": page("SPEC301"),
        "severity": "error",
        "message": CEILING.message,
        "hint": CEILING.hint,
        "place": {"file": "specs/shop/recommender.yaml", "line": 14, "column": 22, "end_column": 25},
        "object": "",
        "part": "",
        "path": "spec.rollout.steps[0].weight",
        "excerpt": CEILING.excerpt,
        "related": [
            {
                "why": "the ceiling of the tier",
                "place": {"file": "specs/platform.yaml", "line": 22, "column": 44, "end_column": 46},
            },
            {
                "why": "the tier of this model",
                "place": {"file": "specs/shop/recommender.yaml", "line": 5, "column": 3, "end_column": None},
            },
        ],
        "fix": None,
    }


def test_the_summary() -> None:
    document = _document(REPORT, checked=12)
    assert document["schema"] == "sluice/findings/v1"
    assert document["summary"] == {
        "checked": 12,
        "files": 2,
        "fixable": 1,
        "error": 3,
        "warning": 1,
        "info": 1,
    }


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("canary", "canary"),
        (True, True),
        (None, None),
        (1.5, 1.5),
        (math.inf, "inf"),
        (dt.date(2027, 1, 31), "2027-01-31"),
        ({"steps": ({1: "a"}, [2])}, {"steps": [{"1": "a"}, [2]]}),
    ],
)
def test_the_value_of_a_fix(value: object, written: object) -> None:
    finding = Finding("SPEC101", "error", "m", "h", Place("a.yaml"), fix=Fix(("spec", "steps", 0), value))
    assert _document([finding])["findings"][0]["fix"] == {
        "path": ["spec", "steps", 0],
        "value": written,
        "asks": True,
    }


@EXAMPLES
@given(findings=REPORTS)
def test_every_document_fits_the_schema_and_says_what_was_found(findings: list[Finding]) -> None:
    document = _document(findings)
    VALIDATOR.validate(document)
    written = [
        (item["code"], item["message"], item["hint"], item["excerpt"]) for item in document["findings"]
    ]
    assert sorted(written) == sorted((f.code, f.message, f.hint, f.excerpt) for f in findings)


def _paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, item in items for path in [(*at, key), *_paths(item, (*at, key))]]


def _parent(value: Any, path: tuple[Any, ...]) -> Any:
    return functools.reduce(operator.getitem, path[:-1], value)


def test_the_schema_notices_any_key_that_is_gone_or_new() -> None:
    document = _document([CEILING, UNKNOWN_KEY])
    paths = [path for path in _paths(document) if isinstance(path[-1], str)]
    assert len(paths) > 40
    for path in paths:
        gone, new = copy.deepcopy(document), copy.deepcopy(document)
        del _parent(gone, path)[path[-1]]
        _parent(new, path)[f"{path[-1]}s"] = 1
        assert not VALIDATOR.is_valid(gone), path
        assert not VALIDATOR.is_valid(new), path
