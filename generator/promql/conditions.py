"""The conditions of a metric: the few forms that Sluice renders.

The result of a query is a list of floats. In a careless condition an empty list is an Error that aborts a rollout, NaN
does not meet a failure condition, +Inf meets any `>=`, and of two series only the first counts. Each form below states
its verdict on each of these; the tests tabulate them with the evaluator of `generator.lint.conditions`.
"""

from __future__ import annotations

from typing import Final, Literal

from generator.dataclass import dataclass
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
    """Succeed if the result keeps to the bound, and fail if it does not.

    Args:
        comparison: how a good result compares with the bound.
        bound: the bound.
        no_data: the verdict on no result, NaN, an infinity or several series: `fail`, `pause` (a person decides) or
            `pass`. With `pass` an infinity is compared like any number, and of several series the first counts.
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
    """Succeed if the result keeps to the bound; anything else is inconclusive, nothing fails.

    For evidence checks, and for the upper bound of a fairness guard.
    """
    return Condition(f"{ONE_NUMBER} && result[0] {comparison} {number(bound)}", "false")


def harm(boundary: float) -> Condition:
    """Fail once the result has reached the boundary.

    For metrics that run in the background from the first weight. No result is a success: at first there is none, and
    the evidence check of each step catches a lasting lack of data. NaN and several series are inconclusive.
    """
    bound = number(boundary)
    return Condition(
        f"len(result) == 0 || len(result) == 1 && result[0] < {bound}",
        f"len(result) == 1 && result[0] >= {bound}",
    )
