"""What histories say: estimates against SciPy and known worlds, and guards stable against stable."""

from __future__ import annotations

import json
import math
import re
from array import array
from dataclasses import replace

import numpy as np
import pytest
import yaml
from scipy import stats

from generator.odds.calibration import (
    History,
    PodCounts,
    baseline,
    delay_s,
    design_effect,
    hours_of_week,
    increments,
    pod_load,
)
from generator.odds.odds import odds_of
from generator.odds.replay.counters import ArmCounters, Counter, EventShareSum, Pair
from generator.odds.stable_pairs import (
    Tried,
    effect_that_holds,
    fired,
    promise_digest,
    stable_against_stable,
    tried_windows,
)
from generator.pipeline.calibrate import calibrate, write_calibration
from generator.pipeline.evaluate import plans_of
from generator.pipeline.session import open_session
from generator.promql.event_share import EventShare
from generator.stats.sequential import boundary
from tests.unit.odds.conftest import CHECKOUT
from tests.unit.odds.histories import MONDAY, RATES, World, simulated
from tests.unit.plan.rollouts import as_limit, weight_step, with_steps

CALM = World(days=6)


@pytest.fixture(scope="module")
def calm() -> History:
    return simulated(CALM)


def test_a_counter_grows_by_what_it_shows_after_a_restart_and_gaps_are_not_known():
    samples = {0: 5.0, 60_000: 9.0, 120_000: 2.0, 240_000: 4.0}
    grown = increments(samples, 0, 5)
    assert list(grown[:2]) == [4.0, 2.0]
    assert all(map(math.isnan, grown[2:]))


def test_a_baseline_has_the_interval_of_independent_requests_where_they_are(calm):
    requests, events = calm.totals("ctr")
    found = baseline(calm, requests, events)
    exact = stats.binomtest(int(sum(events)), int(sum(requests))).proportion_ci()
    assert found.low < RATES["ctr"] < found.high
    assert found.value == pytest.approx(sum(events) / sum(requests))
    assert 0.3 < (found.high - found.low) / (exact.high - exact.low) < 2


@pytest.mark.parametrize("cluster", [1, 3, 6])
def test_the_design_effect_is_the_size_of_clusters(cluster):
    history = simulated(World(days=4, pods=4, cluster=cluster, bursts=0.05, drift=0.5))
    for guard in RATES:
        found = design_effect(history, guard)
        assert found.value == pytest.approx(cluster, rel=0.15)
        assert found.low < found.value < found.high


def test_the_design_effect_is_scipys_chi_square_by_its_degrees_of_freedom():
    requests, events = [100, 220, 90], [7, 9, 12]
    pods = {
        str(i): PodCounts(array("d", [n]), array("d", [x]))
        for i, (n, x) in enumerate(zip(requests, events, strict=True))
    }
    history = History(MONDAY, 1, {"ctr": pods}, dict.fromkeys(pods, "a"))
    table = np.array([events, np.subtract(requests, events)])
    expected = stats.chi2_contingency(table, correction=False)
    assert design_effect(history, "ctr").value == pytest.approx(expected.statistic / expected.dof)


def test_pods_that_differ_for_long_have_a_larger_effect_over_an_hour():
    assert design_effect(simulated(World(days=3, uneven=0.1)), "ctr").value > 10


@pytest.mark.parametrize("delay", [0.0, 60.0, 240.0])
def test_the_delay_is_found_in_the_noise_of_requests(delay):
    history = simulated(World(days=20, bursts=0.05, delay_s=delay))
    found = delay_s(history, *history.totals("ctr"))
    assert found.low <= max(delay, 0.0) * 1.05
    assert found.high >= delay * 0.95
    assert found.value == pytest.approx(delay, rel=0.3, abs=8)


def test_a_delay_without_events_is_not_known():
    assert delay_s(History(MONDAY, 600, {}, {}), [100.0] * 600, [0.0] * 600) is None


def test_the_quietest_hour_of_the_week_and_the_load_of_a_pod(calm):
    hours = hours_of_week(calm, calm.totals("ctr")[0])
    known = [hour for hour in hours if not math.isnan(hour)]
    assert len(known) == 24 * CALM.days
    assert all(map(math.isnan, hours[24 * CALM.days :]))  # from Monday to Saturday
    assert hours.index(min(known)) % 24 in {3, 4}
    assert min(known) == pytest.approx(CALM.rps / 2, rel=0.05)
    load = pod_load(calm, "ctr")
    assert load.value == pytest.approx(CALM.rps / CALM.pods, rel=0.02)
    assert load.low < load.value < load.high


