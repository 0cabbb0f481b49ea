"""Which events a selector counts: errors, slow requests or all requests, by the names and labels of instrumentation."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from generator.promql.regexps import matches
from generator.promql.selectors import Selector, selectors_of
from generator.promql.text import quote
from generator.promql.tokens import tokenize

_CODES: Final = ("200", "301", "404", "500", "503")
_FAMILIES: Final = tuple(
    tuple(form.format(code[0], code) for code in _CODES) for form in ("{1}", "{0}xx", "{0}XX", "{0}")
)
_GOOD: Final = re.compile(
    r"(?i)(?:^|[^a-z])(?:success(?:ful|es)?|succeeded|ok|good|true|completed|healthy)(?:$|[^a-z])"
)
_BAD: Final = re.compile(
    r"(?i)(?:^|[^a-z])(?:errors?|fail(?:ed|ures?|ing)?|false|exceptions?|timeouts?|rejected|dropped|unavailable|panics?"
    r"|5xx|4xx|invalid|bad|unhealthy)(?:$|[^a-z])"
)
_NO_REQUESTS: Final = re.compile(r"(?i)restart|crash|oom|evict|cpu|memory")


def event_of(selector: Selector) -> tuple[str, bool]:
    """Return what a selector counts, and whether it counts the good ones: `error` and True for 2xx answers."""
    if _NO_REQUESTS.search(selector.metric):
        return selector.metric, False
    for label, sign, value in selector.matchers:
        if label == "le" and selector.metric.endswith("_bucket"):
            return ("requests", False) if value in ("+Inf", "Inf") else ("slow", True)
        found = _classified(sign, value)
        if found is not None:
            return found
    if _BAD.search(selector.metric.replace("_", " ")):
        return "error", False
    if _GOOD.search(selector.metric.replace("_", " ")):
        return "error", True
    return "requests", False


@lru_cache(maxsize=4096)
def _classified(sign: str, value: str) -> tuple[str, bool] | None:
    """Return the event that a matcher selects, or leaves out; None when it does not distinguish good answers."""
    if re.search(r"\d", value) and re.fullmatch(r"[-\d\s.xX\[\]^$*+?|(){}\\]+", value):
        for family in _FAMILIES:
            ok, moved, client, *server = (_matches(sign, value, code) for code in family)
            if ok and not all(server):
                return "error", True
            if not ok and any(server):
                return "error", False
            if ok != client:
                return "4xx", ok
            if moved and not ok:
                return None
        return None
    positive = sign in ("=", "=~")
    if re.fullmatch(r"[\w.|()*+\s-]{1,80}", value):
        if _GOOD.search(value) and not _BAD.search(value):
            return "error", positive
        if _BAD.search(value) and not _GOOD.search(value):
            return "error", not positive
    return None


@lru_cache(maxsize=4096)
def _matches(sign: str, value: str, code: str) -> bool:
    hit = value == code if sign in ("=", "!=") else matches(value, code)
    return hit is not None and hit == (sign in ("=", "=~"))


def requests_of(query: str) -> str:
    """Return the selector of all requests in a query, as text; empty where there is none."""
    for selector in selectors_of(tokenize(query)):
        event, _ = event_of(selector)
        if event != "requests" or not selector.metric.endswith(("_total", "_count", "_requests")):
            continue
        text = ",".join(f"{label}{sign}{quote(value)}" for label, sign, value in selector.matchers)
        return f"{selector.metric}{{{text}}}"
    return ""
