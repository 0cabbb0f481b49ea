"""Alerts after the release: their generated unit tests run in the real promtool, and find what is broken."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import replace
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
        "ModelAbsent", "ModelSilent", "RolloutAborted", "RolloutDegraded", "RolloutStuck", "RolloutWaits", "ModelBudgetBurnsFast",
        "ModelBudgetBurns", "ModelBudgetSpent", "ModelOutcomeCollapsed", "ModelOutcomeLow", "ModelUnfair", "ModelWatchFailed",
        "ModelWatchMissed", "RolloutUnseen",
    }  # fmt: skip


def test_an_outcome_that_stops_is_reported_where_fewer_are_better(tmp_path: Path) -> None:
    plan = PLANS["live/shop/ranker"]
    rare = replace(next(g for g in plan.guards if g.kind == "outcome"), more_is_worse=True, ratio=1.5)
    changed = replace(plan, guards=(rare,))
    assert "ModelOutcomeUnreported" in {item.name for item in alerts(changed)}
    assert "ModelOutcomeUnreported" not in {item.name for item in alerts(replace(changed, min_rps=1e-6))}
    written(tmp_path, rule_file(changed), unit_tests(changed, "rules.yaml"))
    code, said = promtool(tmp_path, "test", "rules", "test.yaml")
    assert code == 0, said


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


def test_the_commands_of_a_page_can_be_pasted():
    page = golden.files("observed")["live/shop/ranker/RUNBOOK.md"]
    top, *blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    assert top == "CONTEXT=live\n"
    assert len(blocks) == len(re.findall("^## ", page, re.MULTILINE))
    for line in "".join(blocks).splitlines():
        words = shlex.split(line)
        assert not {"TEXT", "NAME", "NAMESPACE"} & set(words), line
        if words[0] == "kubectl":
            assert words[words.index("--namespace") + 1] == "shop-live"
            assert words[words.index("--context") + 1] == "$CONTEXT"
        else:
            assert words[:3] in (["sluice", "record", "shop/ranker"], ["sluice", "revert", "shop/ranker"])


def test_an_abort_that_worked_is_a_ticket():
    canary = {item.name: item.severity for item in alerts(PLANS["live/shop/ranker"])}
    assert (canary["RolloutAborted"], canary["RolloutDegraded"]) == ("ticket", "page")
    switched = [plan for plan in PLANS.values() if plan.rollout.strategy != "canary"]
    assert switched
    for plan in switched:
        assert {item.severity for item in alerts(plan) if item.name == "RolloutAborted"} == {"page"}


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


def foreign(series: str) -> str:
    """The same series from a pod of another team: the scrape sets `namespace` and `job`, and renames those of the pod."""
    name, _, labels = series.partition("{")
    kept = re.sub(r'\b(namespace|job)="', r'exported_\1="', labels.removesuffix("}"))
    kept = kept.replace("exported_exported_", "exported_")
    given = dict(re.findall(r'(\w+)=("(?:[^"\\]|\\.)*")', kept))
    given |= {"namespace": '"elsewhere"', "job": '"elsewhere/attacker"', "pod": '"attacker-0"'}
    return name + "{" + ",".join(f"{key}={value}" for key, value in given.items()) + "}"


@pytest.mark.parametrize("path", PLANS)
def test_series_of_another_pod_neither_silence_nor_raise_an_alert(path, tmp_path):
    """Each alert's own series are bad and the foreign ones healthy, then the other way round."""
    plan = PLANS[path]
    document = unit_tests(plan, "rules.yaml")
    by_name: dict[str, dict[bool, Any]] = {}
    for test in document["tests"]:
        fires = not test["name"].endswith("does not fire")
        name = test["name"].removesuffix(" fires").removesuffix(" does not fire")
        by_name.setdefault(name, {})[fires] = test
    mixed = []
    for sides in by_name.values():
        for fires, test in sides.items():
            others = [
                {**item, "series": foreign(item["series"])} for item in sides[not fires]["input_series"]
            ]
            mixed.append({**test, "input_series": [*test["input_series"], *others]})
    written(tmp_path, rule_file(plan), {**document, "tests": mixed})
    code, said = promtool(tmp_path, "test", "rules", "test.yaml")
    assert code == 0, said


def test_an_alert_without_the_scrape_of_its_controller_is_silenced_by_a_foreign_series(tmp_path):
    """The test above can fail: without `job` and `namespace`, and with `max`, another pod's 1 hides a failed watch."""
    plan = PLANS["live/shop/ranker"]
    rules = rule_file(plan)
    for group in rules["groups"]:
        for rule in group["rules"]:
            if rule.get("alert") == "ModelWatchFailed":
                rule["expr"] = re.sub(r'job="[^"]*",namespace="[^"]*",', "", rule["expr"]).replace(
                    "min(", "max("
                )
    document = unit_tests(plan, "rules.yaml")
    sides = {t["name"]: t for t in document["tests"] if t["name"].startswith("ModelWatchFailed")}
    quiet, fires = sides["ModelWatchFailed  does not fire"], sides["ModelWatchFailed  fires"]
    others = [{**item, "series": foreign(item["series"])} for item in quiet["input_series"]]
    test = {**fires, "input_series": [*fires["input_series"], *others]}
    written(tmp_path, rules, {**document, "tests": [test]})
    assert promtool(tmp_path, "test", "rules", "test.yaml")[0] == 1
