"""Five times as many mutated specs as CI renders, none of them in CI's set."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.system.fuzzing import CHUNKS, EACH, fuzz
from tests.world.scenario import Result, Scenario

LAST = 5000


def run(folder: Path) -> Result:
    """Render the mutations on all cores; every error with its seed is in `errors.json`."""
    numbers = range(EACH, LAST)
    with ProcessPoolExecutor() as pool:
        chunks = list(pool.map(fuzz, range(CHUNKS), [numbers] * CHUNKS))
    errors: dict[str, str] = {}
    for found, _ in chunks:
        errors = found | errors
    (folder / "errors.json").write_text(json.dumps(errors, indent=1))
    assert not errors, f"{len(errors)} errors: {errors}"
    mutations, rendered = CHUNKS * len(numbers), sum(count for _, count in chunks)
    return Result(
        {"mutations": mutations, "rendered": rendered, "refused with findings": mutations - rendered}
    )


SCENARIO = Scenario(
    title="Mutated specs are rendered or refused: no traceback",
    covers=(
        "generator",
        "templates",
        "specs",
        "tests/golden",
        "tests/system/mutations.py",
        "tests/system/fuzzing.py",
    ),
    run=run,
)
