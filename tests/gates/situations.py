"""The situations that gates exist for, judged with the real tools: `make gates` prints the table of the README."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from generator.gates.document import read_evidence
from generator.spec.evidence import EvidenceFile, Measure
from tests.gates.models import EXAMPLES, ROOT, artifact, evaluate, gates_run, relock

HEAD = "| model | situation | verdict | decided by |\n|---|---|---|---|\n"
_SIGNS = {"atLeast": "≥", "atMost": "≤"}


@dataclass(frozen=True)
class Situation:
    """An example in a variant, and the gates that have to fail."""

    name: str
    variant: str
    what: str
    failed: tuple[str, ...] = ()
    inconclusive: tuple[str, ...] = ()


SITUATIONS = (
    Situation("ticket", "", "a good update"),
    Situation("ticket", "worse", "trained on only 40 tickets", ("unit-tests", "accuracy", "not-worse")),
    Situation("ticket", "broken", "one of the model's tests fails", ("unit-tests",)),
    Situation("recommender", "", "a good update"),
    Situation("recommender", "worse", "ranks worse than the champion", ("offline-quality",)),
    Situation("fraud", "", "a good update"),
    Situation("fraud", "unfair", "rejects women more often", ("parity",)),
    Situation("fraud", "drifted", "the last 30 days of production data have drifted", ("drift",)),
    Situation("fraud", "schema-break", "a column was renamed", ("drift", "schema"), ("attribution",)),
)


def verdicts(content: EvidenceFile) -> dict[str, str]:
    """Verdict of each gate."""
    return {entry.name: entry.verdict for entry in content.predicate.gates}


def expected(situation: Situation, content: EvidenceFile) -> bool:
    """Whether exactly those gates failed that have to."""
    found = verdicts(content)
    return (
        {name for name, verdict in found.items() if verdict == "fail"},
        {name for name, verdict in found.items() if verdict == "inconclusive"},
    ) == (set(situation.failed), set(situation.inconclusive))


def row(situation: Situation, content: EvidenceFile) -> str:
    """A line of the table; numbers to three digits."""
    entries = content.predicate.gates
    failed = [entry for entry in entries if entry.verdict == "fail"]
    verdict = f"fail: {', '.join(f'`{entry.name}`' for entry in failed)}" if failed else "pass"
    decided = [
        measure
        for entry in failed or entries
        for measure in entry.measures
        if _decides(measure, bool(failed))
    ]
    told = "; ".join(_told(measure) for measure in decided[:2])
    return f"| `{EXAMPLES[situation.name].spec}` | {situation.what} | {verdict} | {told} |\n"


def _decides(measure: Measure, failed: bool) -> bool:
    return measure.verdict == "fail" if failed else measure.interval is not None


def _told(measure: Measure) -> str:
    value = "-" if measure.value is None else f"{measure.value:.3g}"
    if measure.interval:
        value += f" ({measure.interval.low:.3g} to {measure.interval.high:.3g})"
    return f"{measure.name} {value}, limit {_SIGNS[measure.bound]} {measure.threshold:.3g}"


def main() -> int:
    """Train each model once, judge it in all situations; 1 when one ends otherwise than it has to."""
    table, wrong = HEAD, []
    with tempfile.TemporaryDirectory() as temporary:
        for name, example in EXAMPLES.items():
            root = Path(temporary, name, "repository")
            shutil.copytree(ROOT / "specs", root / "specs")
            model = artifact(name, Path(temporary, name, "model"))
            for situation in (item for item in SITUATIONS if item.name == name):
                content = _judge(situation, model, root)
                table += row(situation, content)
                wrong += [] if expected(situation, content) else [f"{example.spec} ({situation.what})"]
                same = (root / f"specs/{example.spec}.evidence.json").read_bytes() == _committed(example.spec)
                wrong += (
                    []
                    if situation.variant or same
                    else [f"{example.spec}: the committed evidence is another"]
                )
    print(f"\n{table}")
    if table not in (ROOT / "README.md").read_text():
        wrong.append("README.md has a different table")
    print("\n".join(wrong) or "all as it has to be; the evidence in specs/ is what came out, byte for byte")
    return int(bool(wrong))


def _judge(situation: Situation, model: Path, root: Path) -> EvidenceFile:
    began = time.monotonic()
    spec = EXAMPLES[situation.name].spec
    inputs = root.parent / f"inputs-{situation.variant or 'good'}"
    evaluate(situation.name, model, inputs, situation.variant)
    relock(root / f"specs/{spec}.lock.yaml", model, inputs)
    done = gates_run(root, situation.name, model, inputs)
    print(f"{spec}, {situation.what}: {time.monotonic() - began:.0f} s\n{done.output}", flush=True)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    content = read_evidence(root / f"specs/{spec}.evidence.json", root, spec).content
    assert content is not None, done.output
    return content


def _committed(spec: str) -> bytes:
    return (ROOT / f"specs/{spec}.evidence.json").read_bytes()


if __name__ == "__main__":
    sys.exit(main())
