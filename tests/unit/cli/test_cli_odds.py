"""`sluice odds` on trees that others wrote."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from generator.cli.main import cli
from generator.lint import check
from generator.report.schemas import schema_text
from tests.unit.odds.trees.examples import ADVICE
from tests.unit.odds.trees.trees import COMPARED, ERRORS, FORMS, canary

KNOWN = ["--rps", "50", "--baseline", "error=1%"]


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "rollout.yaml").write_text(canary(ERRORS, 'successCondition: "result[0] < 0.02"'))
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(cli.get_command(None, "odds"), [str(one) for one in arguments])


def test_the_text_says_what_it_is_worth(tree):
    done = run(tree, *KNOWN)
    assert done.exit_code == 0
    for part in (
        "Rollout shop/cart",
        "10% 10m, 50% 10m",
        "errors / requests of the new version over 2m",
        "1 of 1 metric recognized",
    ):
        assert part in done.output


@pytest.mark.parametrize(
    "text", [*ADVICE.values(), canary(*COMPARED), canary(*FORMS["quantile"]), canary("up", "count: 1")]
)
def test_json_is_what_its_schema_describes(tmp_path, text):
    (tmp_path / "tree.yaml").write_text(text)
    for known in ([], KNOWN):
        jsonschema.validate(
            json.loads(run(tmp_path, *known, "--format", "json").output), json.loads(schema_text("odds"))
        )


def test_json_has_the_numbers(tree):
    document = json.loads(run(tree, *KNOWN, "--format", "json").output)
    (release,) = document["releases"]
    (metric,) = release["metrics"]
    assert document["schema"] == "sluice/odds/v1"
    assert 0 < metric["false_rollback"]["low"] <= metric["false_rollback"]["high"] < 1
    assert [harm["times"] for harm in metric["harms"]] == [1.5, 2, 5]
    assert metric["measures"]["limit"] == 0.02


def test_a_range_declares_the_values_of_a_gauge(tmp_path):
    text = canary('max(queue{service="cart-canary"})', 'successCondition: "result[0] < 90"')
    (tmp_path / "tree.yaml").write_text(text)
    unknown = run(tmp_path).output
    assert "no odds: the values of queue are not in the tree" in unknown
    found = run(tmp_path, "--baseline", "queue=40..90", "--format", "json")
    (metric,) = json.loads(found.output)["releases"][0]["metrics"]
    assert metric["measures"]["kind"] == "gauge"
    assert 0 < metric["false_rollback"]["low"] < metric["false_rollback"]["high"] < 0.1
    jsonschema.validate(json.loads(found.output), json.loads(schema_text("odds")))


def test_a_baseline_declares_how_often_a_job_fails(tmp_path):
    text = canary("up", "count: 1")
    (tmp_path / "tree.yaml").write_text(
        f"{text.partition('      provider:')[0]}      provider: {{job: {{spec: {{}}}}}}\n"
    )
    assert "`--baseline quality=1%`" in run(tmp_path).output
    shown = run(tmp_path, "--baseline", "quality=2%").output
    assert "the verdict of a Job" in shown
    assert "1 of 1 metric recognized" in shown


@pytest.mark.parametrize(
    "baseline",
    ["error", "error=x", "error=0", "=5%", "error=-1", "queue=9..4", "queue=4..4", "queue=4..", "queue=..4"],
)
def test_a_baseline_that_is_not_one_is_refused(tree, baseline):
    assert run(tree, "--baseline", baseline).exit_code != 0


def test_a_tree_without_releases_is_refused(tmp_path):
    (tmp_path / "service.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: cart}\n")
    done = run(tmp_path)
    assert done.exit_code != 0


def test_markdown_is_a_comment(tree):
    text = run(tree, *KNOWN, "--format", "markdown").output
    assert "| metric | measures | good version stopped |" in text
    assert "**Rollout shop/cart**" in text


def test_html_has_a_picture_and_loads_nothing(tree):
    page = run(tree, *KNOWN, "--format", "html").output
    assert page.count("<svg") == 1
    assert page.count('<rect class="weight"') == 2
    assert "src=" not in page
    assert "http" not in page


def test_html_escapes_what_the_tree_says(tmp_path):
    text = canary(ERRORS, 'successCondition: "result[0] < 0.02"').replace("quality", "<b>quality")
    (tmp_path / "rollout.yaml").write_text(text)
    page = run(tmp_path, *KNOWN, "--format", "html").output
    assert "<b>" not in page
    assert "&lt;b&gt;quality" in page


def test_formats_of_code_hosts_have_a_finding_with_a_documented_code_for_each_trap(tmp_path):
    (tmp_path / "rollout.yaml").write_text(
        canary(ERRORS, 'successCondition: "len(result) == 0 || result[0] < 0.02"')
    )
    (only,) = json.loads(run(tmp_path, *KNOWN, "--format", "sarif").output)["runs"]
    names = [rule["id"] for rule in only["tool"]["driver"]["rules"]]
    found = {result["ruleId"]: result for result in only["results"]}
    assert "ODDS112" in found
    assert "Write instead" in only["tool"]["driver"]["rules"][names.index("ODDS112")]["help"]["text"]
    assert all(names[result["ruleIndex"]] == result["ruleId"] for result in only["results"])
    location = found["ODDS112"]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "rollout.yaml"
    assert location["region"]["startLine"] > 1
    annotations = run(tmp_path, *KNOWN, "--format", "github").output
    assert f"::warning file=rollout.yaml,line={location['region']['startLine']}" in annotations
    assert "(ODDS112)" in run(tmp_path, *KNOWN).output
    assert {
        one["check_name"] for one in json.loads(run(tmp_path, *KNOWN, "--format", "gitlab").output)
    } == set(found)


def test_what_would_be_better_can_be_pasted(tmp_path):
    text = canary(ERRORS, 'successCondition: "result[0] < 0.2"', "{interval: 1m, initialDelay: 3m}")
    (tmp_path / "rollout.yaml").write_text(text)
    (release,) = json.loads(run(tmp_path, *KNOWN, "--format", "json").output)["releases"]
    better = release["metrics"][0]["better"]
    assert better["today"]["power"] < better["metric"]["power"]
    assert better["metric"]["false_rollback"] <= 0.01
    (metric,) = yaml.safe_load(better["metric"]["yaml"])
    pasted = text.replace(
        'successCondition: "result[0] < 0.2"', f"successCondition: {json.dumps(metric['successCondition'])}"
    )
    pasted = pasted.replace(
        "interval: 1m", f"interval: {metric['interval']}\n      failureLimit: {metric['failureLimit']}"
    )
    (tmp_path / "rollout.yaml").write_text(
        pasted.replace("initialDelay: 3m", f"initialDelay: {metric['initialDelay']}")
    )
    (again,) = json.loads(run(tmp_path, *KNOWN, "--format", "json").output)["releases"]
    assert again["metrics"][0]["harms"][1]["power"]["low"] == pytest.approx(
        better["metric"]["power"], abs=0.01
    )


def test_what_would_be_better_is_a_whole_object_that_can_be_applied(tmp_path):
    text = canary(ERRORS, 'failureCondition: "result[0] > 0.2"', "{interval: 1m, initialDelay: 3m}")
    (tmp_path / "rollout.yaml").write_text(text)
    (release,) = json.loads(run(tmp_path, *KNOWN, "--format", "json").output)["releases"]
    (template,) = release["better_templates"]
    body = yaml.safe_load(template["yaml"])
    assert check(body) == []
    (metric,) = body["spec"]["metrics"]
    assert "failureCondition" not in metric
    assert metric["provider"]["prometheus"]["query"].strip() == ERRORS
    for fmt in ("text", "markdown"):
        shown = run(tmp_path, *KNOWN, "--format", fmt).output
        block = re.search(r"^( *)apiVersion: argoproj.io/v1alpha1\n(?:\1.*\n)+", shown, re.MULTILINE)[0]
        assert yaml.safe_load(block.partition("```")[0].partition("\n1 release")[0]) == body
    (applied,) = (part for part in text.split("---\n") if "kind: Rollout" in part)
    (tmp_path / "rollout.yaml").write_text(f"{applied}---\n{template['yaml']}")
    (again,) = json.loads(run(tmp_path, *KNOWN, "--format", "json").output)["releases"]
    assert again["metrics"][0]["harms"][1]["power"]["low"] == pytest.approx(
        release["metrics"][0]["better"]["metric"]["power"], abs=0.01
    )


def test_the_readme_opens_with_what_the_command_prints(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rollout.yaml").write_text(next(iter(ADVICE.values())))
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    block = readme.split("```text\n", 2)[1].split("```")[0]
    command, shown = block.split("\n", 1)
    assert command == "$ sluice odds path/to/manifests --rps 100 --baseline error=0.5%"
    assert run(".", "--rps", "100", "--baseline", "error=0.5%").output.startswith(shown)
