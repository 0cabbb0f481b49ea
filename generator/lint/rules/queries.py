"""Rules on the PromQL query of a metric.

They read tokens and brackets, not a syntax tree, and know no series. So they do not know if a metric exists, which
versions a Service or an argument means, if a join restricts the version on its other side, or what types an expression
has. They check for a missing `or vector(0)` in formulas with a division only, and stay silent when unsure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from generator.dataclass import dataclass
from generator.lint.engine import Problem, rule
from generator.lint.objects import Object
from generator.promql.absent_events import absent_events
from generator.promql.selectors import INSTANT_RATES, RATES, WORDS, Selector, selectors_of
from generator.promql.tokens import QuerySyntaxError, Tokens, seconds, tokenize
from generator.source.document import Path
from generator.source.finding import Severity


@dataclass(frozen=True)
class QueryContext:
    """The context of rules about one query.

    Args:
        query: PromQL; `{{args.x}}` may be in it.
        scrape_s: scrape interval of the series.
        document: the template of a tree that has the query; None for a query on its own.
        path: its place in the template.
        versions: words that name one version in the Rollouts that use it, such as the canary's Service; None
            where no canary uses it, so that it need not distinguish versions.
        assumed: nothing in the tree shows the scrape interval.
    """

    query: str
    scrape_s: float
    document: Object | None = None
    path: Path = ()
    versions: frozenset[str] | None = frozenset()
    assumed: bool = False

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

    @property
    def doubtful(self) -> Severity | None:
        """The severity where another author may have a reason: a warning."""
        return "warning" if self.document else None

    def tells_versions(self) -> bool:
        """Return whether a query of a tree has a matcher that names one version, or an argument that may do so."""
        if self.versions is None:
            return True
        values = [value for one in self.selectors for _, sign, value in one.matchers if sign in ("=", "=~")]
        named = any(
            re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", v) for word in self.versions for v in values
        )
        return named or any("{{" in v for v in values) or any(one.restricts_version for one in self.selectors)


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
    if ctx.document is not None and ctx.tells_versions():
        return
    free = {selector.metric or "{}" for selector in ctx.selectors if not selector.restricts_version}
    unrestricted = sum(not selector.restricts_version for selector in ctx.selectors)
    joined = ctx.tokens is not None and not {"group_left", "group_right"}.isdisjoint(ctx.tokens.words)
    if joined and unrestricted < len(ctx.selectors):
        return
    for metric in sorted(free):
        what = "one version" if ctx.document else "one version of the model"
        message = f"{metric} is not restricted to {what}, so it mixes both"
        yield Problem(ctx.path, message, severity=ctx.doubtful)


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
            message = f"{function}() uses the last two samples only, whatever its window is"
            yield Problem(ctx.path, message, severity=ctx.doubtful)
        elif function in RATES and window.kind == "duration" and seconds(window.text) < 4 * ctx.scrape_s:
            message = f"{function}() over {window.text} covers fewer than four scrapes of {ctx.scrape_s:g} s"
            message += ", the usual interval; no monitor of the tree sets another" if ctx.assumed else ""
            yield Problem(ctx.path, message, severity=ctx.doubtful)


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
        yield Problem(ctx.path, message, severity="info" if ctx.document else None)


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
    if ctx.document is not None:  # ANA413 and ANA414 know what the condition makes of it
        return
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
        yield Problem(ctx.path, f"the query is not PromQL: {error}")
        return
    if empty:
        yield Problem(ctx.path, "the query is empty")
