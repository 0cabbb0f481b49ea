"""`sluice calibrate` on a real Prometheus with five backfilled days: what it reads, what it finds, what `plan` shows."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from generator.cli.main import cli
from generator.cluster.prometheus import Prometheus
from generator.odds.calibration import History
from generator.pipeline.calibrate import read_history
from tests.prometheus.server import Server
from tests.prometheus.test_prometheus_replay import recommender
from tests.unit.odds.histories import World, simulated

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).resolve().parents[2]
WORLD = World(days=5, pods=4, cluster=4)
RESTART = 5000  # minute in which the counters of one pod start again
OWN = 'namespace="shop-production",model="shop-recommender",served_by="a"'
BENTO = 'namespace="shop-production",endpoint="/predict",rollouts_pod_template_hash="a"'
DURATION = "bentoml_service_request_duration_seconds"


def exposition(history: History) -> Iterator[str]:
    """The counters of every pod in the OpenMetrics text that promtool backfills from."""
    for pod in history.versions:
        counts = {guard: pods[pod] for guard, pods in history.counts.items()}
        errors, slow = counts["error-rate"].events, counts["slow-rate"].events
        asked = counts["ctr"].requests
        series = {
            f"sluice_predictions_total{{{OWN}": asked,
            f'sluice_outcomes_total{{{OWN},outcome="ctr"': counts["ctr"].events,
            f'bentoml_service_request_total{{{BENTO},http_response_code="500"': errors,
            f'bentoml_service_request_total{{{BENTO},http_response_code="200"': [
                n - x for n, x in zip(asked, errors, strict=True)
            ],
            f"{DURATION}_count{{{BENTO}": asked,
            f'{DURATION}_bucket{{{BENTO},le="0.25"': [n - x for n, x in zip(asked, slow, strict=True)],
        }
        series[f"team_users_total{{{OWN}"] = [n / WORLD.cluster for n in asked]
        for name, grown in series.items():
            totals = list(accumulate(grown, initial=0.0))
            for minute, total in enumerate(totals):
                value = total - totals[RESTART] if pod == "pod-0" and minute > RESTART else total
                yield f'{name},pod="{pod}"}} {value:.0f} {history.start_s + 60 * minute:.0f}\n'
    yield "# EOF\n"


@dataclass(frozen=True)
class Week:
    """A server that knows a week, and that week."""

    url: str
    history: History

    @property
    def end_s(self) -> float:
        return self.history.start_s + 60 * self.history.minutes


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    folder = tmp_path_factory.mktemp("week")
    promtool = shutil.which("promtool")
    assert promtool, "promtool is missing; install it with: sh tests/tools/prometheus.sh"
    start = math.floor(time.time() / 60) * 60 - WORLD.days * 86_400 - 600
    history = simulated(WORLD, start_s=float(start))
    (folder / "week.om").write_text("".join(exposition(history)))
    subprocess.run(
        [promtool, "tsdb", "create-blocks-from", "openmetrics", folder / "week.om", folder / "data"],
        check=True,
        capture_output=True,
    )
    server = Server(folder, 1)
    server.start()
    yield Week(server.url, history)
    server.stop()


def test_the_history_of_a_server_is_every_count_of_every_pod(week):
    read = read_history(recommender(), Prometheus.at(week.url), week.history.start_s, week.end_s)
    assert (read.start_s, read.minutes) == (week.history.start_s, week.history.minutes)
    assert read.versions == week.history.versions
    for guard, pods in week.history.counts.items():
        for pod, counts in pods.items():
            for name in ("requests", "events"):
                pairs = zip(getattr(read.counts[guard][pod], name), getattr(counts, name), strict=True)
                # A restart is a smaller value: the minute after it has what the new counter shows.
                wrong = [at for at, (one, other) in enumerate(pairs) if one != pytest.approx(other, abs=0.5)]
                assert wrong == [], (guard, pod, name)


def test_what_the_history_contradicts_is_proposed_and_plan_shows_the_past(week, tmp_path, monkeypatch):
    shutil.copytree(CHECKOUT / "specs", tmp_path / "specs")
    monkeypatch.chdir(tmp_path)

    def sluice(*arguments: str) -> str:
        done = CliRunner(env={"COLUMNS": "300"}).invoke(cli, arguments)
        assert done.exit_code == 0, done.output
        return done.stdout

    options = (
        "--prometheus",
        week.url,
        "--days",
        "5",
        "--end",
        f"{week.end_s:.0f}",
        "--write",
        "--users",
        "team_users_total",
    )
    found = json.loads(sluice("calibrate", "shop/recommender", *options, "--format", "json"))
    guards = found["calibration"]["guards"]
    for name, rate in (("ctr", 0.04), ("error-rate", 0.005), ("slow-rate", 0.02)):
        assert guards[name]["baseline"]["value"] == pytest.approx(rate, rel=0.02)
        assert guards[name]["design_effect"]["value"] == pytest.approx(4, rel=0.1)
    assert found["calibration"]["requests_per_user"]["value"] == pytest.approx(4, rel=0.01)
    assert found["calibration"]["off_peak_rps"] == pytest.approx(103, rel=0.05)  # 04:00 to 05:00
    pairs = found["calibration"]["stable_against_stable"]
    assert pairs["fired"][0]["share"]["low"] > pairs["promised"]
    assert pairs["fired"][-1]["share"]["value"] <= pairs["promised"]
    effect = pairs["fired"][-1]["design_effect"]
    assert 2 < effect < 6
    wrong = {one["path"]: one for one in found["wrong"]}
    # The clicks of these users come at once.
    assert set(wrong) == {"spec.traffic.minRps", "spec.outcomes.ctr.delay", "spec.traffic.designEffect"}
    assert wrong["spec.traffic.designEffect"]["power"] < found["power"]
    spec = yaml.safe_load((tmp_path / "specs/shop/recommender.yaml").read_text())["spec"]
    assert spec["traffic"] == {"minRps": 100, "designEffect": effect}
    shown = sluice("plan", "shop/recommender")
    assert re.search(
        r"a guard fired in [\d.]+% \([\d.]+% to [\d.]+%\); (the promise of 5% holds|too few)", shown
    )
    assert "stable against stable" in sluice("plan", "shop/recommender", "--format", "markdown")
    sluice("plan", "shop/recommender", "--format", "html", "--output", "pages")
    assert any("stable against stable" in page.read_text() for page in (tmp_path / "pages").rglob("*.html"))
