"""What Prometheus sees of a served model: exact names, exact labels, zeros before the first event."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.bento.serving import GetBuilt, Sample, Serve, Server, until

pytestmark = pytest.mark.slow
ME = {"model": "shop-recommender", "served_by": "7d9f"}


@pytest.fixture
def recommender(built: GetBuilt, tmp_path: Path) -> Server:
    with Server(built("recommender"), tmp_path / "home") as server:
        yield server.ready()


def sluice(server: Server) -> dict[Sample, float]:
    """Our own samples, without the time stamps that the client library adds."""
    ours = re.compile(r"sluice_\w+_total")
    return {key: value for key, value in server.metrics().items() if ours.fullmatch(key[0])}


def test_every_series_of_our_own_version_exists_at_zero_before_the_first_request(recommender: Server) -> None:
    series = sluice(recommender)
    wanted = [("sluice_predictions_total", {})]
    wanted += [("sluice_outcomes_total", {"outcome": outcome}) for outcome in ("ctr", "basket")]
    groups = {"device": ("ios", "android", "other"), "age_band": ("under-30", "over-30", "other")}
    for attribute, names in groups.items():
        for name in ("sluice_group_predictions_total", "sluice_group_positives_total"):
            wanted += [(name, {"attribute": attribute, "group": group}) for group in names]
    assert series == {(name, frozenset({**ME, **labels}.items())): 0.0 for name, labels in wanted}


def test_requests_and_groups_are_counted(recommender: Server) -> None:
    expected = recommender.built.expected
    rows = expected["rows"]
    bands = ["under-30" if row["age"] < 30 else "over-30" for row in rows]
    groups = [{"age_band": band} for band in bands[:-2]] + [{"age_band": None}, {}]
    status, answer = recommender.post("/predict", {"rows": rows, "groups": groups})
    assert status == 200, answer

    known = {"ios", "android"}
    devices = [row["device"] if row["device"] in known else "other" for row in rows]
    counts = {"device": devices, "age_band": [*bands[:-2], "other", "other"]}
    until(lambda: recommender.sample("sluice_predictions_total", **ME) == 1)
    for attribute, labels in counts.items():
        totals, positives = Counter(labels), Counter()
        for label, prediction in zip(labels, expected["predictions"], strict=True):
            positives[label] += prediction
        assert sum(positives.values()) > 0
        for group in totals:
            where = {**ME, "attribute": attribute, "group": group}
            assert (
                until(lambda w=where: recommender.sample("sluice_group_predictions_total", **w))
                == totals[group]
            )
            wanted = positives[group]  # counted after the predictions: a scrape may come in between
            until(lambda w=where, n=wanted: recommender.sample("sluice_group_positives_total", **w) == n)


def test_refused_requests_are_not_counted(recommender: Server) -> None:
    rows = recommender.built.expected["rows"]
    assert recommender.post("/predict", {"rows": rows, "groups": [{}]})[0] == 400
    assert recommender.post("/predict", {"rows": [{**rows[0], "age": "young"}]})[0] == 400
    assert recommender.post("/predict", {"rows": rows})[0] == 200
    until(lambda: recommender.sample("sluice_predictions_total", **ME))
    assert recommender.sample("sluice_predictions_total", **ME) == 1


def test_latency_histogram_has_the_bounds_of_the_guards(served: Serve) -> None:
    server = served("recommender")
    assert server.post("/predict", {"rows": server.built.expected["rows"]})[0] == 200
    bounds = {
        float(dict(labels)["le"])
        for name, labels in server.metrics()
        if name == "bentoml_service_request_duration_seconds_bucket" and ("endpoint", "/predict") in labels
    }
    assert {0.12, 0.3, 10.0} <= bounds
