"""The named approval that a tier requires of a promotion: a signature of its lock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from generator.plan.model_files import PLATFORM, SPECS, ModelFiles
from generator.source.finding import Finding, Place
from generator.source.reader import display, parse
from generator.spec.check import check
from generator.spec.platform import PlatformFile, PlatformSpec

if TYPE_CHECKING:
    from generator.history.git import Git
    from generator.pipeline.session import Session
    from generator.spec.promotion import PromotionFile


def unapproved(
    session: Session, git: Git, commit: str, promoted: tuple[ModelFiles, str, str], lock: PromotionFile
) -> Iterator[Finding]:
    """Yield a finding if a tier requires a named approval of a promotion, and it has none.

    A change can't approve itself: the tiers before it and after it count, and signers are those that the branch lists.

    Args:
        session: the work tree.
        git: its repository.
        commit: of the branch that the change goes to.
        promoted: the model, the environment, and the path of the lock.
        lock: the lock.
    """
    entry, where, file = promoted
    plans = [one.plan for one in session.resolve(entry).plans if one.plan.identity.environment == where]
    if not plans or not (lock.records or lock.hotfix):
        return
    from generator.gates.signatures import check_signatures, promotion_documents

    now = session.require_platform()
    before = _platform_before(git, commit)
    # A change that moves the model to another tier needs the approvals of both.
    tiers = {plans[0].identity.tier, _tier_before(session, git, commit, entry)} - {""}
    required = {
        name: {
            role
            for one in (before, now)
            if one and name in one.tiers
            for role in one.tiers[name].promotions.signed_by
        }
        for name in sorted(tiers)
    }
    signers = [signer for signer in (before.signers if before else ()) if signer in now.signers]
    found: set[str] = set()
    problems: list[Finding] = []
    for document in promotion_documents(entry, session.root, [where]) if any(required.values()) else ():
        checked = check_signatures(document, signers)
        found |= {signed.role for signed in checked.valid}
        problems += checked.problems
    name = entry.name
    hint = f"`sluice gates sign {name} --document promotion --env {where} --key KEY`, and push the signature"
    for tier, roles in required.items():
        if roles and not roles & found:
            who = " or ".join(sorted(roles))
            message = f"the tier `{tier}` requires that {who} signs a promotion of {name} to {where}"
            message += f"; {problems[0].message}" if problems else ""
            yield Finding("PROM109", "error", message, hint, Place(file, 1))


def _tier_before(session: Session, git: Git, commit: str, entry: ModelFiles) -> str:
    """Return the tier of a model in a revision; empty for a missing or invalid spec."""
    file = display(entry.spec, session.root)
    document = parse(git.read([(commit, file)]).get((commit, file), b""), file)
    spec = document.data.get("spec") if isinstance(document.data, dict) and not document.findings else None
    tier = spec.get("tier") if isinstance(spec, dict) else None
    return tier if isinstance(tier, str) else ""


def _platform_before(git: Git, commit: str) -> PlatformSpec | None:
    """Return the platform in a revision; None for a missing or invalid one."""
    file = f"{SPECS}/{PLATFORM}"
    document = parse(git.read([(commit, file)]).get((commit, file), b""), file)
    found = None if document.findings else check(PlatformFile, document)[0]
    return found.spec if found else None
