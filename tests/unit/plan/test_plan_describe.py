"""Values of a plan as text."""

from __future__ import annotations

import pytest

from generator.plan.describe import short


@pytest.mark.parametrize(
    ("digest", "expected"),
    [
        ("sha256:" + "0123456789abcdef" * 4, "sha256:0123456789ab"),
        ("0123456789abcdef" * 4, "0123456789ab"),
        ("sha256:0123", "sha256:0123"),
        ("", ""),
    ],
)
def test_a_short_digest_has_twelve_digits(digest: str, expected: str):
    assert short(digest) == expected
