"""Reports mappings of an unclear kind, and turns each into the likeliest one."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from generator.source.document import Path
from generator.source.flow import flow
from generator.spec.mistakes.amounts import number, plain
from generator.spec.mistakes.annotations import (
    Target,
    accepts,
    aliases,
    annotation_of,
    collection,
    field_of,
    fields,
    kinds_at,
)
from generator.spec.mistakes.annotations import words as literal_words
from generator.spec.mistakes.draft import Draft, Mistake
from generator.spec.mistakes.foreign_keys import sluice_steps
from generator.spec.mistakes.habits import GENERAL
from generator.spec.mistakes.habits_by_place import AT
from generator.spec.mistakes.keys import explain_keys
from generator.spec.mistakes.kinds import Guess, guess_kind
from generator.spec.mistakes.mappings import LONG, Mapping, name_of
from generator.spec.mistakes.samples import smallest
from generator.spec.mistakes.suggestions import candidates, example, repaired, shown
from generator.spec.mistakes.words import INSTEAD, WORDS

_FEW = 4


def explain_kind(draft: Draft, mistake: Mistake) -> None:
    """Report a mapping whose kind is unclear, and turn it into one of the likeliest kind."""
    guess = guess_kind(draft.record, mistake.loc, mistake.value)
    path = mistake.path
    if guess.renamed:
        message, hint = (
            f"unknown key `{guess.key}` in {name_of(mistake.target.pattern)}",
            f"did you mean `{guess.right}`?",
        )
        info = fields(guess.record).get(guess.right)
        annotation = annotation_of(info)
        single = isinstance(mistake.value[guess.key], list) and collection(annotation) is None
        fixed = repaired(annotation, mistake.value[guess.key], info) if single else None
        if single and accepts(annotation, fixed):
            hint = f"did you mean `{guess.right}: {flow(fixed)}`?"
        document, local = draft.document((*path, guess.key))
        draft.findings.append(document.finding("SPEC102", local, message, hint, key=True))
        draft.move((*path, guess.key), (*path, guess.right))
        if single and accepts(annotation, fixed):
            draft.reported.add((*path, guess.right))
        return
    if guess.key:
        _wrong_word(draft, mistake, guess)
        return
    if _foreign_keys(draft, mistake, guess):
        if draft.is_reported(path) or _has_kind(draft, mistake):
            return
    elif _word_under_other_key(draft, mistake, guess):
        return
    elif not draft.partial:
        _no_kind(draft, mistake, guess)
    _become(draft, path, guess)


def _has_kind(draft: Draft, mistake: Mistake) -> bool:
    """Return whether a mapping has a kind now that its keys are corrected."""
    discriminator, _ = kinds_at(draft.record, mistake.loc)
    tell: Any = discriminator.discriminator
    return tell(draft.at(mistake.path)) is not None


def _word_under_other_key(draft: Draft, mistake: Mistake, guess: Guess) -> bool:
    """Report a word that decides the kind, written under another key: `name: error-rate` for `metric: error-rate`."""
    for member in guess.members:
        for right, info in fields(member).items():
            known = [str(word) for word in literal_words(annotation_of(info))]
            for key, value in mistake.value.items():
                if (
                    right in mistake.value
                    or not isinstance(value, str)
                    or value not in known
                    or not info.is_required()
                ):
                    continue
                fixed = {right if name == key else name: item for name, item in mistake.value.items()}
                message = f"`{value}` belongs under `{right}`, not under `{key}`"
                draft.report("SPEC102", (*mistake.path, key), message, f"write `{flow(fixed)}`", key=True)
                draft.reported.discard((*mistake.path, key))
                draft.move((*mistake.path, key), (*mistake.path, right))
                return True
    return False


def _wrong_word(draft: Draft, mistake: Mistake, guess: Guess) -> None:
    """Report an unknown word at the key that decides the kind."""
    path = (*mistake.path, guess.key)
    words = [f"`{word}`" for word in guess.words]
    listed = f"{', '.join(words[:-1])} or {words[-1]}"
    value = mistake.value[guess.key]
    if isinstance(value, dict):
        _nested_kind(draft, mistake, guess, value)
        return
    hint = f"did you mean `{guess.right}`?" if guess.right else f"write {listed}"
    instead = INSTEAD.get(str(value).casefold().replace("_", "-"), ("", ""))
    hint = f"write `{instead[0]}` ({instead[1]})" if instead[0] in guess.words else hint
    if guess.right == "error-rate" and str(value).casefold().replace("_", "-") in _GOOD_NEWS:
        message = f"`{value}` is not one of {listed}: guards measure what is bad"
        draft.report("SPEC106", path, message, f"write `{flow(_inverted(mistake.value, guess.key))}`")
        draft.reported.add(mistake.path)
        return
    outcomes = draft.at(("spec", "outcomes"))
    named = isinstance(outcomes, dict) and isinstance(value, str) and value in outcomes
    if guess.key == "metric" and named:
        fixed = {"outcome" if key == "metric" else key: item for key, item in mistake.value.items()}
        draft.report(
            "SPEC106", path, f"{shown(value, draft.raw(path))} is an outcome", f"write `{flow(fixed)}`"
        )
        draft.reported.add(mistake.path)
        return
    required = [key for key, info in fields(guess.record).items() if info.is_required() and key != guess.key]
    if guess.right and any(key not in mistake.value for key in required):
        hint = f"did you mean `{flow(_whole(guess, mistake.value))}`?"
        draft.reported.add(mistake.path)
    draft.report("SPEC106", path, f"{shown(value, draft.raw(path))} is not one of {listed}", hint)
    draft.lenient.add(mistake.path)
    _become(draft, mistake.path, guess)


_GOOD_NEWS = frozenset(
    {"success-rate", "request-success-rate", "availability", "uptime", "success", "non-5xx-rate"}
)


def _inverted(value: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a guard on errors for one on successes: at least 99% of them are at most 1% errors."""
    shares = [str(item) for name, item in value.items() if name != key]
    share = next(
        (number(text.rstrip("% ")) for text in shares if number(text.rstrip("% ")) is not None), None
    )
    if share is not None and 0 < share <= 1:
        share *= 100
    return {
        "metric": "error-rate",
        "limit": f"{plain(100 - share)}%" if share is not None and share < 100 else "1%",
    }


