"""Writes locks and evidence of the example specs: `python -m tests.examples`.

The three models are trained, evaluated and judged for real, with fixed seeds and at a time that stands still, so that
a second run changes nothing. Run it after a change of an example's gates, of the gate tools, or of a bento template;
then `make render`.

No registry is reachable from a test machine, so the image of the regulated model is a STAND-IN: its digest is made
from the bento's, and a comment in the lock says so.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

from generator.plan.repository import Repository
from generator.plan.resolve import resolve
from generator.render.bento import Bentos
from generator.render.environment import Templates
from tests.gates.models import EXAMPLES, ROOT, artifact, evaluate, gates_run, relock


def main() -> int:
    """Train, evaluate, lock, pin the stand-in image, judge; 1 when a gate does not pass."""
    code = 0
    with tempfile.TemporaryDirectory() as folder:
        made = {}
        for name, example in EXAMPLES.items():
            model, inputs = artifact(name, Path(folder, name, "model")), Path(folder, name, "inputs")
            evaluate(name, model, inputs)
            relock(ROOT / "specs" / f"{example.spec}.lock.yaml", model, inputs)
            made[name] = model, inputs
        pin_images()
        for name, (model, inputs) in made.items():
            done = gates_run(ROOT, name, model, inputs)
            print(f"{EXAMPLES[name].spec}\n{done.output}")
            if done.exception and not isinstance(done.exception, SystemExit):
                raise done.exception
            code = max(code, done.exit_code)
    return code


def pin_images() -> None:
    """Write the stand-in image of every model whose tier wants digests; needed again when a template changes."""
    repository, templates = Repository(ROOT), Templates(None)
    for entry in repository.entries:
        lock = entry.lock.read_text().split("# A stand-in")[0]
        entry.lock.write_text(lock)
        bentos = Bentos(templates)
        found = resolve(repository, entry, bentos.digest)
        platform = repository.platform
        if platform is None or not platform.tiers[found.plans[0].plan.identity.tier].requires.image_digest:
            continue
        bento = bentos.digest(found.plans[0].plan.bento)[:12]
        digest = hashlib.sha256(f"stand-in for the image of {bento}".encode()).hexdigest()
        head = "# A stand-in: no registry is reachable where this example is made."
        entry.lock.write_text(f'{lock}{head}\nimage:\n  digest: sha256:{digest}\n  bento: "{bento}"\n')


if __name__ == "__main__":
    sys.exit(main())
