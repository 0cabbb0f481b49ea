"""The page about the variables of templates, `docs/template-variables.md`: from what the golden cases hand to each template.

`python -m tests.golden` writes it. Templates of pages, of CI and of `init` and `new`, which no case renders, are listed
with the names that they use.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from generator.plan import pod_settings, values
from generator.render.environment import Templates, template_names
from generator.render.filters import FILTERS
from generator.render.plain import Fields, _readers
from generator.render.scalars import Verbatim
from generator.source.shipped import builtin_folder

PAGE = Path(__file__).resolve().parents[2] / "docs" / "template-variables.md"
Found = defaultdict[str, dict[str, tuple[set[str], str]]]
_WORDS = {
    str: "text",
    bool: "true or false",
    int: "whole number",
    float: "number",
    Verbatim: "text, printed as it is",
}
_RECORDS = {"plan": "[Plan](#plan)"}
_ONCE = "gates/"
"""Templates that one process renders once, perhaps before the cases."""
_LONGEST = 40
_DIGEST = re.compile(r"[0-9a-f]{8,}")
_HEAD = """\
# Variables of templates

Written by `python -m tests.golden`: what each template gets when the golden cases are rendered. A template that another one
includes or extends (`_*.j2`, `rollout-canary.yaml.j2`) gets the variables of that one. An undefined variable is an error. Values
are plain data: records have the fields of their table below and no methods. `{{ value }}` prints exactly one scalar of the file's
language; `| block(n)` prints lists and mappings.
"""


@contextmanager
def recording(found: Found) -> Iterator[None]:
    """Note the variables that templates get in this context."""
    render = Templates.render

    def noting(self: Templates, name: str, context: Mapping[str, object]) -> str:
        for key, value in context.items():
            kinds, example = found[name].setdefault(key, (set(), ""))
            kinds.add(_kind(value))
            found[name][key] = (kinds, min(example, _example(value), key=_rank))
        return render(self, name, context)

    with patch.object(Templates, "render", noting):
        yield


def _rank(example: str) -> tuple[bool, bool, int, str]:
    """Return what orders examples, whichever case is rendered first: something before nothing, short texts first."""
    return not example, example == "0", len(example), example


def _kind(value: object) -> str:
    """Return the type of a value, in words or as the name of a record."""
    if value is None:
        return "none"
    if type(value) in _WORDS:
        return _WORDS[type(value)]
    if isinstance(value, Mapping):
        return "mapping"
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        inner = sorted({_kind(one) for one in value})
        return f"list of {' or '.join(inner)}" if inner else "list"
    return "record" if isinstance(value, Fields) else type(value).__name__


def _example(value: object) -> str:
    """Return a short scalar; digests change with every template and are left out."""
    text = json.dumps(value, ensure_ascii=False) if type(value) in {str, int, float, bool} else ""
    return text if text not in {'""', ""} and len(text) <= _LONGEST and not _DIGEST.search(text) else ""


def page(found: Found) -> str:
    """Return the page."""
    parts = [_HEAD]
    rendered = {name for name in found if not name.startswith(_ONCE) and (builtin_folder() / name).is_file()}
    for name in sorted(rendered):
        rows = [
            f"| `{key}` | {_RECORDS.get(key) or _type(kinds)} | {_code(example)} |"
            for key, (kinds, example) in sorted(found[name].items())
        ]
        parts.append(
            f"## {name}\n\n| variable | type | for example |\n|---|---|---|\n" + "\n".join(rows) + "\n"
        )
    parts.append("# Records\n\nFields of the records that `plan` holds, as templates see them.\n")
    parts += [_record(kind) for kind in _records()]
    parts.append("# Other templates\n\n| template | variables that it uses |\n|---|---|")
    for name in sorted(set(template_names(builtin_folder())) - rendered):
        if not name.rpartition("/")[2].startswith("_") and not name.startswith("bento/"):
            used = ", ".join(f"`{one}`" for one in sorted(_used(name)))
            parts.append(f"| {name} | {used or 'none'} |")
    return "\n".join(parts).rstrip("\n") + "\n"


def _type(kinds: set[str]) -> str:
    """Return types in words: an empty list has those of other cases."""
    known = {
        kind for kind in kinds if not (kind == "list" and any(one.startswith("list of") for one in kinds))
    }
    return " or ".join(sorted(known, key=lambda kind: (kind == "none", kind)))


def _code(example: str) -> str:
    return f"`{example.replace('|', '/')}`" if example else ""


def _records() -> list[type]:
    """Return the records of plans, Plan first."""
    modules = (values, pod_settings)
    own = [
        one
        for module in modules
        for one in vars(module).values()
        if isinstance(one, type) and is_dataclass(one)
    ]
    names = {module.__name__ for module in modules}
    return sorted(
        {one for one in own if one.__module__ in names},
        key=lambda one: (one is not values.Plan, one.__name__),
    )


def _record(kind: Any) -> str:
    types = {field.name: str(field.type) for field in fields(kind)}
    rows = [
        f"| `{name}` | {types.get(name, 'computed').replace('|', 'or')} |"
        for name, _ in sorted(_readers(kind))
    ]
    return f"## {kind.__name__}\n\n| field | type |\n|---|---|\n" + "\n".join(rows) + "\n"


def _used(name: str) -> set[str]:
    from jinja2 import Environment, meta

    environment = Environment(trim_blocks=True)
    environment.filters.update(FILTERS)
    return meta.find_undeclared_variables(environment.parse((builtin_folder() / name).read_text("utf-8")))
