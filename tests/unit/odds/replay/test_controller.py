"""The verdict rules against the table of argo-rollouts' behaviour, and laws that hold for every sequence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.odds.replay.controller import Limits, Run, assess
from generator.promql.conditions import harm
from tests.unit.odds.replay.replay_cases import metric

LETTERS = {"S": "Successful", "F": "Failed", "I": "Inconclusive", "E": "Error"}
MEASUREMENTS = st.text("SFIE", max_size=40)
LIMITS = st.builds(
    Limits,
    count=st.none() | st.integers(1, 12),
    failure=st.integers(-1, 5),
    inconclusive=st.integers(0, 5),
    consecutive_error=st.integers(0, 5),
    consecutive_success=st.integers(0, 4),
)


def verdicts(letters):
    return [LETTERS[letter] for letter in letters]


@pytest.mark.parametrize(
    ("letters", "limits", "phase", "used"),
    [
        ("SSSSS", Limits(count=5), "Successful", 5),
        ("SFS", Limits(count=5), "Failed", 2),
        ("SFSF", Limits(failure=1), "Failed", 4),
        ("EEEEE", Limits(), "Error", 5),
        ("EEEESEEEE", Limits(count=5), "Running", 9),
        ("I", Limits(), "Inconclusive", 1),
        ("IIS", Limits(count=5, inconclusive=5, consecutive_success=1), "Successful", 3),
        ("IIIII", Limits(count=5, inconclusive=5, consecutive_success=1), "Inconclusive", 5),
        ("IIF", Limits(count=5, inconclusive=5, consecutive_success=1), "Failed", 3),
        ("FFFFF", Limits(count=5, failure=-1, consecutive_success=2), "Failed", 5),
        ("FSFSS", Limits(count=9, failure=-1, consecutive_success=2), "Successful", 5),
        ("E" * 30, Limits(consecutive_error=30), "Running", 30),
        ("E" * 31, Limits(consecutive_error=30), "Error", 31),
        ("", Limits(), "Pending", 0),
    ],
)
def test_table_of_the_controller(letters, limits, phase, used):
    assert assess(verdicts(letters), limits) == (phase, used)


@pytest.mark.parametrize("letters", ["", "SSSSSS", "SFI", "E"])
def test_termination_makes_what_is_open_successful(letters):
    assert assess(verdicts(letters), Limits(failure=2, inconclusive=2), terminated=True)[0] == "Successful"


@given(MEASUREMENTS, LIMITS)
def test_a_settled_metric_stays_settled(letters, limits):
    phase, used = assess(verdicts(letters), limits)
    if phase not in {"Pending", "Running"}:
        assert assess(verdicts(letters[:used]), limits) == (phase, used)
        assert assess(verdicts(letters[:used] + "FIE"), limits, terminated=True) == (phase, used)


@given(MEASUREMENTS, LIMITS)
def test_a_metric_fails_only_by_what_it_has_seen(letters, limits):
    phase, used = assess(verdicts(letters), limits)
    seen = letters[:used]
    if phase == "Failed":
        assert limits.failure == -1 or seen.count("F") > limits.failure
    if phase == "Inconclusive":
        missed = limits.count is not None and limits.consecutive_success
        assert seen.count("I") > limits.inconclusive or missed
    if phase == "Error":
        assert seen.endswith("E" * (limits.consecutive_error + 1))
    if phase == "Running" and limits.count is not None:
        assert len(seen) - seen.count("E") < limits.count


@given(st.text("SF", max_size=30), st.integers(0, 5))
def test_forgiving_more_never_fails_earlier(letters, limit):
    strict, lenient = (assess(verdicts(letters), Limits(failure=n)) for n in (limit, limit + 1))
    assert strict[1] <= lenient[1]


def run_of(*metrics):
    return Run([metric("ctr", "limit", harm(4), limits, delay) for delay, limits in metrics], 0.0)


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
    run = run_of((0.0, Limits(count=2)), (0.0, Limits(count=2)))
    play(run, columns)
    assert run.phase == phase


def test_a_metric_that_ends_badly_ends_the_others_where_they_stand():
    run = run_of((0.0, Limits()), (0.0, Limits()))
    assert play(run, ("SSF", "SSS")) == [0.0, 60.0, 120.0]
    assert [tally.phase for tally in run.tallies] == ["Failed", "Successful"]
    assert run.worst() == 0


def test_an_error_is_retried_after_ten_seconds_and_a_delay_counts_from_the_start():
    run = run_of((30.0, Limits(count=3)))
    assert play(run, ("SEESS",)) == [30.0, 90.0, 100.0, 110.0, 170.0]
    assert run.phase == "Successful"


def test_a_run_is_judged_only_when_all_metrics_are_complete():
    run = run_of((0.0, Limits(count=1)), (300.0, Limits(count=1)))
    run.measure(0.0, lambda _: "Successful")
    assert (run.phase, run.due_s) == ("Running", 300.0)
