"""Why a file is not what it should be: every mistake once, where it was made, with the author's own text put right.

Pydantic lists what is wrong. That list is read in rounds: unknown keys and mappings of an unclear kind are reported and
put right first, then the data is validated again, so that what follows from such a mistake is never reported.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from generator.source.document import Path, dotted
from generator.source.finding import Finding
from generator.source.flow import flow
from generator.spec.annotations import (
    Target,
    aliases,
    annotation_of,
    collection,
    field_of,
    fields,
    locate,
    model,
    models,
    tagged,
)
from generator.spec.draft import Draft, Mistake, Where
from generator.spec.keys import Mapping, explain_argo_steps, explain_keys, name_of
from generator.spec.kinds import Guess, guess_kind
from generator.spec.scalars import Refused, candidates, example, explain_scalar, repaired, shown
from generator.spec.shapes import explain_items, explain_shape, sample_value, smallest, unglued

_ROUNDS = 12
_SHAPES = frozenset({"list_type", "dict_type", "model_type", "dict_attributes_type", "model_attributes_type"})


def explain(
    record: type[BaseModel], data: Any, where: Where, *, partial: bool, required: tuple[Path, ...] = ()
) -> list[Finding]:
    """Return every mistake of some data.

    Args:
        record: what it should be.
        data: plain values that the record refuses.
        where: which document wrote which path.
        partial: what is missing is not a mistake.
        required: what must be there all the same.
    """
    draft = Draft(record, data, where, partial, required)
    mistakes: list[Mistake] = []
    for _ in range(_ROUNDS):
        mistakes = draft.mistakes()
        if not (_argo(draft, mistakes) or _keys(draft, mistakes) or _kinds(draft, mistakes)):
            break
    _items(draft, mistakes)
    for mistake in mistakes:
        if not draft.is_told(mistake.path):
            _rest(draft, mistake)
    return sorted(draft.findings, key=Finding.sort_key)


def _argo(draft: Draft, mistakes: list[Mistake]) -> bool:
    """Lists of steps in the language of Argo Rollouts."""
    lists = {mistake.path[:-1] for mistake in mistakes if mistake.target.pattern[-2:] == ("steps", "[]")}
    lists |= {mistake.path[:-2] for mistake in mistakes if mistake.target.pattern[-3:-1] == ("steps", "[]")}
    found = [explain_argo_steps(draft, path, draft.at(path) or []) for path in sorted(lists, key=str)]
    return any(found)


def _keys(draft: Draft, mistakes: list[Mistake]) -> bool:
    """Unknown keys, one mapping at a time."""
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
    """The other kinds that the mapping around an unknown key might have been, by what they are called."""
    around, tag = mistake.loc[:-2], mistake.loc[-2] if len(mistake.loc) > 1 else ""
    kinds = tagged(locate(draft.record, around).annotation)
    return {name: record for name, record in kinds.items() if name != tag} if tag in kinds else {}


def _kinds(draft: Draft, mistakes: list[Mistake]) -> bool:
    """Mappings that do not say which kind they are."""
    for mistake in mistakes:
        if mistake.kind == "choice" and isinstance(mistake.value, dict):
            _kind(draft, mistake)
            return True
    return False


def _kind(draft: Draft, mistake: Mistake) -> None:
    """Report a mapping whose kind is unclear, and make it one of the likeliest kind."""
    guess = guess_kind(draft.record, mistake.loc, mistake.value)
    path = mistake.path
    if guess.renamed:
        message, hint = (
            f"unknown key `{guess.key}` in {name_of(mistake.target.pattern)}",
            f"did you mean `{guess.right}`?",
        )
        document, local = draft.document((*path, guess.key))
        draft.findings.append(document.finding("SPEC102", local, message, hint, key=True))
        draft.move((*path, guess.key), (*path, guess.right))
        return
    if guess.key:
        _wrong_word(draft, mistake, guess)
        return
    if not _foreign_keys(draft, mistake, guess) and not draft.partial:
        _no_kind(draft, mistake, guess)
    _become(draft, path, guess)


def _wrong_word(draft: Draft, mistake: Mistake, guess: Guess) -> None:
    """The word that tells the kind is not a known one."""
    path = (*mistake.path, guess.key)
    words = [f"`{word}`" for word in guess.words]
    listed = f"{', '.join(words[:-1])} or {words[-1]}"
    value = mistake.value[guess.key]
    if isinstance(value, dict):
        _nested_kind(draft, mistake, guess, value)
        return
    hint = f"did you mean `{guess.right}`?" if guess.right else f"write {listed}"
    required = [key for key, info in fields(guess.record).items() if info.is_required() and key != guess.key]
    if guess.right and any(key not in mistake.value for key in required):
        hint = f"did you mean `{flow(_whole(guess, mistake.value))}`?"
        draft.told.add(mistake.path)
    draft.report("SPEC106", path, f"{shown(value, draft.raw(path))} is not one of {listed}", hint)
    draft.lenient.add(mistake.path)
    _become(draft, mistake.path, guess)


def _whole(guess: Guess, value: dict[str, Any]) -> dict[str, Any]:
    """A mapping of the guessed kind with what the author wrote, foreign keys under the key that takes their value."""
    known = fields(guess.record)
    whole = smallest(guess.record)
    whole[guess.key] = guess.right
    for key, item in value.items():
        if key == guess.key:
            continue
        if key in known:
            whole[key] = repaired(annotation_of(known[key]), item, known[key])
            continue
        for name, info in known.items():
            target = Target((name,), (), guess.record, info, annotation_of(info))
            if name not in value and info.is_required() and name != guess.key and candidates(target, item):
                whole[name] = candidates(target, item)[0].value
    chosen = [name for name in ("detect", "limit") if name in value]
    for name in ("detect", "limit"):
        if chosen and name not in chosen:
            whole.pop(name, None)
    if "detect" in whole and "baseline" in known:
        whole.setdefault("baseline", known["baseline"].examples[0] if known["baseline"].examples else "5%")
    return {name: whole[name] for name in (guess.key, *known) if name in whole}


def _nested_kind(draft: Draft, mistake: Mistake, guess: Guess, value: dict[str, Any]) -> None:
    """`strategy: {canary: {steps: …}}`: the kind as a key, with its content below."""
    path = (*mistake.path, guess.key)
    kind = next(
        (word for word in guess.words if word.replace("-", "") in {str(key).lower() for key in value}), ""
    )
    inner = next((item for key, item in value.items() if str(key).lower() == kind.replace("-", "")), None)
    whole = {guess.key: kind or guess.words[0], **(inner if isinstance(inner, dict) else {})}
    holder = next((str(part) for part in reversed(mistake.path) if isinstance(part, str)), "")
    from generator.spec.keys import _sluice_steps

    if isinstance(whole.get("steps"), list) and any(
        isinstance(step, dict) and "setWeight" in step for step in whole["steps"]
    ):
        whole["steps"] = _sluice_steps(whole["steps"])
    message = f"`{guess.key}` is one word; what the {whole[guess.key]} consists of stands next to it"
    draft.report("SPEC106", path, message, f"write `{holder}: {flow(whole)}`")
    draft.told.add(mistake.path)


def _foreign_keys(draft: Draft, mistake: Mistake, guess: Guess) -> bool:
    """A mapping that has no kind because its keys are those of another tool."""
    known = {key for member in guess.members for key in aliases(member)}
    unknown = [key for key in mistake.value if key not in known]
    unknown_before = len(draft.findings)
    mapping = Mapping(mistake.path, mistake.target.pattern, guess.members, draft.at(mistake.path))
    if _named_metric(draft, mistake, unknown):
        draft.told.add(mistake.path)
        return True
    if unknown:
        explain_keys(draft, mapping, unknown)
    return len(draft.findings) > unknown_before


def _named_metric(draft: Draft, mistake: Mistake, unknown: list[str]) -> bool:
    """`accuracy: 0.9` as a gate, `error-rate: 5%` as a guard: the name of a metric as the key."""
    pattern = mistake.target.pattern
    value = mistake.value
    if (
        len(unknown) != 1
        or isinstance(value[unknown[0]], (dict, list))
        or pattern[-2:] not in {("gates", "[]"), ("guards", "[]")}
    ):
        return False
    from generator.spec.habits import GENERAL
    from generator.spec.habits_by_place import AT
    from generator.spec.words import WORDS

    key, number = unknown[0], value[unknown[0]]
    rest = {name: item for name, item in value.items() if name != key}
    plain = key.lower().replace("_", "-")
    if pattern[-2] == "gates":
        if key in GENERAL or key in AT["spec", "gates", "[]"] or not isinstance(number, (int, float)):
            return False
        fixed = {"name": rest.pop("name", plain), "metric": key, "atLeast": number, **rest}
    else:
        metric = next(
            (
                word
                for word in ("error-rate", "slow-rate")
                if plain == word or plain in WORDS[word] or plain.replace("-", "") == word.replace("-", "")
            ),
            "",
        )
        if not metric:
            return False
        slow = (
            {"slowerThan": number if not str(number).endswith("%") else "250ms"}
            if metric == "slow-rate"
            else {}
        )
        limit = (
            {}
            if rest.keys() & {"limit", "detect"}
            else {"limit": number if str(number).endswith("%") else "5%"}
        )
        fixed = {"metric": metric, **slow, **limit, **rest}
    message = f"`{key}` is the name of a metric, which is the value of `metric`"
    document, local = draft.document((*mistake.path, key))
    draft.findings.append(document.finding("SPEC102", local, message, f"write `{flow(fixed)}`", key=True))
    return True


def _no_kind(draft: Draft, mistake: Mistake, guess: Guess) -> None:
    """The key that tells the kind is missing."""
    path = mistake.path
    key = str(path[-1]) if path else ""
    document, _ = draft.document(path)
    spec, _ = draft.document(("metadata",))
    if path and isinstance(path[-1], str) and document is not spec:
        # Only a tier's defaults have something of it: what is missing is the spec's.
        whole = smallest(guess.record)
        message = f"`{key}` is missing in `{path[-2] if len(path) > 1 else 'the file'}`"
        hint = f"add it, for example `{key}: {flow(whole)}`"
        finding = spec.finding("SPEC103", path[:-1], message, hint, key=True)
        draft.findings.append(finding)
        draft.told.add(path)
        return
    telling, word = guess.tell
    text = word or example_of(guess.record, telling)
    sample = f"`{telling}: {text}`" if text else f"`{telling}`"
    present = dict(mistake.value)
    fixed = flow({telling: text, **present}) if len(present) <= _FEW else ""
    hint = f"add {sample}: `{fixed}`" if fixed and len(fixed) < _LONG else f"add {sample}"
    draft.report("SPEC106", path, mistake.message, hint)
    draft.told.discard(path)


_FEW, _LONG = 4, 110


def example_of(record: type[BaseModel], key: str) -> str:
    """Return a value for a key of a record as people would write it."""
    info = field_of(record, key)
    return example(Target((key,), (), record, info, annotation_of(info)))


def _become(draft: Draft, path: Path, guess: Guess) -> None:
    """Make a mapping one of the guessed kind: with what tells it, without the keys of others."""
    value = draft.at(path)
    if not isinstance(value, dict):
        return
    for key in [key for key in value if key in guess.foreign]:
        value.pop(key)
    key, word = guess.tell
    if not key:
        draft.told.add(path)
        return
    if word:
        value[key] = guess.right or word
        draft.told.add((*path, key))
    elif key not in value:
        value[key] = example_of(guess.record, key)
        draft.told.add((*path, key))
    draft.lenient.add(path)


def _items(draft: Draft, mistakes: list[Mistake]) -> None:
    """Lists of which several items have the wrong shape: one mistake, made several times."""
    lists: dict[Path, list[Mistake]] = {}
    for mistake in mistakes:
        shape = mistake.kind in _SHAPES or mistake.kind == "choice"
        if shape and mistake.value is not None and mistake.path and isinstance(mistake.path[-1], int):
            lists.setdefault(mistake.path[:-1], []).append(mistake)
    for path, found in lists.items():
        key = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
        glued = any(unglued(record, one.value) for one in found for record in models(one.target.annotation))
        if len(found) > 1 and not glued and isinstance(draft.at(path), list):
            target = locate(draft.record, _list_loc(found[0]))
            code, message, hint = explain_items(target, draft.at(path), key)
            draft.report(code, found[0].path, message, hint)
            draft.told.add(path)


def _list_loc(mistake: Mistake) -> tuple[str | int, ...]:
    """Pydantic's location of the list that an item is in."""
    at = max(index for index, part in enumerate(mistake.loc) if isinstance(part, int))
    return mistake.loc[:at]


