"""Expressions that routers match headers by."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Final

from generator.lint.engine import Problem, rule
from generator.rules.context import STEPS, Context

_NOT_RE2: Final = re.compile(
    r"\\.|\[(?:\\.|[^\]\\])*\]|(?P<bad>\(\?(?:<?[=!]|>|P=|\())|(?P<greedy>[*+?}]\+)", re.DOTALL
)
_BACK: Final = re.compile(r"(?:[^\\]|^)(?:\\\\)*\\[1-9]")
# What no dialect forgives; other complaints of Python's compiler may be about what RE2 knows and it does not.
_BROKEN: Final = (
    "missing",
    "unbalanced",
    "unterminated",
    "nothing to repeat",
    "multiple repeat",
    "bad character range",
    "min r",
)


@rule(
    "PLAN513",
    "error",
    "a header expression that no router can read",
    scope=Context,
    why="Routers match by RE2: without lookaround and back references. A route with anything else is not accepted.",
    remedy="Write an RE2 expression, or `exact` or `prefix`.",
)
def expressions(context: Context) -> Iterator[Problem]:
    """Expressions of cohorts that are broken, or of another dialect."""
    for index, step in context.plan.rollout.cohort_steps:
        reason = _unreadable(step.cohort.value) if step.cohort.match == "regex" else ""
        if reason:
            message = f"`{step.cohort.value}` is no RE2 expression: {reason}"
            yield Problem(
                (*STEPS, index, "cohort", "regex"), message, "correct it, or write `exact` or `prefix`"
            )


def _unreadable(expression: str) -> str:
    """Why RE2 can't read an expression; empty where it can, as far as can be told without RE2."""
    found = next((match for match in _NOT_RE2.finditer(expression) if match["bad"] or match["greedy"]), None)
    if found:
        return f"`{found['bad'] or found['greedy']}` is not part of it"
    if _BACK.search(expression):
        return "it has no back references"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(expression)
    except re.error as error:
        return error.msg if error.msg.startswith(_BROKEN) else ""
    except (RecursionError, OverflowError):
        return "it is too large"
    return ""
