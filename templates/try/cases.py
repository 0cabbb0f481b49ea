"""Requests that the spec allows, and requests that it does not."""

from __future__ import annotations

import contextlib
import http
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from report import Report, cause
from server import Server

MOST_CASES = 20  # of one column
DAYS = {"date": ("1900-01-01", "2024-02-29"), "datetime": ("1970-01-01", "2024-02-29")}
WRONG = {
    "date": "2026-02-30",
    "datetime": "yesterday",
    "bytes": "not base64",
    "image": "aGVsbG8=",
    "object": "text",
}


def examples(server: Server, bento: str | None) -> tuple[list, str]:
    """Return real rows and where they come from: MLflow's example, the declaration, or the model's own warm-up."""
    facts = server.facts
    if facts["body"] is not None:
        return [facts["body"]], "`serve.example`"
    declared = {column["name"] for column in facts["columns"]}
    for file in (
        sorted(Path(bento).rglob("*input_example.json"), key=lambda path: -len(path.name)) if bento else ()
    ):
        with contextlib.suppress(ValueError, KeyError, TypeError, OSError, AttributeError):
            rows = _rows(json.loads(file.read_text(encoding="utf-8"), parse_constant=lambda _: None))
            if rows and (not declared or (isinstance(rows[0], dict) and declared >= rows[0].keys())):
                return rows[: facts["max_rows"]], "the input example of the model"
    if facts["examples"] or not bento:
        return facts["examples"], "the spec"
    program = "import json, pathlib, predictor; print(json.dumps(predictor.Predictor(pathlib.Path({!r})).examples()))"
    stored = next((path.parent for path in Path(bento, "models").rglob("model.yaml")), Path(bento))
    done = subprocess.run(  # noqa: S603 - the bento that was named
        [sys.executable, "-c", program.format(str(stored))],
        cwd=Path(bento, "src"),
        env=server.variables,
        capture_output=True,
        text=True,
        check=False,
    )
    rows = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 and done.stdout.strip() else []
    return rows, "the warm-up of the model"


def _rows(example: Any) -> list:
    """Return the rows of an example that MLflow saved, in any of its forms."""
    if isinstance(example, dict):
        split = example.get("dataframe_split", example)
        if isinstance(split, dict) and "columns" in split:
            return [dict(zip(split["columns"], row, strict=True)) for row in split["data"]]
        records = example.get("dataframe_records", example.get("inputs"))
        return records if isinstance(records, list) else []
    return example if isinstance(example, list) and isinstance(example[0], list | dict) else []


def nested(column: dict) -> bool:
    """Return whether a column is an array or a list."""
    return bool(column["shape"] or column["items"])


def in_array(column: dict, value: Any, length: int) -> Any:
    """Return an array, or a list of a length, of one value."""
    if column["items"]:
        return [value] * length
    for length in reversed(column["shape"]):
        value = [value] * length
    return value


def corners(column: dict, length: int) -> Iterator[tuple[str, Any]]:
    """Yield values of a column that the spec allows, with what they are.

    Args:
        column: the column.
        length: of lists; those of other columns of the row have it, too.
    """
    for what, value in _corners(column):
        yield (f"{what} in every place", in_array(column, value, length)) if nested(column) else (what, value)
    if column["nullable"]:
        yield "null", None


def _corners(column: dict) -> Iterator[tuple[str, Any]]:
    """Yield values of one element."""
    if column["values"]:
        yield from ((f"the value {value!r}", value) for value in column["values"][:MOST_CASES])
    elif column["type"] == "boolean":
        yield from (("true", True), ("false", False))
    elif column["type"] in {"integer", "number"}:
        kind = int if column["type"] == "integer" else float
        for name in ("minimum", "maximum"):
            if column[name] is not None:
                yield f"the {name} {column[name]:g}", kind(column[name])
    elif column["type"] == "string":
        yield f"a text of {column['max_length']} characters", "x" * column["max_length"]
    elif column["type"] in DAYS:
        time = "" if column["type"] == "date" else "T23:59:59" + "Z" * column["zoned"]
        yield from ((f"the day {day}", day + time) for day in DAYS[column["type"]])


def mistakes(column: dict) -> Iterator[tuple[str, Any]]:
    """Yield values of a column that the spec does not allow."""
    for what, value in _mistakes(column):
        yield (f"{what} in a list", in_array(column, value, 1)) if nested(column) else (what, value)
    if nested(column):
        yield "one value, not a list", "text"
    if column["items"]:
        yield "a list that is too long", in_array(column, None, column["items"][1] + 1)
    elif column["shape"]:
        yield "an array of another shape", in_array({**column, "shape": [column["shape"][0] + 1]}, 0, 1)
    if not column["nullable"] and column["type"] != "json":
        yield "null", None


