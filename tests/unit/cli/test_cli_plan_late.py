"""`sluice plan` and `sluice validate` say which guards cannot fail before the release is promoted."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.edits import change

SHORT = "steps: [{weight: 5%, hold: 1m}, {weight: 50%, hold: 329s}]"
GUARDS = """guards:
      - {metric: error-rate, baseline: 0.5%, detect: {rise: 100%}}
      - {metric: error-rate, baseline: 0.5%, limit: 5%, name: ceiling}
      - {metric: error-rate, limit: 5%, name: unpriced}
"""
LATE = "cannot fail before promotion: first verdict at 6m 30s, promoted at 6m 29s"
PLANS = ("plan", "shop/recommender", "--env", "production")


@pytest.fixture
def late(committed):
    """The recommender with a release that ends a second before the first verdict of two limits."""
    path = committed / "specs" / "shop" / "recommender.yaml"
    text = path.read_text()
    steps, guards = text.index("steps: ["), text.index("guards:\n")
    path.write_text(text[:steps] + SHORT + "\n    " + GUARDS + _rest(text[guards:]))
    return committed


def _rest(text: str) -> str:
    """What follows the list of guards."""
    lines = text.splitlines(keepends=True)[1:]
    after = next((at for at, line in enumerate(lines) if not line.startswith("      ")), len(lines))
    return "".join(lines[after:])


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    "options", [(), ("--full",), ("--format", "markdown"), ("--against", "HEAD", "--format", "markdown")]
)
def test_the_plan_says_it_where_the_guard_has_its_odds(late, sluice, options):
    told = words(sluice(*PLANS, *options).stdout)
    assert f"ceiling: {LATE}" in told
    assert f"unpriced: no odds, its `baseline` is not declared; {LATE}" in told
    assert told.count(LATE) == 2


def test_programs_read_the_times(late, sluice):
    (plan,) = json.loads(sluice(*PLANS, "--format", "json").stdout)["plans"]
    times = {"first_verdict_s": 390.0, "promoted_s": 389.0}
    assert plan["odds"]["too_late"] == [{"guard": "ceiling", **times}, {"guard": "unpriced", **times}]


def test_the_page_marks_the_guards(late, sluice):
    assert sluice(*PLANS, "--format", "html", "--output", "pages").exit_code == 0
    (page,) = (late / "pages").rglob("recommender*/*.html")
    marked = [
        line for line in page.read_text().splitlines() if '<span class="badge fail">cannot fail' in line
    ]
    assert [name in line for name, line in zip(("ceiling", "unpriced"), marked, strict=True)] == [True, True]


def test_a_guard_that_never_fails_exposes_all_planned_requests(late, sluice):
    (row,) = (line for line in sluice(*PLANS).stdout.splitlines() if line.split()[:1] == ["ceiling"])
    (plan,) = json.loads(sluice(*PLANS, "--format", "json").stdout)["plans"]
    assert "never" in row
    assert row.split()[-1] == f"{plan['odds']['planned_requests'][-1]:,.0f}"


def test_the_finding_names_a_hold_that_is_enough_and_the_repair_writes_it(late, sluice):
    found = [
        one
        for one in json.loads(sluice("validate", "--format", "json").stdout)["findings"]
        if one["code"] == "CAN216"
    ]
    assert {one["severity"] for one in found} == {"warning"}
    assert {one["hint"] for one in found} == {"hold 50% for 10m"}
    change(late, "shop/recommender.yaml", "hold: 329s", "hold: 10m")
    assert "CAN216" not in sluice("validate").stdout


def test_nothing_is_said_a_second_later(late, sluice):
    change(late, "shop/recommender.yaml", "hold: 329s", "hold: 330s")
    assert "cannot fail" not in words(sluice(*PLANS).stdout)
    assert "CAN216" not in sluice("validate").stdout
