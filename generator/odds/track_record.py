"""The track record: what plans promised, and what their releases did.

False rollbacks: a guard aborted a release that the same environment completed later, unchanged, or that people
released from quarantine. Only such aborts are known to be false, so the rate is a lower estimate: F of F plus the
completed releases that guards measured and that were not taken back later. Harms: completed releases that were taken
back later got through; aborts that are not known to be false were stopped. Some of those may have been false as well,
so this rate is an upper estimate.

Intervals are Clopper and Pearson's. A promise counts as broken when the whole interval is above it (false rollbacks) or
below it (harms); the error of 2.5% is shared among all groups of one table, so that a long table does not accuse by
chance (Bonferroni). A promise of power is about changes as large as `detect`, and git does not know how large a harm
was: a share of stopped harms below the promise is a doubt, not a broken promise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Final, Literal

from generator.dataclass import dataclass
from generator.stats.binomial import Interval, clopper_pearson

_TAIL: Final = 0.025
_PROMISES: Final = (
    12  # different promises that get a group each; more are grouped by rounding to whole percent
)
Kind = Literal["all", "team", "tier", "guard", "promise", "model"]


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
        tier: the tier; empty if git does not know it.
        digest: of the model's files.
        watched: the guards that measured something.
        power: smallest power in its plan; None without one.
        promised_exposed: mean requests to a bad version in its plan; None without one.
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
    tier: str = ""
    digest: str = ""
    watched: tuple[str, ...] = ()
    power: float | None = None
    promised_exposed: float | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What people decided about a release after it: an entry of a quarantine.

    Args:
        model: team/model.
        tier: the tier; empty if git does not know it.
        environment: where it was taken back; empty for every environment.
        key: its release key; empty where the entry names the digest only.
        digest: of the model's files; empty where the entry names the key.
        bad: whether it is in quarantine still; released from it otherwise.
        since: first day (ISO 8601).
    """

    model: str
    tier: str
    environment: str
    key: str
    digest: str
    bad: bool
    since: str

    def is_about(self, release: PastRelease) -> bool:
        """Return whether a release is the one that people decided about."""
        if self.model != release.model or self.environment not in {"", release.environment}:
            return False
        return self.key == release.key if self.key else self.digest == release.digest


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a proven release waited for a gated environment: from the end of its proof to its promotion."""

    model: str
    tier: str
    environment: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Past:
    """Everything that git knows of releases that have ended.

    Args:
        releases: oldest first.
        judgements: what people decided later.
        waits: of promotions, oldest first.
        untrusted: how many records can't be trusted and are left out.
    """

    releases: Sequence[PastRelease]
    judgements: Sequence[Judgement] = ()
    waits: Sequence[Wait] = ()
    untrusted: int = 0


@dataclass(frozen=True, slots=True)
class Rate:
    """A share that a plan promised, and what was seen.

    Args:
        cases: how many times it happened.
        trials: among how many.
        promised: mean promise of these; None without one.
        seen: cases of trials; None without trials.
        interval: of `seen`, 95%.
        off: whether the whole interval, with the error of its table, is on the wrong side of the promise.
    """

    cases: int = 0
    trials: int = 0
    promised: float | None = None
    seen: float | None = None
    interval: Interval | None = None
    off: bool = False


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """The track record of some releases.

    Args:
        kind: what they have in common.
        label: its name; empty for all.
        releases: how many have ended.
        aborted: how many were aborted.
        by_hand: how many of those no guard aborted.
        false_rollbacks: aborts known to be false, among releases known to be good; for one guard the promise is that
            of its whole plan.
        stopped: harms stopped, among those known: promised is the smallest power of each plan.
        unrecorded: releases that were taken back and have no record.
        rollback_s: mean time from the first analysis to an abort; None without one.
        rollback_p90_s: the time within which nine of ten aborts came.
        exposed: mean requests to the new version in aborted releases; None if unknown.
        exposed_most: the largest number.
        promised_exposed: the mean that their plans promised for a bad version.
        through_exposed: requests to the harms that got through, up to their last check; None if unknown.
        steps_s: time from the first analysis to the end, over all completed releases.
        waits: promotions into gated environments that rest on records.
        waited_s: time from the end of their proofs until they were promoted.
        last: the newest release; None without one.
    """

    kind: Kind
    label: str
    releases: int
    aborted: int
    by_hand: int
    false_rollbacks: Rate
    stopped: Rate
    unrecorded: int
    rollback_s: float | None
    rollback_p90_s: float | None
    exposed: float | None
    exposed_most: int | None
    promised_exposed: float | None
    through_exposed: int | None
    steps_s: float
    waits: int
    waited_s: float
    last: PastRelease | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """What they have in common, in words."""
        return f"{self.kind} {self.label}".strip()

    @property
    def broken(self) -> bool:
        """Whether the promise of false rollbacks is broken by more than chance explains."""
        return self.false_rollbacks.off

    @property
    def got_through(self) -> int:
        """Harms that got through."""
        return self.stopped.trials - self.stopped.cases


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of each release, by its position: whether its abort was false, and whether it was taken back."""

    past: Past
    false: frozenset[int]
    through: frozenset[int]
    unrecorded: Sequence[Judgement]

    @staticmethod
    def of(past: Past) -> _Known:
        about: dict[tuple[str, str], list[Judgement]] = {}
        for judgement in past.judgements:
            about.setdefault((judgement.model, judgement.key or judgement.digest), []).append(judgement)
        completed: Mapping[tuple[str, str, str], str] = {
            (r.model, r.environment, r.key): r.end
            for r in sorted(past.releases, key=lambda r: r.end)
            if not r.aborted and r.key
        }
        false, through, recorded = set[int](), set[int](), set[int]()
        for at, release in enumerate(past.releases):
            named = (
                *about.get((release.model, release.key), ()),
                *about.get((release.model, release.digest), ()),
            )
            found = [one for one in named if one.is_about(release)]
            recorded.update(map(id, found))
            if release.aborted:
                later = completed.get((release.model, release.environment, release.key), "") > release.end
                if release.guards and (later or any(not one.bad for one in found)):
                    false.add(at)
            elif any(one.bad and one.since >= release.end[:10] for one in found):
                through.add(at)
        unrecorded = [one for one in past.judgements if one.bad and id(one) not in recorded]
        return _Known(past, frozenset(false), frozenset(through), unrecorded)


