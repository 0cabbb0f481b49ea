"""The templates of a repository and which of them it overrides, as JSON (`sluice/templates/v1`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Literal, TypedDict

from generator.render.environment import TemplateFile, Templates, template_names
from generator.source.shipped import builtin_folder
from generator.source.suggest import misspelt


class TemplateRecord(TypedDict):
    """One template."""

    name: Annotated[str, "Its path below `templates/`."]
    state: Annotated[
        Literal["built-in", "overridden", "added"], "`added`: the repository has it, and it replaces nothing."
    ]
    near: Annotated[str, "A built-in template whose name an added one may have meant; empty for none."]


class TemplatesDocument(TypedDict):
    """All templates."""

    schema: Literal["sluice/templates/v1"]
    templates: Annotated[list[TemplateRecord], "By name."]


def listed_templates(templates: Templates) -> list[TemplateRecord]:
    """Return all templates of a repository, sorted by name."""
    ours = template_names(builtin_folder())
    return [_record(file, ours) for file in templates.files.values()]


def _record(file: TemplateFile, ours: Sequence[str]) -> TemplateRecord:
    if not file.own:
        return TemplateRecord(name=file.name, state="built-in", near="")
    if file.name in ours:
        return TemplateRecord(name=file.name, state="overridden", near="")
    return TemplateRecord(name=file.name, state="added", near=misspelt(file.name, ours) or "")


def as_json(found: Sequence[TemplateRecord]) -> str:
    """Return the document."""
    return json.dumps(TemplatesDocument(schema="sluice/templates/v1", templates=list(found)), indent=2) + "\n"
