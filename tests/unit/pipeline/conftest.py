"""The commands on a copy of the example repository, and repositories with a history, as other rooms' tests have them."""

from __future__ import annotations

from tests.unit.cli.conftest import Sluice, committed, repository, sluice
from tests.unit.history.conftest import begun, clone, released, story, two

__all__ = ["Sluice", "begun", "clone", "committed", "released", "repository", "sluice", "story", "two"]
