"""The commands in process, on a copy of the example repository, as tests of commands have them."""

from __future__ import annotations

from tests.unit.cli.conftest import Sluice, committed, repository, sluice

__all__ = ["Sluice", "committed", "repository", "sluice"]
