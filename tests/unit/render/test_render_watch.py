"""The gates after the release: which of them, on what data, when, and what their result becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import ryaml

from generator.gates.errors import NoVerdictError
from generator.gates.pod import read_release
from generator.gates.staging import mounted_inputs
from generator.pipeline.revert_requests import from_webhook
from generator.plan.recurring_gates import daily_cron
from tests import golden

FILES = golden.files("observed")
FOLDER = "live/shop/ranker"


def item(name: str) -> Any:
    return ryaml.loads(FILES[f"{FOLDER}/{name}"])


def run() -> Any:
    return item("cronworkflow-watch.yaml")["spec"]["workflowSpec"]


def tasks(spec: Any) -> list[str]:
    (dag,) = [template["dag"] for template in spec["templates"] if "dag" in template]
    return [task["name"] for task in dag["tasks"]]


def told_release(spec: Any) -> Any:
    (parameter,) = spec["arguments"]["parameters"]
    return read_release({"SLUICE_RELEASE": parameter["value"]})


def test_only_what_production_can_change_is_judged_again():
    assert tasks(run()) == ["drift", "parity", "verdict"]
    assert tasks(item("workflow-gates.yaml")["spec"]) == ["unit-tests", "drift", "parity", "verdict"]


def test_the_reference_stays_locked_and_fresh_data_does_not(tmp_path):
    """With the code that gate pods run: other bytes than the lock's are refused for one and taken for the other."""
    release = told_release(run())
    folder = tmp_path / release.lock.model.digest.removeprefix("sha256:")
    (folder / "data").mkdir(parents=True)
    for name in ("train", "prod-30d", "seen"):
        (folder / "data" / f"{name}.csv").write_text("price,hour\n1,2\n")
    inputs = mounted_inputs(tmp_path, release.lock)
    for fresh in ("data/prod-30d.csv", "data/seen.csv"):
        path, source = inputs.data(fresh)
        assert path == folder / fresh
        assert str(source.digest).startswith("sha256:")
    with pytest.raises(NoVerdictError, match="not the locked data set"):
        inputs.data("data/train.csv")
    before = mounted_inputs(tmp_path, told_release(item("workflow-gates.yaml")["spec"]).lock)
    with pytest.raises(NoVerdictError, match="not the locked data set"):
        before.data("data/prod-30d.csv")


def test_fresh_data_lies_in_a_folder_of_its_own():
    def paths(spec: Any) -> set[str | None]:
        mounts = [m for t in spec["templates"] if "container" in t for m in t["container"]["volumeMounts"]]
        return {mount.get("subPath") for mount in mounts if mount["name"] == "inputs"}

    assert paths(run()) == {"watch"}
    assert paths(item("workflow-gates.yaml")["spec"]) == {None}


def test_what_the_workflow_counts_is_what_the_alerts_read():
    metrics = run()["metrics"]["prometheus"]
    scraped = 'job="workflow-controller-metrics",namespace="argo"'
    series = {
        f"argo_workflows_{m['name']}{{{scraped},"
        + ",".join(f'{e["key"]}="{e["value"]}"' for e in m["labels"])
        + "}"
        for m in metrics
    }
    rules = item("prometheusrule-main.yaml")["spec"]["groups"]
    expressions = " ".join(
        rule["expr"]
        for group in rules
        for rule in group["rules"]
        if rule.get("alert", "").startswith("ModelWatch")
    )
    assert len(series) == 2
    assert all(name in expressions for name in series)
    assert {m["gauge"]["value"] for m in metrics if "when" in m} == {"0", "1"}


def failed() -> Any:
    rules = item("prometheusrule-main.yaml")["spec"]["groups"]
    (found,) = [rule for group in rules for rule in group["rules"] if rule.get("alert") == "ModelWatchFailed"]
    return found


def test_the_alert_says_the_command_that_halts():
    assert "`sluice revert shop/ranker --quarantine-only --reason TEXT`" in failed()["annotations"]["action"]


def test_what_alertmanager_makes_of_the_alert_halts_the_version(tmp_path):
    """Alertmanager hands labels (with the name of the alert) and annotations on as they are."""
    rule = failed()
    alert = {
        "status": "firing",
        "labels": {"alertname": rule["alert"], **rule["labels"]},
        "annotations": rule["annotations"],
    }
    file = tmp_path / "body.json"
    file.write_text(json.dumps({"version": "4", "status": "firing", "alerts": [alert]}))
    (asked,) = from_webhook(str(file)).requests
    assert (asked.model, asked.digest, asked.halt) == ("shop/ranker", f"sha256:{'a1' * 32}", True)
    assert asked.reason == "the daily watch in live: on fresh data it no longer passes drift and parity"


def test_watches_start_in_the_hour_that_follows_each_at_its_own_minute():
    assert daily_cron(None, "a") == ""
    found = {daily_cron("23:45", f"production/shop/model-{n}") for n in range(300)}
    minutes = {
        (60 * int(hour) + int(minute) - (23 * 60 + 45)) % 1440 for minute, hour, *_ in map(str.split, found)
    }
    assert minutes == set(range(60))
    assert item("cronworkflow-watch.yaml")["spec"]["schedules"][0] in found | {
        daily_cron("23:45", "live/shop/ranker")
    }


def test_a_release_is_json_without_placeholders():
    (parameter,) = run()["arguments"]["parameters"]
    assert "{{" not in parameter["value"]
    assert json.loads(parameter["value"])["model"] == "shop/ranker"
