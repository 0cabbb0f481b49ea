"""Explains why a file is invalid: every mistake once, at its place, with the author's own text corrected.

Pydantic lists the errors. They are handled in rounds: unknown keys and mappings of an unclear kind are reported and
corrected first, then the data is validated again, so that consequences of a mistake are never reported.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from generator.source.document import Path, dotted
from generator.source.finding import Finding, Place
from generator.source.flow import flow
from generator.spec.mistakes.amounts import LONGEST_TYPED
from generator.spec.mistakes.annotations import (
    Target,
    accepts,
    annotation_of,
    collection,
    field_of,
    fields,
    locate,
    model,
    models,
    tagged,
)
from generator.spec.mistakes.draft import Draft, Mistake, Where
from generator.spec.mistakes.foreign_keys import explain_argo_steps
from generator.spec.mistakes.keys import explain_keys
from generator.spec.mistakes.mappings import Mapping
from generator.spec.mistakes.one_text import unglued, values_in_turn
from generator.spec.mistakes.proposals import EVERY
from generator.spec.mistakes.refused import Refused
from generator.spec.mistakes.samples import sample_value, smallest
from generator.spec.mistakes.scalars import explain_scalar
from generator.spec.mistakes.shapes import explain_entries, explain_shape
from generator.spec.mistakes.suggestions import example, repaired
from generator.spec.mistakes.unclear_kinds import example_of, explain_kind

_ROUNDS = 12
_SHAPES = frozenset({"list_type", "dict_type", "model_type", "dict_attributes_type", "model_attributes_type"})


def explain(
    record: type[BaseModel], data: Any, where: Where, *, partial: bool, required: tuple[Path, ...] = ()
) -> list[Finding]:
    """Return a finding for every mistake in some data.

    Args:
        record: the expected record.
        data: plain values that the record refuses.
        where: which document wrote which path.
        partial: missing keys are allowed.
        required: keys that must be present even so.
    """
    draft = Draft(record, data, where, partial, required)
    mistakes: list[Mistake] = []
    for _ in range(_ROUNDS):
        mistakes = draft.mistakes()
        if not any(step(draft, mistakes) for step in (_argo, _split, _joined, _keys, _kinds)):
            break
    _entries(draft, mistakes)
    for mistake in mistakes:
        if not draft.is_reported(mistake.path):
            _rest(draft, mistake)
    return sorted(draft.findings, key=Finding.sort_key)


def _argo(draft: Draft, mistakes: list[Mistake]) -> bool:
    """Report lists of steps in the format of Argo Rollouts."""
    lists = {mistake.path[:-1] for mistake in mistakes if mistake.target.pattern[-2:] == ("steps", "[]")}
    lists |= {mistake.path[:-2] for mistake in mistakes if mistake.target.pattern[-3:-1] == ("steps", "[]")}
    found = [explain_argo_steps(draft, path, draft.at(path) or []) for path in sorted(lists, key=str)]
    return any(found)


def _keys(draft: Draft, mistakes: list[Mistake]) -> bool:
    """Report unknown keys, one mapping at a time."""
    unknown: dict[Path, list[Mistake]] = {}
    for mistake in mistakes:
        if mistake.kind == "extra_forbidden":
            unknown.setdefault(mistake.path[:-1], []).append(mistake)
    for path, found in unknown.items():
        target = found[0].target
        records = (target.owner,) if target.owner else ()
        mapping = Mapping(path, target.pattern[:-1], records, draft.at(path), _others(draft, found[0]))
        if isinstance(mapping.value, dict):
            explain_keys(
                draft, mapping, [str(one.path[-1]) for one in found if one.path[-1] in mapping.value]
            )
        return True
    return False


def _others(draft: Draft, mistake: Mistake) -> dict[str, type[BaseModel]]:
    """Return the other possible kinds of the mapping around an unknown key, by name."""
    around, tag = mistake.loc[:-2], mistake.loc[-2] if len(mistake.loc) > 1 else ""
    kinds = tagged(locate(draft.record, around).annotation)
    return {name: record for name, record in kinds.items() if name != tag} if tag in kinds else {}


def _kinds(draft: Draft, mistakes: list[Mistake]) -> bool:
    """Report mappings whose kind is unclear, one at a time."""
    for mistake in mistakes:
        if mistake.kind == "choice" and isinstance(mistake.value, dict):
            explain_kind(draft, mistake)
            return True
    return False


_FEW, _LONG = 4, 110


def _entries(draft: Draft, mistakes: list[Mistake]) -> None:
    """Report lists and mappings with several entries of the wrong shape, each once."""
    holders: dict[Path, list[Mistake]] = {}
    for mistake in mistakes:
        shape = mistake.kind in _SHAPES or mistake.kind == "choice"
        if shape and mistake.value is not None and mistake.target.pattern[-1:] in {("[]",), ("{}",)}:
            holders.setdefault(mistake.path[:-1], []).append(mistake)
    for path, found in holders.items():
        key = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
        glued = any(unglued(record, one.value) for one in found for record in models(one.target.annotation))
        if len(found) > 1 and not glued:
            target = _holder(draft, found[0], path)
            code, message, hint = explain_entries(target, draft.at(path), key)
            draft.report(code, found[0].path, message, hint)
            draft.reported.add(path)


def _holder(draft: Draft, mistake: Mistake, path: Path) -> Target:
    """Return the list or mapping at a path with a mistake inside it."""
    targets = [locate(draft.record, mistake.loc[:end]) for end in range(len(mistake.loc) + 1)]
    return next((target for target in targets if target.path == path), targets[-1])


def _split(draft: Draft, mistakes: list[Mistake]) -> bool:
    """Report one list item that was split in two: a dash before a key that belongs to the item above."""
    lists: dict[Path, Mistake] = {}
    for mistake in mistakes:
        for length in (1, 2):
            if mistake.target.pattern[-length : len(mistake.target.pattern) - length + 1] == ("[]",):
                lists.setdefault(mistake.path[:-length], mistake)
    found = [_join(draft, path, mistake) for path, mistake in lists.items()]
    return any(found)


def _joined(draft: Draft, mistakes: list[Mistake]) -> bool:
    """Report several keys that were read as one value: `weight: 5%, hold 1h`."""
    for mistake in mistakes:
        path, owner = mistake.path, mistake.target.owner
        around = draft.at(path[:-1])
        if owner is None or not isinstance(mistake.value, str) or not isinstance(around, dict):
            continue
        if len(mistake.value) > LONGEST_TYPED:
            continue
        in_turn = next(values_in_turn(owner, mistake.value), None) if len(around) == 1 else None
        if in_turn is not None:
            draft.report("SPEC105", path, "each value needs its own key", f"write `{flow(in_turn)}`")
            draft.reported.add(path[:-1])
            return True
        first, *others = re.split(r"(?:(?<!\s)\s+)?[,;]\s*", mistake.value)
        found = [re.fullmatch(r"([A-Za-z]\w*)(?:\s*[:=]\s*|\s+)(\S.*)", part) for part in others]
        keys = [match[1] for match in found if match]
        if not others or len(keys) < len(others) or not set(keys) <= fields(owner).keys() - around.keys():
            continue
        values = {match[1]: match[2] for match in found if match}
        whole = repaired(owner, {**around, str(path[-1]): first, **values})
        item = len(path) > 1 and isinstance(path[-2], int)
        text = f"- {flow(whole)}" if item else f"{path[-2]}: {flow(whole)}" if len(path) > 1 else flow(whole)
        draft.report(
            "SPEC105", path, "several keys on one line need braces, commas and colons", f"write `{text}`"
        )
        draft.reported.add(path[:-1])
        return True
    return False


def _join(draft: Draft, path: Path, mistake: Mistake) -> bool:
    items, held = draft.at(path), collection(_holder(draft, mistake, path).annotation)
    if held is None or not isinstance(items, list):
        return False
    whole: dict[int, dict[str, Any]] = {}
    for index, (one, other) in enumerate(pairwise(items)):
        apart = isinstance(one, dict) and isinstance(other, dict) and one and other and index - 1 not in whole
        if not apart or one.keys() & other.keys():
            continue
        joined = {**one, **other}
        if accepts(held[1], joined) and not (accepts(held[1], one) and accepts(held[1], other)):
            whole[index] = joined
            draft.reported.update({(*path, index), (*path, index + 1)})
    for index, joined in list(whole.items())[:1]:
        message = f"`{next(iter(items[index + 1]))}` belongs to the item above, but its dash starts a new one"
        fixed = [whole.get(at, item) for at, item in enumerate(items) if at - 1 not in whole]
        hint = f"write `- {flow(joined)}`" if len(whole) == 1 else f"write `{path[-1]}: {flow(fixed)}`"
        document, local = draft.document((*path, index + 1))
        draft.findings.append(document.finding("SPEC103", local, message, hint))
        return True
    return False


# Mistakes in values ------------------------------------------------------------------------------------------------


def _rest(draft: Draft, mistake: Mistake) -> None:
    """Report a mistake in a value."""
    path, target = mistake.path, mistake.target
    if mistake.kind == "missing":
        _missing(draft, mistake)
        return
    if mistake.kind == "order":
        context = {key: str(value) for key, value in mistake.context.items()}
        draft.report("SPEC108", (*path, context["key"]), context["says"], context["hint"])
        return
    if mistake.kind in {"one_of", "any_of"}:
        _count(draft, mistake)
        return
    key = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    if mistake.value is not None and (mistake.kind in _SHAPES or mistake.kind == "choice"):
        if _glued(draft, mistake, key) or _every(draft, mistake, key):
            return
        draft.report(*_placed(explain_shape(target, mistake.value, key), path))
        return
    if _folded(draft, mistake):
        return
    raw = draft.raw(path) if not isinstance(mistake.value, (dict, list)) else ""
    refused = Refused(target, mistake.kind, mistake.value, raw, mistake.context, mistake.message)
    if mistake.loc and mistake.loc[-1] == "[key]":
        code, message, hint = explain_scalar(
            Refused(_key_target(mistake), mistake.kind, path[-1], str(path[-1]), mistake.context, "")
        )
        draft.report(code, path, message, hint, key=True)
        return
    if mistake.value is None and _comment(draft, path, key):
        return
    draft.report(*_placed(explain_scalar(refused), path))


def _placed(answer: tuple[str, str, str], path: Path) -> tuple[str, Path, str, str]:
    code, message, hint = answer
    return code, path, message, hint


def _key_target(mistake: Mistake) -> Any:
    """Return the place of a free key, whose type is that of the mapping's keys."""
    from dataclasses import replace
    from typing import get_args

    holder = mistake.target.field.annotation if mistake.target.field else None
    keys = get_args(holder)[0] if holder is not None and get_args(holder) else str
    return replace(mistake.target, annotation=keys, field=None)


