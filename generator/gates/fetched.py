"""Evidence from elsewhere: believed only as far as it is about this model, these data and these gates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from generator.gates.canonical import configuration
from generator.gates.document import Evidence, parse_evidence
from generator.gates.run import Wanted, document, kept
from generator.plan.values import Plan
from generator.spec.evidence import EvidenceFile
from generator.spec.lock import LockFile

_SHOWN = 12


def believed(text: str, evidence: Evidence, plan: Plan, lock: LockFile) -> EvidenceFile | None:
    """A document as a gate Workflow left it; None, with findings noted, where it is not what was asked for.

    Args:
        text: the document.
        evidence: takes findings; its file is where the document would be written.
        plan: the plan whose gates ran.
        lock: says which bytes model and data are.
    """
    parse_evidence(text.encode("utf-8", "surrogatepass"), evidence)
    content = evidence.content
    if content is None:
        return None
    for code, message in _differences(content, plan, lock):
        evidence.refuse(code, message)
    return None if evidence.findings else content


def merged(
    content: EvidenceFile,
    old: EvidenceFile | None,
    plans: Sequence[Plan],
    lock: LockFile,
    everything: Iterable[Wanted],
) -> EvidenceFile:
    """One document: what was fetched, and what else still holds of the old one."""
    fetched = {(entry.name, entry.configuration) for entry in content.predicate.gates}
    everything = tuple(everything)
    judged = [item for item in everything if (item.gate.name, configuration(item.gate)) in fetched]
    rest = kept(old, lock, judged, everything)
    name = content.subject[0].name
    return document(name, plans, lock, [*rest, *content.predicate.gates])


def _differences(content: EvidenceFile, plan: Plan, lock: LockFile) -> Iterable[tuple[str, str]]:
    subject, name = content.subject[0], f"{plan.identity.team}/{plan.identity.model}"
    if subject.name != name:
        yield "EVID105", f"it is about {subject.name}"
    if f"sha256:{subject.digest.sha256}" != plan.version.digest:
        yield (
            "EVID105",
            f"it judges sha256:{subject.digest.sha256[:_SHOWN]}…, the lock pins {plan.version.digest[:19]}…",
        )
    if content.predicate.data != {ref: data.digest for ref, data in lock.data.items()}:
        yield "EVID106", "it was made from other data than the lock holds"
    if content.predicate.gate_keys != [plan.gate_key]:
        found = content.predicate.gate_keys[0]
        yield "EVID107", f"it answers the gate key {found[:_SHOWN]}, here it is {plan.gate_key[:_SHOWN]}"
    wanted = sorted((gate.name, configuration(gate)) for gate in plan.gates)
    if sorted((entry.name, entry.configuration) for entry in content.predicate.gates) != wanted:
        yield "EVID107", "it does not hold exactly the gates of this model as they are configured"
