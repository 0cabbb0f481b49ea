"""The commands on a copy of the example repository, to compare the API with."""

from __future__ import annotations

from tests.unit.cli.conftest import Sluice, repository, sluice

__all__ = ["Sluice", "repository", "sluice"]
