"""Lints the query of a metric, our own or from a foreign AnalysisTemplate.

It reads tokens and brackets, not a syntax tree, and it knows no series. So it cannot tell whether a metric
exists, which versions a Service or an argument stands for, whether a join restricts the version on its
other side, or what types an expression has; and it judges a missing `or vector(0)` in ratios only. Where it
cannot tell, it says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from generator.promql.tokens import QuerySyntaxError, Tokens, seconds, tokenize, unquote

Code = Literal["CAN120", "CAN121", "CAN122", "CAN124", "CAN125"]

VERSION_LABELS: Final = frozenset(
    {
        "model_version",
        "pod_template_hash",
        "rollouts_pod_template_hash",
        "served_by",
        "sluice_dev_role",
        "version",
    }
)
_VERSION_ARGUMENT: Final = re.compile(r"\{\{\s*args\.[^}]*(?:hash|version|revision|canary|stable)[^}]*\}\}")
_ANYTHING: Final = frozenset({"", ".*", ".+"})
_RATES: Final = frozenset({"rate", "increase", "delta", "deriv"})
_INSTANT_RATES: Final = frozenset({"irate", "idelta"})
_GROUPINGS: Final = frozenset({"by", "without"})
_LABEL_LISTS: Final = _GROUPINGS | {"on", "ignoring", "group_left", "group_right"}
_SET_OPERATORS: Final = frozenset({"and", "or", "unless"})
_WORDS: Final = _SET_OPERATORS | {"atan2", "bool", "offset", "inf", "nan"}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a query: a stable code and one sentence."""

    code: Code
    message: str


@dataclass(frozen=True, slots=True)
class _Selector:
    metric: str
    matchers: tuple[tuple[str, str, str], ...]
    index: int

    @property
    def restricts_version(self) -> bool:
        return any(
            (label in VERSION_LABELS and value not in _ANYTHING) or _VERSION_ARGUMENT.search(value)
            for label, sign, value in self.matchers
            if sign in {"=", "=~"}
        )

    @property
    def source(self) -> tuple[str, tuple[tuple[str, str, str], ...]]:
        """What must exist for this selector to exist: parts of a histogram are born together."""
        metric = re.sub(r"_(bucket|count|sum)$", "", self.metric)
        return metric, tuple(matcher for matcher in self.matchers if matcher[0] != "le")


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
    selectors = list(_selectors(tokens))
    return [
        *_both_versions(tokens, selectors),
        *_few_samples(tokens, scrape_s),
        *_quantiles(tokens),
        *_vanishing_events(tokens, selectors),
    ]


def _both_versions(tokens: Tokens, selectors: list[_Selector]) -> Iterator[Problem]:
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
        if function in _INSTANT_RATES:
            yield Problem("CAN121", f"{function}() uses the last two samples only, whatever its window")
        elif function in _RATES and window.kind == "duration" and seconds(window.text) < 4 * scrape_s:
            short = f"sees fewer than four scrapes of {scrape_s:g} s"
            yield Problem("CAN121", f"{function}() over {window.text} {short}")


def _quantiles(tokens: Tokens) -> Iterator[Problem]:
    if "histogram_quantile" in tokens.words:
        reason = "interpolates inside a bucket and is NaN without traffic; count the slow requests instead"
        yield Problem("CAN122", f"histogram_quantile() {reason}")


def _vanishing_events(tokens: Tokens, selectors: list[_Selector]) -> Iterator[Problem]:
    for index, token in enumerate(tokens.items):
        if token.text != "/":
            continue
        numerator, denominator = _operand_before(tokens, index), _operand_after(tokens, index)
        if not _is_bare_total(tokens, numerator) or _has_default(tokens, denominator.stop):
            continue
        events = {s.source: s.metric for s in selectors if s.index in numerator}
        requests = {s.source for s in selectors if s.index in denominator}
        absent = events.keys() - requests if requests else set()
        for metric in sorted(events[source] for source in absent):
            gone = "has no series until its first event, and then the ratio has no result"
            yield Problem("CAN124", f"{metric} {gone}: add `or vector(0)` to it")


def _is_bare_total(tokens: Tokens, operand: range) -> bool:
    """Whether it is a sum of rates without labels, of which nothing is left when no series matches."""
    words = {tokens.word(i) for i in operand}
    begins = next((tokens.word(i) for i in operand if tokens.word(i) != "("), "")
    return begins == "sum" and bool(words & (_RATES | _INSTANT_RATES)) and not words & {"by", "without", "or"}


def _has_default(tokens: Tokens, end: int) -> bool:
    """Whether `or` follows the ratio, directly or behind its closing parentheses."""
    while tokens.word(end) == ")":
        end += 1
    return tokens.word(end) == "or"


def _operand_before(tokens: Tokens, index: int) -> range:
    """Return the operand that ends before `index`, with the function in front of its parentheses."""
    start = tokens.partner.get(index - 1, index - 1)
    before = tokens.word(start - 1)
    if before in _GROUPINGS:  # sum(...) by (...)
        return range(_operand_before(tokens, start - 1).start, index)
    if before == ")" and tokens.word(tokens.partner[start - 1] - 1) in _GROUPINGS:  # sum by (...) (...)
        return range(tokens.partner[start - 1] - 2, index)
    if tokens.word(start) in {"(", "{"} and start and tokens.items[start - 1].kind == "name":
        return range(start - (before not in _WORDS), index)
    return range(start, index)


def _operand_after(tokens: Tokens, index: int) -> range:
    """Return the operand that begins after `index`, with what the vector matching in front of it lists."""
    end = index + 1
    while end < len(tokens.items) and tokens.word(end) not in _SET_OPERATORS:
        if tokens.items[end].kind != "name" and tokens.word(end) not in {"(", "{", "["}:
            break
        end = tokens.partner.get(end, end) + 1
    return range(index + 1, end)


def _enclosing_function(tokens: Tokens, index: int) -> str:
    """Return the name of the innermost call around a token; plain parentheses are looked through."""
    around = (o for o, c in tokens.partner.items() if o < index < c and tokens.word(o) == "(")
    for opening in sorted(around, reverse=True):
        name = tokens.word(opening - 1)
        if name.isidentifier() and name not in _WORDS:
            return name
    return ""


def _selectors(tokens: Tokens) -> Iterator[_Selector]:
    index = 0
    while index < len(tokens.items):
        token, following = tokens.items[index], tokens.word(index + 1)
        if tokens.word(index) in _LABEL_LISTS and following == "(":
            index = tokens.partner[index + 1]
        elif token.text == "{":
            yield _Selector("", _matchers(tokens, index), index)
            index = tokens.partner[index]
        elif token.kind == "name" and following == "{":
            yield _Selector(token.text, _matchers(tokens, index + 1), index)
            index = tokens.partner[index + 1]
        elif _is_metric(tokens, index):
            yield _Selector(token.text, (), index)
        index += 1


def _is_metric(tokens: Tokens, index: int) -> bool:
    return (
        tokens.items[index].kind == "name"
        and tokens.word(index) not in _WORDS | _LABEL_LISTS
        and tokens.word(index + 1) not in _GROUPINGS | {"("}
    )


def _matchers(tokens: Tokens, opening: int) -> tuple[tuple[str, str, str], ...]:
    inside = tokens.items[opening + 1 : tokens.partner[opening]]
    return tuple(
        (label.text, sign.text, unquote(value.text))
        for label, sign, value in zip(inside, inside[1:], inside[2:], strict=False)
        if label.kind == "name" and sign.kind == "sign" and value.kind == "string"
    )
