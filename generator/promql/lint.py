"""Lints the query of a metric, our own or from a foreign AnalysisTemplate.

It reads tokens and brackets, not a syntax tree, and it knows no series. So it cannot tell whether a metric
exists, which versions a Service or an argument stands for, whether a join restricts the version on its
other side, or what types an expression has; and it judges a missing `or vector(0)` in formulas with a
division only. Where it cannot tell, it says nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from generator.promql.selectors import INSTANT_RATES, RATES, WORDS, Selector, selectors_of
from generator.promql.tokens import QuerySyntaxError, Tokens, seconds, tokenize
from generator.promql.vanishing import vanishing

Code = Literal["CAN120", "CAN121", "CAN122", "CAN124", "CAN125"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a query: a stable code and one sentence."""

    code: Code
    message: str


def lint(query: str, scrape_s: float) -> list[Problem]:
    """Find what makes a query unfit to judge a canary.

    CAN120 a selector covers both versions; CAN121 a rate over too few samples; CAN122 a quantile of a
    histogram; CAN124 events that vanish instead of being 0; CAN125 text that is not PromQL.

    Args:
        query: PromQL; `{{args.x}}` may stand in it.
        scrape_s: scrape interval of the series.
    """
    try:
        tokens = tokenize(query)
    except QuerySyntaxError as error:
        return [Problem("CAN125", f"the query is not PromQL: {error}")]
    if not tokens.items:
        return [Problem("CAN125", "the query is empty")]
    selectors = list(selectors_of(tokens))
    return [
        *_both_versions(tokens, selectors),
        *_few_samples(tokens, scrape_s),
        *_quantiles(tokens),
        *_vanishing_events(tokens, selectors),
    ]


def _both_versions(tokens: Tokens, selectors: list[Selector]) -> Iterator[Problem]:
    free = [selector.metric or "{}" for selector in selectors if not selector.restricts_version]
    joined = not {"group_left", "group_right"}.isdisjoint(tokens.words)
    if joined and len(free) < len(selectors):
        return
    for metric in sorted(set(free)):
        yield Problem("CAN120", f"{metric} is not restricted to one version of the model: it mixes both arms")


def _few_samples(tokens: Tokens, scrape_s: float) -> Iterator[Problem]:
    for index, token in enumerate(tokens.items):
        if token.text != "[":
            continue
        function, window = _enclosing_function(tokens, index), tokens.items[index + 1]
        if function in INSTANT_RATES:
            yield Problem("CAN121", f"{function}() uses the last two samples only, whatever its window")
        elif function in RATES and window.kind == "duration" and seconds(window.text) < 4 * scrape_s:
            short = f"sees fewer than four scrapes of {scrape_s:g} s"
            yield Problem("CAN121", f"{function}() over {window.text} {short}")


def _quantiles(tokens: Tokens) -> Iterator[Problem]:
    if "histogram_quantile" in tokens.words:
        reason = "interpolates inside a bucket and is NaN without traffic; count the slow requests instead"
        yield Problem("CAN122", f"histogram_quantile() {reason}")


def _vanishing_events(tokens: Tokens, selectors: list[Selector]) -> Iterator[Problem]:
    for events in vanishing(tokens, selectors):
        gone = "has no series until its first event, and then the query has no result"
        yield Problem("CAN124", f"{events.metric} {gone}: add `or vector(0)` to it")


def _enclosing_function(tokens: Tokens, index: int) -> str:
    """Return the name of the innermost call around a token; plain parentheses are looked through."""
    around = (o for o, c in tokens.partner.items() if o < index < c and tokens.word(o) == "(")
    for opening in sorted(around, reverse=True):
        name = tokens.word(opening - 1)
        if name.isidentifier() and name not in WORDS:
            return name
    return ""
