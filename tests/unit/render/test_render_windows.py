"""Every window of every rendered query has enough scrapes, whatever the platform's scrape interval."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import ryaml
import yaml

from generator.plan.repository import Repository
from generator.plan.resolve import no_digest, resolve
from generator.render.bundle import render_bundle
from generator.render.environment import Templates
from tests import golden

INTERVALS = (5, 15, 30, 60, 120, 300)
CASES = ("observed", "autoscaling-keda", "whole", "bluegreen-gateway-api")
_RANGE = re.compile(r'([a-zA-Z_:][\w:]*)\{((?:[^{}"]|"(?:[^"\\]|\\.)*")*)\}\[(\w+)\]')
_MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"((?:[^"\\]|\\.)*)"')
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_EVALUATED_S = 3 * 3600


@cache
def bundles(interval: int, folder: Path) -> dict[str, str]:
    """The bundles of some golden cases, on a platform that scrapes at this interval."""
    found = {}
    for case in CASES:
        root = folder / f"{case}-{interval}"
        shutil.copytree(golden.CASES / case / "specs", root / "specs")
        platform = root / "specs/platform.yaml"
        old = re.search(r"prometheus: \{[^}]*\}", platform.read_text())[0]
        new = re.sub(r", scrapeInterval: \w+", "", old).replace("}", f", scrapeInterval: {interval}s}}")
        platform.write_text(platform.read_text().replace(old, new))
        repository = Repository(root)
        for entry in repository.entries:
            for planned in resolve(repository, entry, no_digest).plans:
                for name, text in render_bundle(planned.plan, Templates(), {}).items():
                    found[f"{case}/{planned.plan.identity.path}/{name}"] = text
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("windows")


def queries(files: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Every PromQL expression with its file."""
    for name, text in files.items():
        if name.endswith(".yaml"):
            yield from ((name, query) for query in _walk(ryaml.loads(text)))


def _walk(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in {"query", "expr"} and isinstance(item, str) and item != "prometheus":
                yield item.replace("{{args.canary-hash}}", "c").replace("{{args.stable-hash}}", "s")
            elif isinstance(item, str) and key.endswith(".json"):
                yield from _walk(json.loads(item))
            else:
                yield from _walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item)


def seconds(text: str) -> float:
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhd])", text))


def sample(operator: str, value: str) -> str:
    """A value that a matcher accepts."""
    if operator == "=":
        return value
    first = re.sub(r"\(.*?\)\?", "", value.split("|", maxsplit=1)[0]).replace("\\\\", "").replace(".", "0")
    for tried in (first, "v1", "500"):
        matches = bool(re.fullmatch(value, tried)) if "~" in operator else tried == value
        if matches != operator.startswith("!"):
            return tried
    raise AssertionError(f"no sample for {operator} {value}")


def ranges(files: dict[str, str]) -> dict[tuple[str, str, str], str]:
    """Every selector with a range, with one of its files."""
    found = {}
    for name, query in queries(files):
        for metric, matchers, window in _RANGE.findall(query):
            found.setdefault((metric, matchers, window), name)
    return found


def promtool(folder: Path, tests: list[dict[str, Any]]) -> tuple[int, str]:
    (folder / "test.yaml").write_text(yaml.safe_dump({"tests": tests}))
    command = ["promtool", "test", "rules", "test.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("interval", INTERVALS)
def test_a_healthy_series_has_a_value_in_every_window(interval, folder, tmp_path):
    """By the real Prometheus, at four moments between two scrapes; longer windows hold more scrapes still."""
    found = ranges(bundles(interval, folder))
    assert len(found) > 20
    tests = []
    for (metric, matchers, window), name in found.items():
        assert seconds(window) >= 4 * interval, f"{name}: {metric}[{window}]"
        if seconds(window) > 2 * 3600:
            continue
        labels = ",".join(
            f'{key}="{sample(operator, value)}"' for key, operator, value in _MATCHER.findall(matchers)
        )
        checks = [
            {
                "expr": f"count(rate({metric}{{{matchers}}}[{window}]) > 0)",
                "eval_time": f"{_EVALUATED_S * 1000 + 250 * phase * interval + 1}ms",
                "exp_samples": [{"labels": "{}", "value": 1}],
            }
            for phase in range(4)
        ]
        series = {"series": f"{metric}{{{labels}}}", "values": f"0+10x{_EVALUATED_S // interval + 8}"}
        tests.append({"interval": f"{interval}s", "input_series": [series], "promql_expr_test": checks})
    code, said = promtool(tmp_path, tests)
    assert code == 0, said


@pytest.mark.parametrize("interval", INTERVALS)
def test_the_scaler_reads_the_requests_of_users_and_not_their_copies(interval, folder, tmp_path):
    """100 requests per second of users; a shadow answers as many copies."""
    files = {name: text for name, text in bundles(interval, folder).items() if "/scaledobject-" in name}
    ((_, query),) = queries(files)
    given = ",".join(f'{key}="{value}"' for key, sign, value in _MATCHER.findall(query) if sign == "=")
    values = f"0+{100 * interval}x{_EVALUATED_S // interval}"
    series = [
        {"series": f'sluice_predictions_total{{{given},served_by="{arm}"}}', "values": values}
        for arm in ("7d9f", "shadow-3-0123abcd")
    ]
    check = {"expr": query, "eval_time": "2h", "exp_samples": [{"labels": "{}", "value": 100}]}
    tests = [{"interval": f"{interval}s", "input_series": series, "promql_expr_test": [check]}]
    code, said = promtool(tmp_path, tests)
    assert code == 0, said


def test_nothing_that_people_read_counts_copies(folder):
    """Alerts, recorded shares, dashboards and the scaler leave the shadow out; only its own guards read it."""
    files = {name: text for name, text in bundles(15, folder).items() if "analysistemplate" not in name}
    seen = 0
    for name, query in queries(files):
        for metric, matchers, _ in _RANGE.findall(query):
            if not metric.startswith(("sluice_", "bentoml_")):
                continue
            seen += 1
            arms = [
                m for m in _MATCHER.findall(matchers) if m[0] in {"served_by", "rollouts_pod_template_hash"}
            ]
            assert arms in ([("served_by", "!~", "shadow-.*")], [("rollouts_pod_template_hash", "!=", "")]), (
                name
            )
    assert seen > 20


def test_rules_over_days_read_recorded_counts(folder):
    """A raw counter of each pod over 30 days would be millions of samples at every evaluation."""
    files = {name: text for name, text in bundles(15, folder).items() if "prometheusrule" in name}
    long = [item for item in ranges(files) if seconds(item[2]) > 7 * 86_400]
    assert long
    assert all(metric.startswith("model:guard_") for metric, _, _ in long)
