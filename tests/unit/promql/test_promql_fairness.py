"""Fairness bounds on the real engine, against Newcombe's interval built from scipy's Wilson intervals."""

from __future__ import annotations

import math
from itertools import permutations

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from generator.promql.conditions import proof, threshold
from generator.promql.fairness import ParityTest, parity_difference, parity_lower, parity_upper
from generator.promql.served import BY_VERSION, Served
from tests.unit.promql.controller import verdict

ROWS = Served("fraud", "risk").group_rows("age_band")
CANARY = BY_VERSION.of_canary
Counts = dict[str, tuple[int, int]]


def samples(counts: Counts, arm: str = "c") -> dict[str, list[float]]:
    """Counters that go from 0 to these (positives, rows) within the window [0, 60] s."""
    made: dict[str, list[float]] = {}
    for group, pair in counts.items():
        for metric, value in zip(("positives", "predictions"), pair, strict=True):
            labels = f'namespace="risk",model="fraud",attribute="age_band",group="{group}",served_by="{arm}"'
            made[f"sluice_group_{metric}_total{{{labels}}}"] = [0, value, value, value, value]
    return made


def ask(promtool, counts: Counts, *, groups=None, least_rows=30, extra=None) -> list[list[float]]:
    """Estimate, lower bound, upper bound."""
    parity = ParityTest(groups or tuple(counts), window_s=60, least_rows=least_rows)
    queries = [form(ROWS, CANARY, parity) for form in (parity_difference, parity_lower, parity_upper)]
    return promtool.ask(samples(counts) | (extra or {}), [(query, 60) for query in queries])


def newcombe(counts: Counts) -> dict[tuple[str, str], tuple[float, float, float]]:
    """For each ordered pair of groups: difference, lower, upper; Bonferroni over unordered pairs."""
    level = 1 - 0.05 / math.comb(len(counts), 2)
    rates = {}
    for group, (positives, rows) in counts.items():
        wilson = binomtest(positives, rows).proportion_ci(level, method="wilson")
        rates[group] = (positives / rows, wilson.low, wilson.high)
    found = {}
    for i, j in permutations(counts, 2):
        (p, low, high), (q, other_low, other_high) = rates[i], rates[j]
        found[i, j] = (
            p - q,
            p - q - math.hypot(p - low, other_high - q),
            p - q + math.hypot(high - p, q - other_low),
        )
    return found


@pytest.mark.parametrize(
    ("counts", "difference", "lower", "upper"),
    [
        # Newcombe intervals computed without this code; the bounds may be this much wider.
        ({"a": (60, 200), "b": (44, 200)}, 0.08, -0.006041, 0.164545),
        ({"a": (500, 1000), "b": (440, 1000)}, 0.06, 0.016, 0.103),
        ({"a": (25, 50), "b": (18, 50)}, 0.14, -0.052, 0.319),
    ],
)
def test_known_pairs(promtool, counts, difference, lower, upper):
    [point], [low], [high] = ask(promtool, counts)
    assert point == pytest.approx(difference)
    assert lower - 0.015 <= low <= lower + 1e-3
    assert upper - 1e-3 <= high <= upper + 0.015


def test_is_newcombes_interval_for_groups_that_are_alike(promtool):
    counts = {"a": (200, 400), "b": (200, 400)}
    [point], [low], [high] = ask(promtool, counts)
    assert (point, low, high) == pytest.approx(newcombe(counts)["a", "b"], abs=1e-12)


group_counts = st.integers(30, 3000).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows)))


@settings(
    max_examples=25, deadline=None, phases=[Phase.explicit, Phase.generate]
)  # each example starts promtool
@given(st.dictionaries(st.sampled_from("abcdefgh"), group_counts, min_size=2, max_size=8))
def test_bounds_enclose_every_pair_and_little_more(promtool, counts):
    positives, rows = map(sum, zip(*counts.values(), strict=True))
    assume(0 < positives < rows)
    [point], [low], [high] = ask(promtool, counts)
    pairs = newcombe(counts)
    widest = max(max(upper - d, d - lower) for d, lower, upper in pairs.values())
    extreme = max(pairs.values())
    assert point == pytest.approx(extreme[0], abs=1e-12)
    assert high >= max(upper for _, _, upper in pairs.values()) - 1e-9
    assert low <= max(lower for d, lower, _ in pairs.values() if d == extreme[0]) + 1e-9
    assert high - point == pytest.approx(point - low)
    assert high - point <= math.sqrt(2) * widest + 1e-9