def track_records(past: Past) -> list[TrackRecord]:
    """Return the track record of all releases, by team, tier, guard and, where plans differ in it, promise."""
    known, releases = _Known.of(past), past.releases
    groups: list[_Group] = [_Group("all", "", range(len(releases)))]
    groups += _grouped("team", [(release.team,) for release in releases])
    groups += _grouped("tier", [(release.tier,) for release in releases])
    aborting = {guard for release in releases for guard in release.guards}
    groups += _grouped("guard", [aborting.intersection(r.guards + r.watched) for r in releases])
    groups += _by_promise(releases)
    return [_record(group, known, len(groups)) for group in groups]


def by_model(past: Past) -> dict[str, TrackRecord]:
    """Return the track record of each model, by team/model."""
    known = _Known.of(past)
    models = {one.model for one in past.releases} | {one.model for one in past.waits}
    models |= {one.model for one in known.unrecorded}
    found = {one.label: one for one in _grouped("model", [(release.model,) for release in past.releases])}
    return {
        model: _record(found.get(model, _Group("model", model, ())), known, len(models))
        for model in sorted(models)
    }


@dataclass(frozen=True, slots=True)
class _Group:
    """Releases with something in common, by position."""

    kind: Kind
    label: str
    positions: Sequence[int]


def _grouped(kind: Kind, labels: Sequence[Iterable[str]]) -> list[_Group]:
    """Return one group for each label, sorted; an empty label has none."""
    found: dict[str, list[int]] = {}
    for at, names in enumerate(labels):
        for name in names:
            found.setdefault(name, []).append(at)
    return [_Group(kind, label, positions) for label, positions in sorted(found.items()) if label]