def test_the_evidence_of_a_window_is_that_of_a_replay(recommender, calm):
    """The same pods as recorded counters, given to the statistic that replay computes and PromQL renders."""
    plan = with_steps(recommender, [weight_step(50, 3600.0)])
    guard = replace(next(g for g in plan.guards if g.name == "error-rate"), ratio=1.02, alpha=0.5)
    one = next(tried_windows(replace(plan, guards=(guard,)), calm))
    peaks = [_replayed(calm, guard, split) for split in range(8)]
    assert any(one.peaks[0] == pytest.approx(peak / boundary(guard.alpha)) for peak in peaks)


def _replayed(history, guard, split):
    from random import Random

    pods = sorted(history.counts[guard.name])
    for earlier in range(split + 1):
        Random(f"1/0/{earlier}").shuffle(pods)

    def arm(names):
        def counter(kind):
            grown = np.sum([getattr(history.counts[guard.name][pod], kind)[:60] for pod in names], axis=0)
            return Counter([60_000 * i for i in range(61)], [0.0, *np.cumsum(grown)])

        return ArmCounters(counter("requests"), counter("events"))

    total = EventShareSum(Pair(arm(pods[:4]), arm(pods[4:])), EventShare(guard.ratio, 60.0, 15.0, 7200.0))
    return max(0.0, *(total.at(60_000 * minute)[0] for minute in range(1, 61)))


@pytest.mark.parametrize(
    "world",
    [World(days=8), World(days=8, bursts=0.05), World(days=8, drift=0.5), World(days=8, pods=4, delay_s=60)],
    ids=["cycle", "bursts", "drift", "late"],
)
def test_the_promise_holds_while_requests_are_independent(recommender, world):
    found = stable_against_stable(recommender, 0.05, list(tried_windows(recommender, simulated(world))))
    (as_planned,) = found.fired
    assert as_planned.share.high <= 0.05
    assert as_planned.share.low <= odds_of(recommender).false_rollback + 0.01


@pytest.mark.parametrize(
    "world", [World(days=8, cluster=4), World(days=8, uneven=0.05)], ids=["users", "pods"]
)
def test_a_broken_promise_gets_the_design_effect_that_keeps_it(recommender, world):
    tried = list(tried_windows(recommender, simulated(world)))
    before, after = stable_against_stable(recommender, 0.05, tried).fired
    assert before.share.low > 0.05
    assert after.share.value <= 0.05
    assert after.design_effect == effect_that_holds(tried, 0.05)
    smaller = after.design_effect - 0.1
    assert sum(one.fired(smaller) for one in tried) > 0.05 * len(tried)


def test_no_firing_has_the_upper_bound_of_independent_windows():
    none = [Tried(day, (0.1,), limited=False) for day in range(30)]
    assert fired(none, 1.0, 60).high == pytest.approx(stats.beta.ppf(0.95, 1, 60))
    assert effect_that_holds(none, 0.05) == 1.0


def test_a_limit_that_fires_is_not_cured_by_a_design_effect(recommender, calm):
    guard = as_limit(next(g for g in recommender.guards if g.name == "error-rate"), 0.004)
    plan = replace(recommender, guards=(guard,))
    tried = list(tried_windows(plan, calm))
    assert all(one.limited for one in tried)
    assert effect_that_holds(tried, 0.05) is None
    assert not any(
        one.limited for one in tried_windows(replace(plan, guards=(replace(guard, limit=0.05),)), calm)
    )


def test_windows_of_releases_and_of_single_pods_are_left_out(recommender, calm):
    versions = {**calm.versions, "pod-0": "b"}
    assert not list(tried_windows(recommender, replace(calm, versions=versions)))
    alone = {guard: {"pod-1": pods["pod-1"]} for guard, pods in calm.counts.items()}
    assert not list(tried_windows(recommender, replace(calm, counts=alone)))


@pytest.fixture(scope="module")
def measured(calm):
    """The example recommender, calibrated with a calm week."""
    session = open_session(CHECKOUT)
    entry = next(entry for entry in session.entries if entry.model == "recommender")
    return calibrate(session, entry, plans_of(session, entry, None)[-1], calm)


@pytest.fixture
def calibrated(repository, measured):
    """A copy of the example repository with that calibration."""
    session = open_session(repository)
    write_calibration(next(entry for entry in session.entries if entry.model == "recommender"), measured.file)
    return measured


