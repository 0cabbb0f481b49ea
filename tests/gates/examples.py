"""Writes the evidence of the example specs: `python -m tests.gates.examples`.

The three models are trained, evaluated and judged for real. Their locks get the digests of what was made, so that
bundles have to be rendered again afterwards: `make render`. A second run changes nothing.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.gates.models import EXAMPLES, ROOT, artifact, evaluate, gates_run, relock


def main(root: Path) -> int:
    """Train, evaluate, lock and judge; 1 when a gate of an example does not pass."""
    code = 0
    for name, example in EXAMPLES.items():
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            model = artifact(name, Path(folder, "model"))
            inputs = Path(folder, "inputs")
            evaluate(name, model, inputs)
            relock(root / "specs" / f"{example.spec}.lock.yaml", model, inputs)
            done = gates_run(root, name, model, inputs)
        print(f"{example.spec}: {time.monotonic() - began:.0f} s\n{done.output}")
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        code = max(code, done.exit_code)
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT))
