"""The budget of a template of a repository: how much it may compute, and how large its values may become.

Steps are counted, not timed, so that a template passes on every machine or on none. The limit of CPU time only ends
what the counts misjudge.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any, Final

from jinja2.runtime import Undefined
from jinja2.utils import Namespace

STEPS: Final = 5_000_000
"""Steps that one template may take, a few seconds of CPU. The index of 10,000 models takes a third of it."""
REFILL: Final = 20_000
"""Steps that each further template adds, up to `STEPS`, so that many templates together are bounded too."""
CPU_S: Final = 30.0
"""CPU seconds that one template may take."""
TEXT: Final = 1 << 20
"""Characters that one value may have."""
ITEMS: Final = 200_000
"""Values that one list or mapping may hold, nested ones included."""
OUTPUT: Final = 16 << 20
"""Characters that one template may render."""
_DIGITS: Final = 4096  # bits of a whole number
_A_STEP: Final = 16  # characters that are copied in one step
_CHECKED: Final = 5_000  # steps between two readings of the clock
_VIEWS: Final[tuple[type, ...]] = (type({}.keys()), type({}.values()), type({}.items()))


class LimitError(Exception):
    """A template exceeds a limit; the text completes "the template …"."""


class Budget:
    """What is left for the template that is rendered now."""

    def __init__(self) -> None:
        self.left = STEPS
        self._clock = 0
        self._until = 0.0

    def start(self) -> None:
        """Begin a template: add its steps, and start its clock."""
        self.left = min(STEPS, max(self.left, 0) + REFILL)
        self._clock = self.left - _CHECKED
        self._until = time.thread_time() + CPU_S

    def charge(self, steps: int) -> None:
        """Spend some steps.

        Raises:
            LimitError: nothing is left.
        """
        self.left -= steps
        if self.left > self._clock:
            return
        if self.left < 0:
            raise LimitError("the template takes too many steps: loops, calls and copied text are limited")
        self._clock = self.left - _CHECKED
        if time.thread_time() > self._until:
            raise LimitError(f"the template takes more than {CPU_S:g} s")

    def rounds(self, items: Iterable[Any], steps: int) -> Iterator[Any]:
        """Yield the items of a loop, and spend these steps for each of its rounds."""
        for item in items:
            self.charge(steps)
            yield item

    def weigh(self, value: Any) -> Any:
        """Return the value, and spend what it takes to copy or to compare it.

        Raises:
            LimitError: it is too large, or can't be part of another value.
        """
        if type(value) is not str or len(value) >= _A_STEP:
            self.charge(size(value))
        return value

    def settle(self, value: Any) -> Any:
        """Return the result of a filter or a call: computed now, not on demand, and within the limits."""
        if type(value) is Namespace:
            return value
        if isinstance(value, Iterator):
            value = list(self._counted(value))
        return self.weigh(value)

    @staticmethod
    def check_output(text: str) -> None:
        """Check the length of what a template rendered.

        Raises:
            LimitError: it is too long.
        """
        if len(text) > OUTPUT:
            raise LimitError(f"the result has {len(text):,} characters; the limit is {OUTPUT:,}")

    def _counted(self, items: Iterator[Any]) -> Iterator[Any]:
        for count, item in enumerate(items):
            if count >= ITEMS:
                raise LimitError(f"a list has more than {ITEMS:,} values")
            self.charge(1)
            yield item


def size(value: Any) -> int:
    """Return the steps that it takes to copy a value: one for each value in it, and for every 16 characters.

    Raises:
        LimitError: it is too large, or can't be part of another value.
    """
    characters = items = 0
    left: list[Any] = [value]
    while left:
        part = left.pop()
        items += 1
        if isinstance(part, str):
            characters += len(part)
        elif isinstance(part, int):
            check_digits(part.bit_length())
        elif isinstance(part, dict):
            left += part.keys()
            left += part.values()
        elif isinstance(part, (list, tuple)) or type(part) in _VIEWS:
            left += part
        elif type(part) is Namespace or (isinstance(part, Iterator) and not isinstance(part, Undefined)):
            raise LimitError("a namespace or an iterator can't be part of another value")
        if items + len(left) > ITEMS:
            raise LimitError(f"a list has more than {ITEMS:,} values")
        check_text(characters)
    return items + characters // _A_STEP


def check_text(length: int) -> None:
    """Check the length of a text.

    Raises:
        LimitError: it is too long.
    """
    if length > TEXT:
        raise LimitError(f"a text has more than {TEXT:,} characters")


def check_digits(bits: int) -> None:
    """Check the length of a whole number.

    Raises:
        LimitError: it is too long.
    """
    if bits > _DIGITS:
        raise LimitError(f"a number has more than {_DIGITS:,} bits")
