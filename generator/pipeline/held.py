"""Reads releases that gated environments keep, and reports what is wrong with them."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.plan.names import ROLLOUT_FILE
from generator.plan.promotion import describe_standing, promote_command, standing
from generator.plan.release_key import release_key
from generator.plan.values import Plan
from generator.source.errors import UserError
from generator.source.files import has_link, text_of
from generator.source.finding import Finding, Place
from generator.source.reader import display

if TYPE_CHECKING:
    from generator.gates.records import Requirement
    from generator.pipeline.session import Session
    from generator.plan.model_files import ModelFiles
    from generator.plan.resolve import Planned, Resolved
    from generator.spec.promotion import Proof

_RESTORE: Final = "restore it from the protected branch: `git checkout {revision} -- {folder}`"


def release_in_git(rendered: Path, plan: Plan) -> Mapping[str, str]:
    """Return the release that an environment keeps: text by file name.

    Args:
        rendered: the folder of the rendered files.
        plan: a plan with a promotion.

    Raises:
        UserError: it is missing, or not the one in the lock.
    """
    from generator.render.held import held_digest

    found, lock = read_release(rendered, plan), plan.promotion
    if lock is None or ROLLOUT_FILE not in found or held_digest(found) != lock.held:
        raise UserError(*_damaged(plan, found))
    return found


def read_release(rendered: Path, plan: Plan) -> dict[str, str]:
    """Return the files of the release in the bundle of a plan: text by name; empty without a bundle."""
    from generator.render.held import is_held

    folder = rendered / plan.identity.path
    if not folder.is_dir() or has_link(rendered.parent, folder):
        return {}
    with os.scandir(folder) as items:
        files = [item for item in items if is_held(item.name) and item.is_file(follow_symlinks=False)]
    texts = {item.name: text_of(item.path) for item in files}
    return {name: text for name, text in sorted(texts.items()) if text is not None}


def _damaged(plan: Plan, found: Mapping[str, str]) -> tuple[str, str]:
    """Return the message and the hint about a release in git that is not the promoted one."""
    where, folder = plan.identity.environment, f"{plan.delivery.folder}/{plan.identity.path}"
    what = "is not the one that was promoted" if ROLLOUT_FILE in found else "is missing"
    message = f"{where} keeps a release, and the release in {folder} {what}"
    hint = _RESTORE.format(revision=plan.delivery.revision, folder=folder)
    return message, f"{hint}; or promote this one: `{promote_command(plan)}`"


def unproven(session: Session, entry: ModelFiles, planned: Planned, now: dt.datetime) -> tuple[str, ...]:
    """Return why the records of a model do not prove the release of a plan for its environment.

    Args:
        session: the repository.
        entry: the model.
        planned: the plan.
        now: the current time.
    """
    from generator.gates.records import read_record, reasons_against

    plan, reasons = planned.plan, list[str]()
    for name, proof in planned.source.platform.environments[plan.identity.environment].proofs.items():
        read = read_record(entry.record(name), session.root, entry.name, name)
        why = [finding.message for finding in read.findings] or reasons_against(
            read.content, release_key(plan), requirement(proof), now
        )
        reasons += [f"{name}: {reason}" for reason in why]
    return tuple(reasons)


def requirement(proof: Proof) -> Requirement:
    """Return what a record must show, in seconds and shares."""
    from generator.gates.records import Requirement

    oldest = None if proof.max_age is None else proof.max_age * 86_400.0
    return Requirement(proof.verdict, proof.min_power or 0.0, proof.soak or 0.0, oldest)


def promotion_findings(resolved: Resolved, session: Session) -> Iterator[Finding]:
    """Yield what gated environments do with the plans of a model, and what is wrong with the releases they keep."""
    for planned in resolved.plans:
        if planned.plan.delivery.requires:
            yield from _of_plan(planned.plan, session, resolved.document.file)


def unread_locks(session: Session, gated: Collection[str]) -> Iterator[Finding]:
    """Yield a finding for each lock of an environment that requires nothing, or that does not exist."""
    for entry in session.entries:
        for path in sorted(entry.spec.parent.glob(f"{entry.model}.*.lock.yaml")):
            environment = path.name.removeprefix(f"{entry.model}.").removesuffix(".lock.yaml")
            if environment not in gated:
                message = f"this lock is not read: no environment `{environment}` requires others"
                hint = "remove it, or restore `requires` of the environment"
                yield Finding("PROM108", "warning", message, hint, Place(display(path, session.root), 1))


def _of_plan(plan: Plan, session: Session, spec: str) -> Iterator[Finding]:
    stands, lock, rendered = standing(plan), plan.promotion, session.rendered
    spec_place = Place(spec, 1)
    if lock is None:
        where, folder = plan.identity.environment, f"{plan.delivery.folder}/{plan.identity.path}"
        if (session.root / f"{spec.removesuffix('.yaml')}.{where}.lock.yaml").exists():
            return  # it can't be read, which is another finding
        if (rendered / plan.identity.path / ROLLOUT_FILE).exists():
            message = f"{where} has a release in {folder}, and no lock says which one was promoted"
            hint = f"record what runs there: `{promote_command(plan)} --adopt`, then commit the lock"
            yield Finding("PROM101", "error", message, hint, spec_place)
            return
        hint = (
            f"`{promote_command(plan)}`, once its record in {' and '.join(plan.delivery.requires)} is in git"
        )
        yield Finding("PROM103", "info", f"{where}: {describe_standing(plan)}", hint, spec_place)
        return
    file = f"{spec.removesuffix('.yaml')}.{plan.identity.environment}.lock.yaml"
    if lock.hotfix and lock.hotfix.until < session.today.isoformat():
        message = f"the hot fix in {plan.identity.environment} ended on {lock.hotfix.until}: {lock.reason}"
        hint = f"prove the release and promote it: `{promote_command(plan)}`; or take it back with `sluice revert`"
        yield Finding("PROM105", "error", message, hint, Place(file, 1))
    try:
        release_in_git(rendered, plan)
    except UserError as error:
        if stands == "held":
            yield Finding("PROM102", "error", error.message, error.hint, Place(file, 1))
        elif not _renders_what_was_promoted(plan, session):
            where = plan.identity.environment
            message = (
                f"what was promoted to {where} is not in git, and the resources of {where} have changed since"
            )
            hint = f"promote it with these: `{promote_command(plan)}`"
            yield Finding("PROM102", "error", message, hint, Place(file, 1))
        return
    if stands != "held":
        return
    hint = f"`{promote_command(plan)}` lets it in, once it is proven"
    yield Finding(
        "PROM104",
        "info",
        f"{plan.identity.environment}: {describe_standing(plan, stands)}",
        hint,
        Place(file, 1),
    )


def _renders_what_was_promoted(plan: Plan, session: Session) -> bool:
    """Return whether a promoted release, which is not in git yet, is what would be rendered now.

    It is another one if the environment's own resources, which are not part of the release key, have changed since.
    """
    from generator.render.bundle import render_bundle
    from generator.render.held import held_digest

    lock = plan.promotion
    return lock is not None and held_digest(render_bundle(plan, session.templates, {})) == lock.held