def _comment(draft: Draft, path: Path, key: str) -> bool:
    """Report a value that starts with `#` and was read as a comment."""
    document, local = draft.document(path)
    place = document.place(local, key=True)
    line = document.excerpt(place.line)
    at = line.find("#", place.column)
    before = line[place.column - 1 : at].strip() if at >= 0 else ""
    if not before.endswith(":") or len(before) > len(key) + 3:
        return False
    text = line[at:].rstrip(" }]")
    draft.report(
        "SPEC104",
        path,
        f"`{key}` has no value: `#` starts a comment",
        f'quote it: `{key}: "{text}"`',
        key=True,
    )
    return True


def _glued(draft: Draft, mistake: Mistake, key: str) -> bool:
    """Report a mapping that was read as one text, because no space follows its colons: `- weight:5%`."""
    for record in models(mistake.target.annotation):
        if unglued(record, mistake.value):
            fixed = flow(unglued(record, mistake.value)).strip("{}")
            what = "each colon" if str(mistake.value).count(":") > 1 and ", " in fixed else "the colon"
            message = f"a space is missing after {what}"
            if ":" not in mistake.value:
                message = f"a colon is missing after `{fixed.partition(':')[0]}`"
            item = mistake.path and isinstance(mistake.path[-1], int)
            single = ", " not in fixed
            text = f"- {fixed}" if item and single else fixed if single else f"{{{fixed}}}"
            if not item and _same_line(draft, mistake.path):
                text = f"{key}: {{{fixed}}}"
            draft.report("SPEC104", mistake.path, message, f"write `{text}`")
            return True
    return False


