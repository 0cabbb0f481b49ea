"""Validates plain values against a record, and reports every structural mistake with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from generator.source.document import Document
from generator.source.finding import Finding, Place

if TYPE_CHECKING:
    from generator.source.document import Path
    from generator.spec.mistakes.draft import Where

T = TypeVar("T", bound=BaseModel)


def check(record: type[T], document: Document) -> tuple[T | None, list[Finding]]:
    """Validate a document as a record.

    Returns:
        The record and no findings, or None and all structural findings.
    """
    if not isinstance(document.data, dict):
        return None, [not_a_mapping(document)]
    return check_data(record, document.data, lambda path: (document, path))


def refused(record: type[BaseModel], document: Document) -> list[Finding]:
    """Return the findings of a document that is not plain YAML, explained by the record that it should be."""
    if not any(finding.code == "SRC111" for finding in document.findings):
        return document.findings
    from generator.spec.mistakes.ambiguous import explain_ambiguous

    return explain_ambiguous(record, document)


def not_a_mapping(document: Document) -> Finding:
    """Return the finding about a file that is empty or not a mapping."""
    stem = document.file.removeprefix("specs/").removesuffix(".yaml")
    new = f"`sluice new {stem}` writes a spec" if stem.count("/") == 1 else "`sluice init` writes one"
    if document.data is None:
        message = "this file is empty"
        hint = (
            f"delete it; {new}"
            if not document.file.endswith(".lock.yaml")
            else "delete it; `sluice pin` writes it"
        )
    else:
        what = "a list" if isinstance(document.data, list) else "one value"
        message = f"this file is {what}, not a mapping of keys to values"
        hint = f"write keys, beginning with `apiVersion: sluice.dev/v1alpha1`; {new}"
    place = document.place(()) if document.data is not None else Place(document.file, 1, 1)
    return Finding("SPEC101", "error", message, hint, place, "", document.excerpt(place.line))


def check_data(
    record: type[T],
    data: Any,
    where: Where,
    *,
    partial: bool = False,
    required: tuple[Path, ...] = (),
) -> tuple[T | None, list[Finding]]:
    """Check plain values against a record.

    Args:
        record: the expected record.
        data: the values.
        where: which document wrote which path.
        partial: missing keys are allowed.
        required: keys that must be present even so.
    """
    try:
        return record.model_validate(data), []
    except ValidationError:
        from generator.spec.mistakes.explain import explain

        return None, explain(record, data, where, partial=partial, required=required)