# What is wrong with a value ----------------------------------------------------------------------------------------


def _rest(draft: Draft, mistake: Mistake) -> None:
    """Report a mistake that no other follows from."""
    path, target = mistake.path, mistake.target
    if mistake.kind == "missing":
        _missing(draft, mistake)
        return
    if mistake.kind in {"one_of", "any_of"}:
        _count(draft, mistake)
        return
    key = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    if mistake.value is not None and (mistake.kind in _SHAPES or mistake.kind == "choice"):
        if _glued(draft, mistake, key):
            return
        draft.report(*_placed(explain_shape(target, mistake.value, key), path))
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
    """The place of a free key: what it may be is said by the type of the mapping's keys."""
    from dataclasses import replace
    from typing import get_args

    holder = mistake.target.field.annotation if mistake.target.field else None
    keys = get_args(holder)[0] if holder is not None and get_args(holder) else str
    return replace(mistake.target, annotation=keys, field=None)


def _comment(draft: Draft, path: Path, key: str) -> bool:
    """A value that begins with `#` and was read as a comment."""
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
        f"`{key}` has no value: `#` begins a comment",
        f'quote it: `{key}: "{text}"`',
        key=True,
    )
    return True


def _glued(draft: Draft, mistake: Mistake, key: str) -> bool:
    """`- weight:5%`: a mapping whose colons have no space behind them is one text."""
    for record in models(mistake.target.annotation):
        if unglued(record, mistake.value):
            fixed = flow(unglued(record, mistake.value)).strip("{}")
            what = "each colon" if str(mistake.value).count(":") > 1 and ", " in fixed else "the colon"
            message = f"a space is missing after {what}"
            item = mistake.path and isinstance(mistake.path[-1], int)
            single = ", " not in fixed
            text = f"- {fixed}" if item and single else f"{{{fixed}}}" if not single else fixed
            draft.report("SPEC104", mistake.path, message, f"write `{text}`")
            return True
    del key
    return False


