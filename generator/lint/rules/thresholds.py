"""Rules on values that are not what a condition takes them for, on conditions that decide nothing, and on secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from generator.lint.conditions import TruthTable
from generator.lint.engine import Problem, rule
from generator.lint.objects import Body, as_list, as_map, as_text
from generator.lint.rules.metric import MetricContext
from generator.promql.selectors import INSTANT_RATES, RATES
from generator.source.document import Path

_PROMETHEUS: Final = 'provider: {{prometheus: {{address: "http://prometheus:9090", query: "{query}"}}}}\n'
_ADDRESS: Final = (
    'provider: {{prometheus: {{address: "{address}", query: "sum(x{{hash=\'{{{{args.hash}}}}\'}})"}}}}\n'
)
_HASHED: Final = "{hash='{{args.hash}}'}"
_SMALL: Final = 0.01
"""Requests per second below which a floor changes nothing that matters."""
_BOUND: Final = re.compile(r"(<=?|>=?)\s*(\d+(?:\.\d+)?)(?![\w.])")
_USERINFO: Final = re.compile(r"://([^/@\s:]+):([^/@\s]+)@")
_SECRET_HEADER: Final = re.compile(
    r"authorization|.*api[-_]?key|.*token|.*secret|.*password|.*access[-_]?key|cookie", re.IGNORECASE
)
_EVALUATE: Final = "Argo Rollouts 1.10, utils/evaluate/evaluate.go"


def _query(query: str, condition: str) -> str:
    return f"successCondition: {condition}\n" + _PROMETHEUS.format(query=query)


def _both(success: str, failure: str) -> str:
    return f"successCondition: {success}\nfailureCondition: {failure}\n"


_ABOVE: Final = "len(result) == 1 && !isInf(result[0]) && result[0] >= 0.95"
_GOOD: Final = f"sum(rate(good{_HASHED}[5m]))"
_ALL: Final = f"sum(rate(good{_HASHED}[5m]))"


@rule(
    "ANA415",
    "warning",
    "the floor of a denominator turns a share into something else",
    scope=MetricContext,
    why="`clamp_min(…, 1)` makes every denominator below one request a second a 1: with less traffic the value is a "
    "rate. A good canary is aborted, and a bad one passes.",
    remedy="Divide by the requests as they are, and decide about missing data in the condition.",
    example=_query(f"{_GOOD} / clamp_min({_ALL}, 1)", _ABOVE),
    instead=_query(f"{_GOOD} / {_ALL}", _ABOVE),
    source="Prometheus, clamp_min",
)
def clamped_denominator(ctx: MetricContext) -> Iterator[Problem]:
    """Check that no division has a rate with a floor that traffic can be below as its denominator."""
    for floor, function in ctx.floors:
        least = 1.0 if function == "increase" else _SMALL
        if floor > least:
            unit = "requests" if function == "increase" else "requests a second"
            message = f"with fewer than {floor:g} {unit} the value is not a share: clamp_min replaces the denominator"
            yield Problem((*ctx.path, "provider", "prometheus", "query"), message)


@rule(
    "ANA416",
    "warning",
    "a number of requests is compared as if it were a share",
    scope=MetricContext,
    why="Nothing divides the rate, so the value is requests per second: with traffic it is never below a share, "
    "without traffic always.",
    remedy="Divide by the rate of all requests.",
    example=_query(_GOOD, _ABOVE),
    instead=_query(f"{_GOOD} / {_ALL}", _ABOVE),
    source="Prometheus, rate",
)
def rate_as_share(ctx: MetricContext) -> Iterator[Problem]:
    """Check that a rate or count without a division is not compared with a share or a percentage."""
    words = ctx.query_words
    if not words & (RATES | INSTANT_RATES) or words & {
        "/",
        "*",
        "histogram_quantile",
        "avg",
        "bool",
        "quantile",
    }:
        return
    table = ctx.table
    for text in (ctx.success, ctx.failure) if table and not table.is_constant else ():
        for _, number in _BOUND.findall(text):
            bound = float(number)
            shares = 0 < bound < 1 or 90 <= bound < 100
            if shares and table and table.nearest(1e9) == "Successful":
                yield Problem(
                    ctx.condition_path, f"the query is not divided, so it is not a share like {number}"
                )
                return


@rule(
    "ANA417",
    "error",
    "no number fails, so a bad version keeps its traffic",
    scope=MetricContext,
    why="Where neither condition holds, a measurement is Inconclusive: the Rollout pauses with the bad version at its "
    "weight until a person comes.",
    remedy="Let the failureCondition hold for bad values, or leave it out: then what is not a success fails.",
    example=_both("len(result) == 1 && result[0] < 0.05", "len(result) == 0"),
    instead=_both("len(result) == 1 && result[0] < 0.05", "len(result) == 0 || result[0] >= 0.05"),
    source=f"{_EVALUATE}; rollout/analysis.go",
)
def nothing_fails(ctx: MetricContext) -> Iterator[Problem]:
    """Check that some number is Failed where others are Successful and Inconclusive."""
    table, judged = ctx.table, "result" in ctx.failure  # `false` waits for data on purpose
    if table and ctx.success and judged and {"Successful", "Inconclusive"} == table.phases - {"Error"}:
        yield Problem((*ctx.path, "failureCondition"), "no number is Failed: a bad value is Inconclusive")


@rule(
    "ANA418",
    "warning",
    "a gap between the conditions pauses a release",
    scope=MetricContext,
    why="Where neither condition holds, a measurement is Inconclusive. With `inconclusiveLimit` 0, the default, the "
    "first one pauses the Rollout until a person comes.",
    remedy="Close the gap (`<=` on one side), or set `inconclusiveLimit`.",
    example=_both("len(result) == 1 && result[0] < 1", "len(result) != 1 || result[0] > 1"),
    instead=_both("len(result) == 1 && result[0] < 1", "len(result) != 1 || result[0] >= 1"),
    source=f"{_EVALUATE}; analysis/analysis.go",
)
def gap(ctx: MetricContext) -> Iterator[Problem]:
    """Check that no single value, and no missing data, is Inconclusive by accident."""
    table = ctx.table
    if not table or not (ctx.success and ctx.failure) or not {"Successful", "Failed"} <= table.phases:
        return
    alone = [value for value in _alone(table) if ctx.limit("inconclusiveLimit") == 0]
    if alone and ctx.is_literal("inconclusiveLimit"):
        message = f"exactly {alone[0]:g} is neither a success nor a failure, so the release pauses"
        yield Problem((*ctx.path, "failureCondition"), message)
    elif (
        table.empty == "Inconclusive"
        and not ctx.has_tags(ctx.body.get("inconclusiveLimit"))
        and _impatient(ctx)
    ):
        message = "a result without data is Inconclusive, so the first quiet moment pauses the release"
        yield Problem((*ctx.path, "failureCondition"), message)


def _impatient(ctx: MetricContext) -> bool:
    """Return whether the first inconclusive measurement counts, and nothing suggests that it is meant to."""
    return ctx.limit("inconclusiveLimit") == 0 and "inconclusiveLimit" not in ctx.body


def _alone(table: TruthTable) -> Iterator[float]:
    """Yield the values that alone are Inconclusive, between a Successful and a Failed neighbour."""
    values = sorted(table.finite)
    for before, value, after in zip(values, values[1:], values[2:], strict=False):
        around = {table.finite[before], table.finite[after]}
        if table.finite[value] == "Inconclusive" and around == {"Successful", "Failed"}:
            yield value


@rule(
    "ANA426",
    "error",
    "a password or token is written in the template",
    scope=MetricContext,
    why="It can be read in git, and every AnalysisRun repeats it.",
    remedy="Put it into a Secret, and pass it as an argument with `valueFrom.secretKeyRef`.",
    example=_ADDRESS.format(address="http://reader:hunter2@prometheus:9090"),
    instead=_ADDRESS.format(address="http://prometheus:9090"),
    source="Argo Rollouts 1.10, docs/features/analysis.md",
)
def secret_in_plain_text(ctx: MetricContext) -> Iterator[Problem]:
    """Check addresses, headers and credentials of the provider for literal secrets."""
    for path, key, value in _texts(ctx.settings, (*ctx.path, "provider", ctx.provider)):
        found = _USERINFO.search(value) if key in ("address", "url", "tokenUrl") else None
        if found and "{{" not in found[2]:
            yield Problem(path, "the address has a user and a password in plain text")
        elif key == "clientSecret" and value and "{{" not in value:
            yield Problem(path, "the client secret is in plain text")
    for number, header in enumerate(as_list(ctx.settings.get("headers"))):
        key, value = as_text(as_map(header).get("key")), as_text(as_map(header).get("value"))
        if value and "{{" not in value and _SECRET_HEADER.fullmatch(key):
            path = (*ctx.path, "provider", ctx.provider, "headers", number, "value")
            yield Problem(path, f"the value of the header {key} is in plain text")


def _texts(value: Body, path: Path) -> Iterator[tuple[Path, str, str]]:
    for key, below in value.items():
        if isinstance(below, str):
            yield (*path, key), key, below
        else:
            yield from _texts(as_map(below), (*path, key))
