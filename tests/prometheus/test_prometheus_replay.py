"""Replay compared with a real Prometheus that scraped four releases: rendered queries, real scrapes, real time.

Minutes are four seconds long here and scrapes one second apart, everything else is as it is rendered. Clicks of
the bad release are halved. Prometheus is restarted in the second step.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from generator.cluster.http_client import HttpError
from generator.cluster.prometheus import Prometheus
from generator.odds.replay.counters import ArmCounters, Counter, Gauge, Pair, Recording, query_results
from generator.odds.replay.walk import Course, Measurement, Schedule, walk
from generator.plan.names import SPLIT
from generator.plan.repository import Repository
from generator.plan.resolve import resolve
from generator.plan.values import Plan
from generator.promql.event_share import EventShare, LoadMatch
from generator.render.bento import Bentos
from generator.render.environment import Templates
from generator.report.replays.live import Live
from generator.report.replays.schedule import schedule_of
from generator.stats.sequential import event_llr
from tests.oracle.client import VERSIONS, ask
from tests.prometheus.exporter import Exporter, Release, Script
from tests.prometheus.server import Server, until
from tests.unit.plan.rollouts import weight_step, with_steps

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).resolve().parents[2]
MINUTE, RPS = 4.0, 3240.0
FIRST, SECOND = 36.0, 20.0
BEFORE, RESTART, END = 14.0, FIRST + 8, FIRST + SECOND + 2
Samples = dict[tuple[str, str], list[tuple[int, float]]]


def recommender() -> Plan:
    """The recommender of the examples, in production."""
    repository = Repository(CHECKOUT)
    entry = next(entry for entry in repository.entries if entry.model == "recommender")
    return resolve(repository, entry, Bentos(Templates(None)).digest).plans[-1].plan


def accelerated(namespace: str) -> Schedule:
    """The same guards with short steps and a short mask, in another namespace."""
    plan = recommender()
    guards = tuple(replace(g, mask_s=6.0 if g.kind == "outcome" else 0.0) for g in plan.guards)
    low, high, _ = plan.rollout.steps
    steps = [weight_step(low.weight, FIRST), weight_step(high.weight, SECOND)]
    return schedule_of(
        replace(
            with_steps(plan, steps),
            identity=replace(plan.identity, namespace=namespace),
            prometheus=plan.prometheus.model_copy(update={"scrape_interval": 1.0, "look_interval": MINUTE}),
            min_rps=RPS,
            guards=guards,
        )
    )


@dataclass(frozen=True)
class Scraped:
    """What Prometheus knows once everything has happened.

    Args:
        server: it still runs.
        script: what was served.
        while_down: what its client said during the restart.
    """

    server: Server
    script: Script
    while_down: str

    @property
    def start_s(self) -> float:
        return self.script.start_s

    def live(self) -> Live:
        return Live(Prometheus.at(self.server.url), "c", "s", self.start_s, self.start_s + END)

    def judged(self, namespace: str) -> Course:
        """What the rendered queries, asked of the server, decide."""
        return walk(accelerated(namespace), self.live(), END)

    def samples(self, namespace: str) -> Samples:
        """Raw samples (milliseconds, value) by metric and arm, summed over pods; of requests by code only the errors."""
        selector = f'{{namespace="{namespace}",http_response_code!="200"}}'
        found: dict[tuple[str, str], dict[int, float]] = {}
        for labels, points in self.server.samples(selector, self.start_s + END, 600):
            arm = labels.get("served_by") or labels["rollouts_pod_template_hash"]
            total = found.setdefault((labels["__name__"], arm), {})
            for at, value in points:
                total[round(1000 * at)] = total.get(round(1000 * at), 0.0) + value
        return {key: sorted(total.items()) for key, total in found.items()}

    def recording(self, namespace: str) -> Recording:
        """The same samples as a file of recorded counters would hold them."""
        samples = self.samples(namespace)

        def pair(requests: str, events: str, *, complement: bool = False) -> Pair:
            return Pair(*(side_of(samples, arm, requests, events, complement=complement) for arm in "cs"))

        duration = "bentoml_service_request_duration_seconds"
        return Recording(
            {
                "ctr": pair("sluice_predictions_total", "sluice_outcomes_total"),
                "error-rate": pair(f"{duration}_count", "bentoml_service_request_total"),
                "slow-rate": pair(f"{duration}_count", f"{duration}_bucket", complement=True),
            }
        )


def side_of(samples: Samples, arm: str, requests: str, events: str, *, complement: bool) -> ArmCounters:
    total, counted = samples.get((requests, arm), []), samples.get((events, arm), [])
    assert [at for at, _ in total] == [at for at, _ in counted]
    values = [value for _, value in total]
    happened = [a - b if complement else b for a, (_, b) in zip(values, counted, strict=True)]
    times = [at for at, _ in total]
    pods = samples.get(("up", arm), [])
    assert [at for at, _ in pods] == times
    return ArmCounters(
        Counter(times, values), Counter(times, happened), Gauge(times, [number for _, number in pods])
    )


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    plan = recommender()
    releases = (
        Release("good"), Release("bad", click_ratio=0.5), Release("silent", silent=True),
        Release("wiped", gets=0.26), Release("copied", gets=0.5), Release("unrouted", gets=0.0),
        Release("reused", gets=0.055), Release(plan.identity.namespace),
    )  # fmt: skip
    # So placed against the grid of strata that no stratum lies where the mask lifts, whenever the scrapes come.
    start = math.ceil((time.time() + BEFORE + 3) / MINUTE) * MINUTE + 2.5
    script = Script(plan.bento.name, RPS, start, 100.0, ((0.05, 0.0, 1), (0.25, FIRST, 7)), releases)
    exporter = Exporter(script)
    server = Server(tmp_path_factory.mktemp("prometheus"), exporter.port)
    try:
        server.start()
        assert time.time() < start - 12, (
            "Prometheus took so long that there is no history before the first weight"
        )
        until(lambda: time.time() > start + RESTART, 120, "the second step")
        server.stop()
        with pytest.raises(HttpError) as refused:
            Prometheus.at(server.url).range("up", start, start, 1)
        server.start()
        until(lambda: _newest(server) >= start + END, 60, "the last scrape")
        yield Scraped(server, script, str(refused.value))
    finally:
        server.stop()
        exporter.close()


def _newest(server: Server) -> float:
    found = server.query("max(timestamp(sluice_predictions_total))", time.time())
    return float(found[0]["value"][1]) if found else 0.0


def increase(points: list[tuple[int, float]], end_ms: int, window_ms: int) -> float | None:
    """Prometheus 2's increase() of a counter without resets: closed range, extrapolated to its ends."""
    inside = [(at, value) for at, value in points if end_ms - window_ms <= at <= end_ms]
    if len(inside) < 2:
        return None
    (first_at, first), (last_at, last) = inside[0], inside[-1]
    grown, sampled = last - first, (last_at - first_at) / 1000
    spacing = sampled / (len(inside) - 1)
    to_start, to_end = (first_at - (end_ms - window_ms)) / 1000, (end_ms - last_at) / 1000
    if grown > 0 and first >= 0:
        to_start = min(to_start, sampled * first / grown)
    covered = sampled + sum(gap if gap < spacing * 1.1 else spacing / 2 for gap in (to_start, to_end))
    return grown * (covered / sampled)


