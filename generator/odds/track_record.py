"""The track record: what plans promised, and what their releases did.

A false rollback is an abort of a release that the same environment completed later, unchanged. Only such aborts are
known to be false, so the rate is a lower estimate: F of F plus the completed releases. Its interval is Clopper and
Pearson's. A promise counts as broken when the whole interval is above it; the error of 2.5% is shared among all
groups of one table, so that a long table does not accuse by chance (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from generator.stats.binomial import Interval, clopper_pearson

_TAIL: Final = 0.025


@dataclass(frozen=True, slots=True)
class PastRelease:
    """One release that has ended.

    Args:
        team: the team.
        model: team/model.
        environment: where it was released.
        key: its release key.
        end: when it ended (RFC 3339, UTC).
        aborted: whether it was aborted; completed otherwise.
        guards: the guards that aborted it.
        promised: chance of a false rollback in its plan; None without one.
        exposed: requests to the new version; None if unknown.
        seconds: from the first analysis to the end; None without analysis.
    """

    team: str
    model: str
    environment: str
    key: str
    end: str
    aborted: bool
    guards: tuple[str, ...]
    promised: float | None
    exposed: int | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """The track record of some releases.

    Args:
        name: what they have in common.
        releases: how many have ended.
        aborted: how many were aborted.
        false: how many of those the same environment completed later, unchanged.
        promised: mean chance of a false rollback in the plans of the releases that are known to be good; None without.
        seen: false rollbacks among those; None without any.
        interval: of `seen`, 95%.
        broken: whether the promise is broken.
        rollback_s: mean time from the first analysis to the abort; None without aborts.
        exposed: mean requests to the new version in aborted releases; None if unknown.
    """

    name: str
    releases: int
    aborted: int
    false: int
    promised: float | None
    seen: float | None
    interval: Interval | None
    broken: bool
    rollback_s: float | None
    exposed: float | None


def track_records(releases: Sequence[PastRelease]) -> list[TrackRecord]:
    """Return the track record of all releases, of each team, and of each guard that aborted one."""
    false = _false(releases)
    guards = sorted({guard for release in releases for guard in release.guards})
    groups: dict[str, list[PastRelease]] = {"all": list(releases)}
    groups |= {
        f"team {team}": [r for r in releases if r.team == team] for team in sorted({r.team for r in releases})
    }
    groups |= {f"guard {guard}": [r for r in releases if guard in r.guards] for guard in guards}
    return [_record(name, some, false, len(groups)) for name, some in groups.items()]


def _false(releases: Iterable[PastRelease]) -> frozenset[int]:
    """Return the ids of aborted releases whose key the same environment completed later."""
    completed: Mapping[tuple[str, str, str], str] = {
        (r.model, r.environment, r.key): r.end
        for r in sorted(releases, key=lambda r: r.end)
        if not r.aborted and r.key
    }
    return frozenset(
        id(r) for r in releases if r.aborted and completed.get((r.model, r.environment, r.key), "") > r.end
    )


def _record(name: str, some: Sequence[PastRelease], false: frozenset[int], groups: int) -> TrackRecord:
    aborted = [release for release in some if release.aborted]
    # A guard is not known to have kept completed releases: its rate would be about aborts only.
    good = [] if name.startswith("guard ") else [r for r in some if not r.aborted or id(r) in false]
    wrong = sum(id(release) in false for release in aborted)
    promised = _mean([release.promised for release in good])
    strict = clopper_pearson(wrong, len(good), tail=_TAIL / groups) if good else None
    return TrackRecord(
        name,
        len(some),
        len(aborted),
        wrong,
        promised,
        wrong / len(good) if good else None,
        clopper_pearson(wrong, len(good), tail=_TAIL) if good else None,
        bool(strict and promised is not None and strict.low > promised),
        _mean([release.seconds for release in aborted]),
        _mean([release.exposed for release in aborted]),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None
