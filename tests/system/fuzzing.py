"""Mutated specs, rendered: which errors they raise. CI runs the first of them, the world scenario `fuzz` many more."""

from __future__ import annotations

import re
import tempfile
import traceback
from pathlib import Path

from tests.system.mutations import mutated
from tests.system.pipeline import run_files

CHUNKS, EACH = 16, 800
"""What CI runs: chunks, and mutations of each."""


def failure(error: BaseException) -> str:
    """An error and the line of ours that raised it, without the values in it: many mutations find the same bug."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/generator/" in frame.filename]
    where = f"{frames[-1].filename.rpartition('/generator/')[2]}:{frames[-1].name}" if frames else "the test"
    return f"{type(error).__name__} in {where}: {re.sub(r'[0-9a-f]{6,}|[0-9]+', '_', str(error))[:120]}"


def fuzz(chunk: int, numbers: range) -> tuple[dict[str, str], int]:
    """Render the mutations with these numbers.

    Returns:
        The seed that raised each error first, and how many of them were rendered. `mutated(seed)` gives the files again.
    """
    found: dict[str, str] = {}
    rendered = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            seed = f"{chunk}-{number}"
            name, files = mutated(seed)
            try:
                rendered += bool(run_files(Path(folder, name), files).files)
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                found.setdefault(failure(error), seed)
    return found, rendered
