"""Lets a release into an environment that requires others: checks its records, and writes the lock."""

from __future__ import annotations

import datetime as dt
import getpass
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.dataclass import dataclass
from generator.pipeline.atomic_write import write_file
from generator.pipeline.evaluate import evaluate_model
from generator.pipeline.held import read_release, unproven
from generator.pipeline.session import Session
from generator.plan.model_files import SIGNATURES, ModelFiles
from generator.plan.names import ROLLOUT_FILE
from generator.plan.promotion import promote_command, standing
from generator.plan.release_key import RELEASE_KEY, release_key
from generator.plan.resolve import Planned
from generator.source.edit import quoted
from generator.source.errors import CliError, FindingsError
from generator.source.reader import display

if TYPE_CHECKING:
    from generator.plan.values import Plan
    from generator.spec.promotion import PromotionFile
    from generator.spec.release_record import RecordFile

_ALLOWED: Final = frozenset({"PROM101", "PROM102", "PROM105"})
"""Errors that a promotion ends."""
_HEAD: Final = "# Written by `sluice promote`; commit it together with what `sluice render` makes of it.\n"
_LONGEST: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PromotionRequest:
    """The user's request.

    Args:
        environment: where the release is to go.
        by: who promotes it.
        reason: why; required for a hot fix.
        hotfix: without the proof that the environment requires.
        adopt: record the release that is in git already, from before the environment required anything.
    """

    environment: str
    by: str
    reason: str | None = None
    hotfix: bool = False
    adopt: bool = False


@dataclass(frozen=True, slots=True)
class Promoted:
    """The outcome: the lock, the release key, and whether the lock was written."""

    file: str
    key: str
    version: str
    changed: bool


class NotProvenError(CliError):
    """The records do not prove the release."""


def promote(session: Session, entry: ModelFiles, request: PromotionRequest) -> Promoted:
    """Write the lock of a model in a gated environment.

    Raises:
        CliError: the environment requires nothing, or a hot fix is not allowed.
        NotProvenError: the records do not prove the release.
        FindingsError: the model breaks rules.
    """
    planned = _planned(session, entry, request)
    plan, now = planned.plan, now_utc()
    path = entry.promotion(request.environment)
    if not request.adopt:
        _refuse(session, entry, plan, request, now)
    if request.adopt:
        wanted = _adopted(session, planned)
    elif standing(plan) == "promoted" and not (plan.promotion and plan.promotion.hotfix):
        wanted = release_of(session, planned) | _old_proof(planned)
    elif request.hotfix:
        wanted = release_of(session, planned) | {"hotfix": _hotfix(planned, request, now)}
    else:
        wanted = release_of(session, planned) | {"records": proof_of(session, entry, planned, now)}
    origin = {"at": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "by": request.by}
    origin |= {"reason": request.reason} if request.reason else {}
    lock = plan.promotion
    same = lock is not None and (lock.key, lock.held) == (wanted["key"], wanted["held"])
    if lock is not None and same and (not lock.hotfix or "hotfix" in wanted):
        return Promoted(display(path, session.root), lock.key, plan.version.label, changed=False)
    for suffix in SIGNATURES:  # of the lock that was there
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    write_file(path, (_HEAD + _text({"schema": "sluice/promotion/v1", **wanted, **origin})).encode())
    return Promoted(display(path, session.root), wanted["key"], wanted["model"]["version"], changed=True)


def _refuse(
    session: Session, entry: ModelFiles, plan: Plan, request: PromotionRequest, now: dt.datetime
) -> None:
    """Refuse a release in quarantine, without a reason any other of its model, and any release in a freeze.

    Raises:
        CliError: one of them stops it.
    """
    from generator.pipeline.promotion_check import obstacles

    where = plan.identity.environment
    lets_in = standing(plan) == "promoted"  # a hot fix, for a reason
    target = (where, release_key(plan), "" if request.reason or lets_in else plan.version.digest)
    reasons = obstacles(session.repository, session.platform, entry, target, now)
    if reasons:
        message = f"{entry.name} can't be promoted to {where}: {'; '.join(reasons)}"
        other = (
            " If only the configuration was wrong: add `--reason TEXT`."
            if "another release" in reasons[0]
            else ""
        )
        raise CliError(message, f"`sluice revert --env` is never held back.{other}")


