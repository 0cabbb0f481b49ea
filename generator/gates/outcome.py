"""What an adapter hands back, and how it says that there is nothing to hand back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from generator.spec.evidence import Measure, Source

Binding = Literal["digest", "time", "data", "none"]


class NoVerdictError(Exception):
    """A gate can't be judged; the text is the reason, one sentence. The verdict is `inconclusive`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one gate found.

    Args:
        tool: who measured.
        version: its version.
        binding: how the outcome is tied to the model.
        sources: the files it was made from.
        measures: numbers against bounds.
        environment: digest of the environment that the tool ran in.
    """

    tool: str
    version: str
    binding: Binding
    sources: tuple[Source, ...]
    measures: tuple[Measure, ...]
    environment: str | None = None
