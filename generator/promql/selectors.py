"""The selectors of a PromQL query."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from generator.dataclass import dataclass
from generator.promql.tokens import Tokens, unquote

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
RATES: Final = frozenset({"rate", "increase", "delta", "deriv"})
INSTANT_RATES: Final = frozenset({"irate", "idelta"})
GROUPINGS: Final = frozenset({"by", "without"})
SET_OPERATORS: Final = frozenset({"and", "or", "unless"})
WORDS: Final = SET_OPERATORS | {"atan2", "bool", "offset", "inf", "nan"}
"""Names that are neither functions nor metrics."""
_VERSION_ARGUMENT: Final = re.compile(
    r"\{\{\s*args\.(?=[^{}]*(?:hash|version|revision|canary|stable))[^{}]*\}\}"
)
_ANYTHING: Final = frozenset({"", ".*", ".+"})
_LABEL_LISTS: Final = GROUPINGS | {"on", "ignoring", "group_left", "group_right"}


@dataclass(frozen=True, slots=True)
class Selector:
    """One selector.

    Args:
        metric: name of the metric; empty for a selector with matchers only.
        matchers: label, operator and value of each.
        index: index of its first token.
    """

    metric: str
    matchers: tuple[tuple[str, str, str], ...]
    index: int

    @property
    def restricts_version(self) -> bool:
        """Whether it selects the series of one version of a model."""
        return any(
            (label in VERSION_LABELS and value not in _ANYTHING) or _VERSION_ARGUMENT.search(value)
            for label, sign, value in self.matchers
            if sign in {"=", "=~"}
        )

    @property
    def source(self) -> tuple[str, tuple[tuple[str, str, str], ...]]:
        """The metric family and matchers without `le`: the series of a histogram start together."""
        metric = re.sub(r"_(bucket|count|sum)$", "", self.metric)
        return metric, tuple(matcher for matcher in self.matchers if matcher[0] != "le")


def selectors_of(tokens: Tokens) -> Iterator[Selector]:
    """Yield all selectors of a query, in order."""
    index = 0
    while index < len(tokens.items):
        token, following = tokens.items[index], tokens.word(index + 1)
        if tokens.word(index) in _LABEL_LISTS and following == "(":
            index = tokens.partner[index + 1]
        elif token.text == "{":
            yield Selector("", matchers_of(tokens, index), index)
            index = tokens.partner[index]
        elif token.kind == "name" and following == "{":
            yield Selector(token.text, matchers_of(tokens, index + 1), index)
            index = tokens.partner[index + 1]
        elif _is_metric(tokens, index):
            yield Selector(token.text, (), index)
        index += 1


def _is_metric(tokens: Tokens, index: int) -> bool:
    return (
        tokens.items[index].kind == "name"
        and tokens.word(index) not in WORDS | _LABEL_LISTS
        and tokens.word(index + 1) not in GROUPINGS | {"("}
    )


def matchers_of(tokens: Tokens, opening: int) -> tuple[tuple[str, str, str], ...]:
    """Return the matchers in the braces that open at an index."""
    inside = tokens.items[opening + 1 : tokens.partner[opening]]
    return tuple(
        (label.text, sign.text, unquote(value.text))
        for label, sign, value in zip(inside, inside[1:], inside[2:], strict=False)
        if label.kind == "name" and sign.kind == "sign" and value.kind == "string"
    )
