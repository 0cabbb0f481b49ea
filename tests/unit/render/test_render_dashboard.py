"""Dashboards: Grafana's own schema package knows every field, and Prometheus every query."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import ryaml
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests import golden

FILES = golden.files("observed")
PLACES = ("live/shop/ranker/configmap-dashboard.yaml", "live/platform/overview/configmap-dashboard.yaml")


def dashboard(place: str) -> dict[str, Any]:
    item = ryaml.loads(FILES[place])
    ((name, text),) = item["data"].items()
    assert name.endswith(".json")
    found: dict[str, Any] = json.loads(text)
    return found


def lost(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """What Grafana's model did not keep: a field that it does not know, or a value of another form."""
    if isinstance(ours, dict):
        for key, value in ours.items():
            if not isinstance(theirs, dict) or key not in theirs:
                yield f"{path}.{key}"
            else:
                yield from lost(value, theirs[key], f"{path}.{key}")
    elif isinstance(ours, list):
        if not isinstance(theirs, list) or len(ours) != len(theirs):
            yield path
        else:
            for index, pair in enumerate(zip(ours, theirs, strict=True)):
                yield from lost(*pair, f"{path}[{index}]")
    elif ours != theirs:
        yield path


def read_back(found: dict[str, Any]) -> Any:
    return json.loads(JSONEncoder().encode(Dashboard.from_json(found)))


@pytest.mark.parametrize("place", PLACES)
def test_grafana_knows_every_field(place):
    found = dashboard(place)
    assert list(lost(found, read_back(found))) == []


def test_a_field_that_grafana_does_not_know_is_seen():
    found = dashboard(PLACES[0])
    found["panels"][0]["gridPosition"] = {}
    assert list(lost(found, read_back(found))) == [".panels[0].gridPosition"]


@pytest.mark.parametrize("place", PLACES)
def test_every_query_is_one(place, tmp_path):
    queries = [target["expr"] for panel in dashboard(place)["panels"] for target in panel["targets"]]
    assert len(queries) >= 6
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    command = ["promtool", "check", "rules", "rules.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("place", PLACES)
def test_panels_do_not_overlap_and_have_names(place):
    taken = set()
    for panel in dashboard(place)["panels"]:
        spot = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(spot["x"], spot["x"] + spot["w"])
            for y in range(spot["y"], spot["y"] + spot["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert panel["title"]
        assert panel["description"]
        assert panel["targets"]


def test_the_configmap_is_what_the_sidecar_looks_for():
    for place in PLACES:
        item = ryaml.loads(FILES[place])
        assert item["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert item["metadata"]["annotations"]["grafana_folder"] == "Models"


def test_names_are_no_one_elses():
    uids = {dashboard(place)["uid"] for place in PLACES}
    assert len(uids) == len(PLACES)
    assert all(len(uid) <= 40 for uid in uids)


def values(tmp_path, query: str, series: dict[str, str]) -> str:
    """What Prometheus says a query is after half an hour, with two pods that answer: a stable and a canary one."""
    job = 'namespace="shop-live",job="shop-live/ranker"'
    pods = {
        f'up{{{job},rollouts_pod_template_hash="{arm}",sluice_dev_role="{role}"}}': "1x200"
        for arm, role in (("aaa", "stable"), ("bbb", "canary"))
    }
    given = [{"series": name, "values": text} for name, text in {**pods, **series}.items()]
    check = {"expr": query, "eval_time": "30m", "exp_samples": []}
    tests = [{"interval": "15s", "input_series": given, "promql_expr_test": [check]}]
    (tmp_path / "test.yaml").write_text(yaml.safe_dump({"tests": tests}))
    command = ["promtool", "test", "rules", "test.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


def panel_query(title: str) -> str:
    (found,) = [item for item in dashboard(PLACES[0])["panels"] if item["title"] == title]
    (target,) = found["targets"]
    text: str = target["expr"]
    return text


def test_a_share_without_events_is_zero_and_versions_have_their_role(tmp_path):
    own = 'namespace="shop-live",endpoint="/predict",http_response_code="200"'
    series = {
        f'bentoml_service_request_total{{{own},rollouts_pod_template_hash="{arm}"}}': "0+100x200"
        for arm in ("aaa", "bbb", "gone")
    }
    said = values(tmp_path, panel_query("error-rate"), series).replace("\\", "")
    for arm, role in (("aaa", "stable"), ("bbb", "canary")):
        assert f'{{rollouts_pod_template_hash="{arm}", sluice_dev_role="{role}"}} 0E+00' in said, said
    assert '{rollouts_pod_template_hash="gone"} 0E+00' in said, said


def test_the_weight_is_the_share_of_requests(tmp_path):
    own = 'namespace="shop-live",model="shop-ranker"'
    series = {
        f'sluice_predictions_total{{{own},served_by="{arm}",sluice_dev_role="{role}"}}': f"0+{count}x200"
        for arm, role, count in (("aaa", "stable", 95), ("bbb", "canary", 5), ("shadow-3", "shadow", 50))
    }
    said = values(tmp_path, panel_query("Weight"), series).replace("\\", "")
    found = dict(re.findall(r'\{sluice_dev_role="(\w+)"\} ([\d.E+-]+)', said))
    assert {role: float(value) for role, value in found.items()} == pytest.approx(
        {"canary": 0.05, "stable": 0.95}
    )


def test_releases_and_alerts_are_annotations_and_the_runbook_is_a_link():
    found = dashboard(PLACES[0])
    assert [item["name"] for item in found["annotations"]["list"]] == ["Releases", "Alerts"]
    assert all(item["expr"] for item in found["annotations"]["list"])
    (runbook,) = [link["url"] for link in found["links"] if link["type"] == "link"]
    assert (
        runbook == "https://git.example.com/acme/models/src/branch/main/rendered/live/shop/ranker/RUNBOOK.md"
    )
