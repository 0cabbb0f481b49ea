"""The numbers of guards from counters, against sums written down stratum by stratum."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import replace
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.odds.replay.counters import ArmCounters, Counter, EventShareSum, Gauge, Pair
from generator.promql.event_share import EventShare, LoadMatch, Mask

STEP, SCRAPE = 60, 15
COUNTS = st.lists(st.integers(0, 400), min_size=4, max_size=60)


def counter(added, start=0):
    times = [start + i * SCRAPE * 1000 for i in range(len(added))]
    return Counter(times, list(accumulate(added)))


def pair_of(canary, stable, rates, born=0, pods=(1, 4)):
    def side(added, rate, start, count):
        events = counter([requests * rate for requests in added], start)
        return ArmCounters(counter(added, start), events, Gauge(events.times, [count] * len(added)))

    return Pair(side(canary, rates[0], born, pods[0]), side(stable, rates[1], 0, pods[1]))


def grown(counter, start_s, end_s):
    """Difference of the last samples at or before two times, nothing before the first."""

    def at(time_s):
        return counter.totals[max(0, bisect_right(counter.times, time_s * 1000) - 1)]

    return at(end_s) - at(start_s)


def most(gauge, start_s, end_s):
    """Largest sample in a range that includes its end."""
    each = zip(gauge.times, gauge.values, strict=True)
    return max((value for at, value in each if start_s * 1000 < at <= end_s * 1000), default=0)


def share(pair, start_s, end_s):
    canary, stable = (grown(side.requests, start_s, end_s) for side in (pair.canary, pair.stable))
    return canary / (canary + stable) if canary + stable else 0.0


def alike(pair, load, end_s):
    """Whether a pod of each version has the same load, at the weight that is nearest to the share."""
    start = end_s - STEP
    canary, stable = (most(side.pods, start, end_s) for side in (pair.canary, pair.stable))
    if not canary or not stable:
        return False
    measured = share(pair, start, end_s)
    weight = min(reversed(load.weights), key=lambda one: round(abs(one - measured), 9))
    if measured <= load.weights[0]:
        weight = load.weights[0]
    ratio = (weight / canary) / ((1 - weight) / stable)
    return 1 / load.tolerance - 1e-6 < ratio < load.tolerance + 1e-6


def reference(pair, test, at_s):
    """The definition, every stratum anew."""
    terms = []
    for k in range(math.ceil((at_s - test.horizon_s) / STEP), math.floor(at_s / STEP) + 1):
        start, end = (k - 1) * STEP, k * STEP
        part = share(pair, start, end)
        if grown(pair.canary.requests, start, end) <= 0:
            continue
        if test.mask:
            back = test.mask.lookback_s
            before = share(pair, end - 2 * back, end - back)
            change = share(pair, end - back, end) / before if before else math.inf
            if not 1 / test.mask.tolerance < change < test.mask.tolerance:
                continue
        if test.load and not alike(pair, test.load, end):
            continue
        canary, stable = (grown(side.events, start, end) for side in (pair.canary, pair.stable))
        llr = canary * math.log(test.rate_ratio) - (canary + stable) * math.log(
            1 + (test.rate_ratio - 1) * part
        )
        terms.append(llr / test.design_effect)
    return (math.fsum(terms),) if terms else ()


@given(
    COUNTS,
    COUNTS,
    st.sampled_from([0.9, 0.5, 2.0]),
    st.sampled_from([None, Mask(60, 1.4), Mask(150, 1.2)]),
    st.sampled_from([None, LoadMatch((0.2,), 1.25), LoadMatch((0.05, 0.25, 0.5), 1.4)]),
    st.sampled_from([300, 7200]),
    st.integers(0, 1200),
)
def test_running_sums_are_the_definition(canary, stable, ratio, mask, load, horizon, born):
    pair = pair_of(canary, stable, (0.03, 0.05), born=born * 1000)
    test = EventShare(ratio, STEP, SCRAPE, horizon, 2.0, mask, load)
    found = EventShareSum(pair, test)
    for at in (0, 37, 300, 301, 615, 900, 2400):
        assert found.at(at * 1000) == pytest.approx(reference(pair, test, at), abs=1e-9)


def test_looking_in_any_order_gives_the_same():
    pair, test = pair_of([50] * 80, [950] * 80, (0.02, 0.04)), EventShare(0.9, STEP, SCRAPE, 7200)
    forwards, backwards = EventShareSum(pair, test), EventShareSum(pair, test)
    times = range(0, 1_200_000, 30_000)
    assert [forwards.at(t) for t in times] == [backwards.at(t) for t in reversed(times)][::-1]


def test_nothing_counts_before_the_canary_and_the_mask_lifts_two_lookbacks_later():
    pair = pair_of([50] * 100, [950] * 140, (0.04, 0.04), born=600_000)
    plain = EventShareSum(pair, EventShare(0.9, STEP, SCRAPE, 7200))
    masked = EventShareSum(pair, EventShare(0.9, STEP, SCRAPE, 7200, mask=Mask(150, 1.1)))
    first = {
        name: next(t for t in range(0, 2000, 60) if one.at(t * 1000))
        for name, one in {"plain": plain, "masked": masked}.items()
    }
    assert first == {"plain": 660, "masked": 900}


def test_unequal_loads_are_no_evidence_and_equal_ones_are():
    test = EventShare(1.5, STEP, SCRAPE, 7200, load=LoadMatch((0.2, 0.25), 1.25))
    quarter, fifth = ([250] * 80, [750] * 80), ([200] * 80, [800] * 80)
    for requests, counts in ((quarter, False), (fifth, True)):
        found = EventShareSum(pair_of(*requests, (0.04, 0.02)), test)
        assert bool(found.at(1_200_000)) is counts
        assert bool(found.requests_at(1_200_000)) is counts
    assert found.requests_at(1_200_000) == (200 * 79,)


def test_pods_that_were_not_recorded_are_no_evidence():
    pair = pair_of([200] * 80, [800] * 80, (0.04, 0.02))
    blind = Pair(replace(pair.canary, pods=None), pair.stable)
    test = EventShare(1.5, STEP, SCRAPE, 7200, load=LoadMatch((0.2, 0.25), 1.25))
    assert EventShareSum(pair, test).at(1_200_000)
    assert EventShareSum(blind, test).at(1_200_000) == ()


def test_pods_that_appear_within_a_stratum_count_whole_as_in_an_average_of_their_scrapes():
    gauge = Gauge([15_000, 30_000, 45_000], [1.0, 7.0, 6.0])
    assert [gauge.largest(*ends) for ends in ((0, 60_000), (30_000, 60_000), (0, 15_000), (45_000, 60_000))] == [7, 6, 1, 0]  # fmt: skip


def test_a_restart_loses_nothing():
    counter = Counter([0, 1000, 2000, 3000], [100.0, 130.0, 20.0, 50.0])
    assert counter.increase(0, 3000) == 80.0
    assert counter.increase(-9, 0) == 0.0
    assert counter.increase(3000, 9000) == 0.0


def test_what_was_counted_while_scrapes_were_missing_is_in_no_short_range():
    kept = [second for second in range(0, 1201, 15) if not 300 < second < 900]
    counter = Counter([second * 1000 for second in kept], [float(second) for second in kept])
    minutes = [counter.increase(k * 60_000, (k + 1) * 60_000) for k in range(20)]
    assert minutes == [60.0] * 5 + [0.0] * 10 + [60.0] * 5
    assert counter.increase(0, 1_200_000) == 1200.0
    assert counter.increase(340_000, 905_000) == 0.0


def test_a_late_or_a_lost_scrape_loses_nothing():
    late = Counter([0, 15_000, 29_000, 46_000, 60_000, 90_000], [0.0, 15.0, 29.0, 46.0, 60.0, 90.0])
    assert late.increase(0, 60_000) + late.increase(60_000, 120_000) == 90.0
    assert late.increase(30_000, 75_000) + late.increase(75_000, 90_000) == 61.0


def test_a_gap_moves_the_statistic_no_further_than_prometheus_would():
    def side(rate):
        kept = [second for second in range(0, 3601, 15) if not 600 < second < 1800]
        times = [second * 1000 for second in kept]
        return ArmCounters(
            Counter(times, [10.0 * s for s in kept]), Counter(times, [10.0 * rate * s for s in kept])
        )

    test = EventShareSum(Pair(side(0.03), side(0.04)), EventShare(0.9, STEP, SCRAPE, 14400))
    values = [test.at(minute * 60_000)[0] for minute in range(2, 60)]
    steps = [after - before for before, after in pairwise(values)]
    assert max(steps) == pytest.approx(steps[0])
    assert min(steps) == 0.0


def test_a_counter_without_samples_stands_still():
    assert Counter([], []).increase(0, 1000) == 0.0
    with pytest.raises(ValueError, match="as many values as times"):
        Counter([1], [])


def test_the_usual_step_is_that_of_the_first_hundred():
    """50 short steps and 50 long ones, then only short ones: one sample more or less has another median."""
    short, long = [10] * 50, [1000] * 50
    times = [0, *accumulate([*short, *long, *[10] * 500])]
    assert Counter(times, [0.0] * len(times)).reach == 2 * 1000
    assert Counter(times[:100], [0.0] * 100).reach == 2 * 10
