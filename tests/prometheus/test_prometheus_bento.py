"""Rendered queries over real traffic: BentoML processes of one stable version and six canaries under load.

One run of about two minutes, in short minutes; Prometheus is restarted in the middle. What its guards say is then asked of
a Prometheus with the same data. How many seconds anything took is never judged: rates are taken from the counters.
"""

from __future__ import annotations

import csv
import fcntl
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import pytest

from generator.cluster.prometheus import Prometheus
from generator.odds.replay.counters import Recording, query_results
from generator.odds.replay.recording import COLUMNS, read_recording
from generator.odds.replay.walk import Course, Schedule, walk
from generator.promql.event_share import EventShare
from generator.promql.metric import Metric
from generator.report.replays.live import Live
from tests.prometheus.bento_oracle import COUNTED, Arm, Statistic
from tests.prometheus.bento_releases import (
    MINUTE,
    MISTAKES,
    PACED_EVERY,
    RELEASES,
    STABLE,
    UPLOADS,
    Release,
    held,
    odds,
    plan_of,
    rendered,
    schedule,
)
from tests.prometheus.bento_stack import AWAY, Happened, experiment, scrape
from tests.prometheus.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.alone]

GUARDS = tuple(COUNTED)
# Looks after the time by which nine of ten such canaries are caught: the tenth, and two scrapes of held counters.
SLACK = 3
# Events of the canary over those of stable, as the guard that must see it counts them.
CAUGHT = [
    ("half", "ctr", 0.5),
    ("fifth", "ctr", 0.8),
    ("broken", "error-rate", 1 / MISTAKES),
    ("slow", "slow-rate", (UPLOADS + 1 / PACED_EVERY) / UPLOADS),
]


@dataclass(frozen=True)
class Judged:
    """The data of the run, and a server that answers from it.

    Args:
        server: scrapes nothing any more.
        happened: when what happened.
        folder: for files of these tests.
    """

    server: Server
    happened: Happened
    folder: Path

    @property
    def hold_s(self) -> float:
        """How long the canaries had traffic, in whole looks."""
        return (self.happened.end_s - self.happened.start_s) // MINUTE * MINUTE

    def schedule(self, release: Release) -> Schedule:
        return schedule(held(plan_of(release, self.folder / release.name), self.hold_s))

    def live(self, release: Release) -> Live:
        """The rendered queries, asked of the server."""
        start = self.happened.start_s
        until = start + self.hold_s + 10 * MINUTE
        return Live(Prometheus.at(self.server.url), release.hash, STABLE, start, until)

    def story(self, release: Release) -> Course:
        """What the controller would have made of the answers; without traffic time goes on after the hold."""
        until = self.hold_s + (0 if release.rps else 10 * MINUTE)
        return walk(self.schedule(release), self.live(release), until)

    def replayed(self, release: Release) -> Course:
        """The same from a file of recorded counters."""
        recorded = query_results(self.recordings[release.name], self.happened.start_s)
        return walk(self.schedule(release), recorded, self.hold_s)

    @cached_property
    def recordings(self) -> dict[str, Recording]:
        """Recorded counters of every canary that had traffic."""
        return {name: self._recording(release) for name, release in RELEASES.items() if release.rps}

    def _recording(self, release: Release) -> Recording:
        """Counters at every whole second, in a file."""
        path = self.folder / f"{release.name}.csv"
        with path.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(COLUMNS)
            for guard, counted in COUNTED.items():
                for arm, pod in (("canary", release.hash), ("stable", STABLE)):
                    rows.writerows(self._rows(guard, arm, Arm(self.samples, counted, pod)))
        recording, findings = read_recording(path, path.name, GUARDS)
        assert findings == []
        return recording

    def _rows(self, guard: str, name: str, arm: Arm) -> Iterator[tuple[int, str, str, float, float]]:
        for second in range(int(self.happened.start_s) - 20, int(self.happened.end_s) + 1):
            counts = arm.recorded(1000 * second)
            if counts:
                yield second, guard, name, *counts

    @cached_property
    def samples(self) -> list[tuple[dict, list[tuple[int, float]]]]:
        """Raw samples of everything that guards count."""
        names = "sluice_.+_total|bentoml_service_request_.+"
        found = self.server.samples(f'{{__name__=~"{names}"}}', self.happened.last_s, 900)
        return [(labels, [(round(1000 * at), value) for at, value in points]) for labels, points in found]

    def statistic(self, release: Release, guard: str, test: EventShare) -> Statistic:
        canary, stable = (Arm(self.samples, COUNTED[guard], pod) for pod in (release.hash, STABLE))
        return Statistic(canary, stable, test, self.happened.start_s - 30, self.happened.end_s)

    def rps(self, release: Release, guard: str) -> float:
        """Requests per second of both arms, as they really came."""
        pair, start = self.recordings[release.name].pairs[guard], round(1000 * self.happened.start_s)
        end = start + round(1000 * self.hold_s)
        sides = (pair.canary, pair.stable)
        return sum(side.requests.increase(start, end) for side in sides) / self.hold_s


