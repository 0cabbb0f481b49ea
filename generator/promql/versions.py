"""Which version of a release a selector sees."""

from __future__ import annotations

import re
from typing import Final, Literal

from generator.dataclass import dataclass
from generator.promql.selectors import Selector, selectors_of
from generator.promql.text import quote
from generator.promql.tokens import tokenize

Arm = Literal["canary", "stable", "both"]

_CANARY: Final = re.compile(r"(?i)(?<![a-z])(?:canary|preview|green|latest|candidate)(?![a-z])")
_STABLE: Final = re.compile(r"(?i)(?<![a-z])(?:stable|primary|active|blue|baseline)(?![a-z])")
_OF_A_VERSION: Final = re.compile(r"(?i)service|svc|upstream|backend|destination|hash|version|subset|role")


HASHES: Final = {"Latest": "hash-of-the-new-version", "Stable": "hash-of-the-stable-version"}
"""What replaces the pod hash of a version, which only the cluster knows."""


@dataclass(frozen=True, slots=True)
class Versions:
    """Words in the values of labels that name a version: pod hashes, Services, subsets."""

    canary: frozenset[str] = frozenset()
    stable: frozenset[str] = frozenset()


NO_NAMES: Final = Versions()


def arm_of(selector: Selector, versions: Versions) -> tuple[Arm, bool]:
    """Return the version that a selector sees, and whether words of the release name it."""
    matchers = [(label, value) for label, sign, value in selector.matchers if sign in ("=", "=~")]
    values = [value for _, value in matchers]
    if any(_names(word, value) for word in versions.canary for value in values):
        return "canary", True
    # The stable Service often has the name of the application, which other labels have too.
    services = [value for label, value in matchers if _OF_A_VERSION.search(label)]
    if any(_names(word, value) for word in versions.stable for value in services):
        return "stable", True
    if any(_CANARY.search(value) for value in values):
        return "canary", False
    if any(_STABLE.search(value) for value in values):
        return "stable", False
    return ("canary", False) if selector.restricts_version else ("both", False)


def without_versions(query: str, versions: Versions) -> str:
    """Return a query without its matchers that name a version, or whose argument is not known."""
    tokens = tokenize(query)
    for selector in reversed(list(selectors_of(tokens))):
        kept = [one for one in selector.matchers if not _of_a_version(selector, one, versions)]
        opening = selector.index + (tokens.word(selector.index) != "{")
        if len(kept) == len(selector.matchers) or tokens.word(opening) != "{":
            continue
        start, end = (tokens.items[index].start for index in (opening, tokens.partner[opening]))
        text = ",".join(f"{label}{sign}{quote(value)}" for label, sign, value in kept)
        query = f"{query[: start + 1]}{text}{query[end:]}"
    return query


def _of_a_version(selector: Selector, matcher: tuple[str, str, str], versions: Versions) -> bool:
    _, sign, value = matcher
    if sign not in ("=", "=~"):
        return False
    words = versions.canary | versions.stable
    one = Selector(selector.metric, (matcher,), selector.index)
    named = any(_names(word, value) for word in words) or _CANARY.search(value) or _STABLE.search(value)
    return bool(named) or "{{" in value or one.restricts_version


def _names(word: str, value: str) -> bool:
    if word in HASHES.values():
        return word in value  # names of pods have the hash in the middle
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", value) is not None
