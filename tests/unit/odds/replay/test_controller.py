"""The verdict rules against the table of argo-rollouts' behaviour, and laws that hold for every sequence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.odds.replay.controller import Run, Tally
from generator.promql.conditions import harm
from tests.unit.odds.replay.replay_cases import metric

LETTERS = {"S": "Successful", "F": "Failed", "I": "Inconclusive", "E": "Error"}
MEASUREMENTS = st.text("SFIE", max_size=40)
LIMITS = st.fixed_dictionaries(
    {
        "count": st.integers(0, 12),
        "failure_limit": st.integers(-1, 5),
        "inconclusive_limit": st.integers(0, 5),
        "error_limit": st.integers(0, 5),
        "success_limit": st.integers(0, 4),
    }
)


def assess(letters, limits, *, terminated=False):
    """The phase of a metric after these measurements, and how many of them were taken."""
    tally, taken = Tally(metric("ctr", "limit", harm(4), **limits)), 0
    for letter in letters:
        if tally.phase not in {"Pending", "Running"}:
            break
        tally.add(LETTERS[letter])
        taken += 1
    if terminated:
        tally.terminate()
    return tally.phase, taken


@pytest.mark.parametrize(
    ("letters", "limits", "phase", "used"),
    [
        ("SSSSS", {"count": 5}, "Successful", 5),
        ("SFS", {"count": 5}, "Failed", 2),
        ("SFSF", {"failure_limit": 1}, "Failed", 4),
        ("EEEEE", {}, "Error", 5),
        ("EEEESEEEE", {"count": 5}, "Running", 9),
        ("I", {}, "Inconclusive", 1),
        ("IIS", {"count": 5, "inconclusive_limit": 5, "success_limit": 1}, "Successful", 3),
        ("IIIII", {"count": 5, "inconclusive_limit": 5, "success_limit": 1}, "Inconclusive", 5),
        ("IIF", {"count": 5, "inconclusive_limit": 5, "success_limit": 1}, "Failed", 3),
        ("FFFFF", {"count": 5, "failure_limit": -1, "success_limit": 2}, "Failed", 5),
        ("FSFSS", {"count": 9, "failure_limit": -1, "success_limit": 2}, "Successful", 5),
        ("E" * 30, {"error_limit": 30}, "Running", 30),
        ("E" * 31, {"error_limit": 30}, "Error", 31),
        ("", {}, "Pending", 0),
    ],
)
def test_table_of_the_controller(letters, limits, phase, used):
    assert assess(letters, limits) == (phase, used)


@pytest.mark.parametrize("letters", ["", "SSSSSS", "SFI", "E"])
def test_termination_makes_what_is_open_successful(letters):
    assert assess(letters, {"failure_limit": 2, "inconclusive_limit": 2}, terminated=True)[0] == "Successful"


@given(MEASUREMENTS, LIMITS)
def test_a_settled_metric_stays_settled(letters, limits):
    phase, used = assess(letters, limits)
    if phase not in {"Pending", "Running"}:
        assert assess(letters[:used], limits) == (phase, used)
        assert assess(letters[:used] + "FIE", limits, terminated=True) == (phase, used)


@given(MEASUREMENTS, LIMITS)
def test_a_metric_fails_only_by_what_it_has_seen(letters, limits):
    phase, used = assess(letters, limits)
    seen = letters[:used]
    if phase == "Failed":
        assert limits["failure_limit"] == -1 or seen.count("F") > limits["failure_limit"]
    if phase == "Inconclusive":
        missed = limits["count"] and limits["success_limit"]
        assert seen.count("I") > limits["inconclusive_limit"] or missed
    if phase == "Error":
        assert seen.endswith("E" * (limits["error_limit"] + 1))
    if phase == "Running" and limits["count"]:
        assert len(seen) - seen.count("E") < limits["count"]


@given(st.text("SF", max_size=30), st.integers(0, 5))
def test_forgiving_more_never_fails_earlier(letters, limit):
    strict, lenient = (assess(letters, {"failure_limit": n}) for n in (limit, limit + 1))
    assert strict[1] <= lenient[1]


def run_of(*metrics):
    return Run([metric("ctr", "limit", harm(4), delay, **limits) for delay, limits in metrics], 0.0)


def play(run, columns):
    """Feed each metric its own letters at the times that are due; the times."""
    taken, times = [0] * len(columns), []

    def take(i):
        taken[i] += 1
        return LETTERS[columns[i][taken[i] - 1]]

    while run.phase == "Running" and len(times) < 50:
        times.append(run.due_s)
        run.measure(run.due_s, take)
    return times


@pytest.mark.parametrize(
    ("columns", "phase"),
    [
        (("SS", "SS"), "Successful"),
        (("SF", "SI"), "Failed"),
        (("SI", "SS"), "Inconclusive"),
        (("I", "F"), "Failed"),
    ],
)
def test_the_worst_metric_is_the_run(columns, phase):
    run = run_of((0.0, {"count": 2}), (0.0, {"count": 2}))
    play(run, columns)
    assert run.phase == phase


def test_a_metric_that_ends_badly_ends_the_others_where_they_stand():
    run = run_of((0.0, {}), (0.0, {}))
    assert play(run, ("SSF", "SSS")) == [0.0, 60.0, 120.0]
    assert [tally.phase for tally in run.tallies] == ["Failed", "Successful"]
    assert run.worst() == 0


def test_an_error_is_retried_after_ten_seconds_and_a_delay_counts_from_the_start():
    run = run_of((30.0, {"count": 3}))
    assert play(run, ("SEESS",)) == [30.0, 90.0, 100.0, 110.0, 170.0]
    assert run.phase == "Successful"


def test_a_run_is_judged_only_when_all_metrics_are_complete():
    run = run_of((0.0, {"count": 1}), (300.0, {"count": 1}))
    run.measure(0.0, lambda _: "Successful")
    assert (run.phase, run.due_s) == ("Running", 300.0)
