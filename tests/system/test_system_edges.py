"""Values at the edge of what the language allows: each is refused with a finding, or rendered to what controllers take."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.system.pipeline import Outcome, run
from tests.system.repositories import LOCK, MODEL, PLATFORM, small

HUGE = "9" * 400 + ".0"
NINES = "999999999d"
OUTCOME = "  outcomes: {ctr: {kind: ratio, event: click, baseline: 4%}}\n  traffic: {minRps: 50}\n"


def service(text: str) -> str:
    return MODEL + f"  service: {{{text}}}\n"


def guarded(guard: str) -> str:
    return MODEL + f"    guards: [{guard}]\n" + OUTCOME


def platform(old: str, new: str) -> dict[str, str]:
    assert old in PLATFORM
    return {"platform": PLATFORM.replace(old, new)}


EDGES: dict[str, dict[str, str]] = {
    "integer column from infinity": {"model": service(f"inputs: {{a: {{type: integer, minimum: {HUGE}}}}}")},
    "column from infinity": {"model": service(f"inputs: {{a: {{type: number, minimum: {HUGE}}}}}")},
    "infinite value": {"model": service(f"inputs: {{a: {{type: number, values: [{HUGE}]}}}}")},
    "infinite selected value": {"model": service(f"positive: [{HUGE}]")},
    "infinite group": {"model": service(f"attributes: {{a: [{HUGE}, 1]}}")},
    "gate of infinity": {"model": MODEL + f"  gates: [{{name: a, metric: a, atLeast: {HUGE}}}]\n"},
    "infinite load": {"model": MODEL + f"  autoscaling: {{kind: keda, min: 1, max: 2, rpsPerPod: {HUGE}}}\n"},
    "gate called verdict": {"model": MODEL + "  gates: [{name: verdict, metric: a, atLeast: 1.0}]\n"},
    "gate called gates": {"model": MODEL + "  gates: [{name: gates, metric: a, atLeast: 1.0}]\n"},
    "version that is not a label": {"lock": LOCK.replace('version: "3"', 'version: "3-"')},
    "version that ends in a dot": {"lock": LOCK.replace('version: "3"', 'version: "3."')},
    "namespace of a model": platform("      domain:", '      namespace: "{model}"\n      domain:'),
    "namespace of dashes": platform("      domain:", '      namespace: "-"\n      domain:'),
    "namespace too long": platform("      domain:", f'      namespace: "{"{team}" * 10}"\n      domain:').copy()
    | {"model": MODEL.replace("team: shop", f"team: {'s' * 40}")},
    "label with two slashes": platform("  tiers:", "  monitoring: {labels: {a/b/c: x}}\n  tiers:"),
    "label with two dots": platform("  tiers:", "  monitoring: {labels: {a..b/c: x}}\n  tiers:"),
    "long domain": platform("models.example.com", ".".join(["a" * 60] * 5)),
    "no scrape interval": platform('9090"}', '9090", scrapeInterval: 0s}') | {"model": guarded("{metric: error-rate, limit: 1%}")},
    "tiny scrape interval": platform('9090"}', '9090", scrapeInterval: 0.1ms}') | {"model": guarded("{metric: error-rate, limit: 1%}")},
    "endless scrape interval": platform('9090"}', f'9090", scrapeInterval: {NINES}}}'),
    "no latency bound": {"model": guarded("{metric: slow-rate, slowerThan: 0s, baseline: 1%, detect: {rise: 50%}}")},
    "tiny latency bound": {"model": guarded("{metric: slow-rate, slowerThan: 0.1ms, baseline: 1%, detect: {rise: 50%}}")},
    "endless latency bound": {"model": guarded(f"{{metric: slow-rate, slowerThan: {NINES}, limit: 1%}}")},
    "no hold": {"model": MODEL.replace("10m", "0s")},
    "tiny hold": {"model": guarded("{metric: error-rate, limit: 1%}").replace("10m", "0.1ms")},
    "tiny hold of a shadow": {"model": MODEL.replace("    steps", "    shadow: {hold: 0.1ms}\n    steps")},
    "endless hold": {"model": MODEL.replace("10m", NINES)},
    "no timeout": {"model": service("timeout: 0s")},
    "tiny timeout": {"model": service("timeout: 0.1ms")},
    "endless timeout": {"model": service(f"timeout: {NINES}")},
    "tiny delay": {"model": guarded("{outcome: ctr, limit: 1%}").replace("4%}", "4%, delay: 0.1ms}")},
    "endless delay": {"model": guarded("{outcome: ctr, detect: {drop: 50%}}").replace("4%}", f"4%, delay: {NINES}}}")},
    "no use of CPU": {"model": MODEL + "  autoscaling: {min: 1, max: 2, cpu: 0%}\n"},
    "hardly any use of CPU": {"model": MODEL + "  autoscaling: {min: 1, max: 2, cpu: 0.000001%}\n"},
    "no CPU": {"model": MODEL + '  resources: {cpu: "0.000"}\n'},
    "a thousandth of a CPU": {"model": MODEL + '  resources: {cpu: "0.001"}\n'},
    "endless memory": {"model": MODEL + "  resources: {memory: 999999999999Ti}\n"},
    "guard without a name": {"model": guarded("{outcome: _, limit: 1%}").replace("ctr", "_")},
    "two guards that shorten to one name": {
        "model": guarded(f"{{outcome: {'a' * 30}, limit: 1%}}, {{outcome: {'a' * 31}, limit: 1%}}").replace(
            "ctr:", f"{'a' * 30}: {{kind: ratio, event: x, baseline: 1%}}, {'a' * 31}:"
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("edge", EDGES)
def test_an_edge_is_refused_or_rendered(edge: str, tmp_path: Path):
    small(tmp_path, **EDGES[edge])
    found = run(tmp_path)
    if not found.errors:
        assert_sound(found)


def assert_sound(found: Outcome) -> None:
    """What no table of fields says: durations that Go can hold, JSON that is JSON, names that stand once."""
    for name, item in found.objects.items():
        for value in strings(item):
            assert not re.search(r"\b(Infinity|NaN)\b", value), (name, value)
            if value.startswith('{"') and "{{" not in value:
                json.loads(value, parse_constant=pytest.fail)
            if match := re.fullmatch(r"([0-9]+)(h|m|s|ms)", value):
                hours = int(match[1]) * {"h": 1, "m": 1 / 60, "s": 1 / 3600, "ms": 1 / 3.6e6}[match[2]]
                assert 0 < hours < 2_562_047, (name, value)
        if item.get("kind") == "Workflow":
            for template in item["spec"]["templates"]:
                tasks = [task["name"] for task in template.get("dag", {}).get("tasks", [])]
                assert len(set(tasks)) == len(tasks), (name, tasks)
            names = [template["name"] for template in item["spec"]["templates"]]
            assert len(set(names)) == len(names), (name, names)
        if item.get("kind") == "AnalysisTemplate":
            metrics = [metric["name"] for metric in item["spec"]["metrics"]]
            assert len(set(metrics)) == len(metrics), (name, metrics)
            assert all(metrics), name


def strings(tree: Any) -> list[str]:
    if isinstance(tree, str):
        return [tree]
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return [text for item in inner for text in strings(item)]


def test_the_edges_are_yaml():
    for edge in EDGES.values():
        for text in edge.values():
            yaml.safe_load(text)
