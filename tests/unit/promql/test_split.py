"""The check of the split on the real engine, through to the controller's verdict."""

from __future__ import annotations

import pytest

from generator.promql.conditions import proof
from generator.promql.series import Matcher
from generator.promql.served import BY_POD, Served
from generator.promql.split import Split, split, split_of_arms
from generator.stats.split import SHIFT, SplitTest, split_llr
from tests.unit.promql.controller import verdict

SERVED = Served("rec", "shop")


def samples(canary: float | None, stable: float | None, **other: str) -> dict[str, str]:
    """Requests per scrape of each version, in two kinds of answers; probes and other namespaces don't count."""
    found = {}
    for arm, per_scrape in (("c", canary), ("s", stable)):
        for code in ("200", "500"):
            for labels in ({}, {"endpoint": "/readyz"}, {"namespace": "elsewhere"}):
                if labels or per_scrape is not None:
                    count = 7.0 if labels else (per_scrape or 0.0) / 2
                    found[_series(arm, code, **labels, **other)] = f"0+{count}x40"
    return found


def _series(arm: str, code: str, **labels: str) -> str:
    every = {
        "namespace": "shop",
        "endpoint": "/predict",
        "http_response_code": code,
        "rollouts_pod_template_hash": arm,
    }
    return (
        "bentoml_service_request_total{" + ",".join(f'{k}="{v}"' for k, v in (every | labels).items()) + "}"
    )


def answer(promtool, series, asked: float, phi: float = 1.0):
    """The answer of the engine after ten minutes, and the verdict on it."""
    test = SplitTest(min(asked, 1 - asked), 0.01 / 3, phi)
    rendered = Split(test.share, SHIFT, 570, test.floor, phi, of_canary=asked <= 0.5)
    [found] = promtool.ask(series, [(split_of_arms(SERVED.requests(), BY_POD, rendered), 600)])
    return found, verdict(proof("<", test.level), found)


@pytest.mark.parametrize(
    ("canary", "stable", "asked", "judged"),
    [
        (50, 950, 0.05, "Successful"),
        (55, 945, 0.05, "Successful"),
        (45.5, 954.5, 0.05, "Successful"),
        (260, 740, 0.05, "Inconclusive"),  # a selector that selects every pod
        (500, 500, 0.05, "Inconclusive"),
        (20, 980, 0.05, "Inconclusive"),
        (500, 500, 0.5, "Successful"),
        (800, 200, 0.8, "Successful"),
        (1000, 0, 0.8, "Inconclusive"),
        (500, 500, 0.8, "Inconclusive"),
    ],
)
@pytest.mark.parametrize("phi", [1.0, 1.5])
def test_query_and_python_agree(promtool, canary, stable, asked, judged, phi):
    found, got = answer(promtool, samples(canary, stable), asked, phi)
    scrapes = 570 / 15
    inside, outside = (canary, stable) if asked <= 0.5 else (stable, canary)
    expected = split_llr(inside * scrapes, outside * scrapes, min(asked, 1 - asked), design_effect=phi)
    assert found == pytest.approx([expected], rel=1e-9)
    assert got == judged


@pytest.mark.parametrize(
    ("canary", "stable"), [(0, 1000), (None, 1000), (1000, None), (None, None), (0, 0), (1, 9)]
)
def test_missing_data_and_too_few_requests_are_never_a_success(promtool, canary, stable):
    found, judged = answer(promtool, samples(canary, stable), 0.05)
    assert judged == "Inconclusive"
    assert (found == []) == ((canary != 0 and canary is not None) or not stable)


def test_a_canary_without_series_counts_as_one_without_requests(promtool):
    """A plugin that was never installed: pods that are never asked export no counter of requests."""
    [value], _ = answer(promtool, samples(None, 1000), 0.05)
    assert value == pytest.approx(split_llr(0, 38_000, 0.05))


def test_series_under_another_label_are_missing_data(promtool):
    series = {
        name.replace("rollouts_pod_template_hash", "version"): value
        for name, value in samples(50, 950).items()
    }
    assert answer(promtool, series, 0.05) == ([], "Inconclusive")


@pytest.mark.parametrize(
    ("copied", "judged"), [(10, "Successful"), (100, "Inconclusive"), (0, "Inconclusive")]
)
def test_a_mirror_that_copies_everything_or_nothing_pauses(promtool, copied, judged):
    """10% of the live requests are to be copied; a router that ignores the share copied 501 of 501."""
    test = SplitTest(0.1 / 1.1, 0.01)
    shadow, live = Matcher("served_by", "shadow-1"), Matcher("served_by", "shadow-.*", "!~")
    query = split(
        SERVED.predictions().where(shadow),
        SERVED.predictions().where(live),
        Split(test.share, SHIFT, 570, test.floor),
    )
    series = {
        f'sluice_predictions_total{{namespace="shop",model="rec",served_by="{arm}"}}': f"0+{count}x40"
        for arm, count in (("shadow-1", copied), ("s", 95), ("c", 5))
    }
    [found] = promtool.ask(series, [(query, 600)])
    assert verdict(proof("<", test.level), found) == judged