def test_the_plan_shows_the_past_in_the_environment_that_was_measured(calibrated, sluice):
    text = sluice("plan", "shop/recommender")
    assert text.exit_code == 0
    assert "stable against stable, 143 windows of 6 days until" in text.stdout
    assert "the promise of 5% holds" in text.stdout
    assert "stable against stable" not in sluice("plan", "shop/recommender", "--env", "staging").stdout
    assert "stable against stable" in sluice("plan", "shop/recommender", "--format", "markdown").stdout
    record = json.loads(sluice("plan", "shop/recommender", "--format", "json").stdout)
    found = [one["odds"]["stable_against_stable"] for one in _plans(record)]
    assert found[0] is None
    assert found[1]["windows"] == 143
    assert found[1]["low"] <= found[1]["fired"] <= found[1]["high"] <= found[1]["promised"]
    assert "LOCK213" not in sluice("validate").stdout


def _plans(record):
    return record["plans"] if "plans" in record else record["environments"]


def test_a_calibration_of_other_guards_says_so(calibrated, repository, sluice):
    spec = repository / "specs/shop/recommender.yaml"
    spec.write_text(spec.read_text().replace("hold: 60m", "hold: 90m"))
    assert (
        "was measured for other guards or steps: run `sluice calibrate"
        in sluice("plan", "shop/recommender").stdout
    )


def test_a_broken_promise_is_shown_with_the_design_effect_that_keeps_it(repository, sluice):
    session = open_session(repository)
    entry = next(entry for entry in session.entries if entry.model == "recommender")
    found = calibrate(session, entry, plans_of(session, entry, None)[-1], simulated(World(days=6, cluster=4)))
    write_calibration(entry, found.file)
    assert re.search(
        r"the promise of 5% does not hold; `traffic: \{designEffect: [2-5][\d.]*\}` keeps it: [\d.]+% \(",
        sluice("plan", "shop/recommender").stdout,
    )
    assert found.wrong[-1].change[0] == ("spec", "traffic", "designEffect")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--prometheus", "http://127.0.0.1:1"), "127.0.0.1:1"),
        (("--prometheus", "http://127.0.0.1:1", "--end", "soon"), "--end is not a time: `soon`"),
        (("--prometheus", "nonsense"), "nonsense"),
    ],
)
def test_a_history_that_can_not_be_read_is_an_error(repository, sluice, options, message):
    done = sluice("calibrate", "shop/recommender", *options)
    assert done.exit_code == 2
    assert message in done.stderr
    assert not (repository / "specs/shop/recommender.calibration.yaml").exists()


def test_rendered_files_do_not_depend_on_a_calibration(calibrated, repository, sluice):
    (repository / "specs/shop/recommender.calibration.yaml").rename(repository / "kept")
    assert sluice("render").exit_code == 0
    (repository / "kept").rename(repository / "specs/shop/recommender.calibration.yaml")
    assert sluice("render", "--check").exit_code == 0


@pytest.mark.parametrize(
    ("old", "new"), [("promised: 0.05", "promised: 0.2"), ("model: shop/recommender", "model: shop/other")]
)
def test_an_edited_calibration_is_refused(calibrated, repository, sluice, old, new):
    file = repository / "specs/shop/recommender.calibration.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    done = sluice("validate")
    assert done.exit_code == 1
    assert "LOCK213" in done.stdout


def test_a_calibration_without_its_spec_is_reported(calibrated, repository, sluice):
    (repository / "specs/shop/recommender.yaml").unlink()
    assert "recommender.calibration.yaml" in sluice("validate").stdout


def test_values_that_the_history_contradicts_are_wrong_and_others_are_not(repository):
    session = open_session(None)
    entry = next(entry for entry in session.entries if entry.model == "recommender")
    planned = plans_of(session, entry, None)[-1]
    agreed = calibrate(session, entry, planned, simulated(World(days=6, rps=400, delay_s=60, bursts=0.05)))
    assert agreed.wrong == ()
    assert agreed.proposal is None
    off = calibrate(
        session, entry, planned, simulated(World(days=6, rps=400, drift=1.0, delay_s=60, bursts=0.05))
    )
    assert {one.change[0][-1] for one in off.wrong} == {"baseline"}
    proposed = yaml.safe_load(off.proposal.after.text)["spec"]
    assert proposed["outcomes"]["ctr"]["baseline"] == "6%"
    assert proposed["rollout"]["guards"][1]["baseline"] in {"0.75%", "0.76%"}
    assert all(odds_of(one.alone.plan).power != odds_of(planned.plan).power for one in off.wrong[:1])


def test_the_digest_of_a_promise_covers_steps_and_guards_only(recommender):
    first = promise_digest(recommender)
    assert promise_digest(replace(recommender, design_effect=3.0, min_rps=7.0)) == first
    assert promise_digest(with_steps(recommender, [weight_step(5, 60.0)])) != first
    assert promise_digest(replace(recommender, guards=recommender.guards[:2])) != first
