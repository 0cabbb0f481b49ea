"""The fixture of all tests that ask for the odds of a tree."""

from __future__ import annotations

import pytest

from generator.lint import read_releases
from generator.odds.trees.odds import tree_odds


@pytest.fixture
def odds(tmp_path, request):
    """Return the odds of the objects in a text, with what the module of the test declares as `KNOWN`."""

    def of(text, known=None):
        (tmp_path / "tree.yaml").write_text(text)
        return tree_odds(read_releases(tmp_path), known or request.module.KNOWN)

    return of
