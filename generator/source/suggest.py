"""Suggestions for "did you mean": the known words that an unknown one may mean."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

_SEPARATORS = re.compile(r"[-_ .]")
_SHORT = 5
_LETTERS_PER_ERROR = 3
_MOST_ERRORS = 2
_ABBREVIATION = 3
_LISTED = 8
_LONGEST = 100  # characters of a word that is compared
_COMPARED = 1000  # names that a word is compared with


def misspelt(word: str, known: Iterable[str]) -> str:
    """Return the known word that `word` misspells; empty for none.

    Case, separators and a plural's `s` do not count. Otherwise one error is allowed per three letters, two at most, and
    a word of up to five letters keeps its first letter, or swaps its first two.
    """
    ranked = sorted(
        (errors, name) for name in islice(known, _COMPARED) if (errors := _errors(word, name)) is not None
    )
    return ranked[0][1] if ranked else ""


def nearest(word: str, known: Iterable[str], most: int = 1) -> list[str]:
    """Return the known names that `word` may mean, the likeliest first: typing errors, then parts of names.

    A part of a name is its beginning (`prod` for `production`), or one of its words (`churn` for `shop/churn`).

    Args:
        word: what was written.
        known: the known names.
        most: how many to return.
    """
    ranked = sorted(
        (rank, name) for name in islice(known, _COMPARED) if (rank := _rank(word, name)) is not None
    )
    return [name for _, name in ranked[:most]]


def did_you_mean(word: str, known: Iterable[str], label: str = "known") -> str:
    """Return a hint: the nearest known name, or the first known names after a label."""
    names = sorted(known)
    near = nearest(word, names)
    if near:
        return f"did you mean `{near[0]}`?"
    short = [name for name in names if _abbreviates(word, name)]
    if len(short) == 1:
        return f"did you mean `{short[0]}`?"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{label}: {', '.join(names[:_LISTED]) or 'none'}{more}"


def _abbreviates(word: str, name: str) -> bool:
    """Return whether a short word has letters of a name in their order, beginning with the first: `prd`, `stg`."""
    short, letters = _plain(word), iter(_plain(name))
    return (
        1 < len(short) <= _ABBREVIATION + 1
        and name[:1].casefold() == short[:1]
        and all(c in letters for c in short)
    )


def _rank(word: str, name: str) -> tuple[int, int] | None:
    errors = _errors(word, name)
    if errors is not None:
        return 0, errors
    whole = re.split(r"[-/]", name.casefold())
    if len(word) >= _SHORT and _plain(name).startswith(_plain(word)[:-1]):  # `stage` for `staging`
        return 1, len(name)
    if len(word) >= _ABBREVIATION and (_plain(name).startswith(_plain(word)) or word.casefold() in whole):
        return 1, len(name)
    return None


def _errors(word: str, name: str) -> int | None:
    """Return the number of typing errors between two words; None if there are too many for a slip."""
    one, other = _singular(_plain(word)), _singular(_plain(name))
    allowed = min(len(one) // _LETTERS_PER_ERROR, _MOST_ERRORS)
    if len(one) > _LONGEST:
        return None
    if abs(len(one) - len(other)) > allowed:
        return None
    if len(one) <= _SHORT and one[:1] != other[:1] and one[:2] != other[1::-1]:
        return None
    errors = distance(one, other)
    return errors if errors <= allowed else None


def _plain(word: str) -> str:
    return _SEPARATORS.sub("", word.casefold())


def _singular(word: str) -> str:
    return word.removesuffix("s") if len(word) > _ABBREVIATION else word


def distance(one: str, other: str) -> int:
    """Return the minimum number of insertions, deletions, substitutions and swaps of neighbours between two words.

    The restricted Damerau-Levenshtein distance: no part of a word is edited twice.
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, right in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
