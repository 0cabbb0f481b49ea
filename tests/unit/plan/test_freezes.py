"""Freezes: when an environment is frozen, and the windows of Argo CD."""

from __future__ import annotations

import datetime as dt

import pytest

from generator.plan.freezes import frozen, windows
from generator.source.reader import parse
from generator.spec.check import check
from generator.spec.platform import PlatformFile
from tests.unit.rules.repository import PLATFORM, as_yaml, file_of

PEAK = {
    "environments": ["production"],
    "from": "2026-12-20T00:00",
    "to": "2027-01-04T06:30",
    "zone": "Europe/Berlin",
    "reason": "peak season",
}
WEEKEND = {
    "environments": ["staging", "production"],
    "cron": "0 16 * * FRI",
    "duration": "64h",
    "zone": "America/New_York",
    "reason": "no releases at weekends",
}


def checked(*freezes):
    text = as_yaml(file_of("Platform", {"name": "acme"}, {**PLATFORM, "freezes": list(freezes)}))
    return check(PlatformFile, parse(text.encode(), "specs/platform.yaml"))


def platform(*freezes):
    record, findings = checked(*freezes)
    assert not findings, findings
    return record.spec


@pytest.mark.parametrize(
    ("freeze", "now", "until"),
    [
        (PEAK, "2026-12-19T22:59:59+00:00", None),
        (PEAK, "2026-12-19T23:00:00+00:00", "2027-01-04 06:30 (Europe/Berlin): peak season"),
        (PEAK, "2027-01-04T05:29:59+00:00", "2027-01-04 06:30 (Europe/Berlin): peak season"),
        (PEAK, "2027-01-04T05:30:00+00:00", None),
        (PEAK, "2027-12-25T00:00:00+00:00", None),
        (WEEKEND, "2026-11-27T20:59:59+00:00", None),
        (
            WEEKEND,
            "2026-11-27T21:00:00+00:00",
            "2026-11-30 08:00 (America/New_York): no releases at weekends",
        ),
        (
            WEEKEND,
            "2026-11-30T12:59:59+00:00",
            "2026-11-30 08:00 (America/New_York): no releases at weekends",
        ),
        (WEEKEND, "2026-11-30T13:00:00+00:00", None),
        # Clocks go back on Sunday, 1 November, so this weekend lasts 65 hours: it ends at eight as any other.
        (
            WEEKEND,
            "2026-11-02T12:59:59+00:00",
            "2026-11-02 08:00 (America/New_York): no releases at weekends",
        ),
        (WEEKEND, "2026-11-02T13:00:00+00:00", None),
    ],
)
def test_an_environment_is_frozen_on_the_clock_of_the_freeze(freeze, now, until):
    reason = frozen(platform(freeze), "production", dt.datetime.fromisoformat(now))
    assert reason == (until and f"production is frozen until {until}")


def test_other_environments_are_not_frozen():
    now = dt.datetime.fromisoformat("2026-12-24T12:00:00+00:00")
    assert frozen(platform(PEAK), "staging", now) is None
    assert frozen(platform(WEEKEND, PEAK), "production", now) is not None


def test_argo_cd_counts_on_the_same_clock():
    found = windows(platform(PEAK, WEEKEND), "production")
    assert [(w.schedule, w.duration, w.zone) for w in found] == [
        ("0 0 20 12 *", "366h30m", "Europe/Berlin"),
        ("0 16 * * FRI", "64h", "America/New_York"),
    ]
    assert [w.zone for w in windows(platform(PEAK, WEEKEND), "staging")] == ["America/New_York"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"to": "2026-12-20T00:00"}, "ends at 2026-12-20T00:00"),
        ({"from": "2027-02-01T00:00"}, "write `from: 2027-01-04T06:30` and `to: 2027-02-01T00:00`"),
        ({"to": None}, "`from` needs `to`"),
        ({"from": "2026-12-20 18:00"}, "2026-12-20T18:00"),
        ({"from": "20.12.2026"}, "2026-12-20T00:00"),
        ({"from": "2026-02-30T00:00"}, "a time is a date"),
        ({"zone": "berlin"}, "Europe/Berlin"),
        ({"zone": "Europe/Atlantis"}, "IANA"),
        ({"from": None, "to": None}, "exactly one of `from` or `cron`"),
        ({"cron": "0 16 * * 5", "duration": "1h"}, "`from` and `cron` can't be combined"),
        ({"from": None, "to": None, "cron": "0 16 * * 5"}, "add `duration: 64h`"),
        ({"from": None, "to": None, "cron": "0 16 * * 5", "duration": "90s"}, "write `duration: 2m`"),
        ({"from": None, "to": None, "cron": "0 16 * * 7", "duration": "1h"}, "0 16 * * 0"),
        ({"from": None, "to": None, "cron": "@weekly", "duration": "1h"}, "0 0 * * 0"),
        ({"from": None, "to": None, "cron": "0 0 30 2 *", "duration": "1h"}, "that exists"),
        ({"from": None, "to": None, "cron": "0 0 1 * 5", "duration": "1h"}, "not both"),
        ({"from": None, "to": None, "cron": "0 25 * * *", "duration": "1h"}, "that exists"),
    ],
)  # fmt: skip
def test_what_is_no_freeze_is_explained(change, says):
    written = {key: value for key, value in {**PEAK, **change}.items() if value is not None}
    record, findings = checked(written)
    assert record is None
    assert says in " ".join(f"{finding.message} {finding.hint}" for finding in findings)
