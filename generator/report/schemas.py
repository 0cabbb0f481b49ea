"""JSON Schemas of everything that people write and programs read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from generator.report.formats.json_schema import Node, schema_of
from generator.spec.schema import (
    BASE,
    calibration_schema,
    evidence_schema,
    identified,
    lock_schema,
    model_schema,
    platform_schema,
    promotion_schema,
    quarantine_schema,
    record_schema,
)


def _plan() -> Node:
    from generator.report.records import PlanDocument

    return _document("plan", "The plans of one model", "What a release will do.", PlanDocument)


def _diff() -> Node:
    from generator.report.diffs.records import DiffDocument

    text = "What differs between two states of a repository"
    return _document("diff", text, f"{text}.", DiffDocument)


def _trial() -> Node:
    from generator.report.trials import TrialDocument

    return _document("try", "A trial of one service", "What `sluice try` found.", TrialDocument)


def _doctor() -> Node:
    from generator.report.doctor import DoctorDocument

    return _document("doctor", "What is missing", "What `sluice doctor` found.", DoctorDocument)


def _odds() -> Node:
    from generator.report.trees.odds_json import OddsDocument

    return _document("odds", "The odds of a tree", "What `sluice odds` found.", OddsDocument)


def _import() -> Node:
    from generator.report.imports import ImportDocument

    return _document("import", "An import of a tree", "What `sluice import` found.", ImportDocument)


def _of(name: str, title: str, record: str) -> Callable[[], Node]:
    """Return what builds the schema of a document in `generator.report.documents`, which is imported when it does."""

    def build() -> Node:
        from generator.report import documents

        return _document(name, title, f"What `sluice {name}` prints.", getattr(documents, record))

    return build


def _document(name: str, title: str, description: str, record: type) -> Node:
    units = "Shares are fractions, times are seconds."
    return identified(name, title, {"description": f"{description} {units}", **schema_of(record)})


def _check() -> Node:
    from generator.report.checks import CheckDocument

    text = "What `render`, `ci` and `codeowners` find with --check."
    return _document("check", "A check of files", text, CheckDocument)


def _codes() -> Node:
    from generator.report.codes import CodesDocument

    return _document("codes", "Codes of findings", "What `sluice explain` prints.", CodesDocument)


def _templates() -> Node:
    from generator.report.template_list import TemplatesDocument

    return _document("templates", "Templates", "What `sluice templates` lists.", TemplatesDocument)


def _postmortem() -> Node:
    from generator.report.postmortems.json_document import PostmortemDocument

    text = "What `sluice postmortem` found."
    return _document("postmortem", "What happened to a release", text, PostmortemDocument)


def _findings() -> Node:
    from generator.report.formats.findings_json import Document

    return identified("findings", "Findings of a run of sluice", schema_of(Document))


SCHEMAS: Final[Mapping[str, Callable[[], Node]]] = {
    "model": model_schema,
    "platform": platform_schema,
    "lock": lock_schema,
    "evidence": evidence_schema,
    "record": record_schema,
    "promotion": promotion_schema,
    "calibration": calibration_schema,
    "quarantine": quarantine_schema,
    "plan": _plan,
    "diff": _diff,
    "findings": _findings,
    "try": _trial,
    "import": _import,
    "doctor": _doctor,
    "check": _check,
    "codes": _codes,
    "templates": _templates,
    "postmortem": _postmortem,
    "odds": _odds,
    "status": _of("status", "Models in git and in the cluster", "StatusDocument"),
    "audit": _of("audit", "Versions in git", "AuditDocument"),
    "track-record": _of("track-record", "Promises and what became of them", "TrackRecordDocument"),
    "design": _of("design", "A schedule from what a team accepts", "DesignDocument"),
    "replay": _of("replay", "What guards would have decided", "ReplayDocument"),
}
"""What builds each schema, by the name that `sluice schema` knows."""


def schema_text(name: str) -> str:
    """Return one schema as a file (draft 2020-12); the same bytes every time."""
    return _text(SCHEMAS[name]())


_IN_STORE: Final[Mapping[str, tuple[str, ...]]] = {
    "model": (),  # `specs/*/*.yaml` would match files of others: the first line of a spec names its schema
    "platform": ("**/specs/platform.yaml",),
    "lock": ("**/specs/*/*.lock.yaml",),
    "quarantine": ("**/specs/*/*.quarantine.yaml",),
}
"""The files that people write, and the names by which editors know them."""


def store_files() -> dict[str, str]:
    """Return what the JSON Schema Store takes: schemas in draft-07, and their entries of its catalog."""
    files = {f"sluice-{name}.json": _text(_draft_07(SCHEMAS[name]())) for name in _IN_STORE}
    entries = []
    for name, matched in _IN_STORE.items():
        entry: Node = {"name": f"Sluice {name}", "description": f"Sluice: {SCHEMAS[name]()['title'].lower()}"}
        if matched:
            entry["fileMatch"] = list(matched)
        entries.append({**entry, "url": f"{BASE}/draft-07/sluice-{name}.json"})
    catalog = {
        "$schema": "https://json.schemastore.org/schema-catalog.json",
        "version": 1,
        "schemas": entries,
    }
    return {**files, "catalog.json": _text(catalog)}


def _draft_07(schema: Node) -> Node:
    """Return a schema in draft-07, which reads nothing next to a `$ref` and has other names for two keywords."""
    name = schema["$id"].rpartition("/")[2]
    identity = {"$schema": "http://json-schema.org/draft-07/schema#", "$id": f"{BASE}/draft-07/sluice-{name}"}
    found: Node = {**_older(schema), **identity}
    return found


def _older(node: Any) -> Any:
    if isinstance(node, list):
        return [_older(item) for item in node]
    if not isinstance(node, dict):
        return node
    renamed = {"$defs": "definitions", "dependentRequired": "dependencies"}
    found = {renamed.get(key, key): _older(value) for key, value in node.items()}
    if not isinstance(found.get("$ref"), str):
        return found
    reference = {"$ref": found.pop("$ref").replace("#/$defs/", "#/definitions/")}
    return {**found, "allOf": [reference]} if found else reference


def _text(node: Node) -> str:
    return json.dumps(node, indent=2, ensure_ascii=True) + "\n"