def most(pods: Gauge, end_ms: int, window_s: float) -> float:
    """The largest number of pods in a closed range."""
    each = zip(pods.times, pods.values, strict=True)
    return max((number for at, number in each if end_ms - 1000 * window_s <= at <= end_ms), default=0.0)


def statistic(pair: Pair, test: EventShare, at_s: float) -> list[float]:
    """The event-share statistic from raw samples, as `increase()` counts them."""

    def count(counter: Counter, end_ms: int, window_s: float) -> float | None:
        return increase(list(zip(counter.times, counter.totals, strict=True)), end_ms, round(1000 * window_s))

    def share(end_ms: int, window_s: float) -> float:
        canary, stable = (count(side.requests, end_ms, window_s) for side in (pair.canary, pair.stable))
        return canary / (canary + stable) if canary is not None and stable is not None else math.nan

    def alike(end_ms: int, load: LoadMatch) -> bool:
        own, others = (
            most(side.pods, end_ms, test.window_s) for side in (pair.canary, pair.stable) if side.pods
        )
        part = share(end_ms, test.window_s)
        if not own or not others or math.isnan(part):
            return False
        weight = min(load.weights, key=lambda one: abs(one - part))
        return abs(math.log(weight / (1 - weight) * others / own)) < load.bound

    terms, step = [], round(1000 * test.step_s)
    for end in range(math.ceil(1000 * (at_s - 300) / step) * step, math.floor(1000 * at_s) + 1, step):
        requests = count(pair.canary.requests, end, test.window_s)
        if not requests:
            continue
        if test.mask:
            back = test.mask.lookback_s
            change = share(end, back) / share(end - round(1000 * back), back)
            if not 1 / test.mask.tolerance < change < test.mask.tolerance:
                continue
        if test.load and not alike(end, test.load):
            continue
        canary, stable = (
            count(side.events, end, test.window_s) or 0.0 for side in (pair.canary, pair.stable)
        )
        others = count(pair.stable.requests, end, test.window_s) or 0.0
        terms.append(
            event_llr(canary, requests, stable, others, test.rate_ratio) * test.step_s / test.window_s
        )
    return [math.fsum(terms)] if terms else []


