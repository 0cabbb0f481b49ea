"""What a query measures: a share, a quantile, a mean, a rate, a count or a gauge, of which requests and which version.

Recognized from the form of the query and from the names and labels that instrumentation uses. What has another form is
unknown, with the reason: no number is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Final, Literal

from generator.dataclass import dataclass
from generator.promql.events import event_of
from generator.promql.expressions import (
    AGGREGATIONS,
    Binary,
    Call,
    Expression,
    Number,
    Series,
    Text,
    constant,
    gives_several,
    parse,
    splits,
    times_of,
)
from generator.promql.selectors import INSTANT_RATES, RATES, Selector
from generator.promql.tokens import QuerySyntaxError
from generator.promql.versions import NO_NAMES, Arm, Versions, arm_of

Kind = Literal["share", "quantile", "mean", "rate", "count", "gauge", "verdict", "comparison", "unknown"]

_WRAPPERS: Final = frozenset(
    {"sum", "avg", "max", "min", "scalar", "vector", "round", "abs", "sort", "sort_desc", "group"}
)
_OVER_TIME: Final = frozenset(
    {
        "avg_over_time",
        "max_over_time",
        "min_over_time",
        "quantile_over_time",
        "last_over_time",
        "sum_over_time",
    }
)
_COUNTER: Final = re.compile(r"_(?:total|count|sum|bucket)$")


@dataclass(frozen=True, slots=True)
class Measure:
    """What a query measures.

    Args:
        kind: its form; a verdict is one of a program whose measurements are not values.
        event: what is counted: `error`, `slow`, `requests`, or the name or label of something else.
        complement: the share counts the requests without the event.
        scale: the query is `scale` times the quantity plus `offset`; 100 for percent.
        offset: see `scale`.
        window_s: seconds of requests that are counted; 0 for a value of the moment.
        arm: the version that it sees.
        named: the query names a version by a word of the release, not by a word like `canary`.
        level: of a quantile, 0..1.
        fallback: the value when there is no data; None where the result is then empty.
        floor: the least denominator, requests per second; 0 for none.
        several: the result may have several series.
        other: what the quantity is compared with, for a comparison; its own arm, same kind.
        sign: `/` or `-` of a comparison.
        reason: why it is unknown, or what limits it.
    """

    kind: Kind
    event: str = ""
    complement: bool = False
    scale: float = 1.0
    offset: float = 0.0
    window_s: float = 0.0
    arm: Arm = "both"
    named: bool = False
    level: float = 0.0
    fallback: float | None = None
    floor: float = 0.0
    several: bool = False
    other: Measure | None = None
    sign: str = ""
    reason: str = ""

    def value(self, quantity: float) -> float:
        """Return the value of the query for a quantity: a share of events, a rate, a number."""
        return self.scale * (1.0 - quantity if self.complement else quantity) + self.offset

    def quantity(self, value: float) -> float:
        """Return the quantity behind a value of the query."""
        found = (value - self.offset) / self.scale
        return 1.0 - found if self.complement else found


class _UnknownFormError(Exception):
    """The query has a form that is not recognized."""


@dataclass(frozen=True, slots=True)
class _Counter:
    """A counter over a window: which events, of which version."""

    selector: Selector
    window_s: float
    function: str
    event: str
    good: bool
    arm: Arm
    named: bool


@lru_cache(maxsize=4096)
def recognize(query: str, versions: Versions = NO_NAMES, scrape_s: float = 30.0) -> Measure:
    """Return what a query measures.

    Args:
        query: PromQL; arguments that are not known may be in it.
        versions: words that name the versions.
        scrape_s: seconds between two samples, over which `irate` counts.
    """
    try:
        found = parse(query)
        moved = times_of(found)
        if len(moved) > 1:
            reason = f"it compares two times (`{min(moved - {''})}`), and the past is not in the tree"
            return Measure("unknown", reason=reason)
        return _Recognizer(versions, scrape_s).measure(found)
    except QuerySyntaxError as error:
        return Measure("unknown", reason=f"it is not PromQL: {error}")
    except _UnknownFormError as reason:
        return Measure("unknown", reason=str(reason))


class _Recognizer:
    """Recognizes the parts of one query."""

    def __init__(self, versions: Versions, scrape_s: float) -> None:
        self._versions, self._scrape_s = versions, scrape_s

    def measure(self, found: Expression) -> Measure:
        """Return the measure of an expression; factors, terms and fallbacks are peeled off from outside."""
        match found:
            case Binary("or", left, right):
                fallback = constant(right)
                if fallback is None:
                    raise _UnknownFormError("it takes one of two queries")
                return replace(self.measure(left), fallback=fallback)
            case Binary("*" | "/" | "+" | "-" as sign, left, right):
                return self._arithmetic(sign, left, right)
            case Binary(">" | "<" | ">=" | "<=" | "!=" | "==", left, right) if constant(right) is not None:
                return self.measure(left)
            case Call():
                return self._call(found)
            case Series():
                return self._gauge(found, several=True)
        raise _UnknownFormError(_form(found))

    def _call(self, found: Call) -> Measure:
        match found:
            case Call(name, (inner,), by, without) if name in _WRAPPERS:
                if isinstance(inner, Series) and not inner.window_s:
                    return self._gauge(inner, several=bool(by))
                counted = self._counter_or_none(found)
                if counted is not None:
                    return self._counted(counted, several=splits(by, without=without))
                inside = self.measure(inner)
                return replace(inside, several=inside.several or splits(by, without=without))
            case Call("count", (Series() as inner,)) if not inner.window_s:
                gauge = self._gauge(inner, several=splits(found.by, without=found.without))
                return replace(gauge, event=f"number of {gauge.event}", reason="")
            case Call("clamp_max" | "clamp_min" | "round" | "clamp", (inner, *_)):
                return self.measure(inner)
            case Call("histogram_quantile" | "quantile", (Number(level), inner)):
                return self._quantile(level, inner)
            case Call(name, (Series() as inner,)) if name in RATES | INSTANT_RATES:
                return replace(self._counted(self._counter(name, inner)), several=True)
            case Call(name, (*_, Series() as inner)) if name in _OVER_TIME:
                return self._gauge(inner, several=True)
        raise _UnknownFormError(_form(found))

    def _arithmetic(self, sign: str, left: Expression, right: Expression) -> Measure:
        before, after = constant(left), constant(right)
        if after is not None:
            inside = self.measure(left)
            return (
                _scaled(inside, after if sign == "*" else 1 / (after or 1.0))
                if sign in "*/"
                else _moved(inside, after if sign == "+" else -after)
            )
        if before is not None and sign in "*+-":
            inside = self.measure(right)
            if sign == "*":
                return _scaled(inside, before)
            return _moved(_scaled(inside, -1.0) if sign == "-" else inside, before)
        if sign == "/":
            factor, left = _factor(left)
            if factor != 1.0:
                return _scaled(self._arithmetic("/", left, right), factor)
            share = self._share(left, right)
            if share is not None:
                return replace(share, several=gives_several(left))
        if sign in "/-":
            return self._comparison(sign, left, right)
        raise _UnknownFormError("it combines two queries")

    def _share(self, left: Expression, right: Expression) -> Measure | None:
        """Return the share or the mean that a division is, None when its sides are not counters of one version."""
        above, below, floor = list(self._sum(left)), list(self._sum(right)), _floor(right)
        if not above or not below:
            return None
        part, sign = above[0]
        whole = below[0][0]
        window = part.window_s
        if len(below) == 2 and len(above) == 1 and _make_up_all([one for one, _ in below]):
            whole = replace(whole, event="requests", good=False)
        elif (
            len(above) == 2 and len(below) == 1 and sign > 0 > above[1][1] and above[0][0].event == "requests"
        ):
            part = replace(above[1][0], good=not above[1][0].good)
        elif len(above) > 1 or len(below) > 1:
            return None
        if part.arm != whole.arm:
            return None
        base = Measure(
            "share",
            part.event,
            part.good,
            window_s=window,
            arm=whole.arm,
            named=whole.named and part.named,
            floor=floor,
        )
        if part.event == "requests":
            own, all_of = part.selector, whole.selector
            if own.metric.removesuffix("_sum") == all_of.metric.removesuffix("_count") != own.metric:
                return replace(base, kind="mean", event=own.metric)
            if own.metric != all_of.metric:
                return replace(base, event=own.metric)
            extra = [matcher for matcher in own.matchers if matcher not in all_of.matchers]
            if not extra:
                return None
            return replace(base, event="".join(extra[0]))
        return base if whole.event == "requests" else replace(base, event=f"{part.event} of {whole.event}")

    def _comparison(self, sign: str, left: Expression, right: Expression) -> Measure:
        one, two = self.measure(left), self.measure(right)
        if "unknown" in (one.kind, two.kind) or one.kind != two.kind:
            raise _UnknownFormError("it combines two different quantities")
        if one.arm == two.arm:
            raise _UnknownFormError(
                "it divides two quantities of the same version" if sign == "/" else "it is a difference"
            )
        plain = (one.scale, one.offset) == (two.scale, two.offset)
        if not plain or one.kind == "comparison":
            raise _UnknownFormError("it compares two differently scaled quantities")
        return replace(one, kind="comparison", other=two, sign=sign, scale=1.0, offset=0.0)

    def _sum(self, found: Expression) -> Iterator[tuple[_Counter, int]]:
        """Yield the counters that an expression adds and subtracts; nothing for another form."""
        if isinstance(found, Binary) and found.sign in "+-":
            left, right = list(self._sum(found.left)), list(self._sum(found.right))
            if left and right:
                yield from left
                yield from ((one, sign if found.sign == "+" else -sign) for one, sign in right)
            return
        if isinstance(found, Binary) and found.sign == "or" and constant(found.right) is not None:
            yield from self._sum(found.left)
            return
        if isinstance(found, Binary) and found.sign in (">", "!=") and constant(found.right) is not None:
            yield from self._sum(found.left)
            return
        if isinstance(found, Call) and found.name == "clamp_min":
            yield from self._sum(found.arguments[0])
            return
        one = self._counter_or_none(found)
        if one is not None:
            yield one, 1

    def _counter_or_none(self, found: Expression) -> _Counter | None:
        while isinstance(found, Call) and found.name in _WRAPPERS | {"increase"} and found.arguments:
            inner = found.arguments[0]
            if found.name == "increase" and isinstance(inner, Series):
                return self._counter("increase", inner)
            found = inner
        if isinstance(found, Call) and found.name in RATES | INSTANT_RATES and len(found.arguments) == 1:
            inner = found.arguments[0]
            return self._counter(found.name, inner) if isinstance(inner, Series) else None
        if (
            isinstance(found, Call)
            and found.name == "count_over_time"
            and isinstance(found.arguments[0], Series)
        ):
            return self._counter("increase", found.arguments[0])
        return None

    def _counter(self, function: str, found: Series) -> _Counter:
        arm, named = arm_of(found.selector, self._versions)
        event, good = event_of(found.selector)
        window = self._scrape_s if function in INSTANT_RATES else found.window_s
        return _Counter(found.selector, window, function, event, good, arm, named)

    def _counted(self, one: _Counter, *, several: bool = False) -> Measure:
        kind: Kind = "count" if one.function in ("increase", "delta") else "rate"
        event = f"{one.event} avoided" if one.good else one.event
        if one.event == "requests" and not re.search(
            r"request|response|http|grpc|_count$|_total$", one.selector.metric
        ):
            event = one.selector.metric
        return Measure(kind, event, window_s=one.window_s, arm=one.arm, named=one.named, several=several)

    def _quantile(self, level: float, inner: Expression) -> Measure:
        several = False
        while isinstance(inner, Call) and inner.name in AGGREGATIONS and inner.arguments:
            several = several or splits(inner.by, without=inner.without)
            inner = inner.arguments[-1]
        series = (
            inner.arguments[0] if isinstance(inner, Call) and inner.name in RATES | INSTANT_RATES else inner
        )
        if not isinstance(series, Series) or not 0 < level < 1:
            raise _UnknownFormError("it is a quantile of something that is not a histogram")
        name = inner.name if isinstance(inner, Call) else ""
        window = self._scrape_s if name in INSTANT_RATES else series.window_s
        arm, named = arm_of(series.selector, self._versions)
        return Measure(
            "quantile", "slow", window_s=window, arm=arm, named=named, level=level, several=several
        )

    def _gauge(self, found: Series, *, several: bool) -> Measure:
        metric = found.selector.metric
        arm, named = arm_of(found.selector, self._versions)
        if ":" in metric:
            raise _UnknownFormError(f"{metric} is a recorded series, and its rule is not in the query")
        reason = ""
        if _COUNTER.search(metric) and not found.window_s:
            reason = f"{metric} is a counter: it only grows, and starts from 0 in each new pod"
        return Measure("gauge", metric, arm=arm, named=named, several=several, reason=reason)


def _scaled(inside: Measure, factor: float) -> Measure:
    if factor == 0:
        raise _UnknownFormError("it is multiplied by 0")
    fallback = None if inside.fallback is None else inside.fallback * factor
    return replace(inside, scale=inside.scale * factor, offset=inside.offset * factor, fallback=fallback)


def _moved(inside: Measure, term: float) -> Measure:
    fallback = None if inside.fallback is None else inside.fallback + term
    return replace(inside, offset=inside.offset + term, fallback=fallback)


def _factor(found: Expression) -> tuple[float, Expression]:
    """Return the constant that an expression is multiplied with, and the rest of it."""
    if isinstance(found, Binary) and found.sign == "*":
        for one, other in ((found.left, found.right), (found.right, found.left)):
            factor = constant(one)
            if factor:
                return factor, other
    return 1.0, found


def _floor(found: Expression) -> float:
    match found:
        case Call("clamp_min", (_, Number(value))):
            return value
        case Call(_, (inner,)):
            return _floor(inner)
    return 0.0


def _make_up_all(parts: list[_Counter]) -> bool:
    """Return whether two counters are the good and the bad requests of one version."""
    one, two = parts
    return one.event == two.event != "requests" and one.good != two.good


def _form(found: Expression) -> str:
    match found:
        case Call(name):
            return f"{name}() is not recognized"
        case Binary(sign):
            return f"it combines two queries with `{sign}`"
        case Number():
            return "it is a number"
        case Text():
            return "it is an argument that is not known"
    return "its form is not recognized"