def _every(draft: Draft, mistake: Mistake, key: str) -> bool:
    """Report a word for all columns in the place of their list, with the inputs of the model."""
    inputs = draft.at(("spec", "service", "inputs"))
    word = str(mistake.value).strip().casefold()
    if key not in {"features", "columns"} or word not in EVERY or not isinstance(inputs, dict) or not inputs:
        return False
    message = f"expected a list for `{key}`, not `{mistake.value}`"
    draft.report("SPEC104", mistake.path, message, f"write every column: `{key}: {flow(list(inputs))}`")
    return True


def _folded(draft: Draft, mistake: Mistake) -> bool:
    """Report an item that was read as part of the one above it, because its dash is indented too far."""
    raw = draft.raw(mistake.path) if isinstance(mistake.value, str) else ""
    found = re.search(r"\n( *)- +(\S.*)", raw)
    if found is None:
        return False
    document, local = draft.document(mistake.path)
    above = document.place(local)
    line = above.line + raw[: found.start()].count("\n") + 1
    indent = len(document.excerpt(above.line)) - len(document.excerpt(above.line).lstrip())
    message = f"this item is indented by {len(found[1])} spaces, so it was read as part of the line above it"
    hint = f"indent it by {indent}: `{' ' * indent}- {found[2]}`"
    place = Place(document.file, line, len(found[1]) + 1)
    draft.findings.append(
        Finding("SPEC105", "error", message, hint, place, dotted(local), document.excerpt(line))
    )
    draft.reported.add(mistake.path)
    return True


