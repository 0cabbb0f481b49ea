"""Alerts after the release: their generated unit tests run in the real promtool, and find what is broken."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import ryaml
import yaml
from click.testing import CliRunner

from generator.cli.main import cli
from generator.lint.engine import run
from generator.lint.rules.queries import QueryContext
from generator.plan.repository import Repository
from generator.plan.resolve import no_digest, resolve
from generator.plan.values import Plan
from generator.promql.burn import ROWS, burn, windows
from generator.render.alerts import alerts, groups
from generator.render.promtool import rule_file, unit_tests
from tests import golden

ROOT = Path(__file__).resolve().parents[3]
OBSERVED = golden.CASES / "observed"


@cache
def plans(root: Path) -> list[Plan]:
    repository = Repository(root)
    found = [resolve(repository, entry, no_digest) for entry in repository.entries]
    return [
        planned.plan
        for item in found
        for planned in item.plans
        if planned.plan.identity.environment != "staging"
    ]


def promtool(folder: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        ["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    return done.returncode, done.stdout + done.stderr


def written(folder: Path, rules: Any, tests: Any) -> None:
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules))
    (folder / "test.yaml").write_text(yaml.safe_dump(tests))


PLANS = {p.identity.path: p for root in (ROOT, OBSERVED) for p in plans(root)}


@pytest.mark.parametrize("path", PLANS)
def test_every_alert_fires_when_it_should_and_not_when_it_nearly_should(path, tmp_path):
    plan = PLANS[path]
    written(tmp_path, rule_file(plan), unit_tests(plan, "rules.yaml"))
    code, said = promtool(tmp_path, "check", "rules", "rules.yaml")
    assert code == 0, said
    code, said = promtool(tmp_path, "test", "rules", "test.yaml")
    assert code == 0, said


def test_a_test_exists_for_both_sides_of_every_alert():
    plan = PLANS["live/shop/ranker"]
    names = [item["name"] for item in unit_tests(plan, "r")["tests"]]
    assert len(names) == len(set(names)) == 2 * len(list(alerts(plan)))
    kinds = {item.name for item in alerts(plan)}
    assert kinds == {
        "ModelAbsent", "ModelSilent", "RolloutDegraded", "RolloutStuck", "RolloutWaits", "ModelBudgetBurnsFast",
        "ModelBudgetBurns", "ModelBudgetSpent", "ModelOutcomeCollapsed", "ModelOutcomeLow", "ModelUnfair", "ModelWatchFailed",
        "ModelWatchMissed",
    }  # fmt: skip


def test_a_spoilt_alert_fails_its_test(tmp_path):
    """The tests can fail: with each alert turned to never fire, promtool names it."""
    plan = PLANS["live/shop/ranker"]
    rules = rule_file(plan)
    for group in rules["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                rule["expr"] = f"({rule['expr']}) and on() (vector(1) > 1)"
    written(tmp_path, rules, unit_tests(plan, "rules.yaml"))
    code, said = promtool(tmp_path, "test", "rules", "test.yaml")
    assert code == 1
    assert {item.name for item in alerts(plan)} == set(re.findall(r'alertname=\\?"(\w+)', said))


def test_the_rules_tested_are_those_of_the_golden_case():
    files = golden.files("observed")
    item = ryaml.loads(files["live/shop/ranker/prometheusrule-main.yaml"])
    told = [{**group, "name": group["name"].rpartition(".")[2]} for group in item["spec"]["groups"]]
    assert _plain(told) == _plain(rule_file(PLANS["live/shop/ranker"])["groups"])


def _plain(value: Any) -> Any:
    """Durations are written in two ways that mean the same."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def test_no_annotation_is_a_template_of_prometheus():
    """The owner of this case is `{{ $value }}`: text of a spec stays text."""
    files = golden.files("observed")
    item = ryaml.loads(files["live/shop/ranker/prometheusrule-main.yaml"])
    told = [
        rule["annotations"] for group in item["spec"]["groups"] for rule in group["rules"] if "alert" in rule
    ]
    assert told
    assert all("{{" not in text for notes in told for text in notes.values())
    assert all("$value" in notes["owner"] for notes in told)


def test_every_alert_leads_to_its_page():
    files = golden.files("observed")
    item = ryaml.loads(files["live/shop/ranker/prometheusrule-main.yaml"])
    headings = re.findall("^## (.*)$", files["live/shop/ranker/RUNBOOK.md"], re.MULTILINE)
    linked = set()
    for group in item["spec"]["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                page, _, anchor = rule["annotations"]["runbook"].partition("#")
                assert page.removeprefix("rendered/") in files
                assert rule["annotations"]["runbook_url"].endswith(f"{page}#{anchor}")
                linked.add(anchor)
    assert linked == {name.lower() for name in headings}


def test_the_rows_are_those_of_the_workbook():
    """Site Reliability Workbook, table 5-8: 2 % of 30 days in one hour, 5 % in six, 10 % in three days."""
    for row, spent in zip(ROWS, (0.02, 0.05, 0.10), strict=True):
        assert row.factor * row.long_s / (30 * 86400) == pytest.approx(spent)
        assert row.short_s == row.long_s / 12
    assert windows() == (300, 1800, 3600, 21600, 259200)


def test_a_row_that_no_share_could_meet_is_left_out():
    both = burn(lambda window: f"r{window:g}", 0.05, "page")
    assert "r3600 > 0.72" in both
    assert "r21600 > 0.3" in both
    assert "r3600" not in burn(lambda window: f"r{window:g}", 0.1, "page")
    assert burn(lambda window: f"r{window:g}", 0.5, "page") == ""
    with pytest.raises(ValueError, match="budget"):
        burn(str, 0.0, "page")


def test_no_recorded_share_loses_its_events_or_has_too_few_samples():
    """All rules on queries but CAN120: these queries cover all versions on purpose."""
    for plan in PLANS.values():
        for group in groups(plan):
            for item in group.recordings:
                context = QueryContext(item.expression, plan.clock.scrape_s)
                found = {code.code for _, code, _ in run([context])}
                assert found <= {"CAN120"}, item.name


def test_the_command_writes_what_promtool_tests(tmp_path):
    done = CliRunner().invoke(cli, ["alerts", "--root", str(OBSERVED), "--output", str(tmp_path / "a")])
    assert done.exit_code == 0, done.output
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["live.shop.ranker.rules.yaml", "live.shop.ranker.test.yaml"]
    plan = PLANS["live/shop/ranker"]
    told = [yaml.safe_load((tmp_path / "a" / name).read_text()) for name in names]
    assert told == [rule_file(plan), unit_tests(plan, names[0])]


def test_a_platform_without_alerts_is_told(tmp_path):
    root = golden.CASES / "canary-none"
    done = CliRunner().invoke(cli, ["alerts", "--root", str(root), "--output", str(tmp_path)])
    assert done.exit_code == 2
    assert "monitoring: {alerts: {}}" in done.output