def _by_promise(releases: Sequence[PastRelease]) -> list[_Group]:
    """Return groups of equal promises of false rollbacks, if plans differ: a wrong one can hide behind right ones."""
    promises = {r.promised for r in releases if r.promised is not None}
    digits = 3 if len(promises) <= _PROMISES else 2
    shown = [() if r.promised is None else (f"{round(r.promised, digits) * 100:g}%",) for r in releases]
    found = sorted(_grouped("promise", shown), key=lambda group: float(group.label.rstrip("%")))
    return found if len(found) > 1 else []


def _record(group: _Group, known: _Known, groups: int) -> TrackRecord:
    kind, label, positions = group.kind, group.label, group.positions
    releases = known.past.releases
    some = [releases[at] for at in positions]
    of_guard = label if kind == "guard" else None
    aborted = [at for at in positions if releases[at].aborted]
    blamed = [at for at in aborted if _blames(releases[at], of_guard)]
    wrong = [at for at in blamed if at in known.false]
    through = [at for at in positions if at in known.through]
    good = [at for at in positions if _is_good(releases[at]) and at not in known.through]
    stopped = [at for at in blamed if at not in known.false]
    times = sorted(releases[at].seconds or 0.0 for at in blamed if releases[at].seconds)
    exposed = [releases[at].exposed for at in (blamed if of_guard else aborted)]
    waits = [one for one in known.past.waits if _belongs(kind, label, one)]
    rate = _Rates(releases, groups)
    return TrackRecord(
        kind=kind,
        label=label,
        releases=len(some),
        aborted=len(blamed) if of_guard else len(aborted),
        by_hand=0 if of_guard else sum(not releases[at].guards for at in aborted),
        false_rollbacks=rate.of(wrong, wrong + good, lambda r: r.promised, most=True),
        # Which guard should have stopped a harm that got through is not known.
        stopped=Rate(len(stopped), len(stopped))
        if of_guard
        else rate.of(stopped, stopped + through, lambda r: r.power, most=False),
        unrecorded=sum(_belongs(kind, label, one) for one in known.unrecorded),
        rollback_s=_mean(times),
        rollback_p90_s=times[math.ceil(0.9 * len(times)) - 1] if times else None,
        exposed=_mean(exposed),
        exposed_most=max((count for count in exposed if count is not None), default=None),
        promised_exposed=_mean([releases[at].promised_exposed for at in blamed]),
        through_exposed=_sum(releases[at].exposed for at in through),
        steps_s=math.fsum(release.seconds or 0.0 for release in some if not release.aborted),
        waits=len(waits),
        waited_s=math.fsum(one.seconds for one in waits),
        last=max(some, key=lambda release: release.end, default=None),
    )


def _blames(release: PastRelease, guard: str | None) -> bool:
    return guard in release.guards if guard else bool(release.guards)


def _is_good(release: PastRelease) -> bool:
    """Return whether a release was completed and guards could have aborted it: a first release has no analysis."""
    return bool(release.watched) and not release.aborted


def _belongs(kind: Kind, label: str, one: Judgement | Wait) -> bool:
    return kind == "all" or label == {
        "team": one.model.partition("/")[0],
        "tier": one.tier,
        "model": one.model,
    }.get(kind)


@dataclass(frozen=True, slots=True)
class _Rates:
    """Rates of some releases by position; the error is shared among `groups`."""

    releases: Sequence[PastRelease]
    groups: int

    def of(
        self,
        cases: Sequence[int],
        trials: Sequence[int],
        promise: Callable[[PastRelease], float | None],
        *,
        most: bool,
    ) -> Rate:
        """Return a rate among the releases with a promise, if there are any; `most` where it is an upper bound."""
        with_promise = {at for at in trials if promise(self.releases[at]) is not None}
        counted = with_promise or set(trials)
        if not counted:
            return Rate()
        promised = _mean([promise(self.releases[at]) for at in counted])
        count, number = sum(at in counted for at in cases), len(counted)
        strict = clopper_pearson(count, number, tail=_TAIL / self.groups)
        off = promised is not None and (strict.low > promised if most else strict.high < promised)
        interval = clopper_pearson(count, number, tail=_TAIL)
        return Rate(count, number, promised, count / number, interval, off)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
