"""Regular expressions of strangers: evaluated as Go does, in little time, or not at all."""

from __future__ import annotations

import pytest

from generator.promql.measures import recognize
from generator.promql.regexps import matches


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("5..", "503", True),
        ("5..", "200", False),
        ("cart", "cart-canary", False),
        ("cart-.*", "cart-canary", True),
        ("5**", "503", False),  # Go refuses it
        ("(?=5)...", "503", False),  # Go refuses it, Python does not
        (r"(.)\1.", "553", False),
        (r"\pN+", "503", None),
        ("[[:digit:]]+", "503", None),
        ("5{99999999999}", "503", None),
        ("((((((((((5*)*)*)*)*)*)*)*)*)*)", "503", False),
        ("(a+)+$", "a" * 60 + "b", None),
        ("a*a*a*a*a*a*b", "a" * 60, None),
    ],
)
def test_what_a_pattern_matches(pattern: str, text: str, expected: bool | None) -> None:
    assert matches(pattern, text) is expected


def test_a_name_matches_a_pattern_that_is_not_anchored() -> None:
    assert matches("errors", "cart-errors-5m", whole=False)
    assert not matches("^errors", "cart-errors-5m", whole=False)


@pytest.mark.parametrize("pattern", ["5{99999999999}", "(" * 2000 + ")" * 2000, "[", r"\p{Nd}+"])
def test_a_code_that_no_pattern_can_match_stops_no_odds(pattern: str) -> None:
    query = f"sum(rate(r_total{{code=~'{pattern}'}}[1m])) / sum(rate(r_total[1m]))"
    assert recognize(query).kind in {"share", "unknown"}
