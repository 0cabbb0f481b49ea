"""Records a release that has ended: what the cluster or a notification says, with the power it could have had."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from generator import __version__
from generator.cluster.ended_release import (
    Course,
    EndedRelease,
    NotEndedError,
    clients,
    course,
    last_values,
    notified,
    promoted_fully,
    read_ended,
    runs_of,
)
from generator.cluster.server import Server
from generator.dataclass import dataclass
from generator.gates.records import LEAST_POWER, read_record, record_bytes, sealed_record
from generator.odds.seen import SeenStep, seen_power
from generator.pipeline.atomic_write import write_file
from generator.pipeline.evaluate import plan_of
from generator.pipeline.revert_requests import read_notification
from generator.pipeline.session import Session
from generator.plan.guards import Comparison
from generator.plan.model_files import ModelFiles
from generator.plan.names import ROLLOUT_FILE
from generator.plan.release_key import RELEASE_KEY
from generator.plan.values import Plan
from generator.source.errors import CliError
from generator.source.files import raw
from generator.source.reader import display
from generator.spec.release_record import RecordFile

_BUNDLE: Final = re.compile(rb'^    sluice\.dev/bundle: "?([0-9a-f]+)"?$', re.MULTILINE)
_MODEL, _ENVIRONMENT = "sluice.dev/model", "sluice.dev/environment"


@dataclass(frozen=True, slots=True)
class Recorded:
    """The outcome.

    Args:
        file: path of the record.
        content: the record in it.
        written: False if the file had this record, or a newer one, already.
    """

    file: str
    content: RecordFile
    written: bool


def from_cluster(session: Session, entry: ModelFiles, environment: str, server: Server) -> Recorded:
    """Record the newest release of a model in an environment.

    Raises:
        ClusterError: the cluster can't be queried.
        NotEndedError: there is no Rollout, or its release has not ended.
        CliError: the Rollout is one of another environment.
    """
    plan = plan_of(session, entry, environment)
    release = read_ended(server, plan.identity.namespace, plan.identity.model)
    if release is None:
        what = f"no Rollout {plan.identity.model} in the namespace {plan.identity.namespace}"
        raise NotEndedError(f"{what} of {server.address}", f"check that this is the cluster of {environment}")
    found = release.labels.get(_ENVIRONMENT, "")
    if found != environment:  # the same namespace in another cluster
        message = (
            f"the Rollout at {server.address} is one of {found or 'no environment'}, not of {environment}"
        )
        raise CliError(message, f"name the context of {environment}: `--context NAME`")
    return _record(session, entry, plan, release)


def release_in(file: str) -> tuple[str, str, EndedRelease]:
    """Return team/model, environment and objects of the release in a notification.

    Args:
        file: a path, or `-` for standard input.

    Raises:
        CliError: it is not one.
    """
    release = notified(read_notification(file), file)
    labels = release.labels
    name = f"{labels.get('app.kubernetes.io/part-of', '')}/{labels.get(_MODEL, '')}"
    return name, labels.get(_ENVIRONMENT, ""), release


def from_notification(
    session: Session, entry: ModelFiles, environment: str, release: EndedRelease
) -> Recorded:
    """Record the release in a notification.

    Raises:
        CliError: it has no revision, or not what a record needs.
    """
    return _record(session, entry, plan_of(session, entry, environment), release)


def _record(session: Session, entry: ModelFiles, plan: Plan, release: EndedRelease) -> Recorded:
    environment = plan.identity.environment
    path = entry.record(environment)
    try:
        content = sealed_record(_fields(session, entry, plan, release))
    except ValueError as error:
        raise CliError(
            f"the Rollout of {entry.name} in {environment} lacks what a record needs: {error}"
        ) from error
    before = read_record(path, session.root, entry.name, environment).content
    shown = display(path, session.root)
    if before is not None and not _is_newer(content, before):
        return Recorded(shown, before, written=False)
    write_file(path, record_bytes(content))
    return Recorded(shown, content, written=True)


def _is_newer(content: RecordFile, before: RecordFile) -> bool:
    """Return whether a record says more than the one that is there: notifications may arrive late, or twice."""
    if content.rollout.uid != before.rollout.uid:
        return content.end > before.end
    newer, older = content.rollout.revision, before.rollout.revision
    return newer > older or (newer == older and content.end >= before.end and content != before)


def _fields(session: Session, entry: ModelFiles, plan: Plan, release: EndedRelease) -> dict[str, Any]:
    done, runs = course(release), runs_of(release)
    traffic, unknown = _traffic(session, plan, release, done)
    by_guard = {} if unknown else seen_power(plan, [_seen(step) for step in traffic])
    if plan.rollout.strategy == "canary" and not by_guard and not unknown:
        unknown = "no guard of this release has odds"
    pauses = [at for at, step in enumerate(release.steps) if step.get("pause") == {}]
    by = clients(release) if pauses else ""
    return {
        "subject": _subject(entry, plan, release),
        "rollout": _rollout(release),
        "phase": "Degraded" if release.aborted else "Healthy",
        "aborted": release.aborted,
        "current": not release.aborted,
        "firstRelease": release.revision == 1,
        "start": runs[0]["start"] if runs else None,
        "end": release.end,
        "steps": {
            "planned": done.planned,
            "skipped": done.skipped,
            "promoteFull": promoted_fully(release, done.skipped),
        },
        "runs": runs,
        "traffic": traffic,
        "power": _power(plan, release, by_guard, unknown),
        "exposed": _exposed(traffic),
        "promised": {
            key: release.annotations[f"sluice.dev/{key}"]
            for key in ("false-rollback", "exposed-requests")
            if f"sluice.dev/{key}" in release.annotations
        },
        "waivers": release.annotated("waiver."),
        "pauses": [{"step": at, "by": by} for at in pauses],
        "controllers": {
            "argo-rollouts": plan.delivery.rollouts,
            "argo-workflows": plan.delivery.workflows,
            "kubernetes": plan.delivery.kubernetes,
        },
        "sluice": __version__,
    }


def _subject(entry: ModelFiles, plan: Plan, release: EndedRelease) -> dict[str, Any]:
    pods = release.pod_annotations
    return {
        "model": entry.name,
        "environment": plan.identity.environment,
        "version": release.labels.get("app.kubernetes.io/version", ""),
        "releaseKey": pods.get(RELEASE_KEY, ""),
        "modelDigest": pods.get("sluice.dev/model-digest", ""),
        "image": release.image,
        "bundle": release.annotations.get("sluice.dev/bundle", ""),
    }


def _rollout(release: EndedRelease) -> dict[str, Any]:
    metadata = release.rollout["metadata"]
    return {
        **{key: metadata.get(key) for key in ("namespace", "name", "uid")},
        "revision": release.revision,
        "podHash": release.pod_hash,
    }


def _power(plan: Plan, release: EndedRelease, by_guard: dict[str, float], unknown: str) -> dict[str, Any]:
    """Return the power that was promised and seen, and why it is unknown where it should be known."""
    counts = plan.rollout.strategy == "canary" and release.revision > 1 and not release.aborted
    return {
        "seen": min(by_guard.values(), default=None),
        "byGuard": by_guard,
        "promised": release.annotated("power."),
        "least": LEAST_POWER,
        "unknown": unknown if counts else "",
    }


def _traffic(
    session: Session, plan: Plan, release: EndedRelease, done: Course
) -> tuple[list[dict[str, Any]], str]:
    """Return the traffic of each weight step, and why there is none.

    The check of a step counts the canary's requests since the first weight; what the stable version got follows from
    the weight. Only the plan that ran can say which metric counts what.
    """
    if plan.rollout.strategy != "canary" or release.revision == 1:
        return [], ""
    git, ran = _bundle_in_git(session, plan), release.annotations.get("sluice.dev/bundle", "")
    if git != ran:
        return [], f"git holds the bundle {git or 'of no Rollout'} now, and {ran or 'another one'} ran"
    guards = [guard for guard in plan.evidence_guards if isinstance(guard, Comparison)]
    even = [guard.name for guard in guards if not plan.compares_loads(guard)]
    counted = last_values(release, frozenset(even or (guard.name for guard in guards)))
    return [*_weights(release, done, counted)], ""


def _weights(release: EndedRelease, done: Course, counted: dict[int, float]) -> Iterator[dict[str, Any]]:
    before, weight_at = 0.0, -1
    for at, step in enumerate(release.steps):
        if step.get("setWeight"):
            weight_at = at
        if "analysis" not in step or weight_at < 0:
            continue
        weight, total = release.steps[weight_at]["setWeight"], counted.get(at)
        canary = None if total is None else max(0, math.floor(total - before))
        before = max(before, total or 0.0)
        yield {
            "weight": weight,
            "seconds": done.seconds.get(weight_at, 0.0),
            "canary": canary,
            "stable": None if canary is None else round(canary * (100 - weight) / weight),
        }
        weight_at = -1


def _seen(step: dict[str, Any]) -> SeenStep:
    return SeenStep(step["weight"], step["seconds"], float(step["canary"] or 0))


def _exposed(traffic: list[dict[str, Any]]) -> int | None:
    known = [step["canary"] for step in traffic if step["canary"] is not None]
    return sum(known) if known else None


def _bundle_in_git(session: Session, plan: Plan) -> str:
    """Return the hash of the bundle that is rendered in the repository; empty without one."""
    path = Path(session.root, plan.delivery.folder, plan.identity.path, ROLLOUT_FILE)
    found = _BUNDLE.search(raw(path) or b"")
    return found[1].decode() if found else ""
