"""UBJSON (ubjson.org, draft 12), as far as XGBoost 3.2 writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final


class Ubjson:
    """A reader of one text."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    def value(self, kind: bytes = b"") -> Any:
        """Return the next value, of a kind that was read before or comes first."""
        kind = kind or self._take(1)
        if kind in _NUMBERS:
            size, read = _NUMBERS[kind]
            return read(self._take(size))
        if kind == b"S":
            return self._take(self.value()).decode()
        if kind in b"TFZ":
            return {b"T": True, b"F": False, b"Z": None}[kind]
        return self._array() if kind == b"[" else self._object() if kind == b"{" else self._unknown(kind)

    def _array(self) -> list[Any]:
        kind = self._after(b"$", lambda: self._take(1))
        count = self._after(b"#", self.value)
        if kind in (b"T", b"F", b"Z"):  # values without bytes: their number would cost the file nothing
            raise ValueError("a list of constants is not what XGBoost writes")
        if count is not None:
            return [self.value(kind or b"") for _ in range(count)]
        out = []
        while not self._next(b"]"):
            out.append(self.value())
        return out

    def _object(self) -> dict[str, Any]:
        out = {}
        while not self._next(b"}"):
            name = self._take(self.value()).decode()
            out[name] = self.value()
        return out

    def _after(self, mark: bytes, read: Callable[[], Any]) -> Any:
        return read() if self._next(mark) else None

    def _next(self, mark: bytes) -> bool:
        found = self._content[self._at : self._at + 1] == mark
        self._at += found
        return found

    def _take(self, count: int) -> bytes:
        part = self._content[self._at : self._at + count]
        if len(part) != count:
            raise ValueError("the file ends in the middle of a value")
        self._at += count
        return part

    def _unknown(self, kind: bytes) -> Any:
        raise ValueError(f"{kind!r} is not a kind of value")


def _integer(part: bytes) -> int:
    return int.from_bytes(part, "big", signed=True)


def _skipped(part: bytes) -> float:
    """Return 0: no header is a fraction."""
    del part
    return 0.0


_NUMBERS: Final[Mapping[bytes, tuple[int, Callable[[bytes], Any]]]] = {
    b"i": (1, _integer),
    b"U": (1, lambda part: part[0]),
    b"I": (2, _integer),
    b"l": (4, _integer),
    b"L": (8, _integer),
    b"d": (4, _skipped),
    b"D": (8, _skipped),
}
