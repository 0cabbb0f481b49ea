"""Strategies for input that may be anything."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

QUIET = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TEXT = st.text(max_size=40) | st.sampled_from([
    "", "\x1b[31mred", "a\nb", "=1+1", "@x", "<script>alert(1)</script>", "\u202eabc", '"}\n- evil: true', "\udc80", "{{x}}",
    "shop/ranker", f"sha256:{'a' * 64}", "2026-11-20",
])  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def nearly(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A mapping with these keys, some of them missing, or anything at all; each value as it should be, or anything."""
    wanted = st.fixed_dictionaries({}, optional={key: value | VALUES for key, value in keys.items()})
    return wanted | VALUES