def _whole(guess: Guess, value: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping of the guessed kind with the author's values, including fitting values of foreign keys."""
    known = fields(guess.record)
    whole = smallest(guess.record)
    whole[guess.key] = guess.right
    for key, item in value.items():
        if key == guess.key:
            continue
        if key in known and _fits(known[key], item):
            whole[key] = repaired(annotation_of(known[key]), item, known[key])
            continue
        for name, info in known.items():
            target = Target((name,), (), guess.record, info, annotation_of(info))
            if name not in value and info.is_required() and name != guess.key and candidates(target, item):
                whole[name] = candidates(target, item)[0].value
    chosen = [
        name
        for name in ("detect", "limit")
        if name in value and name in known and _fits(known[name], value[name])
    ]
    for name in ("detect", "limit"):
        if chosen and name not in chosen:
            whole.pop(name, None)
    if "detect" in whole and "baseline" in known:
        whole.setdefault("baseline", known["baseline"].examples[0] if known["baseline"].examples else "5%")
    return {name: whole[name] for name in (guess.key, *known) if name in whole}


def _fits(info: FieldInfo, value: Any) -> bool:
    """Return whether a field accepts a value, or a repair of it."""
    annotation = annotation_of(info)
    return accepts(annotation, value) or accepts(annotation, repaired(annotation, value, info))


def _nested_kind(draft: Draft, mistake: Mistake, guess: Guess, value: dict[str, Any]) -> None:
    """Report a kind that is used as a key with its content below: `strategy: {canary: {steps: …}}`."""
    path = (*mistake.path, guess.key)
    kind = next(
        (word for word in guess.words if word.replace("-", "") in {str(key).lower() for key in value}), ""
    )
    inner = next((item for key, item in value.items() if str(key).lower() == kind.replace("-", "")), None)
    whole = {guess.key: kind or guess.words[0], **(inner if isinstance(inner, dict) else {})}
    holder = next((str(part) for part in reversed(mistake.path) if isinstance(part, str)), "")
    if isinstance(whole.get("steps"), list) and any(
        isinstance(step, dict) and "setWeight" in step for step in whole["steps"]
    ):
        whole["steps"] = sluice_steps(whole["steps"])
    message = f"`{guess.key}` is one word; the other keys of the {whole[guess.key]} are next to it"
    draft.report("SPEC106", path, message, f"write `{holder}: {flow(whole)}`")
    draft.reported.add(mistake.path)


def _foreign_keys(draft: Draft, mistake: Mistake, guess: Guess) -> bool:
    """Report the foreign keys of a mapping without a kind, and return whether there are any."""
    known = {key for member in guess.members for key in aliases(member)}
    unknown = [key for key in mistake.value if key not in known]
    unknown_before = len(draft.findings)
    mapping = Mapping(mistake.path, mistake.target.pattern, guess.members, draft.at(mistake.path))
    if _named_metric(draft, mistake, unknown):
        draft.reported.add(mistake.path)
        return True
    if unknown:
        explain_keys(draft, mapping, unknown)
    return len(draft.findings) > unknown_before


def _named_metric(draft: Draft, mistake: Mistake, unknown: list[str]) -> bool:
    """Report the name of a metric used as a key: `accuracy: 0.9` as a gate, `error-rate: 5%` as a guard."""
    pattern = mistake.target.pattern
    value = mistake.value
    if (
        len(unknown) != 1
        or isinstance(value[unknown[0]], (dict, list))
        or pattern[-2:] not in {("gates", "[]"), ("guards", "[]")}
    ):
        return False

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
    message = f"`{key}` is the name of a metric, so it belongs under `metric`"
    document, local = draft.document((*mistake.path, key))
    draft.findings.append(document.finding("SPEC102", local, message, f"write `{flow(fixed)}`", key=True))
    return True


def _no_kind(draft: Draft, mistake: Mistake, guess: Guess) -> None:
    """Report a missing key that decides the kind."""
    path = mistake.path
    key = str(path[-1]) if path else ""
    document, _ = draft.document(path)
    spec, _ = draft.document(("metadata",))
    if path and isinstance(path[-1], str) and document is not spec:
        # Only the tier's defaults have a part of it: the spec lacks the rest.
        whole = smallest(guess.record)
        message = f"`{key}` is missing in `{path[-2] if len(path) > 1 else 'the file'}`"
        hint = f"add it, for example `{key}: {flow(whole)}`"
        finding = spec.finding("SPEC103", path[:-1], message, hint, key=True)
        draft.findings.append(finding)
        draft.reported.add(path)
        return
    telling, word = guess.tell
    text = word or example_of(guess.record, telling)
    sample = f"`{telling}: {text}`" if text else f"`{telling}`"
    present = dict(mistake.value)
    fixed = flow({telling: text, **present}) if len(present) <= _FEW else ""
    hint = f"add {sample}: `{fixed}`" if fixed and len(fixed) < LONG else f"add {sample}"
    draft.report("SPEC106", path, mistake.message, hint)
    draft.reported.discard(path)


def example_of(record: type[BaseModel], key: str) -> str:
    """Return a value for a key of a record as users write it."""
    info = field_of(record, key)
    return example(Target((key,), (), record, info, annotation_of(info)))


def _become(draft: Draft, path: Path, guess: Guess) -> None:
    """Turn a mapping into one of the guessed kind, without the keys of other kinds."""
    value = draft.at(path)
    if not isinstance(value, dict):
        return
    for key in [key for key in value if key in guess.foreign]:
        value.pop(key)
    key, word = guess.tell
    if not key:
        draft.reported.add(path)
        return
    if word:
        value[key] = guess.right or word
        draft.reported.add((*path, key))
    elif key not in value:
        value[key] = example_of(guess.record, key)
        draft.reported.add((*path, key))
    draft.lenient.add(path)