@pytest.mark.parametrize("namespace", ["good", "bad"])
@pytest.mark.parametrize("guard", ["ctr", "error-rate", "slow-rate"])
def test_promql_and_python_agree_on_the_statistic(scraped, namespace, guard):
    watched = next(one for one in accelerated(namespace).background if one.guard == guard)
    pair, live = scraped.recording(namespace).pairs[guard], scraped.live()
    seen = 0
    for k in range(int(END / MINUTE) + 1):
        found = live(watched, k * MINUTE)
        assert found == pytest.approx(
            statistic(pair, watched.statistic, scraped.start_s + k * MINUTE), rel=1e-9, abs=1e-9
        )
        seen += len(found)
    assert seen >= 8


def test_a_good_release_is_promoted_although_prometheus_was_restarted(scraped):
    story = scraped.judged("good")
    assert (story.outcome, story.at_s) == ("promoted", FIRST + SECOND)
    assert {look.measured for look in story.measurements} == {"Successful"}
    assert (
        max(look.result[0] for look in story.measurements if look.kind == "sequential" and look.result) < 1.0
    )


def test_half_the_clicks_are_rolled_back_at_the_look_that_replay_says(scraped):
    story = scraped.judged("bad")
    assert (story.outcome, story.guard) == ("aborted", "ctr")
    replayed = walk(accelerated("bad"), query_results(scraped.recording("bad"), scraped.start_s), END)
    assert (replayed.outcome, replayed.guard, replayed.at_s) == ("aborted", "ctr", story.at_s)
    assert story.at_s == 28.0  # four strata of 1.17 each after the mask


def test_replay_of_the_scrapes_follows_the_server_look_by_look(scraped):
    """They differ where a counter is born, so what follows is compared, and where a gap in the scrapes is extrapolated."""
    live = scraped.judged("good")
    replayed = walk(accelerated("good"), query_results(scraped.recording("good"), scraped.start_s), END)
    assert (replayed.outcome, replayed.at_s) == (live.outcome, live.at_s)
    born: dict[str, tuple[float, float]] = {}
    for mine, theirs in zip(replayed.measurements, live.measurements, strict=True):
        assert (mine.metric, mine.at_s, mine.measured) == (theirs.metric, theirs.at_s, theirs.measured)
        if mine.kind == "sequential" and mine.at_s <= MINUTE:
            born[mine.metric] = sum(mine.result), sum(theirs.result)
        elif mine.result and theirs.result and mine.kind == "sequential" and mine.at_s <= FIRST:
            mine_born, theirs_born = born[mine.metric]
            since_birth = theirs.result[0] - theirs_born
            assert mine.result[0] - mine_born == pytest.approx(since_birth, rel=0.05, abs=0.3)


