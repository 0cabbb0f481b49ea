"""What git and the cluster say of one model in one environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from generator.cluster.running import Live, Synced
from generator.plan.names import application
from generator.plan.values import Plan

_KUBECTL = "kubectl argo rollouts {verb} {name} --namespace {namespace}"


@dataclass(frozen=True, slots=True)
class Beside:
    """One row of a status.

    Args:
        plan: what git says.
        gates: verdicts of the evidence in git, by gate; empty without any.
        asked: whether the cluster was asked.
        live: what it runs; None where it runs nothing.
        synced: what Argo CD says of it; None where it says nothing.
    """

    plan: Plan
    gates: tuple[tuple[str, str], ...] = ()
    asked: bool = False
    live: Live | None = None
    synced: Synced | None = None

    @property
    def differs(self) -> str:
        """Why the cluster does not ask for what git says; empty when it does, or is not asked."""
        if not self.asked:
            return ""
        if self.live is None:
            return "there is no Rollout in the cluster"
        if self.live.wanted.digest != self.plan.version.digest:
            return f"the cluster still asks for {self.live.wanted.version or 'another version'}"
        return ""

    @property
    def settled(self) -> bool:
        """Whether the cluster has done what git says, or has given up."""
        return self.live is not None and not self.differs and self.live.settled

    @property
    def aborted(self) -> bool:
        """Whether the cluster has given up, or is broken."""
        return self.live is not None and (self.live.aborted or self.live.phase == "Degraded")


def commands(row: Beside) -> Iterator[tuple[str, str]]:
    """What a person can do now: in words, and the exact command. Approving and aborting are Argo's, not Sluice's."""
    if row.live is None:
        if row.asked:
            yield "let Argo CD sync it", f"argocd app sync {application(row.plan.identity)}"
        return
    identity, live = row.plan.identity, row.live

    def argo(verb: str) -> str:
        return _KUBECTL.format(verb=verb, name=identity.model, namespace=identity.namespace)

    if live.aborted:
        yield "take git back, too", f"sluice revert {identity.team}/{identity.model} --reason TEXT"
        yield "try the same version again, from the first step", argo("retry rollout")
        return
    if live.approval:
        yield f"go on{_by(row)}", argo("promote")
    elif any("Inconclusive" in reason for reason in live.pauses):
        yield "go on in spite of missing proof", argo("promote")
    if live.phase in {"Paused", "Progressing", "Degraded"} and live.wanted != live.stable:
        yield "abort", argo("abort")


def _by(row: Beside) -> str:
    if row.live is None:
        return ""
    roles = dict.fromkeys(role for role in row.plan.rollout.approvals if role != "manual")
    return f" (approved by {', '.join(roles)})" if roles else ""
