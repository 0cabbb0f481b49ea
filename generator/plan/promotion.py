"""Whether a gated environment takes the release of a plan, keeps another one, or has none yet."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from generator.plan.release_key import release_key
from generator.plan.values import Plan, Version

Standing = Literal["free", "waiting", "held", "promoted"]
"""free: requires nothing; waiting: nothing was promoted yet; held: it keeps another release; promoted: it takes it."""


def standing(plan: Plan) -> Standing:
    """Return what an environment does with the release of a plan."""
    if not plan.delivery.requires:
        return "free"
    if plan.promotion is None:
        return "waiting"
    return "promoted" if plan.promotion.key == release_key(plan) else "held"


def kept(plan: Plan) -> Plan:
    """Return the plan of what governs the release that an environment keeps: steps, guards, routes and alerts.

    All of that follows the spec; version, gate key and release key are those of the release in git.

    Raises:
        ValueError: nothing was promoted.
    """
    lock = plan.promotion
    if lock is None:
        raise ValueError("nothing was promoted")
    model = lock.model
    return replace(
        plan,
        version=Version(model.ref, model.resolved, model.version, model.digest, model.at),
        server=replace(plan.server, version=model.version, digest=model.digest.removeprefix("sha256:")),
        gate_key=lock.gates,
        keeps=lock.key,
    )


def promote_command(plan: Plan) -> str:
    """Return the command that lets the release of a plan into its environment."""
    identity = plan.identity
    return f"sluice promote {identity.team}/{identity.model} --to {identity.environment}"


def describe_standing(plan: Plan, stands: Standing | None = None) -> str:
    """Return what an environment does with the release of a plan, in words; empty where it requires nothing.

    Args:
        plan: the plan.
        stands: its standing, where it is known.
    """
    lock, where, first = plan.promotion, plan.identity.environment, " and ".join(plan.delivery.requires)
    if not plan.delivery.requires:
        return ""
    if lock is None:
        return f"not promoted yet: nothing is rendered for {where} until `{promote_command(plan)}`"
    if (stands or standing(plan)) == "held":
        return (
            f"held: {where} keeps version {lock.model.version} ({lock.key[:19]}), promoted {lock.at}; this release "
            f"waits for {first}, and for `{promote_command(plan)}`"
        )
    if lock.hotfix:
        by = f", approved by {lock.hotfix.approved_by}" if lock.hotfix.approved_by else ""
        return f"promoted {lock.at} as a hot fix until {lock.hotfix.until}{by}: {lock.reason}"
    proofs = ", ".join(f"{name}: {record.verdict}" for name, record in lock.records.items())
    return f"promoted {lock.at} by {lock.by} ({proofs or lock.reason or 'adopted'})"
