"""No regular expression of the package takes quadratic time in what a user writes.

Each pattern is tried with texts that are made from its own parts: the beginning that leads to a repeated part, that part
many times, and an end that does not fit. Four thousand characters take a linear pattern some microseconds; where they take
a millisecond, CPU is compared between 500 and 4,000 characters.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import re._constants as constants
import re._parser as parser
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import generator
from generator.rules import secrets
from generator.spec import signers, types
from generator.spec.parsing import Unit

SOME, FEW, MANY = 125, 500, 4000  # a cubic pattern takes a million steps for `SOME`
SHORT = 22  # an exponential pattern takes four million steps
LINEAR = 24  # 8 for a linear pattern, 64 for a quadratic one
NOTICED_S = 0.001
TEXTS = 400
REPEATS = (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT)
SEARCHES = {"search", "sub", "subn", "findall", "finditer", "split"}
SAMPLES = "a1A_-. :/,\n\t{[(\"'=0#*@%x"

Found = dict[tuple[str, int], set[str]]


def collected() -> Found:
    """Every pattern of the package with its flags, and the methods that are called on it; none known means all."""
    found: Found = {}
    for module in pkgutil.walk_packages(generator.__path__, "generator."):
        if module.name.endswith("__main__") or ".api." in module.name:
            continue
        loaded = importlib.import_module(module.name)
        source = Path(str(loaded.__file__)).read_text()
        for name, pattern in compiled(vars(loaded)):
            used = set(re.findall(rf"\b{name}\.(\w+)\(", source)) if name else set()
            found.setdefault((pattern.pattern, pattern.flags), set()).update(used)
        for pattern, flags, method in inline(ast.parse(source), vars(loaded)):
            found.setdefault((pattern, re.compile(pattern, flags).flags), set()).add(method)
    for _, _, pattern in secrets._KNOWN:
        found[pattern, 0] = {"search"}
    for found_unit in units():
        found[found_unit.pattern, 0] = {"fullmatch"}
    out: Found = {}
    for key, used in found.items():
        out.setdefault(as_text(*key), set()).update(used)
    return out


def units() -> Iterator[Unit]:
    """The units of the spec language, whose patterns are compiled when a value is read."""
    for module in (types, signers):
        for annotation in vars(module).values():
            yield from (one for one in getattr(annotation, "__metadata__", ()) if isinstance(one, Unit))


def as_text(pattern: str | bytes, flags: int) -> tuple[str, int]:
    """A pattern on bytes as the same one on text."""
    if isinstance(pattern, str):
        return pattern, flags
    text = pattern.decode("latin-1")
    return text, re.compile(text, flags | re.ASCII).flags


def compiled(values: dict[str, Any], depth: int = 3) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Patterns among the values of a module, also in its tuples, lists and mappings."""
    for name, value in list(values.items()):
        if isinstance(value, re.Pattern):
            yield str(name), value
        elif isinstance(value, (tuple, list, frozenset)) and depth:
            yield from (("", found) for _, found in compiled(dict(enumerate(value)), depth - 1))
        elif isinstance(value, dict) and depth and name != "__builtins__":
            yield from (("", found) for _, found in compiled(value, depth - 1))