def _mistakes(column: dict) -> Iterator[tuple[str, Any]]:
    """Yield wrong values of one element."""
    text = column["type"] == "string"
    if column["type"] in WRONG:
        yield "a wrong value", WRONG[column["type"]]
    if column["type"] in {"string", "integer", "number", "boolean"}:
        yield ("a number", 5) if text else ("a text", "text")
    if column["type"] == "integer":
        yield "a fraction", 1.5
    if column["values"]:
        yield "a value that is not listed", "no such value" if text else 987654321
    elif column["type"] in {"integer", "number"}:
        if column["minimum"] is not None:
            yield "less than the minimum", column["minimum"] - 1 - abs(column["minimum"])
        if column["maximum"] is not None:
            yield "more than the maximum", column["maximum"] + 1 + abs(column["maximum"])
    elif text:
        yield "a text that is too long", "x" * (column["max_length"] + 1)


def try_requests(server: Server, rows: list, report: Report) -> None:
    """Send what the spec allows and what it does not."""
    status, body = server.predict(rows)
    report.sent["examples"] = len(rows)
    if status != http.HTTPStatus.OK:
        line, hint = cause(server.text()) if status >= 500 else (body, "")
        report.wrong(
            "requests", f"the example rows are answered with {status or 'nothing'}: {line[:300]}", hint
        )
        return
    if server.facts["body"] is not None:
        return
    if any(answer is None or answer != answer for answer in _predictions(body)):
        report.wrong(
            "requests",
            "the model answers null or NaN for an example row",
            "retrain it, or correct its inputs",
        )
    _corner_cases(server, rows[0], report)
    _bad_requests(server, rows[0], report)


def _predictions(body: str) -> list:
    try:
        found = json.loads(body)["predictions"]
    except (ValueError, KeyError, TypeError):
        return [None]
    return found if isinstance(found, list) else [None]


def _corner_cases(server: Server, row: Any, report: Report) -> None:
    for column in server.facts["columns"]:
        refused = []
        present = row.get(column["name"]) if column["items"] else None
        for what, value in corners(column, len(present or "1")):
            status, body = server.predict([{**row, column["name"]: value}])
            report.sent["corner cases"] = report.sent.get("corner cases", 0) + 1
            if status != http.HTTPStatus.OK or _predictions(body) == [None]:
                refused.append((what, status, body))
        if refused:
            what, status, body = refused[0]
            more = f" ({len(refused)} such values)" if len(refused) > 1 else ""
            why = cause(server.text())[0] if status >= 500 else body
            answer = f"is allowed by the spec and answered with {status or 'nothing'}{more}: {why[:300]}"
            hint = (
                "declare only what the model takes (`values`, `minimum`, `maximum`, `maxLength`, `nullable`)"
            )
            report.wrong("requests", f"`{column['name']}`: {what} {answer}", f"{hint}, or correct the model")


def _bad_requests(server: Server, row: Any, report: Report) -> None:
    """Send mistakes of clients: anything but 400 with the name of the column would count against the model."""
    cases = [
        (column["name"], f"`{column['name']}`: {what}", [{**row, column["name"]: value}])
        for column in server.facts["columns"]
        for what, value in mistakes(column)
    ]
    for column in server.facts["columns"]:
        if not column["nullable"] and isinstance(row, dict):
            left = {name: value for name, value in row.items() if name != column["name"]}
            cases.append((column["name"], f"a row without `{column['name']}`", [left]))
    cases += [
        ("", "a request without rows", []),
        ("", "too many rows", [row] * (server.facts["max_rows"] + 1)),
    ]
    report.sent["bad requests"] = len(cases)
    for column, what, rows in cases:
        status, body = server.predict(rows)
        if status not in {400, 413, 422}:
            report.wrong("requests", f"{what} is answered with {status or 'nothing'}, not with 400: {body[:200]}",
                "the service takes what the spec does not allow, or fails on it")  # fmt: skip
        elif column and json.dumps(column, ensure_ascii=False)[1:-1] not in body:
            report.wrong("requests", f"{what} is answered with {status}, without the name of the column: {body[:200]}",
                "callers can't find their mistake")  # fmt: skip


def try_feedback(server: Server, rows: list, report: Report) -> None:
    """Send one outcome, as a client does."""
    if not server.facts["events"] or server.process is None:
        return
    status, body = server.predict(rows[:1])
    token = json.loads(body)["served_by"] if status == http.HTTPStatus.OK else ""
    outcome = [{"served_by": token, "outcome": server.facts["events"][0]}]
    status, body = server.ask("POST", "/feedback", outcome, server.feedback)
    report.sent["outcomes"] = 1
    if status not in {200, 202} or '"counted":1' not in body.replace(" ", ""):
        report.wrong("requests", f"an outcome is answered with {status or 'nothing'}: {body[:300]}")
