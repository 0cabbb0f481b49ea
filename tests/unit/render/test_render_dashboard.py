"""Dashboards: Grafana's own schema package knows every field, and Prometheus every query."""

from __future__ import annotations

import json
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