@pytest.fixture(scope="session")
def judged(shared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    """The run, made once whatever the number of pytest workers, and a server of this worker's own."""
    folder, own = shared_folder / "bento-prometheus", tmp_path_factory.mktemp("judged")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "happened.json").exists():
            experiment(folder)
    happened = Happened(**json.loads((folder / "happened.json").read_text()))
    shutil.copytree(folder / "prometheus" / "data", own / "data", ignore=shutil.ignore_patterns("lock"))
    server = Server(own, 0)
    scrape(own, {})
    try:
        server.start()
        yield Judged(server, happened, own)
    finally:
        server.stop()


def background(judged: Judged, release: Release, guard: str) -> Metric:
    return next(one for one in judged.schedule(release).background if one.guard == guard)


def test_the_counters_hold_exactly_what_was_sent(judged):
    sent, at = judged.happened.sent, judged.happened.last_s
    assert sent["failures"] == {}
    for metric, counted in (
        (
            "sluice_predictions_total",
            {pod: found.get("200", 0) for pod, found in sent["answers"].items()},
        ),
        ("sluice_outcomes_total", sent["clicks"]),
    ):
        found = {
            series["metric"]["served_by"]: float(series["value"][1])
            for series in judged.server.query(f"sum by (served_by) ({metric})", at)
        }
        assert {pod: total for pod, total in found.items() if total} == {
            pod: n for pod, n in counted.items() if n
        }
    assert set(sent["answers"][RELEASES["broken"].hash]) == {"400"}


@pytest.mark.parametrize("name", RELEASES)
def test_what_is_asked_is_what_is_rendered(judged, name):
    plan, files = held(plan_of(RELEASES[name], judged.folder / name), judged.hold_s), {}
    for metrics in rendered(plan).values():
        for metric in metrics.values():
            query = metric["provider"]["prometheus"]["query"].rstrip()
            files[query] = (
                metric.get("successCondition"),
                metric.get("failureCondition"),
                metric["interval"],
            )
    asked = schedule(plan)
    every = [*asked.background, *asked.stages[0].evidence]
    assert files == {
        one.query.rstrip(): (one.condition.success, one.condition.failure, f"{one.interval_s:g}s")
        for one in every
    }


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("name", RELEASES)
def test_promql_and_python_agree_on_the_statistic(judged, name, guard):
    release = RELEASES[name]
    watched, live = background(judged, release, guard), judged.live(release)
    expected = judged.statistic(release, guard, watched.statistic)
    seen = 0
    for k in range(int(judged.hold_s / MINUTE) + 1):
        found = live(watched, k * MINUTE)
        wanted = expected.at(judged.happened.start_s + k * MINUTE)
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-9), k
        seen += len(found)
    blind = not release.rps or (name, guard) == ("broken", "ctr")
    assert seen == 0 if blind else seen >= 10


def test_a_good_canary_is_promoted_although_prometheus_was_restarted(judged):
    happened, story = judged.happened, judged.story(RELEASES["good"])
    assert (story.outcome, story.at_s) == ("promoted", judged.hold_s)
    assert {look.measured for look in story.measurements} == {"Successful"}
    scraped = [at for at, _ in judged.samples[0][1]]
    assert max(b - a for a, b in pairwise(scraped)) >= 1000 * AWAY
    restarted = happened.restarted_s - happened.start_s
    for guard in GUARDS:
        after = [look.result for look in story.measurements if look.guard == guard and look.at_s > restarted]
        assert all(after)
        assert len(set(after)) >= 3, "no evidence was added after the restart"


@pytest.mark.parametrize(("name", "guard", "ratio"), CAUGHT)
def test_a_worse_canary_is_rolled_back_about_when_the_odds_say(judged, name, guard, ratio):
    release = RELEASES[name]
    story = judged.story(release)
    assert (story.outcome, story.guard) == ("aborted", guard)
    plan = plan_of(release, judged.folder / name)
    found = odds(plan, guard, ratio, judged.rps(release, guard))
    assert found.p90_s is not None
    assert story.at_s <= found.p90_s + SLACK * MINUTE


@pytest.mark.parametrize("name", [name for name, release in RELEASES.items() if release.rps])
def test_replay_of_recorded_counters_decides_at_the_same_look(judged, name):
    live, replayed = judged.story(RELEASES[name]), judged.replayed(RELEASES[name])
    assert (replayed.outcome, replayed.guard, replayed.at_s) == (live.outcome, live.guard, live.at_s)


def test_a_canary_without_traffic_never_fires_and_pauses_at_the_evidence(judged):
    story = judged.story(RELEASES["silent"])
    assert story.outcome == "paused"
    assert story.at_s > judged.hold_s
    sequential = [look for look in story.measurements if look.kind == "sequential"]
    assert {(look.result, look.measured) for look in sequential} == {((), "Successful")}
    evidence = [look for look in story.measurements if look.kind == "evidence"]
    assert {look.guard for look in evidence} == set(GUARDS)
    assert {look.measured for look in evidence} == {"Inconclusive"}
    assert {look.result for look in evidence} <= {(), (0.0,)}
