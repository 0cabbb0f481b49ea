"""The conditions of a metric: the few canonical forms that Sluice writes, and no other.

A query's result is a list of floats. Without care an empty list is an Error that aborts a rollout, NaN
passes a failure condition, +Inf passes any `>=`, and of two series only the first is judged. Each form
below states what each of these gives; the tests tabulate it with the evaluator of `generator.lint.conditions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from generator.promql.text import number

Operator = Literal["<", "<=", ">", ">="]
NoData = Literal["fail", "pause", "pass"]

ONE_NUMBER: Final = "len(result) == 1 && !isNaN(result[0]) && !isInf(result[0])"
_NEGATED: Final[dict[Operator, Operator]] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


@dataclass(frozen=True, slots=True)
class Condition:
    """`successCondition` and `failureCondition` of a metric; None leaves the field out."""

    success: str | None
    failure: str | None


def threshold(comparison: Operator, bound: float, no_data: NoData) -> Condition:
    """Succeed if the result compares so with the bound, and fail if it does not.

    Args:
        comparison: how a good result compares with the bound.
        bound: what it is compared with.
        no_data: what no result, NaN, an infinity or several series give: `fail`, `pause` (a human decides),
            or `pass`. `pass` still judges an infinity as the number it is, and of several series the first.
    """
    good = f"result[0] {comparison} {number(bound)}"
    if no_data == "pass":
        return Condition(f"len(result) == 0 || isNaN(result[0]) || {good}", None)
    if no_data == "fail":
        return Condition(f"{ONE_NUMBER} && {good}", None)
    return Condition(
        f"{ONE_NUMBER} && {good}", f"{ONE_NUMBER} && result[0] {_NEGATED[comparison]} {number(bound)}"
    )


def proof(comparison: Operator, bound: float) -> Condition:
    """Succeed if the result compares so with the bound; anything else is inconclusive, nothing fails.

    For the enough-evidence guard, for the upper bound of a fairness guard, and to warn without ever aborting.
    """
    return Condition(f"{ONE_NUMBER} && result[0] {comparison} {number(bound)}", "false")


def harm(boundary: float) -> Condition:
    """Fail once the result has reached the boundary.

    For metrics that run in the background from the first weight. No result is a success: at birth there is
    none, and the enough-evidence guard answers for it before each widening. NaN and several series are inconclusive.
    """
    bound = number(boundary)
    return Condition(
        f"len(result) == 0 || len(result) == 1 && result[0] < {bound}",
        f"len(result) == 1 && result[0] >= {bound}",
    )