def _missing(draft: Draft, mistake: Mistake) -> None:
    """A required key that is not there: with the smallest value that may stand behind it."""
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
    else:
        text = example_of(owner, name) if owner else ""
    info = field_of(owner, name) if owner else None
    what = f" ({info.description})" if info is not None and info.description else ""
    hint = f"add `{name}: {text}`{what}" if text and len(text) < _LONG else f"add `{name}`{what}"
    draft.findings.append(
        document.finding("SPEC103", local, f"`{name}` is missing in {parent}", hint, key=True)
    )
    draft.told.add(path)


def _count(draft: Draft, mistake: Mistake) -> None:
    """Keys of which exactly one, or at least one, belongs in a mapping."""
    keys = [str(key) for key in mistake.context.get("keys", ())]
    value = mistake.value if isinstance(mistake.value, dict) else draft.at(mistake.path)
    present = [key for key in keys if isinstance(value, dict) and value.get(key) is not None]
    says = str(mistake.context["says"])
    record = _record_of(mistake, keys)
    if len(present) > 1:
        listed = " and ".join(f"`{key}`" for key in present)
        options = " or ".join(f"`{present_key}: {flow(value[present_key])}`" for present_key in present)
        draft.report("SPEC107", mistake.path, f"{listed} exclude each other", f"keep one: {options}")
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