def inline(tree: ast.AST, names: dict[str, Any]) -> Iterator[tuple[str, int, str]]:
    """Patterns in calls of functions of `re`, also those that are put together from constants of the module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and re.fullmatch(r"re\.[a-z]+", ast.unparse(node.func)) and node.args:
            first, method = node.args[0], ast.unparse(node.func)[3:]
            if method not in {"escape", "compile"} and isinstance(first, ast.Constant | ast.JoinedStr):
                with suppress(NameError):  # a part is known only when it runs
                    yield eval(compile(ast.Expression(first), "", "eval"), names), 0, method


def sample(items: Any) -> str:
    """A text that fits a part of a pattern."""
    return "".join(one(op, value) for op, value in items)


def one(op: Any, value: Any) -> str:
    if op is constants.LITERAL:
        return chr(value)
    if op is constants.NOT_LITERAL:
        return "b" if value == ord("a") else "a"
    if op is constants.ANY:
        return "a"
    if op is constants.IN:
        return next(iter(members(value)), "")
    if op in REPEATS:
        return sample(value[2]) * max(value[0], 1)
    if op in {constants.SUBPATTERN, constants.ATOMIC_GROUP}:
        return sample(value[-1] if op is constants.SUBPATTERN else value)
    return sample(value[1][0]) if op is constants.BRANCH else ""


def members(value: Any) -> list[str]:
    """Some characters of a set."""
    negated = bool(value) and value[0][0] is constants.NEGATE
    return [character for character in SAMPLES if any(fits(part, character) for part in value) != negated][:2]


def fits(part: tuple[Any, Any], character: str) -> bool:
    op, value = part
    if op is constants.LITERAL:
        return value == ord(character)
    if op is constants.RANGE:
        return value[0] <= ord(character) <= value[1]
    if op is not constants.CATEGORY:
        return False
    kinds = {
        "DIGIT": character.isdigit(),
        "SPACE": character.isspace(),
        "WORD": character.isalnum() or character == "_",
    }
    name = str(value).removeprefix("CATEGORY_")
    return not kinds[name.removeprefix("NOT_")] if name.startswith("NOT_") else kinds[name]


def repeated(items: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Every part that may repeat often, with a text that leads to it."""
    items = list(items)
    for position, (op, value) in enumerate(items):
        start = before + sample(items[:position])
        if op in REPEATS:
            if value[1] > 50:
                yield start, list(value[2])
            yield from repeated(value[2], start)
        elif op is constants.SUBPATTERN:
            yield from repeated(value[-1], start)
        elif op is constants.ATOMIC_GROUP:
            yield from repeated(value, start)
        elif op is constants.BRANCH:
            for branch in value[1]:
                yield from repeated(branch, start)
        elif op in {constants.ASSERT, constants.ASSERT_NOT}:
            yield from repeated(value[1], start)


def texts(pattern: str, flags: int) -> Iterator[Callable[[int], str]]:
    """Texts of a given number of repetitions that may be slow for a pattern."""
    for start, part in repeated(parser.parse(pattern, flags & ~re.DEBUG)):
        pieces = {sample(part), *(members(part[0][1]) if part[0][0] is constants.IN else ())}
        if part[0][0] in {constants.ANY, constants.NOT_LITERAL}:
            pieces |= {"a", " ", "."}
        for piece in pieces - {""}:
            for unit, head in {(piece, start), (piece, ""), (start + piece, "")}:
                for end in ("\x00", ""):
                    yield (
                        lambda count, unit=unit, head=head, end=end: head + unit * (count // len(unit)) + end
                    )


PATTERNS = collected()


def test_patterns_are_linear():
    slow = {
        pattern: text
        for (pattern, flags), used in PATTERNS.items()
        if (text := slow_text(pattern, flags, used))
    }
    assert not slow


def slow_text(pattern: str, flags: int, used: set[str]) -> str:
    """The beginning of a text that a pattern is slow on; empty for none."""
    own = re.compile(pattern, flags)
    whole_only = used and not used & SEARCHES
    for text in islice(texts(pattern, flags), TEXTS):
        for method in (own.fullmatch,) if whole_only else (own.search, own.fullmatch):
            if any(least_cost(method, text(count), NOTICED_S) > NOTICED_S for count in (SHORT, SOME)):
                return text(SHORT)
            if least_cost(method, text(MANY), NOTICED_S) > NOTICED_S:
                many, few = (min(cost(method, text(count)) for _ in range(3)) for count in (MANY, FEW))
                if many > LINEAR * few:
                    return text(SHORT)
    return ""


def least_cost(method: Callable[[str], object], text: str, enough: float) -> float:
    """CPU seconds of a call; of three if the first took long, since the machine may have been busy."""
    first = cost(method, text)
    return first if first <= enough else min(first, cost(method, text), cost(method, text))


def cost(method: Callable[[str], object], text: str) -> float:
    """CPU seconds of one call."""
    began = time.thread_time()
    method(text)
    return time.thread_time() - began


def test_the_search_for_slow_patterns_finds_them():
    for slow in (r"(a+)+b", r"(?:\d+\.?\d*)x", r"\s+$|y"):
        assert slow_text(slow, 0, set()), slow
    assert not slow_text(r"[a-z]+x?", 0, set())


def test_patterns_of_every_kind_of_place_are_collected():
    assert len(PATTERNS) > 150
    known = [pattern for pattern, _ in PATTERNS]
    for compiled_or_inline_or_late in (
        "(ns|us|",
        "(ms|[smhdwy])",
        "xox[abeposr]",
        "Ki|Mi|Gi|Ti",
        "ecdsa-sha2",
    ):
        assert any(compiled_or_inline_or_late in pattern for pattern in known)
