"""Rules on the PromQL query of a metric.

They read tokens and brackets, not a syntax tree, and know no series. So they do not know if a metric exists, which
versions a Service or an argument means, if a join restricts the version on its other side, or what types an expression
has. They check for a missing `or vector(0)` in formulas with a division only, and stay silent when unsure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from generator.lint.engine import Problem, rule
from generator.promql.absent_events import absent_events
from generator.promql.selectors import INSTANT_RATES, RATES, WORDS, Selector, selectors_of
from generator.promql.tokens import QuerySyntaxError, Tokens, seconds, tokenize


@dataclass(frozen=True)
class QueryContext:
    """The context of rules about one query.

    Args:
        query: PromQL; `{{args.x}}` may be in it.
        scrape_s: scrape interval of the series.
    """

    query: str
    scrape_s: float

    @cached_property
    def tokens(self) -> Tokens | None:
        """The tokens of the query, None when it is not PromQL."""
        try:
            return tokenize(self.query)
        except QuerySyntaxError:
            return None

    @cached_property
    def selectors(self) -> list[Selector]:
        """The selectors of the query."""
        return list(selectors_of(self.tokens)) if self.tokens else []


@rule(
    "CAN120",
    "error",
    "a query covers both versions",
    scope=QueryContext,
    why="The value mixes the canary with the stable version, so a bad canary with 5% of the traffic hardly changes it.",
    remedy="Restrict every selector to one version, by its pod-template hash or a version label.",
    example="""sum(rate(errors[5m]))""",
    instead="""sum(rate(errors{version="{{args.hash}}"}[5m]))""",
)
def both_versions(ctx: QueryContext) -> Iterator[Problem]:
    """Check that every selector is restricted to one version, unless a join may restrict it."""
    free = {selector.metric or "{}" for selector in ctx.selectors if not selector.restricts_version}
    unrestricted = sum(not selector.restricts_version for selector in ctx.selectors)
    joined = ctx.tokens is not None and not {"group_left", "group_right"}.isdisjoint(ctx.tokens.words)
    if joined and unrestricted < len(ctx.selectors):
        return
    for metric in sorted(free):
        yield Problem((), f"{metric} is not restricted to one version of the model, so it mixes both")


@rule(
    "CAN121",
    "error",
    "a rate is computed from too few samples",
    scope=QueryContext,
    why="Two samples are noise, and a window shorter than four scrapes is often empty.",
    remedy="Use increase() or rate() over a window of at least four scrape intervals.",
    example="""sum(irate(errors{version="{{args.hash}}"}[5m]))""",
    instead="""sum(rate(errors{version="{{args.hash}}"}[5m]))""",
)
def few_samples(ctx: QueryContext) -> Iterator[Problem]:
    """Check that a rate covers four scrapes, and is not computed from the last two samples."""
    for index, token in enumerate(ctx.tokens.items if ctx.tokens else ()):
        if token.text != "[" or ctx.tokens is None:
            continue
        function, window = _enclosing_function(ctx.tokens, index), ctx.tokens.items[index + 1]
        if function in INSTANT_RATES:
            yield Problem((), f"{function}() uses the last two samples only, whatever its window is")
        elif function in RATES and window.kind == "duration" and seconds(window.text) < 4 * ctx.scrape_s:
            message = f"{function}() over {window.text} covers fewer than four scrapes of {ctx.scrape_s:g} s"
            yield Problem((), message)


def _enclosing_function(tokens: Tokens, index: int) -> str:
    """Return the name of the innermost call around a token; plain parentheses do not count."""
    around = (o for o, c in tokens.partner.items() if o < index < c and tokens.word(o) == "(")
    for opening in sorted(around, reverse=True):
        name = tokens.word(opening - 1)
        if name.isidentifier() and name not in WORDS:
            return name
    return ""


@rule(
    "CAN122",
    "warning",
    "a quantile of a histogram decides",
    scope=QueryContext,
    why="histogram_quantile() interpolates inside a bucket, and is NaN without traffic.",
    remedy="Count the requests above a bucket bound instead.",
    example="""histogram_quantile(0.95, sum by (le) (rate(seconds_bucket{version="{{args.hash}}"}[5m])))""",
    instead="""sum(rate(seconds_bucket{version="{{args.hash}}", le="0.3"}[5m]))""",
)
def quantile(ctx: QueryContext) -> Iterator[Problem]:
    """Check that the query does not use histogram_quantile()."""
    if ctx.tokens and "histogram_quantile" in ctx.tokens.words:
        message = "histogram_quantile() interpolates inside a bucket and is NaN without traffic; count slow requests"
        yield Problem((), message)


@rule(
    "CAN124",
    "error",
    "a counter without events has no value instead of 0",
    scope=QueryContext,
    why="A version without a single event has no series. The query is empty, and the worst version passes.",
    remedy="Add `or vector(0)` to the events.",
    example="""sum(rate(e{version="{{args.hash}}", code=~"5.."}[5m])) / sum(rate(e{version="{{args.hash}}"}[5m]))""",
    instead="""\
(sum(rate(e{version="{{args.hash}}", code=~"5.."}[5m])) or vector(0))
  / sum(rate(e{version="{{args.hash}}"}[5m]))
""",
)
def vanishing_events(ctx: QueryContext) -> Iterator[Problem]:
    """Check that the events of a division do not vanish when there are none."""
    for events in absent_events(ctx.tokens, ctx.selectors) if ctx.tokens else ():
        message = f"{events.metric} has no series until its first event, and then the query has no result"
        yield Problem((), message)


@rule(
    "CAN125",
    "error",
    "a query is not PromQL",
    scope=QueryContext,
    why="Prometheus refuses the query, and the fifth refusal in a row aborts the release.",
    remedy="Correct the query; `promtool` shows the position.",
    example="""sum(rate(errors{version="{{args.hash}}"}[5m])""",
    instead="""sum(rate(errors{version="{{args.hash}}"}[5m]))""",
)
def not_promql(ctx: QueryContext) -> Iterator[Problem]:
    """Check that the query is PromQL and not empty."""
    try:
        empty = not tokenize(ctx.query).items
    except QuerySyntaxError as error:
        yield Problem((), f"the query is not PromQL: {error}")
        return
    if empty:
        yield Problem((), "the query is empty")
