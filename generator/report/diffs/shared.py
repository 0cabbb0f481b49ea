"""Bundles that belong to no model, compared: projects and namespaces of teams, and the platform's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from generator.dataclass import dataclass
from generator.pipeline.bundles import BundleId, Source, render
from generator.pipeline.session import Session
from generator.pipeline.stale import model_names, shared_inputs

Status = Literal["added", "removed", "changed"]
_KINDS: Final = {
    "project": "Argo CD projects of teams",
    "team": "namespaces of teams",
    "admission": "admission policies",
    "overview": "dashboards of the platform",
    "recorder": "accounts that read releases",
    "rollout-notices": "notifications of releases",
    "argocd-notices": "notifications of Argo CD",
    "platform": "Applications of the platform",
    "root": "lists of what Argo CD takes",
}


@dataclass(frozen=True, slots=True)
class SharedDifference:
    """One of these bundles that differs.

    Args:
        environment: its environment.
        team: its team; empty for the platform's own.
        kind: project, team, admission, overview, recorder, rollout-notices, argocd-notices or platform.
        status: whether it was added, removed or changed.
        files: names of its files that differ, sorted.
    """

    environment: str
    team: str
    kind: str
    status: Status
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SharedGroup:
    """All bundles of one kind that differ in the same files.

    Args:
        label: their kind, for people.
        how: which files differ and how, for people.
        environments: their environments, in the platform's order.
        teams: their teams, sorted; none for the platform's own.
        count: how many bundles.
    """

    label: str
    how: str
    environments: tuple[str, ...]
    teams: tuple[str, ...]
    count: int


def shared_differences(old: Session, new: Session) -> tuple[int, list[SharedDifference]]:
    """Return how many such bundles there are now, and which differ; only those with different inputs are rendered.

    Both platforms must be valid.
    """
    before, after = _inputs(old), _inputs(new)
    suspects = [shared for shared in {**after, **before} if before.get(shared) != after.get(shared)]
    texts = (
        _texts(old, [s for s in suspects if s in before]),
        _texts(new, [s for s in suspects if s in after]),
    )
    return len(after), [found for shared in suspects for found in _compared(shared, *texts)]


def shared_groups(found: Sequence[SharedDifference]) -> list[SharedGroup]:
    """Group equal differences by kind."""
    groups: dict[tuple[str, str, tuple[str, ...]], list[SharedDifference]] = {}
    for one in found:
        groups.setdefault((one.kind, one.status, one.files), []).append(one)
    order = {kind: index for index, kind in enumerate(_KINDS)}
    return [
        SharedGroup(
            _KINDS[kind],
            f"{', '.join(files)} differ{'s' if len(files) == 1 else ''}" if status == "changed" else status,
            tuple(dict.fromkeys(member.environment for member in members)),
            tuple(sorted({member.team for member in members} - {""})),
            len(members),
        )
        for (kind, status, files), members in sorted(groups.items(), key=lambda item: order[item[0][0]])
    ]


def _inputs(session: Session) -> dict[BundleId, dict[str, str]]:
    """Return the inputs of each bundle; equal inputs give equal files."""
    return shared_inputs(
        _names(session),
        session.platform_inputs,
        {"templates": session.templates.own_digest()},
        model_names(session.entries),
    )


def _names(session: Session) -> Sequence[str]:
    platform = session.repository.platform
    return list(platform.environments) if platform else []


def _texts(session: Session, wanted: Sequence[BundleId]) -> dict[str, dict[str, str]]:
    platform = session.repository.platform
    if platform is None:
        return {}
    source = Source(platform, session.templates, session.bentos, models=model_names(session.entries))
    return {bundle.path: dict(render(bundle, source, {}).files) for bundle in wanted}


def _compared(
    shared: BundleId, old: dict[str, dict[str, str]], new: dict[str, dict[str, str]]
) -> Iterator[SharedDifference]:
    before, after = old.get(shared.path), new.get(shared.path)
    status: Status = "added" if before is None else "removed" if after is None else "changed"
    was, now = before or {}, after or {}
    files = tuple(sorted(name for name in {*was, *now} if was.get(name) != now.get(name)))
    if files:
        yield SharedDifference(shared.environment, shared.team, shared.kind, status, files)
