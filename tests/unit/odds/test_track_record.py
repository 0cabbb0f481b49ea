"""The track record finds a promise that is wrong, and does not accuse one that is right."""

from __future__ import annotations

from random import Random

import pytest

from generator.odds.track_record import PastRelease, track_records


def history(releases: int, promised: float, true: float, harmful: float, seed: int) -> list[PastRelease]:
    """Releases of five teams; a good one is rolled back with the true chance, and tried again unchanged."""
    rng, found = Random(seed), []

    def add(team: str, key: int, *, aborted: bool) -> None:
        end = f"2026-{len(found):09d}"
        guards = (rng.choice(["ctr", "error-rate"]),) if aborted else ()
        exposed = 1000 if aborted else None
        found.append(
            PastRelease(
                team, f"{team}/m", "staging", f"k{key}", end, aborted, guards, promised, exposed, 60.0
            )
        )

    for key in range(releases):
        team = rng.choice("abcde")
        if rng.random() < harmful:
            add(team, key, aborted=True)
            continue
        while rng.random() < true:
            add(team, key, aborted=True)
        add(team, key, aborted=False)
    return found


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("true", [0.05, 0.03])
def test_a_right_promise_is_not_accused(seed: int, true: float) -> None:
    found = track_records(history(10_000, 0.05, true, 0.1, seed))
    assert [one.name for one in found if one.broken] == []
    assert found[0].interval is not None
    assert found[0].seen == pytest.approx(true, abs=0.008)


@pytest.mark.parametrize("seed", range(10))
def test_a_wrong_promise_is_found(seed: int) -> None:
    found = track_records(history(10_000, 0.05, 0.08, 0.1, seed))
    assert found[0].broken
    assert found[0].interval is not None
    assert found[0].interval.low > 0.05


def test_intervals_cover_the_truth() -> None:
    covered = 0
    for seed in range(200):
        interval = track_records(history(300, 0.05, 0.05, 0.1, seed))[0].interval
        assert interval is not None
        covered += interval.low <= 0.05 <= interval.high
    assert covered >= 190 - 6


def test_an_abort_is_false_only_if_the_same_key_passed_there_later() -> None:
    def one(key: str, end: str, *, aborted: bool, where: str = "staging") -> PastRelease:
        return PastRelease("a", "a/m", where, key, end, aborted, ("ctr",) if aborted else (), 0.05, 10, 60.0)

    aborted = one("k", "2026-02", aborted=True)
    later = one("k", "2026-03", aborted=False)
    assert track_records([aborted, later])[0].false == 1
    for other in (
        one("k", "2026-01", aborted=False),
        one("other", "2026-03", aborted=False),
        one("k", "2026-03", aborted=False, where="production"),
        one("k", "2026-03", aborted=True),
    ):
        assert track_records([aborted, other])[0].false == 0
    guard = track_records([aborted, later])[-1]
    assert (guard.name, guard.aborted, guard.false, guard.seen) == ("guard ctr", 1, 1, None)
    assert track_records([])[0].releases == 0
