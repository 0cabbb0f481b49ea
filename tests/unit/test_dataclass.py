"""The decorator `dataclass` against the one of the standard library."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from abc import ABC, abstractmethod
from dataclasses import asdict, astuple, field, fields, replace
from typing import Any

import pytest

from generator.dataclass import dataclass


def classes(decorator: Any) -> dict[str, type]:
    """One class of each shape that the package has."""

    @decorator(frozen=True, slots=True)
    class Empty: ...

    @decorator(frozen=True, slots=True)
    class One:
        x: float

    @decorator(frozen=True, slots=True)
    class Many:
        """With defaults."""

        x: int
        y: str = "y"
        z: tuple[int, ...] = (1, 2)
        made: dict[str, int] = field(default_factory=dict)
        uncompared: int = field(default=0, compare=False)
        hidden: str = field(default="secret", repr=False)

    @decorator(frozen=True, slots=True, kw_only=True)
    class Named:
        x: int = 1
        y: int

    @decorator(frozen=True)
    class Open:
        x: int
        seen: list[int] = field(default_factory=list, compare=False)

        def __post_init__(self) -> None:
            self.seen.append(self.x)

    @decorator(frozen=True, slots=True, kw_only=True)
    class Base(ABC):
        x: int

        @abstractmethod
        def act(self) -> int: ...

    @decorator(frozen=True, slots=True, kw_only=True)
    class Derived(Base):
        y: int = 2

        def act(self) -> int:
            return self.x + self.y

    @decorator(frozen=True, slots=True)
    class Own:
        x: int

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

    @decorator(slots=True)
    class Mutable:
        x: int

    @decorator(frozen=True, slots=True, order=True)
    class Ordered:
        x: int

    return {name: made for name, made in locals().items() if isinstance(made, type)}


OURS, THEIRS = classes(dataclass), classes(dataclasses.dataclass)
CALLS = [
    ("Empty", (), {}),
    ("One", (1.5,), {}),
    ("Many", (1,), {}),
    ("Many", (1, "a", (3,), {"k": 1}, 5), {"hidden": "h"}),
    ("Many", (), {"x": 2, "uncompared": 9}),
    ("Named", (), {"y": 2}),
    ("Open", (1,), {}),
    ("Derived", (), {"x": 1}),
    ("Own", (1,), {}),
    ("Mutable", (1,), {}),
    ("Ordered", (1,), {}),
]


def outcome(action: Any) -> Any:
    """The value, or the class and the text of the exception."""
    try:
        return action()
    except Exception as error:  # noqa: BLE001 - compared
        return type(error), str(error)


@pytest.mark.parametrize(("name", "arguments", "named"), CALLS)
def test_instances_are_those_of_the_standard_library(name, arguments, named):
    ours, theirs = (found[name](*arguments, **named) for found in (OURS, THEIRS))
    for look in (
        repr,
        asdict,
        astuple,
        copy.copy,
        lambda one: type(one).__match_args__,
        lambda one: [each.name for each in fields(one)],
        lambda one: one == type(one)(*arguments, **named),
        lambda one: one == object(),
        lambda one: hash(one) == hash(type(one)(*arguments, **named)),
        lambda one: [outcome(lambda each=each: setattr(one, each.name, 3)) for each in fields(one)],
        lambda one: [outcome(lambda each=each: delattr(one, each.name)) for each in fields(one)],
        lambda one: one < one,
        lambda one: replace(one, x=5),
        lambda one: replace(one, unknown=5),
        lambda one: copy.deepcopy(one).__reduce_ex__(2)[2],
    ):
        found, expected = outcome(lambda look=look: look(ours)), outcome(lambda look=look: look(theirs))
        assert repr(found) == repr(expected)


@pytest.mark.parametrize("name", [name for name in OURS if name != "Base"])
@pytest.mark.parametrize("arguments", [(), (1,), (1, 2, 3, 4, 5, 6, 7)])
def test_calls_that_do_not_fit_are_refused_in_the_same_words(name, arguments):
    found, expected = (outcome(lambda made=made: made[name](*arguments)) for made in (OURS, THEIRS))
    assert repr(found) == repr(expected)


def test_values_that_are_not_compared_do_not_count():
    made = OURS["Many"]
    assert made(1, uncompared=1) == made(1, uncompared=2)
    assert made(1) != made(2)
    assert OURS["One"](1) != OURS["Derived"](x=1)


def test_every_factory_makes_a_value_of_its_own():
    made = OURS["Many"]
    assert made(1).made is not made(1).made


@dataclass(frozen=True, slots=True)
class Sent:
    """Processes send such values to each other."""

    x: int
    y: list[int]


def test_frozen_instances_get_no_further_attributes():
    """Slots of the standard library raise a TypeError here, which reports a bug of theirs."""
    for name in ("Empty", "One", "Derived", "Open"):
        made = OURS[name](**({} if name == "Empty" else {"x": 1}))
        with pytest.raises(dataclasses.FrozenInstanceError, match="'unknown'"):
            made.unknown = 1


def test_instances_survive_pickling():
    sent = Sent(1, [2])
    again = pickle.loads(pickle.dumps(sent))
    assert again == sent
    assert again is not sent


def test_frozen_classes_compile_only_their_initializer():
    """What makes them cheap: the code of their other methods is the module's, shared by all."""
    for method in ("__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__"):
        assert len({getattr(OURS[name], method).__code__ for name in ("One", "Many", "Named", "Open")}) == 1
