"""The description of a team's project: Argo CD's limit of 255 characters is kept, and what is left out is counted."""

from __future__ import annotations

import pytest

from generator.render.argocd import _project_description


@pytest.mark.parametrize(
    ("owners", "end"),
    [
        (["shop@example.com"], "(shop@example.com)"),
        (["a" * 230], f"({'a' * 230})"),
        (["a" * 231], "(1 owner)"),
        (["a" * 300, "b@example.com"], "(2 owners)"),
        (["shop@example.com", "b" * 300], "(shop@example.com, 1 more)"),
        (["shop@example.com", "b" * 300, "c" * 10], "(shop@example.com, 2 more)"),
    ],
)
def test_owners_are_listed_as_far_as_they_fit(owners, end):
    text = _project_description("shop", "live", owners)
    assert text == f"Models of shop in live {end}"
    assert len(text) <= 255