def test_small_average_group_is_not_hidden_by_two_large_ones(promtool):
    # Newcombe's interval of the two extreme groups alone would end at 0.0604, below the limit.
    counts = {"large": (3000, 10000), "larger": (2500, 10000), "small": (8, 30)}
    _, _, [high] = ask(promtool, counts)
    assert newcombe(counts)["large", "larger"][2] < 0.1 < newcombe(counts)["small", "larger"][2] <= high


def judge(promtool, counts: Counts, limit: float = 0.1, **options) -> str:
    """What the AnalysisRun says: the worse verdict of its two metrics."""
    _, low, high = ask(promtool, counts, **options)
    verdicts = {verdict(threshold("<", limit, "pause"), low), verdict(proof("<", limit), high)}
    return next(word for word in ("Failed", "Error", "Inconclusive", "Successful") if word in verdicts)


@pytest.mark.parametrize(
    ("counts", "judged"),
    [
        ({"f": (2500, 5000), "m": (2520, 5000)}, "Successful"),
        ({"f": (2500, 5000), "m": (3500, 5000)}, "Failed"),
        ({"f": (500, 1000), "m": (440, 1000)}, "Inconclusive"),
        ({"f": (1, 5000), "m": (0, 5000)}, "Successful"),
        ({"f": (5000, 5000), "m": (4999, 5000)}, "Successful"),
        ({"f": (0, 5000), "m": (0, 30)}, "Inconclusive"),
        ({"f": (0, 5000), "m": (0, 29)}, "Inconclusive"),
        ({"f": (0, 0), "m": (0, 0)}, "Inconclusive"),
        ({"a": (900, 3000), "b": (930, 3000), "c": (960, 3000)}, "Successful"),
        ({"a": (900, 3000), "b": (930, 3000), "c": (1500, 3000)}, "Failed"),
    ],
)
def test_verdict(promtool, counts, judged):
    assert judge(promtool, counts) == judged


def test_group_that_is_declared_but_missing_is_inconclusive(promtool):
    fair = {"f": (2500, 5000), "m": (2500, 5000)}
    assert judge(promtool, fair, groups=("f", "m", "x")) == "Inconclusive"


def test_group_whose_positives_are_missing_is_inconclusive(promtool):
    fair = {"f": (2500, 5000), "m": (2500, 5000)}
    rows_only = {k: v for k, v in samples({"x": (0, 5000)}).items() if "predictions" in k}
    assert judge(promtool, fair, groups=("f", "m", "x"), extra=rows_only) == "Inconclusive"


@pytest.mark.parametrize("positives", [0, 1000])
def test_groups_in_which_nothing_or_everything_is_positive_are_no_data(promtool, positives):
    """Equal rates prove nothing where `positive` may not fit the answers of the model; one row in 2,000 does."""
    counts = {"a": (positives, 1000), "b": (positives, 1000)}
    assert ask(promtool, counts) == [[], [], []]
    assert judge(promtool, counts) == "Inconclusive"
    assert judge(promtool, {**counts, "b": (abs(positives - 1), 1000)}) == "Successful"


def test_other_groups_and_other_versions_do_not_count(promtool):
    fair = {"f": (2500, 5000), "m": (2500, 5000)}
    other = samples({"unknown": (5000, 5000)}) | samples({"f": (0, 5000)}, arm="s")
    assert judge(promtool, fair, extra=other) == "Successful"


def test_names_of_groups_are_text_and_not_patterns(promtool):
    fair = {"18+": (2500, 5000), "a|b": (2500, 5000)}
    assert judge(promtool, fair, extra=samples({"188": (5000, 5000), "a": (0, 5000)})) == "Successful"


@pytest.mark.parametrize(
    "wrong",
    [{"groups": ("a",)}, {"groups": ("a", "a")}, {"least_rows": 0}, {"confidence": 1}, {"confidence": 0}],
)
def test_parameters_that_make_no_interval_are_refused(wrong):
    with pytest.raises(ValueError, match=r"\w"):
        ParityTest(**{"groups": ("a", "b"), "window_s": 60} | wrong)
