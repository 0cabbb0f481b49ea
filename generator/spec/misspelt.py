"""A mapping that does not tell its kind: which was meant, so that the mistake itself and those below it are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from generator.spec.annotations import aliases, kinds_at


@dataclass(frozen=True, slots=True)
class Meant:
    """A guess at what was meant.

    Args:
        tag: the kind, by its tag in pydantic's locations.
        record: that kind.
        value: the mapping as it would be without the mistake.
        key: the key that holds the mistake; empty where a key is missing that would tell the kind.
        right: the key that was meant, or where `misspelt` is False the word that belongs there; empty for no idea.
        misspelt: whether the key itself is the mistake.
        words: the words that are known under that key.
        foreign: keys that other kinds have: to call them unknown would trust the guess too far.
    """

    tag: str
    record: type[BaseModel]
    value: dict[str, Any]
    key: str = ""
    right: str = ""
    misspelt: bool = False
    words: tuple[str, ...] = ()
    foreign: frozenset[str] = frozenset()


def near(name: str, known: list[str]) -> str:
    """The known key that was probably meant, whatever its case; empty for none."""
    camel = to_camel(name.replace("-", "_"))
    return camel if camel in known else next(iter(get_close_matches(name, known, 1, 0.6)), "")


def meant(record: type[BaseModel], loc: tuple[str | int, ...], value: dict[str, Any]) -> Meant:
    """What a mapping without a kind was meant to be.

    Args:
        record: the record that was validated.
        loc: pydantic's location of the mapping in it.
        value: the mapping.
    """
    discriminator, members = kinds_at(record, loc)
    tell: Any = discriminator.discriminator
    words = _words(members, tell)
    for guess in _repairs(value, members, words):
        tag = tell(guess.value)
        if tag is not None:
            return Meant(tag, members[tag], guess.value, guess.key, guess.right, guess.misspelt, guess.words)
    tag = max(members, key=lambda tag: len(aliases(members[tag]) & value.keys()))
    every = frozenset[str]().union(*(aliases(member) for member in members.values()))
    said = next((key for key, known in words.items() if key in value and value[key] not in known), "")
    return Meant(tag, members[tag], value, said, words=words.get(said, ()), foreign=every)


def _repairs(
    value: dict[str, Any], members: dict[str, type[BaseModel]], words: dict[str, tuple[str, ...]]
) -> Iterator[Meant]:
    """The mapping with one key or one word put right, in the order it is written in."""
    known = sorted({alias for member in members.values() for alias in aliases(member)})
    free = [alias for alias in known if alias not in value]
    for key, given in value.items():
        right = "" if key in known else near(str(key), free)
        if right:
            renamed = {right if k == key else k: v for k, v in value.items()}
            yield Meant("", BaseModel, renamed, key, right, misspelt=True)
        if isinstance(given, str) and given not in words.get(key, (given,)):
            word = next(iter(get_close_matches(given, words[key], 1, 0.5)), "")
            yield Meant("", BaseModel, {**value, key: word}, key, word, words=words[key])


def _words(
    members: dict[str, type[BaseModel]], tell: Callable[[Any], str | None]
) -> dict[str, tuple[str, ...]]:
    """The words that tell kinds apart, by the key under which they do."""
    found: dict[str, tuple[str, ...]] = {}
    for tag, member in members.items():
        for name, info in member.model_fields.items():
            key, words = info.alias or name, get_args(info.annotation)
            one = get_origin(info.annotation) is Literal and len(words) == 1
            if one and tell({key: words[0]}) == tag and tell({key: None}) is None:
                found[key] = (*found.get(key, ()), str(words[0]))
    return found