def _same_line(draft: Draft, path: Path) -> bool:
    """Return whether a value starts on the line of its key."""
    document, local = draft.document(path)
    return document.place(local).line == document.place(local, key=True).line


def _missing(draft: Draft, mistake: Mistake) -> None:
    """Report a missing required key, with its smallest value."""
    path, owner = mistake.path, mistake.target.owner
    name = str(path[-1])
    document, local = draft.document(path)
    parent = dotted(local[:-1]) or "the file"
    inner = model(mistake.target.annotation)
    held = collection(mistake.target.annotation)
    if inner is not None:
        text = flow(smallest(inner))
    elif held is not None and models(held[1]):
        one = flow(smallest(models(held[1])[0]))
        text = f"[{one}]" if held[0] is list else f"{{NAME: {one}}}"
    elif held is not None and held[0] is list:
        text = flow([example(Target((name, 0), (), owner, None, held[1]))])
    else:
        text = example_of(owner, name) if owner else ""
    named = re.fullmatch(r"specs/([^/]+)/([^/]+)\.yaml", document.file)
    if named and path == ("metadata",) and inner is not None:
        text = flow({**smallest(inner), "name": named[2], "team": named[1]})
    if named and path[:-1] == ("metadata",) and name in {"name", "team"}:
        text = named[2] if name == "name" else named[1]
    kind = getattr(owner, "key", "")
    if name == "name" and isinstance(kind, str) and kind not in {"", "metric"}:
        text = kind
    info = field_of(owner, name) if owner else None
    what = f" ({info.description})" if info is not None and info.description else ""
    hint = f"add `{name}: {text}`{what}" if text and len(text) < _LONG else f"add `{name}`{what}"
    draft.findings.append(
        document.finding("SPEC103", local, f"`{name}` is missing in {parent}", hint, key=True)
    )
    draft.reported.add(path)


def _count(draft: Draft, mistake: Mistake) -> None:
    """Report keys of which exactly one, or at least one, is needed in a mapping."""
    keys = [str(key) for key in mistake.context.get("keys", ())]
    value = mistake.value if isinstance(mistake.value, dict) else draft.at(mistake.path)
    present = [key for key in keys if isinstance(value, dict) and value.get(key) is not None]
    says = str(mistake.context["says"])
    record = _record_of(mistake, keys)
    if len(present) > 1:
        listed = " and ".join(f"`{key}`" for key in present)
        options = " or ".join(f"`{present_key}: {flow(value[present_key])}`" for present_key in present)
        draft.report("SPEC107", mistake.path, f"{listed} can't be combined", f"keep one: {options}")
        return
    samples = (
        [f"`{key}: {flow(_sample(record, key))}`" for key in keys] if record else [f"`{key}`" for key in keys]
    )
    draft.report("SPEC107", mistake.path, says, f"add {' or '.join(samples)}" if samples else "add one")


def _record_of(mistake: Mistake, keys: list[str]) -> type[BaseModel] | None:
    found = [record for record in models(mistake.target.annotation) if set(keys) <= set(fields(record))]
    return found[0] if found else None


def _sample(record: type[BaseModel], key: str) -> Any:
    info = field_of(record, key)
    inner = model(annotation_of(info))
    if inner is not None:
        return smallest(inner, record)
    return info.examples[0] if info is not None and info.examples else sample_value(record, key)
