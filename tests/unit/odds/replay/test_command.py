"""`sluice replay` from the command line: its three sources, its three forms, and input that can't be used."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable

import jsonschema
import pytest
from click.testing import CliRunner, Result
from lxml import etree

from generator.cli.main import cli
from generator.odds.odds import LATENCY_S
from generator.report.schemas import schema_text

RECOMMENDER = "shop/recommender"
HEADER = "time,guard,arm,requests,events,pods"
Replay = Callable[..., Result]


@pytest.fixture
def replay(repository):
    return lambda *arguments: CliRunner().invoke(cli, ["replay", *map(str, arguments)])


@pytest.fixture
def traffic(repository):
    """Write a recording: 100 minutes of 200 requests a second at the planned weights, canary events times a factor.

    In the ten minutes before, a cohort may send some requests in each 15 seconds.
    """

    def write(factor=1.0, name="traffic.csv", minutes=100, cohort=0):
        rows, rates = [], {"ctr": 0.04, "error-rate": 0.005, "slow-rate": 0.02}
        for guard, rate in rates.items():
            canary = stable = 0.0
            changed = rate * (factor if guard == "ctr" else 1)
            for tick in range(-40, 4 * minutes + 1):
                minute = tick / 4
                weight = 0 if tick <= 0 else 0.05 if minute <= 60 else 0.25 if minute <= 80 else 0.5
                canary, stable = canary + 3000 * weight, stable + 3000 * (1 - weight)
                canary += cohort if tick <= 0 else 0
                at = 6_000_007 + 15 * tick
                rows.append((at, guard, "stable", round(stable), round(stable * rate), 4))
                if tick >= 0 or cohort:
                    pods = 4 if weight == 0.5 else 1
                    rows.append((at, guard, "canary", round(canary), round(canary * changed), pods))
        if name.endswith("json"):
            text = json.dumps([dict(zip(HEADER.split(","), row, strict=True)) for row in rows])
        else:
            text = "\n".join([HEADER, *(",".join(map(str, row)) for row in rows)]) + "\n"
        (repository / name).write_text(text)
        return name

    return write


def document(result):
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    jsonschema.validate(found, json.loads(schema_text("replay")))
    return found


@pytest.mark.parametrize("name", ["traffic.csv", "traffic.json"])
def test_a_good_release(replay, traffic, name):
    found = document(replay(RECOMMENDER, "--data", traffic(name=name), "--format", "json"))
    assert (found["schema"], found["model"], found["environment"]) == (
        "sluice/replay/v1",
        RECOMMENDER,
        "production",
    )
    assert (found["outcome"], found["guard"], found["at_s"]) == ("promoted", None, 6000.0)
    assert [(held["weight"], held["end_s"]) for held in found["weights"]] == [
        (5, 3600),
        (25, 4800),
        (50, 6000),
    ]
    assert found["exposed"] == 216_000
    assert sum(look["metric"] == "ctr" and look["kind"] == "sequential" for look in found["looks"]) == 101


COHORT = "{cohort: {header: x-beta, exact: 'yes'}, hold: 10m}"


def with_cohort(root):
    path = root / "specs/shop/recommender.yaml"
    path.write_text(path.read_text().replace("steps: [", f"steps: [{COHORT}, "))


@pytest.mark.parametrize(
    ("cohort", "outcome", "step"), [(0, "paused", 0), (2, "paused", 0), (3, "promoted", 3)]
)
def test_a_release_waits_for_requests_of_its_cohort(replay, traffic, repository, cohort, outcome, step):
    """A cohort without requests used to be widened in silence: 80 requests are not enough, 120 are."""
    with_cohort(repository)
    begin = ("--start", 6_000_007 - 600)
    found = document(replay(RECOMMENDER, "--data", traffic(cohort=cohort), *begin, "--format", "json"))
    assert (found["outcome"], found["step"]) == (outcome, step)
    assert found["guard"] == (None if outcome == "promoted" else "cohort-requests")
    counts = [look["result"] for look in found["looks"] if look["metric"] == "cohort-requests"]
    assert counts == [[40.0 * cohort]] * (1 if outcome == "promoted" else 5)


def test_a_simulated_cohort_sends_what_the_platform_lists(replay, repository):
    with_cohort(repository)
    simulated = ("--simulate", "good", "--runs", 5, "--format", "json")
    unknown = document(replay(RECOMMENDER, *simulated))
    assert "cohort-requests" in unknown["skipped"]
    platform = repository / "specs/platform.yaml"
    text = platform.read_text()
    for share, outcome in (("0.5%", "promoted"), ("0.05%", "paused")):
        listed = f"spec:\n  cohorts: [{{header: x-beta, exact: 'yes', share: {share}}}]\n"
        platform.write_text(text.replace("spec:\n", listed, 1))
        found = document(replay(RECOMMENDER, *simulated))
        assert "cohort-requests" not in found["skipped"]
        assert found["outcomes"][outcome]["share"] == 1.0


def test_half_the_clicks(replay, traffic):
    found = document(replay(RECOMMENDER, "--data", traffic(0.5), "--format", "json"))
    assert (found["outcome"], found["guard"], found["step"]) == ("aborted", "ctr", 0)
    failed = [look for look in found["looks"] if look["measured"] == "Failed"]
    assert [(look["metric"], look["at_s"]) for look in failed] == [("ctr", found["at_s"])]
    assert failed[0]["result"][0] >= 4.0943445622221
    before = [look for look in found["looks"] if look["metric"] == "ctr"][-2]
    assert before["result"][0] < 4.0943445622221
    sampled = (found["at_s"] + LATENCY_S) // 15 * 15  # the counters are read every 15 s
    assert found["exposed"] == 10 * sampled > 0


def test_text_tells_the_verdict_first(replay, traffic):
    result = replay(RECOMMENDER, "--env", "staging", "--data", traffic(0.5))
    title, verdict, *_ = result.stdout.splitlines()
    assert title == "shop/recommender in staging, replayed over traffic.csv"
    assert verdict.startswith("aborted after ")
    assert "by ctr: failed (1) > failureLimit (0)" in verdict


def test_data_that_ends_early_decides_nothing(replay, traffic):
    found = document(replay(RECOMMENDER, "--data", traffic(minutes=30), "--format", "json"))
    assert (found["outcome"], found["at_s"]) == ("undecided", 1800.0)


def test_start_and_end_cut_the_data(replay, traffic):
    name = traffic()
    cut = ("--start", 6_000_007 + 60, "--end", "1970-03-11T10:46:07Z")
    found = document(replay(RECOMMENDER, "--data", name, *cut, "--format", "json"))
    assert (found["outcome"], found["at_s"]) == ("undecided", 300.0)


def test_a_picture_is_xml_and_always_the_same(replay, traffic, repository):
    name = traffic(0.5)
    pictures = [replay(RECOMMENDER, "--data", name, "--format", "svg").stdout for _ in range(2)]
    assert pictures[0] == pictures[1]
    root = etree.fromstring(pictures[0].encode())
    said = " ".join(root.itertext())
    for text in (
        "ctr",
        "error-rate",
        "slow-rate",
        "5%",
        "25%",
        "50%",
        "aborted by ctr",
        "prefers-color-scheme:dark",
    ):
        assert text in said
    result = replay(RECOMMENDER, "--data", name, "--format", "svg", "--output", "picture.svg")
    assert (result.exit_code, result.stdout) == (0, "")
    assert (repository / "picture.svg").read_text() == pictures[0]


def test_a_simulation_beside_its_odds(replay):
    options = ("--simulate", "drop=20%", "--runs", 5, "--seed", 3)
    found = document(replay(RECOMMENDER, *options, "--format", "json"))
    assert (found["runs"], found["seed"], found["scenario"]) == (5, 3, "drop=20%")
    assert found["whole"]["odds"]["rolled_back"] > 0.99
    assert found["outcomes"]["aborted"]["share"] == 1.0
    assert [guard["name"] for guard in found["guards"]] == ["ctr", "error-rate", "slow-rate"]
    text = replay(RECOMMENDER, *options).stdout
    assert "aborted 100% ±" in text
    assert "any guard" in text
    assert replay(RECOMMENDER, *options, "--format", "svg").stdout.startswith("<svg")


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


WATCHED = (
    "--start",
    "2026-11-23T10:00:00Z",
    "--end",
    "2026-11-23T12:00:00Z",
    "--canary-hash",
    "c",
    "--stable-hash",
    "s",
)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "one of --data, --prometheus, --simulate"),
        (("--simulate", "good", "--data", "x.csv"), "one of --data, --prometheus, --simulate"),
        (("--simulate", "cvr:drop=1%"), "the guard `cvr` can't be simulated"),
        (("--simulate", "drop=1%", "--env", "prod"), "no such environment: `prod`"),
        (("--data", "none.csv"), "can't be read"),
        (("--data", "."), "is a directory"),
        (("--prometheus", "http://127.0.0.1:1"), "--prometheus needs --start"),
        (("--prometheus", "ftp://127.0.0.1", *WATCHED), "not an http or https address"),
        (("--prometheus", "http://127.0.0.1:1", *WATCHED, "--start", "today"), "--start is not a time"),
        (
            ("--prometheus", "http://127.0.0.1:1", *WATCHED, "--end", "2026-11-22T10:00:00Z"),
            "before the first weight",
        ),
        (("--prometheus", "http://127.0.0.1:1", *WATCHED, "--canary-hash", 'c"}'), "a hash holds letters"),
    ],
)
def test_input_that_cannot_be_used(replay, arguments, said):
    result = replay(RECOMMENDER, *arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_a_server_that_does_not_answer(replay):
    result = replay(RECOMMENDER, "--prometheus", f"http://127.0.0.1:{closed_port()}", *WATCHED)
    assert result.exit_code == 2
    assert "can't be reached" in result.output


def test_a_bad_line_is_a_finding(replay, traffic, repository):
    name = traffic()
    with (repository / name).open("a") as stream:
        stream.write("noon,ctr,canary,1,1,1\n")
    result = replay(RECOMMENDER, "--data", name)
    assert result.exit_code == 2
    assert "RPL103" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("spec", ["risk/fraud", "support/ticket-classifier"])
def test_without_guards_there_is_nothing_to_replay(repository, replay, spec):
    file = repository / f"specs/{spec}.yaml"
    file.write_text(file.read_text().replace("    steps:", "    guards: []\n    steps:"))
    result = replay(spec, "--simulate", "good")
    assert result.exit_code == 2
    assert "no guard to replay" in result.output
