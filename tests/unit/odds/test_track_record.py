"""The track record finds a promise that is wrong, and does not accuse one that is right."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

import pytest

from generator.odds.track_record import (
    Judgement,
    Past,
    PastRelease,
    TrackRecord,
    Wait,
    by_model,
    track_records,
)


@dataclass
class Simulated:
    """Releases of five teams in two tiers, with the truth about them.

    Args:
        seed: of the random numbers.
        promised: chance of a false rollback, by tier.
        true: the true one, by tier.
        power: the true chance that a harm is stopped; 90% are promised.
        harmful: share of harmful versions.
    """

    seed: int
    promised: dict[str, float]
    true: dict[str, float]
    power: float = 0.9
    harmful: float = 0.1
    releases: list[PastRelease] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)

    def past(self, number: int) -> Past:
        rng = Random(self.seed)
        tiers = list(self.promised)
        for key in range(number):
            team, tier = rng.choice("abcde"), rng.choice(tiers)
            if rng.random() < self.harmful:
                self._harmful(rng, team, tier, key)
            else:
                self._good(rng, team, tier, key)
        return Past(self.releases, self.judgements)

    def _harmful(self, rng: Random, team: str, tier: str, key: int) -> None:
        stopped = rng.random() < self.power
        self._add(rng, team, tier, key, aborted=stopped)
        if not stopped:
            self._judge(team, tier, key, bad=True)

    def _good(self, rng: Random, team: str, tier: str, key: int) -> None:
        """A good version that was rolled back is tried again unchanged, or people find out that it was good."""
        while rng.random() < self.true[tier]:
            self._add(rng, team, tier, key, aborted=True)
            if rng.random() < 0.2:
                self._judge(team, tier, key, bad=False)
                return
        self._add(rng, team, tier, key, aborted=False)

    def _judge(self, team: str, tier: str, key: int, *, bad: bool) -> None:
        self.judgements.append(Judgement(f"{team}/m", tier, "staging", f"k{key}", "", bad, "3000-01-01"))

    def _add(self, rng: Random, team: str, tier: str, key: int, *, aborted: bool) -> None:
        guard = rng.choice(["ctr", "error-rate"])
        self.releases.append(
            PastRelease(
                team, f"{team}/m", "staging", f"k{key}", f"2026-{len(self.releases):09d}", aborted,
                (guard,) if aborted else (), self.promised[tier], 1000 if aborted else None, 60.0, tier,
                watched=("ctr", "error-rate"), power=0.9,
            )
        )  # fmt: skip


def history(number: int, promised: float, true: float, seed: int) -> Past:
    return Simulated(seed, {"standard": promised}, {"standard": true}).past(number)


def named(found: list[TrackRecord]) -> dict[str, TrackRecord]:
    return {one.name: one for one in found}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("true", [0.05, 0.03])
def test_a_right_promise_is_not_accused(seed: int, true: float) -> None:
    found = track_records(history(10_000, 0.05, true, seed))
    assert [one.name for one in found if one.broken or one.stopped.off] == []
    assert found[0].false_rollbacks.interval is not None
    assert found[0].false_rollbacks.seen == pytest.approx(true, abs=0.008)


@pytest.mark.parametrize("seed", range(5))
def test_a_wrong_promise_is_found(seed: int) -> None:
    found = track_records(history(10_000, 0.05, 0.08, seed))
    assert found[0].broken
    assert found[0].false_rollbacks.interval is not None
    assert found[0].false_rollbacks.interval.low > 0.05


@pytest.mark.parametrize("seed", range(5))
def test_a_wrong_promise_does_not_hide_behind_right_ones(seed: int) -> None:
    """Together they keep what they promise on average; the tier that does not, and its promise, are named."""
    promised, true = {"strict": 0.01, "loose": 0.1}, {"strict": 0.03, "loose": 0.06}
    found = track_records(Simulated(seed, promised, true).past(10_000))
    assert not found[0].broken
    off = {one.name for one in found if one.broken}
    assert {"tier strict", "promise 1%"} <= off
    assert off.isdisjoint({"tier loose", "promise 10%"})


@pytest.mark.parametrize("seed", range(5))
def test_power_below_its_promise_is_a_doubt(seed: int) -> None:
    found = track_records(Simulated(seed, {"t": 0.05}, {"t": 0.05}, power=0.8).past(10_000))[0]
    assert found.stopped.off
    assert not found.broken
    assert found.stopped.seen == pytest.approx(0.8, abs=0.04)


def test_intervals_cover_the_truth() -> None:
    covered = 0
    for seed in range(200):
        interval = track_records(history(300, 0.05, 0.05, seed))[0].false_rollbacks.interval
        assert interval is not None
        covered += interval.low <= 0.05 <= interval.high
    assert covered >= 190 - 6


def one(key: str, end: str, *, aborted: bool, where: str = "staging", guards: bool = True) -> PastRelease:
    names = ("ctr",) if guards else ()
    return PastRelease(
        "a", "a/m", where, key, end, aborted, names if aborted else (), 0.05, 10, 60.0, "t", "d", names
    )


def judged(
    key: str = "k", *, bad: bool = True, since: str = "2026-05-01", where: str = "staging"
) -> Judgement:
    return Judgement("a/m", "t", where, key, "" if key else "d", bad, since)


def whole(*releases: PastRelease, judgements: tuple[Judgement, ...] = ()) -> TrackRecord:
    return track_records(Past(releases, judgements))[0]


def test_an_abort_is_false_only_if_the_same_key_passed_there_later() -> None:
    aborted = one("k", "2026-02", aborted=True)
    later = one("k", "2026-03", aborted=False)
    assert whole(aborted, later).false_rollbacks.cases == 1
    for other in (
        one("k", "2026-01", aborted=False),
        one("other", "2026-03", aborted=False),
        one("k", "2026-03", aborted=False, where="production"),
        one("k", "2026-03", aborted=True),
    ):
        assert whole(aborted, other).false_rollbacks.cases == 0
    by_hand = one("k", "2026-02", aborted=True, guards=False)
    assert whole(by_hand, later).false_rollbacks.cases == 0
    assert whole(by_hand, later).by_hand == 1
    assert track_records(Past(()))[0].releases == 0


def test_a_guard_is_compared_with_the_releases_that_it_measured() -> None:
    found = track_records(
        Past([one("k", "2026-02", aborted=True), one("k", "2026-03", aborted=False), one("x", "2026-03", aborted=False, guards=False)])
    )  # fmt: skip
    guard = named(found)["guard ctr"]
    assert (guard.releases, guard.aborted, guard.false_rollbacks.cases, guard.false_rollbacks.trials) == (
        2,
        1,
        1,
        2,
    )
    assert found[0].false_rollbacks.trials == 2  # a release without analysis could not be rolled back


def test_an_abort_that_people_released_from_quarantine_is_false() -> None:
    aborted = one("k", "2026-02-01", aborted=True)
    assert whole(aborted, judgements=(judged(bad=False),)).false_rollbacks.cases == 1
    for other in (judged(), judged("x", bad=False), judged(bad=False, where="production")):
        assert whole(aborted, judgements=(other,)).false_rollbacks.cases == 0


def test_a_completed_release_that_was_taken_back_got_through() -> None:
    done = one("k", "2026-02-01", aborted=False)
    for judgement in (judged(), judged("", where=""), judged(since="2026-02-01")):
        found = whole(done, judgements=(judgement,))
        assert (found.got_through, found.through_exposed, found.false_rollbacks.trials) == (1, 10, 0)
    for other in (judged(bad=False), judged("x"), judged(where="production"), judged(since="2026-01-31")):
        assert whole(done, judgements=(other,)).got_through == 0
    stopped = whole(done, one("bad", "2026-03", aborted=True), judgements=(judged(),)).stopped
    assert (stopped.cases, stopped.trials, stopped.seen) == (1, 2, 0.5)


def test_what_was_taken_back_without_a_record_is_said() -> None:
    done = one("k", "2026-02-01", aborted=False)
    found = track_records(Past([done], [judged(where="production"), judged("x", bad=False)]))
    assert {one.name: one.unrecorded for one in found} == {"all": 1, "team a": 1, "tier t": 1}


def test_hours_are_those_of_completed_releases_and_of_promotions() -> None:
    waits = (Wait("a/m", "t", "production", 3600.0), Wait("b/m", "u", "production", 60.0))
    releases = [one("k", "2026-02", aborted=True), one("k", "2026-03", aborted=False)]
    found = named(track_records(Past(releases, (), waits)))
    assert (found["all"].steps_s, found["all"].waits, found["all"].waited_s) == (60.0, 2, 3660.0)
    assert (found["team a"].waits, found["tier t"].waited_s) == (1, 3600.0)
    models = by_model(Past(releases, (), waits))
    assert list(models) == ["a/m", "b/m"]
    assert models["a/m"].last == releases[1]
    assert models["b/m"].last is None


def test_exposure_and_time_are_those_of_aborts() -> None:
    times = [replace(one("k", "2026-02", aborted=True), seconds=60.0 * n, exposed=n) for n in range(1, 11)]
    found = whole(*times, one("x", "2026-03", aborted=False))
    assert (found.rollback_s, found.rollback_p90_s) == (330.0, 540.0)
    assert (found.exposed, found.exposed_most) == (5.5, 10)