def author(root: Path) -> str:
    """Return who git would name as the author of a commit; the user of this machine without git."""
    from generator.history.git import Git
    from generator.history.git_call import GitError

    try:
        found = re.match(r"(.*?>)", Git.at(root).ask("var", "GIT_AUTHOR_IDENT"))
    except GitError:
        found = None
    return found[1] if found else getpass.getuser()


def now_utc() -> dt.datetime:
    """Return the current time: that of SOURCE_DATE_EPOCH if it is set."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return dt.datetime.fromtimestamp(int(epoch), tz=dt.UTC) if epoch else dt.datetime.now(tz=dt.UTC)


def _planned(session: Session, entry: ModelFiles, request: PromotionRequest) -> Planned:
    """Return the plan to promote.

    Raises:
        CliError: there is no such environment, it requires nothing, or a required one no longer exists.
        FindingsError: the model breaks rules.
    """
    platform = session.require_platform(request.environment)
    if not platform.environments[request.environment].requires:
        message = f"{request.environment} requires no other environment, so `sluice render` releases there"
        raise CliError(message, "a release waits where `requires` names the environments that prove it")
    resolved = session.resolve(entry)
    findings = [*resolved.findings, *evaluate_model(session, resolved)]
    if any(one.severity == "error" and one.code not in _ALLOWED for one in findings):
        raise FindingsError([one for one in findings if one.severity == "error" and one.code not in _ALLOWED])
    return next(one for one in resolved.plans if one.plan.identity.environment == request.environment)


def release_of(session: Session, planned: Planned) -> dict[str, Any]:
    """Return what the lock says about a release that is rendered now."""
    from generator.render.bundle import render_bundle
    from generator.render.held import held_digest

    plan = planned.plan
    return {
        "key": release_key(plan),
        "held": held_digest(render_bundle(plan, session.templates, {})),
        "model": _model(planned),
        "image": plan.image.reference,
        "gates": plan.gate_key,
    }


def _model(planned: Planned) -> dict[str, Any]:
    lock = planned.source.lock
    return lock.model.model_dump(mode="json", exclude_none=True) if lock else {}


def _old_proof(planned: Planned) -> dict[str, Any]:
    """Return the records of a release that is promoted already, whose environment has other resources now."""
    lock = planned.plan.promotion
    records = lock.records if lock else {}
    return {"records": {name: record.model_dump(mode="json") for name, record in records.items()}}


def proof_of(session: Session, entry: ModelFiles, planned: Planned, now: dt.datetime) -> dict[str, Any]:
    """Return the records that prove a release.

    Raises:
        NotProvenError: they do not.
    """
    from generator.gates.records import read_record

    plan, where = planned.plan, planned.plan.identity.environment
    reasons = unproven(session, entry, planned, now)
    if reasons:
        message = f"{entry.name} is not proven for {where}: {'; '.join(reasons)}"
        hint = f"`sluice record {entry.name} --env {next(iter(plan.delivery.requires))} --cluster` records a release"
        raise NotProvenError(message, f"{hint}; what can't wait goes in with `--hotfix --reason TEXT`")
    read = {
        name: read_record(entry.record(name), session.root, entry.name, name).content
        for name in plan.delivery.requires
    }
    return {name: _named(record) for name, record in read.items() if record}


def _named(record: RecordFile) -> dict[str, Any]:
    return {"digest": record.digest, "verdict": record.verdict, "end": record.end}


def _hotfix(planned: Planned, request: PromotionRequest, now: dt.datetime) -> dict[str, Any]:
    """Return the terms of a hot fix.

    A tier with approvals needs an entry in `hotFixes` of the platform, for this model version, from one of its roles.

    Raises:
        CliError: it has no reason, or the tier does not allow it.
    """
    if not request.reason:
        raise CliError("a hot fix needs a reason", "add --reason TEXT")
    plan, today = planned.plan, now.date()
    identity, roles = plan.identity, planned.source.platform.tiers[plan.identity.tier].requires.approvals
    if not roles:
        return {"until": (today + _LONGEST).isoformat()}
    for fix in planned.source.platform.hot_fixes:
        named = (fix.model, fix.digest) == (f"{identity.team}/{identity.model}", plan.version.digest)
        in_time = today.isoformat() <= fix.until <= (today + _LONGEST).isoformat()
        if named and in_time and fix.approved_by in roles:
            return {"approved_by": fix.approved_by, "until": fix.until}
    entry = (
        f"hotFixes: [{{model: {identity.team}/{identity.model}, digest: {plan.version.digest}, reason: …, "
    )
    entry += f"approvedBy: {roles[0]}, until: {today.isoformat()}}}]"
    message = f"the tier `{identity.tier}` lets a hot fix in when {' or '.join(roles)} approved it"
    raise CliError(message, f"add it to specs/platform.yaml, in a review: `{entry}`")


def hot_fix_reasons(planned: Planned, lock: PromotionFile, now: dt.datetime) -> Iterator[str]:
    """Yield why the hot fix of a lock is not one that `promote` would allow now."""
    if lock.hotfix is None:
        return
    try:
        allowed = _hotfix(
            planned, PromotionRequest(planned.plan.identity.environment, lock.by, lock.reason), now
        )
    except CliError as error:
        yield error.message
        return
    if not now.date().isoformat() <= lock.hotfix.until <= allowed["until"]:
        yield f"the hot fix lasts until {lock.hotfix.until}; now it may last until {allowed['until']}"
    if lock.hotfix.approved_by != allowed.get("approved_by"):
        yield f"the hot fix names {lock.hotfix.approved_by or 'no role'} as its approver"


def _adopted(session: Session, planned: Planned) -> dict[str, Any]:
    """Return what the lock says about the release that is in git.

    Raises:
        CliError: there is none, or it is of another model version than the lock.
    """
    from generator.render.held import held_digest

    plan = planned.plan
    if plan.promotion is not None:
        raise CliError("there is a lock already", f"`{promote_command(plan)}` promotes another release")
    files = read_release(session.rendered, plan)
    folder = f"{plan.delivery.folder}/{plan.identity.path}"
    if ROLLOUT_FILE not in files:
        raise CliError(
            f"there is no release in {folder}", f"the first one is promoted: `{promote_command(plan)}`"
        )
    digest, found = held_digest(files), dict(_annotations(files[ROLLOUT_FILE]))
    if found.get("sluice.dev/model-digest") != plan.version.digest:
        message = f"the release in {folder} is not of the locked model version"
        raise CliError(message, "adopt it from a commit in which `sluice render --check` passes")
    return {
        "key": found.get(RELEASE_KEY, digest),
        "held": digest,
        "model": _model(planned),
        "image": found["image"],
        "gates": found["sluice.dev/gate-key"],
    }


def _annotations(rollout: str) -> Iterator[tuple[str, str]]:
    """Yield the annotations of the pods, and their image."""
    import yaml

    template = yaml.safe_load(rollout)["spec"]["template"]
    yield from template["metadata"]["annotations"].items()
    yield "image", template["spec"]["containers"][0]["image"]


def _text(lock: dict[str, Any]) -> str:
    """Return the text of a lock: nested values on one line each."""
    lines = []
    for key, value in lock.items():
        if isinstance(value, dict) and value:
            lines += [f"{key}:", *(f"  {name}: {_flow(inner)}" for name, inner in value.items())]
        elif value:
            lines.append(f"{key}: {_flow(value)}")
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(inner)}' for key, inner in value.items())}}}"
    return quoted(str(value))
