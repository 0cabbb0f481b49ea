"""What a pull request that promotes says: what runs now and next, and the record that proves it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from generator.gates.records import read_record
from generator.pipeline.session import Session
from generator.plan.model_files import ModelFiles
from generator.plan.release_key import release_key
from generator.plan.values import Plan
from generator.report.markdown import cell, row
from generator.source.errors import CliError
from generator.spec.quantities import share_down, time_span

_SHORT: Final = 19
"""Characters of a digest that people read: its algorithm and twelve digits."""

if TYPE_CHECKING:
    from generator.spec.promotion import Proof
    from generator.spec.release_record import RecordFile


def promotion_body(session: Session, entry: ModelFiles, environment: str, before: Plan | None) -> str:
    """Return the text (Markdown) about the promotion of a release.

    Args:
        session: the repository with the promotion.
        entry: the model.
        environment: a gated one.
        before: the plan of the environment before the change; None without one.

    Raises:
        CliError: the model can't be planned there, or the environment requires nothing.
    """
    plans = [one.plan for one in session.resolve(entry).plans if one.plan.identity.environment == environment]
    if not plans or not plans[0].delivery.requires:
        raise CliError(f"nothing is promoted to {environment}", f"see `sluice plan {entry.name}`")
    plan = plans[0]
    lines = [*_releases(plan, before), *_approval(session, plan)]
    for name, proof in session.platform.environments[environment].proofs.items():
        record = read_record(entry.record(name), session.root, entry.name, name).content
        lines += [
            "",
            f"### Record of {name}",
            "",
            *(_record(record, proof) if record else ["There is none."]),
        ]
    return "\n".join(lines) + "\n\n"


def _releases(plan: Plan, before: Plan | None) -> Iterator[str]:
    lock, old = plan.promotion, before.promotion if before else None
    yield f"## {plan.identity.team}/{plan.identity.model} in {plan.identity.environment}"
    yield ""
    yield row(("", "runs now", "with this change"))
    yield row(["---"] * 3, raw=True)
    yield row(("version", old.model.version if old else "nothing", plan.version.label))
    yield row(("model", old.model.digest[:_SHORT] if old else "", plan.version.digest[:_SHORT]))
    yield row(("image", old.image if old else "", plan.image.reference))
    yield row(("release key", old.key[:_SHORT] if old else "", release_key(plan)[:_SHORT]))
    if lock and lock.hotfix:
        yield ""
        yield f"**A hot fix until {lock.hotfix.until}**, without proof: {cell(lock.reason or '')}"


def _approval(session: Session, plan: Plan) -> Iterator[str]:
    """Yield who must approve the promotion, and how."""
    identity, roles = plan.identity, session.platform.tiers[plan.identity.tier].promotions.signed_by
    if roles:
        name, where = f"{identity.team}/{identity.model}", identity.environment
        yield ""
        yield f"**{cell(' or '.join(roles))} approves this by a signature on this branch:**"
        yield f"`sluice gates sign {name} --document promotion --env {where} --key KEY`, then commit and push it."


def _record(record: RecordFile, proof: Proof) -> Iterator[str]:
    """Yield what a record shows, and when its soak ended."""
    seen = "unknown" if record.power.seen is None else share_down(record.power.seen)
    end = dt.datetime.fromisoformat(record.end)
    soak = proof.soak or 0.0
    over = end + dt.timedelta(seconds=soak)
    facts = {
        "verdict": record.verdict,
        "release key": record.subject.release_key[:_SHORT],
        "ended": record.end,
        "soak": f"{time_span(soak)}, over on {over:%Y-%m-%d %H:%M} UTC" if soak else "none required",
        "power with the traffic that came": seen,
        "requests that it served": "unknown" if record.exposed is None else f"{record.exposed:,}",
        "AnalysisRuns": ", ".join(f"{run.name}: {run.verdict}" for run in record.runs) or "none",
        "steps skipped by hand": "all that were left" if record.steps.promote_full else str(len(record.steps.skipped)),
        "waivers": ", ".join(f"{gate}: {terms}" for gate, terms in record.waivers.items()) or "none",
    }  # fmt: skip
    yield row(("", ""))
    yield row(["---"] * 2, raw=True)
    yield from map(row, facts.items())
    for reason in record.reasons:
        yield f"\n- {cell(reason)}"
