"""Finds one metric in a metrics file, which must not have a second meaning."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import field
from typing import Any, Final

from generator.dataclass import dataclass
from generator.gates.errors import NoVerdictError

_MOST_ROWS: Final = 10**12


@dataclass(frozen=True, slots=True)
class Scores:
    """One metric in a report.

    Args:
        value: the metric; None when it is not a number.
        rows: rows of the test set; None when that is not known.
        champion: the serving model's value; None when the report does not have it.
        models: the digests that the report names.
    """

    value: float | None
    rows: int | None = None
    champion: float | None = None
    models: list[str] = field(default_factory=list)


def lookup(data: Any, metric: str) -> Scores:
    """Return a metric of a JSON document: at the top, or the only one of this name anywhere below.

    The rows are those next to the metric, or else the only ones in the document.

    Raises:
        NoVerdictError: the metric is not there or in several places, or the document may mean something else.
    """
    if not isinstance(data, dict):
        raise NoVerdictError("the metrics file is not a mapping")
    refuse_lookalikes(data, (metric, "model", "rows", "champion"))
    champion = data.get("champion", {})
    if not isinstance(champion, dict):
        raise NoVerdictError("`champion` in the metrics file is not a mapping of metrics")
    own = {key: value for key, value in data.items() if key != "champion"}
    holder = _holder(own, metric)
    return Scores(
        value=_number(holder[metric]),
        rows=_rows(own, holder),
        champion=_number(_holder(champion, metric)[metric]) if champion else None,
        models=[_digest(value) for value in _named(own, "model")],
    )


def refuse_lookalikes(data: Any, names: tuple[str, ...]) -> None:
    """Refuse keys that a reader could take for a name, and that are not that name.

    Raises:
        NoVerdictError: there is one.
    """
    known = {letters(name): name for name in names}
    for key in _keys(data):
        name = known.get(letters(key), key)
        if name != key:
            raise NoVerdictError(f"the metrics file has the key `{key}`: is it `{name}`?")


def letters(name: str) -> str:
    """Return a name without case, spaces, dashes, underscores, invisible characters and variants of letters."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in folded if character.isprintable() and character not in " _-")


def _holder(data: dict[str, Any], metric: str) -> dict[str, Any]:
    """Return the only mapping that has the metric; one at the top comes first."""
    found = [data] if metric in data else list(_mappings_with(data, metric))
    if not found:
        raise NoVerdictError(f"the metrics file has no `{metric}`")
    if len(found) > 1:
        raise NoVerdictError(f"the metrics file has `{metric}` in {len(found)} places: which one counts?")
    return found[0]


def _rows(data: dict[str, Any], holder: dict[str, Any]) -> int | None:
    found = [holder["rows"]] if "rows" in holder else list(_named(data, "rows"))
    if not found:
        return None
    if len(found) > 1:
        raise NoVerdictError(f"the metrics file has `rows` in {len(found)} places: which one counts?")
    return whole_rows(found[0])


def whole_rows(value: Any) -> int:
    """Return a number of rows.

    Raises:
        NoVerdictError: it is not a positive whole number.
    """
    number = _number(value)
    if number is None or number != int(number) or not 1 <= number <= _MOST_ROWS:
        raise NoVerdictError("`rows` in the report is not a positive whole number")
    return int(number)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _digest(value: Any) -> str:
    """Return the digest that names a model; a form that is not known is refused by `Inputs.bind`."""
    return value if isinstance(value, str) else f"a {type(value).__name__}"


def _mappings(data: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping in a document. It does not recurse: each value at a deep level would cost all levels."""
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
        if isinstance(value, (dict, list)):
            waiting += value.values() if isinstance(value, dict) else value


def _mappings_with(data: Any, name: str) -> Iterator[dict[str, Any]]:
    """Yield the mappings that have a name for anything but a mapping."""
    return (found for found in _mappings(data) if name in found and not isinstance(found[name], dict))


def _named(data: Any, name: str) -> Iterator[Any]:
    return (found[name] for found in _mappings(data) if name in found)


def _keys(data: Any) -> Iterator[str]:
    return (key for found in _mappings(data) for key in found)
