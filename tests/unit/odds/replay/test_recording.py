"""Files of recorded counters: what is read, and what is said of anything else."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generator.odds.replay.recording import COLUMNS, read_recording

HEADER = "time,guard,arm,requests,events\n"
GOOD = HEADER + "0,ctr,stable,0,0\n60,ctr,stable,950,38\n60,ctr,canary,0,0\n120,ctr,canary,50,2\n"


@pytest.fixture
def parse(tmp_path):
    def parse(text, name="traffic.csv", guards=("ctr",)):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_recording(path, name, guards)

    return parse


def test_csv(parse):
    recording, findings = parse(GOOD)
    assert findings == []
    assert (recording.start_s, recording.end_s) == (60.0, 120.0)
    assert recording.exposed(60, 120) == 50.0
    assert recording.pairs["ctr"].stable.events.increase(0, 60_000) == 38.0


def test_json_and_csv_say_the_same(parse):
    lines = GOOD.splitlines()[1:]
    items = [dict(zip(COLUMNS, line.split(","), strict=True)) for line in lines]
    recording, findings = parse(json.dumps(items), "traffic.json")
    assert findings == []
    assert recording.pairs["ctr"].canary.requests.totals == parse(GOOD)[0].pairs["ctr"].canary.requests.totals


def test_columns_in_any_order_and_times_with_a_zone(parse):
    text = "arm,guard,events,requests,time\ncanary,ctr,1,20,2026-11-23T10:00:00Z\ncanary,ctr,2,30,2026-11-23T11:01:00+01:00\n"
    text += "stable,ctr,30,600,2026-11-23T10:00:00Z\n"
    recording, findings = parse(text)
    assert findings == []
    assert recording.pairs["ctr"].canary.requests.times == [1795428000000, 1795428060000]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "RPL102", 1),
        ("time,guard,arm,requests\n", "RPL102", 1),
        ("time,guard,arm,requests,events,pod\n", "RPL102", 1),
        ("time,guard,arm,requests,events,time\n", "RPL102", 1),
        (HEADER + "1,ctr,canary,1\n", "RPL102", 2),
        (HEADER + "noon,ctr,canary,1,1\n", "RPL103", 2),
        (HEADER + "2026-11-23T10:00:00,ctr,canary,1,1\n", "RPL103", 2),
        (HEADER + "nan,ctr,canary,1,1\n", "RPL103", 2),
        (HEADER + "1,cvr,canary,1,1\n", "RPL103", 2),
        (HEADER + "1,ctr,baseline,1,1\n", "RPL103", 2),
        (HEADER + "1,ctr,canary,-1,1\n", "RPL103", 2),
        (HEADER + "1,ctr,canary,1,inf\n", "RPL103", 2),
        (HEADER + "2,ctr,canary,1,1\n1,ctr,canary,2,1\n", "RPL104", 3),
        (HEADER + "2,ctr,canary,1,1\n2,ctr,canary,2,1\n", "RPL104", 3),
        (HEADER, "RPL105", 0),
        (HEADER.encode() + b"\xff\xfe\n", "RPL101", 0),
    ],
)
def test_a_mistake_is_a_finding_at_its_line(parse, text, code, line):
    _, findings = parse(text)
    assert [(finding.code, finding.place.line) for finding in findings] == [(code, line)]
    assert findings[0].message
    assert findings[0].hint


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        ("{", "RPL101", ""),
        ("[" * 100_000, "RPL101", ""),
        ("{}", "RPL102", ""),
        ("[1]", "RPL102", ""),
        ('[{"time": 1}]', "RPL102", ""),
        (
            '[{"time": true, "guard": "ctr", "arm": "canary", "requests": 1, "events": 1}]',
            "RPL103",
            "[0].time",
        ),
        ('[{"time": 1, "guard": ["ctr"], "arm": {}, "requests": 1, "events": 1}]', "RPL103", "[0].guard"),
        (
            '[{"time": 1, "guard": "ctr", "arm": "canary", "requests": 1, "events": null}]',
            "RPL103",
            "[0].events",
        ),
    ],
)
def test_a_mistake_in_json(parse, text, code, path):
    _, findings = parse(text, "traffic.json")
    assert [(finding.code, finding.path) for finding in findings] == [(code, path)]


def test_the_same_mistake_in_every_line_is_not_told_for_ever(parse):
    _, findings = parse(HEADER + "x,ctr,canary,1,1\n" * 1000)
    assert len(findings) == 21


@pytest.mark.parametrize(("kept", "missed"), [("canary", "stable"), ("stable", "canary")])
def test_a_missing_arm_is_not_taken_for_zeros(parse, kept, missed):
    _, findings = parse(HEADER + f"0,ctr,{kept},0,0\n60,ctr,{kept},950,38\n")
    assert [finding.code for finding in findings] == ["RPL105"]
    assert f"the {missed} arm" in findings[0].message


def test_every_guard_is_missed_by_name(parse):
    _, findings = parse(GOOD, guards=("ctr", "error-rate"))
    assert [finding.code for finding in findings] == ["RPL105"]
    assert "error-rate" in findings[0].message


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.binary(max_size=200) | st.text(max_size=200).map(str.encode),
    st.sampled_from(["csv", "json"]),
    st.booleans(),
)
def test_no_file_makes_it_stumble(parse, body, ending, headed):
    prefix = HEADER.encode() if headed and ending == "csv" else b""
    recording, findings = parse(prefix + body, f"any.{ending}")
    assert findings
    assert recording.pairs


ITEM = st.fixed_dictionaries(
    dict.fromkeys(
        COLUMNS,
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5) | st.just("ctr"),
    )
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.lists(ITEM, min_size=1, max_size=4))
def test_no_value_makes_it_stumble(parse, items):
    _, findings = parse(json.dumps(items), "any.json")
    assert findings
