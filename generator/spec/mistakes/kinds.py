"""Guesses the intended kind of an untagged mapping: a step, a guard, a gate, a rollout or an autoscaler."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from generator.dataclass import dataclass
from generator.source.suggest import misspelt
from generator.spec.mistakes.annotations import aliases, kinds_at
from generator.spec.mistakes.words import WORDS


@dataclass(frozen=True, slots=True)
class Guess:
    """A guess at the intended kind of a mapping.

    Args:
        record: the kind.
        key: the key with the mistake; empty if the key that decides the kind is missing.
        right: the intended key or, if `renamed` is False, the word that belongs under it; empty if unknown.
        renamed: whether the key itself is the mistake.
        words: the known words under that key.
        members: all possible records.
        tell: (key, word) that decides the kind; the word is empty if any value does.
    """

    record: type[BaseModel]
    key: str
    right: str
    renamed: bool
    words: tuple[str, ...]
    members: tuple[type[BaseModel], ...]
    tell: tuple[str, str]

    @property
    def foreign(self) -> set[str]:
        """Return the keys that only other kinds have: the guess is too uncertain to call them unknown."""
        every = {alias for member in self.members for alias in aliases(member)}
        return every - aliases(self.record)


def guess_kind(record: type[BaseModel], loc: tuple[str | int, ...], value: dict[str, Any]) -> Guess:
    """Guess the intended kind of a mapping.

    Args:
        record: the record that was validated.
        loc: pydantic's location of the mapping in it.
        value: the mapping.
    """
    discriminator, members = kinds_at(record, loc)
    tell: Any = discriminator.discriminator
    words = _words(members, tell)
    records = tuple(members.values())
    for repaired, key, right, renamed in _repairs(value, members, words):
        tag = tell(repaired)
        if tag is not None:
            known = () if renamed else words[key]
            return Guess(
                members[tag], key, right, renamed, known, records, _telling(tag, members, tell, words)
            )
    tag = max(members, key=lambda tag: len(aliases(members[tag]) & value.keys()))
    wrong = next((key for key, known in words.items() if key in value and value[key] not in known), "")
    telling = _telling(tag, members, tell, words)
    return Guess(
        members[tag], wrong, "", renamed=False, words=words.get(wrong, ()), members=records, tell=telling
    )


def _repairs(
    value: dict[str, Any], members: dict[str, type[BaseModel]], words: dict[str, tuple[str, ...]]
) -> Iterator[tuple[dict[str, Any], str, str, bool]]:
    """Yield the mapping with one key or one word corrected, in the written order."""
    known = sorted({alias for member in members.values() for alias in aliases(member)})
    free = [alias for alias in known if alias not in value]
    for key, given in value.items():
        right = "" if key in known else misspelt(str(key), free)
        if right:
            yield {right if other == key else other: v for other, v in value.items()}, key, right, True
        if isinstance(given, str) and given not in words.get(key, (given,)):
            word = misspelt(given, words[key]) or synonym(given, words[key])
            yield {**value, key: word}, key, word, False


def synonym(word: str, known: tuple[str, ...]) -> str:
    """Return the known word for a word of another tool; empty for none."""
    plain = re.sub(r"[ _]", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", word).casefold())
    exact = next((ours for ours in known if plain in WORDS.get(ours, ())), "")
    joined = plain.replace("-", "")
    alike = [ours for ours in known if joined in {one.replace("-", "") for one in WORDS.get(ours, ())}]
    parts = {part for part in plain.split("-") if len(part) > _SHORT}
    by_part = (
        [ours for ours in known if parts & WORDS.get(ours, frozenset())]
        if len(parts) > 1 or "-" in plain
        else []
    )
    return exact or (alike[0] if alike else "") or (by_part[0] if len(by_part) == 1 else "")


_SHORT = 2


def _telling(
    tag: str,
    members: dict[str, type[BaseModel]],
    tell: Callable[[Any], str | None],
    words: dict[str, tuple[str, ...]],
) -> tuple[str, str]:
    """Return the key (and the word, if it must be a certain one) that decides a kind."""
    for key, known in words.items():
        for word in known:
            if tell({key: word}) == tag:
                return key, word
    return next(
        ((alias, "") for alias in sorted(aliases(members[tag])) if tell({alias: None}) == tag), ("", "")
    )


def _words(
    members: dict[str, type[BaseModel]], tell: Callable[[Any], str | None]
) -> dict[str, tuple[str, ...]]:
    """Return the words that distinguish kinds, by key."""
    found: dict[str, tuple[str, ...]] = {}
    for tag, member in members.items():
        for name, info in member.model_fields.items():
            key, words = info.alias or name, get_args(info.annotation)
            one = get_origin(info.annotation) is Literal and len(words) == 1
            if one and tell({key: words[0]}) == tag and tell({key: None}) is None:
                found[key] = (*found.get(key, ()), str(words[0]))
    return found