def test_a_canary_without_traffic_has_no_result_and_pauses_at_the_evidence(scraped):
    story = scraped.judged("silent")
    assert (story.outcome, story.at_s) == ("paused", FIRST + 4 * MINUTE)
    assert all(look.result == () for look in story.measurements if look.metric != SPLIT)


def split_measurements(scraped: Scraped, namespace: str) -> list[Measurement]:
    """The checks of the split at the end of the first step, asked of the server."""
    split = [metric for metric in accelerated(namespace).stages[0].evidence if metric.guard == SPLIT]
    alone = Schedule((), (replace(accelerated(namespace).stages[0], evidence=tuple(split)),))
    return list(walk(alone, scraped.live(), END).measurements)


@pytest.mark.parametrize(
    ("namespace", "phase"),
    [
        ("good", "Successful"), ("reused", "Successful"), ("wiped", "Inconclusive"), ("copied", "Inconclusive"),
        ("unrouted", "Inconclusive"), ("silent", "Inconclusive"), ("nowhere", "Inconclusive"),
    ],
)  # fmt: skip
def test_the_controller_itself_pauses_where_the_split_is_not_the_weight(scraped, namespace, phase):
    """Five measurements without a success pause the rollout; nothing fails, so nothing is rolled back."""
    looks = split_measurements(scraped, namespace)
    assert len(looks) == (1 if phase == "Successful" else 5)
    [metric] = [one for one in accelerated(namespace).stages[0].evidence if one.guard == SPLIT]
    conditions = {"successCondition": metric.condition.success, "failureCondition": metric.condition.failure}
    questions = [
        {
            "op": "condition",
            "metric": {"name": SPLIT, "provider": {}, **conditions},
            "type": "vector",
            "result": [str(value) for value in look.result],
        }
        for look in looks
    ]
    for version in VERSIONS:
        assert {answer["phase"] for answer in ask(version, questions)} == {phase}
    assert {look.measured for look in looks} == {phase}


def test_a_wiped_selector_pauses_the_release_and_says_why(scraped):
    """The wiped selector gave 26% to a canary of 5%; both versions are equally good, so no other guard sees it."""
    story = scraped.judged("wiped")
    assert (story.outcome, story.guard, story.at_s) == ("paused", SPLIT, FIRST + 4 * MINUTE)
    replayed = walk(accelerated("wiped"), query_results(scraped.recording("wiped"), scraped.start_s), END)
    assert (replayed.outcome, replayed.guard, replayed.at_s) == ("paused", SPLIT, story.at_s)


def test_a_server_that_is_away_is_told(scraped):
    assert "can't be reached" in scraped.while_down


def test_the_command_asks_the_queries_as_they_are_rendered(scraped):
    times = ("--start", scraped.start_s, "--end", scraped.start_s + END)
    hashes = ("--canary-hash", "c", "--stable-hash", "s")
    arguments = ("shop/recommender", "--root", CHECKOUT, "--prometheus", scraped.server.url, *times, *hashes)
    result = CliRunner().invoke(cli, ["replay", *map(str, arguments), "--format", "json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["outcome"], found["at_s"]) == ("undecided", END)
    assert [look["metric"] for look in found["looks"]] == ["ctr", "error-rate", "slow-rate"]
    assert found["exposed"] == pytest.approx(scraped.script.canary(END), rel=0.05)


def test_a_query_that_the_server_refuses_is_told_in_its_words(scraped):
    with pytest.raises(HttpError, match="parse error"):
        Prometheus.at(scraped.server.url).range("sum(", 0, 0, 1)
