"""Whether a verdict follows from the numbers beside it: nobody may write `pass` next to a number that fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from generator.spec.evidence import Entry, EvidenceFile, Measure, Verdict
from generator.stats.binomial import Interval
from generator.stats.offline import verdict

_WORST: tuple[Verdict, ...] = ("fail", "inconclusive", "pass")


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Fail before inconclusive before pass; of nothing, inconclusive."""
    found = set(verdicts)
    return next((verdict for verdict in _WORST if verdict in found), "inconclusive")


def verdict_of(measure: Measure) -> Verdict:
    """Return what value and interval of a measure say about its threshold; without a value, inconclusive."""
    if measure.value is None:
        return "inconclusive"
    ends = [measure.value]
    if measure.interval is not None:
        ends += [measure.interval.low, measure.interval.high]
    return verdict(Interval(min(ends), max(ends)), measure.threshold, at_least=measure.bound == "atLeast")


def contradictions(content: EvidenceFile) -> Iterator[tuple[str, str]]:
    """Key path and sentence of whatever in a document contradicts itself."""
    names: set[tuple[str, str]] = set()
    for index, entry in enumerate(content.predicate.gates):
        where = f"predicate.gates[{index}]"
        for said in entry_contradictions(entry):
            yield where, said
        if (entry.name, entry.configuration) in names:
            yield where, f"the gate `{entry.name}` was judged twice"
        names.add((entry.name, entry.configuration))


def entry_contradictions(entry: Entry) -> Iterator[str]:
    """Sentences about whatever in one entry contradicts itself."""
    if worst(measure.verdict for measure in entry.measures) != entry.verdict:
        yield f"the verdict of the gate `{entry.name}` is not that of its measures"
    if entry.end < entry.start:
        yield f"the gate `{entry.name}` ended before it started"
    for measure in entry.measures:
        if measure.verdict == "pass" and verdict_of(measure) != "pass":
            yield f"`{measure.name}` of the gate `{entry.name}` passed, though its number does not"
