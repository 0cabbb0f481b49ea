"""`sluice plan`: told times are those of the rendered objects, told origins are lines that say so."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from generator.cli.main import cli
from generator.pipeline.session import open_session
from generator.plan import timeline as told
from generator.plan.names import SPLIT
from generator.plan.timeline import KEEP_ABORTED_S, timeline
from generator.render.metrics import evidence_metrics, live_metrics
from generator.report.schemas import schema_text
from generator.spec.rollout import Canary
from tests.unit.cli.planned import change, objects, plans

EXAMPLES = Path(__file__).resolve().parents[3] / "specs"
MODELS = ("shop/recommender", "risk/fraud", "support/ticket-classifier")
_SECONDS = {"h": 3600, "m": 60, "s": 1}


def go_seconds(text: str) -> float:
    return sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d+)([hms])", text))


def test_a_canary_takes_the_pauses_of_the_rendered_rollout(repository):
    session = open_session(None)
    for plan in plans(session):
        if not isinstance(plan.rollout, Canary):
            continue
        rendered = objects(session, plan)
        steps = rendered["rollout-main.yaml"]["spec"]["strategy"]["canary"]["steps"]
        pauses = sum(go_seconds(step["pause"]["duration"]) for step in steps if step.get("pause"))
        shadow = rendered.get("analysistemplate-shadow-watch.yaml")
        if shadow:
            metric = shadow["spec"]["metrics"][0]
            pauses += (metric["count"] - 1) * go_seconds(
                metric["interval"]
            )  # from the first look to the last
        story = timeline(plan)
        assert story.planned_s == pauses
        assert len(story.approvals) == steps.count({"pause": {}})
        weights = [event.weight for event in story.events if event.kind == "weight"]
        assert weights == [step["setWeight"] for step in steps if step.get("setWeight")]
        evidence = [event.step for event in story.events if event.kind == "evidence"]
        analyses = [step["analysis"]["templates"][0]["templateName"] for step in steps if "analysis" in step]
        assert [f"{plan.identity.model}-evidence-{step}" for step in evidence] == [
            a for a in analyses if "evidence-" in a
        ]


def test_a_blue_green_takes_the_times_of_the_rendered_rollout(repository):
    change(
        repository,
        "support/ticket-classifier",
        "approve: manual",
        "approve: manual, watch: 20m, guards: [{metric: error-rate, limit: 5%}]",
    )
    session = open_session(None)
    plan = next(plan for plan in plans(session) if plan.identity.model == "ticket-classifier")
    rendered = objects(session, plan)
    strategy = rendered["rollout-main.yaml"]["spec"]["strategy"]["blueGreen"]
    job = rendered["analysistemplate-preview.yaml"]["spec"]["metrics"][0]["provider"]["job"]
    metric, alive = rendered["analysistemplate-watch.yaml"]["spec"]["metrics"]
    events = {event.kind: event for event in timeline(plan).events}
    assert list(events) == ["gates", "preview", "smoke", "approval", "switch", "watch", "scale-down"]
    assert events["smoke"].end_s == job["spec"]["activeDeadlineSeconds"] == told.SMOKE_S
    assert events["scale-down"].start_s == strategy["scaleDownDelaySeconds"] == 1200
    assert metric["count"] == plan.clock.watch_measurements(1200.0)
    # A crash loop after the switch is in no counter of the pods (seen on a real cluster): scrapes tell.
    assert alive["name"] == "alive"
    assert "avg(avg_over_time(up{" in alive["provider"]["prometheus"]["query"]
    assert alive["count"] * go_seconds(alive["interval"]) == 1200
    assert go_seconds(metric["initialDelay"]) == plan.measured_guards[0].first_s(plan.clock)
    assert go_seconds(metric["interval"]) == plan.clock.interval_s
    assert strategy["abortScaleDownDelaySeconds"] == KEEP_ABORTED_S


def test_an_unwatched_switch_keeps_the_old_pods_as_long_as_rendered(repository):
    session = open_session(None)
    plan = next(plan for plan in plans(session) if plan.identity.model == "ticket-classifier")
    strategy = objects(session, plan)["rollout-main.yaml"]["spec"]["strategy"]["blueGreen"]
    assert strategy["scaleDownDelaySeconds"] == told.KEEP_S
    assert "postPromotionAnalysis" not in strategy


LIMITED = """guards:
      - {metric: error-rate, name: bare, limit: 5%}
      - {fairness: demographic-parity-difference, sensitive: [gender], atMost: 0.1}"""


def test_looks_are_those_of_the_rendered_metrics(repository):
    change(repository, "shop/recommender", "guards:", LIMITED)
    change(repository, "shop/recommender", "spec:\n", "spec:\n  service: {positive: [1]}\n")
    for plan in plans(open_session(None)):
        if not isinstance(plan.rollout, Canary):
            continue
        guards = {guard.name: guard for guard in plan.guards}
        for metric in live_metrics(plan):
            guard = guards[metric.guard]
            assert metric.interval_s == guard.interval_s(plan.clock)
            assert metric.initial_delay_s == guard.first_s(plan.clock)
        rendered = evidence_metrics(plan, plan.rollout.weight_steps[0][0])
        assert {metric.guard for metric in rendered} == {
            SPLIT,
            *(guard.name for guard in plan.evidence_guards),
        }
        for metric in rendered:
            assert (metric.count - 1) * metric.interval_s == plan.clock.catch_up_s


def test_looks_start_with_the_first_live_request(repository):
    steps = "steps: [{approve: someone}, {cohort: {header: x-beta, exact: 'yes'}, hold: 5m}, "
    change(repository, "shop/recommender", "steps: [", steps)
    plan = next(plan for plan in plans(open_session(None)) if plan.identity.model == "recommender")
    events = [(event.kind, event.after, event.start_s) for event in timeline(plan).events]
    assert events[1:6] == [
        ("approval", "", 0.0),
        ("looks", "approval by someone", 0.0),
        ("cohort", "approval by someone", 0.0),
        ("evidence", "approval by someone", 300.0),
        ("weight", "approval by someone", 300.0),
    ]


def test_two_approvals_by_one_role_are_told_apart(repository):
    change(repository, "shop/recommender", "{weight: 25%", "{approve: lead}, {approve: lead}, {weight: 25%")
    plan = next(plan for plan in plans(open_session(None)) if plan.identity.model == "recommender")
    after = list(dict.fromkeys(event.after for event in timeline(plan).events))
    assert after == ["", "approval by lead", "approval by lead (2)"]


@pytest.mark.parametrize("model", MODELS)
def test_the_document_is_deterministic_and_keeps_its_schema(repository, sluice, model):
    first, second = (sluice("plan", model, "--format", "json").stdout for _ in range(2))
    assert first == second
    document = json.loads(first)
    jsonschema.Draft202012Validator(json.loads(schema_text("plan"))).validate(document)
    assert document["schema"] == "sluice/plan/v1"
    assert [plan["release"]["environment"] for plan in document["plans"]] == ["staging", "production"]


def test_times_are_seconds_and_shares_fractions(repository, sluice):
    document = json.loads(
        sluice("plan", "shop/recommender", "--format", "json", "--env", "production").stdout
    )
    (plan,) = document["plans"]
    assert plan["timeline"]["planned_s"] == 6000
    assert [event["weight"] for event in plan["timeline"]["events"] if event["kind"] == "weight"] == [
        0.05,
        0.25,
        0.5,
    ]
    values = {row["path"]: row for row in plan["values"]}
    assert values["spec.rollout.steps[0].hold"]["value"] == 3600
    assert values["spec.rollout.steps[0].hold"]["written"] == "60m"
    assert values["spec.rollout.guards[0].detect.drop"]["value"] == pytest.approx(0.1)


@pytest.mark.parametrize("model", MODELS)
def test_every_origin_is_a_line_that_says_so(repository, sluice, model):
    document = json.loads(sluice("plan", model, "--format", "json").stdout)
    for plan in document["plans"]:
        for row in plan["values"]:
            if row["source"] == "default":
                assert row["file"] is None
                continue
            line = (repository / row["file"]).read_text().splitlines()[row["line"] - 1]
            assert row["file"].endswith("platform.yaml") is (row["source"] == "tier")
            words = row["written"] if isinstance(row["written"], list) else [row["written"]]
            assert all(json.dumps(word).strip('"') in line for word in words), (row, line)


def test_an_override_is_told_with_its_own_line(repository, sluice):
    file = repository / "specs" / "shop" / "recommender.yaml"
    file.write_text(
        file.read_text() + "  environments:\n    staging: {rollout: {risk: {power: 90%}}, replicas: 1}\n"
    )
    document = json.loads(sluice("plan", "shop/recommender", "--format", "json").stdout)
    staging, production = ({row["path"]: row for row in plan["values"]} for plan in document["plans"])
    assert (staging["spec.rollout.risk.power"]["source"], staging["spec.rollout.risk.power"]["value"]) == (
        "environment",
        0.9,
    )
    assert staging["spec.replicas"]["line"] == len(file.read_text().splitlines())
    assert (production["spec.rollout.risk.power"]["source"], production["spec.replicas"]["source"]) == (
        "spec",
        "default",
    )


def test_a_list_that_replaces_a_tiers_list_takes_nothing_from_it(repository, sluice):
    platform = repository / "specs" / "platform.yaml"
    platform.write_text(
        platform.read_text().replace(
            "rollout: {risk: {falseRollback: 5%, power: 80%}, noData: pause}",
            "rollout: {strategy: canary, steps: [{weight: 1%, hold: 1h}],"
            " guards: [{metric: error-rate, limit: 5%, noData: fail}]}",
        )
    )
    document = json.loads(sluice("plan", "shop/recommender", "--format", "json", "--env", "staging").stdout)
    rows = [row for row in document["plans"][0]["values"] if row["path"].startswith("spec.rollout.guards[0]")]
    assert {row["source"] for row in rows} == {"spec"}


def test_the_full_text_shows_what_reviewers_ask_for(repository, sluice):
    text = sluice("plan", "risk/fraud", "--env", "production", "--full").stdout
    for part in (
        "risk/fraud in production",
        "approval by model-risk + 0s",
        "waived  until 2027-01-31 by model-risk: regulator-approved exception",
        "the first release is never analysed",
        "resume",
        "tier: specs/platform.yaml",
    ):
        assert part in text


def test_the_short_text_shows_a_release_on_one_screen(repository, sluice):
    text = sluice("plan", "shop/recommender", env={"COLUMNS": "80"}).stdout
    for part in (
        "shop/recommender in production: version 12, canary, tier high-traffic",
        "staging  the same, in its own namespace and at its own hosts",
        "103 EUR a month; this release adds 0.74 EUR",
        "1h 20m  50% of live requests go to the new version, for 20m; load 1.00",
        "every 1m until promotion;\n    slow-rate only at 50%",
        "ctr         -10%    99.9%   1.1%            42m / 1h 11m        31,383",
        "warning[GATE303] line 13:",
        "the canary Service is pointed at the pods of the",
    ):
        assert part in text
    assert "Who may do what" not in text


@pytest.mark.parametrize("model", MODELS)
def test_the_short_text_fits_one_screen(repository, sluice, model):
    lines = sluice("plan", model, env={"COLUMNS": "80"}).stdout.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80


def test_the_short_text_says_how_environments_differ(repository, sluice):
    file = repository / "specs" / "shop" / "recommender.yaml"
    other = "  environments: {staging: {rollout: {risk: {power: 90%}}, resources: {cpu: '2'}}}\n"
    file.write_text(file.read_text() + other)
    text = sluice("plan", "shop/recommender").stdout
    assert "staging  differs: release power 90% instead of 80%; capacity cpu 2 instead of 1" in text
    staging = sluice("plan", "shop/recommender", "--env", "staging").stdout
    assert staging.startswith("shop/recommender in staging: ")
    assert "differs" not in staging


def test_only_text_has_a_full_form(repository, sluice):
    for arguments in (["--all"], ["shop/recommender", "--format", "json"]):
        done = sluice("plan", *arguments, "--full")
        assert (done.exit_code, done.stdout) == (2, "")
        assert "--full needs a SPEC and --format text" in done.stderr


def test_colours_are_for_those_who_want_them(repository, sluice):
    plain = sluice("plan", "risk/fraud", env={"NO_COLOR": "1", "FORCE_COLOR": "1"}).stdout
    bright = sluice("plan", "risk/fraud", env={"FORCE_COLOR": "1", "NO_COLOR": None}).stdout
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", bright) == plain


def test_an_unknown_environment_is_refused_with_the_nearest(repository, sluice):
    done = sluice("plan", "risk/fraud", "--env", "prodution")
    assert done.exit_code == 2
    assert "did you mean `production`?" in done.stderr


def test_findings_end_the_plan(repository, sluice):
    change(repository, "shop/recommender", "tier: high-traffic", "tier: hi-traffic")
    done = sluice("plan", "shop/recommender")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "REF202" in done.stderr


def test_a_broken_platform_ends_the_plan(repository, sluice):
    (repository / "specs" / "platform.yaml").write_text("")
    done = sluice("plan", "shop/recommender")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "SPEC101" in done.stderr


def test_a_plan_that_breaks_rules_is_told_with_a_warning(repository, sluice):
    change(repository, "shop/recommender", "weight: 5%", "weight: 15%")
    done = sluice("plan", "shop/recommender")
    assert done.exit_code == 0
    assert "sluice validate shop/recommender" in done.stderr


def test_markdown_shows_the_odds_and_no_value_ends_its_block(tmp_path):
    specs = shutil.copytree(EXAMPLES, tmp_path / "specs")
    spec = specs / "shop" / "recommender.yaml"
    spec.write_text(spec.read_text().replace("owner: shop-ml@example.com", 'owner: "```` # not a heading"'))
    done = CliRunner().invoke(
        cli, ["plan", "shop/recommender", "--root", str(tmp_path), "--format", "markdown"]
    )
    assert done.exit_code == 0, done.output
    assert "### Odds" in done.output
    fences = [
        line
        for line in done.output.splitlines()
        if line.startswith("`") and set(line.removesuffix("text")) == {"`"}
    ]
    assert len(fences) % 2 == 0
    assert all(
        opened.removesuffix("text") == closed
        for opened, closed in zip(fences[::2], fences[1::2], strict=True)
    )


def test_guards_look_as_often_as_the_platform_says(repository, sluice):
    """Looks, windows, strata and the told story follow one interval."""
    change(repository, "platform", "scrapeInterval: 15s", "scrapeInterval: 2s, lookInterval: 10s")
    change(repository, "shop/recommender", "guards:", LIMITED)
    change(repository, "shop/recommender", "spec:\n", "spec:\n  service: {positive: [1]}\n")
    plan = next(plan for plan in plans(open_session(None)) if plan.identity.model == "recommender")
    metrics = {metric.name: metric for metric in live_metrics(plan)}
    assert {name: metric.interval_s for name, metric in metrics.items()} == {
        "ctr": 10, "error-rate": 10, "slow-rate": 10, "bare": 10, "parity-gender": 50,
    }  # fmt: skip
    assert "[12s]" in metrics["ctr"].query
    assert ":10s])" in metrics["ctr"].query
    assert "[50s]" in metrics["bare"].query
    assert metrics["bare"].initial_delay_s == 54
    assert "every 10s until promotion" in sluice("plan", "shop/recommender").output


def test_a_slow_start_moves_the_probe_and_the_deadline(repository):
    change(repository, "shop/recommender", "spec:\n", "spec:\n  service: {startup: 10m}\n")
    session = open_session(None)
    plan = next(plan for plan in plans(session) if plan.identity.model == "recommender")
    spec = objects(session, plan)["rollout-main.yaml"]["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    probe = container["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == 600
    assert spec["progressDeadlineSeconds"] > 3 * 600
