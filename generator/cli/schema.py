"""`sluice schema`: JSON Schemas of everything that people write and programs read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from generator.pipeline.atomic_write import write_files
from generator.pipeline.terminal import emit, note
from generator.report.formats import findings_json
from generator.report.sections.schema import plan_schema
from generator.spec.schema import (
    BASE,
    DRAFT,
    evidence_schema,
    identified,
    lock_schema,
    model_schema,
    platform_schema,
)


def _plan() -> dict[str, Any]:
    return identified("plan", "The plans of one model", plan_schema())


def _diff() -> dict[str, Any]:
    from generator.report.compared.document import diff_schema

    return identified("diff", "What differs between two states of a repository", diff_schema())


def _findings() -> dict[str, Any]:
    return {"$schema": DRAFT, "$id": f"{BASE}/findings.json", **findings_json.schema()}


SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "model": model_schema,
    "platform": platform_schema,
    "lock": lock_schema,
    "evidence": evidence_schema,
    "plan": _plan,
    "diff": _diff,
    "findings": _findings,
}


@click.command("schema")
@click.argument("name", type=click.Choice(tuple(SCHEMAS)), default="model")
@click.option(
    "--write", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", help="Write all of them."
)
def command(name: str, write: Path | None) -> None:
    """Print the JSON Schema of a file format.

    The first line of a spec names its schema for editors; --write docs/schema puts all of them where it looks.
    """
    if write is None:
        emit(text(name))
        return
    write_files(write, {f"{each}.json": text(each).encode() for each in SCHEMAS})
    note(f"wrote {', '.join(SCHEMAS)} to {write}")


def text(name: str) -> str:
    """One schema as a file (draft 2020-12); the same bytes every time."""
    return json.dumps(SCHEMAS[name](), indent=2, ensure_ascii=True) + "\n"
