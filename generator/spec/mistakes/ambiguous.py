"""Explains scalars that YAML parsers read differently (`yes`, `1:30`) by the key that they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from generator.source.document import Document, Path
from generator.source.finding import Finding
from generator.source.flow import flow
from generator.spec.mistakes.annotations import Target, annotation_of, collection, fields, models
from generator.spec.mistakes.suggestions import candidates, is_text

CODE = "SRC111"


def explain_ambiguous(record: type[BaseModel], document: Document) -> list[Finding]:
    """Return the findings of a document; the hint about an ambiguous value is the value that its key accepts."""
    return [
        _explained(record, document, found) if found.code == CODE else found for found in document.findings
    ]


def _explained(record: type[BaseModel], document: Document, finding: Finding) -> Finding:
    path = document.path_at(finding.place)
    text = document.raw(path) if path else ""
    for target in _targets(record, path):
        found = candidates(target, text)
        # Text is accepted by almost every place: only an approval is often written as a boolean.
        if found and (not is_text(target.annotation) or path[-1] == "approve"):
            first = found[0]
            reading = f" ({first.reading})" if first.reading else ""
            other = next(
                (f", or `{flow(one.value)}` ({one.reading})" for one in found[1:] if one.reading), ""
            )
            return replace(finding, hint=f"write `{flow(first.value)}`{reading}{other}")
    return finding


def _targets(record: type[BaseModel], path: Path) -> Iterator[Target]:
    """Yield the places that a path may mean, one for each kind of the mappings on its way."""
    ways: list[tuple[Any, Target | None]] = [(record, None)]
    for end, part in enumerate(path, 1):
        ways = [way for annotation, _ in ways for way in _steps(annotation, path[:end], part)]
    yield from (target for _, target in ways if target is not None)


def _steps(annotation: Any, path: Path, part: str | int) -> Iterator[tuple[Any, Target]]:
    for record in models(annotation):
        info = fields(record).get(str(part))
        if info is not None:
            inner = annotation_of(info)
            yield inner, Target(path, (), record, info, inner)
    held = collection(annotation)
    if held is not None and (held[0] is list) == isinstance(part, int):
        yield held[1], Target(path, (), None, None, held[1])
