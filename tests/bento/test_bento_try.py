"""`sluice try`: real services are built, served and measured; broken ones are named with their cause and what to do."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from generator.cli.main import cli
from generator.plan.bento import Bento
from generator.report.schemas import SCHEMAS
from tests.bento.bentos import BENTOS
from tests.bento.serving import build, run, train, tree_sha256
from tests.tools.environment import environment

pytestmark = pytest.mark.slow
PROGRAM = Path(__file__).resolve().parents[2] / "templates" / "try"
ROW = {"device": "web", "age": 30, "affinity": 0.5, "price": 12.5}
SERVICE = """
  service:
    inputs:
      price: {type: number, minimum: 0, maximum: 1000}
      device: {type: string, values: [ios, android, web]}
      age: {type: integer, minimum: 18, maximum: 120}
      affinity: {type: number, minimum: -10, maximum: 10}
    attributes: {device: [ios, android], age_band: [under-30, over-30]}
    positive: [1]
    requirements: ["pandas==3.1.1"]
"""


def repository(tmp_path: Path, artifact: Path, service: str, guards: str = "") -> Path:
    """What `sluice init` writes, with one model that is locked to real bytes."""
    root = tmp_path / "repository"
    assert CliRunner().invoke(cli, ["init", str(root)]).exit_code == 0
    shutil.rmtree(root / "specs" / "support")
    spec, lock = root / "specs/shop/recommender.yaml", root / "specs/shop/recommender.lock.yaml"
    text = spec.read_text().replace("\n  outcomes:", service + "  outcomes:")
    spec.write_text(text.rstrip() + guards + "\n")
    lock.write_text(re.sub(r"sha256:[0-9a-f]{64}", f"sha256:{tree_sha256(artifact)}", lock.read_text()))
    return root


def tried(root: Path, artifact: Path, *more: str) -> Result:
    arguments = ["try", "shop/recommender", "--root", str(root), "--artifact", str(artifact), *more]
    return CliRunner().invoke(cli, [*arguments, "--seconds", "0.3"])


@pytest.fixture(scope="module")
def recommender(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of a table with a column of texts."""
    return train("recommender", environment("bento"), tmp_path_factory.mktemp("trained") / "model")


def test_a_good_service_is_built_from_its_own_packages_and_measured(
    tmp_path: Path, recommender: Path
) -> None:
    fair = "\n      - {fairness: demographic-parity-difference, sensitive: [device], atMost: 0.2}"
    root = repository(tmp_path, recommender, SERVICE, fair)
    done = tried(root, recommender, "--format", "json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert list(Draft202012Validator(SCHEMAS["try"]()).iter_errors(report)) == []
    assert report["ok"]
    assert report["problems"] == []
    assert 0 < report["startup_s"] < 180
    assert 50 * 2**20 < report["memory_at_start"] <= report["memory_at_most"] < 2**30
    assert report["sent"] == {"examples": 2, "corner cases": 9, "bad requests": 22, "outcomes": 1}
    assert report["series"]["there"] == report["series"]["queried"] >= 7
    shapes = [(load["clients"], load["rows"], load["failed"]) for load in report["load"]]
    assert shapes == [(1, 1, 0), (8, 1, 0), (1, 100, 0)]
    assert all(0 < load["p50_s"] <= load["p99_s"] and load["rows_per_s"] > 0 for load in report["load"])


@pytest.mark.parametrize(
    ("service", "artifact", "wrong"),
    [
        (SERVICE.replace("pandas==3.1.1", "pandas==99.1.1"), "", ("install", "pandas==99.1.1", "service.requirements")),
        (SERVICE, "other", ("import", "the lock pins", "sluice pin")),
        (SERVICE.replace("values: [ios, android, web]", "maxLength: 20"), "", ("start", "unknown categories", "`values`")),
        (SERVICE.replace("[ios, android, web]", "[ios, watch, android, web]"), "", ("requests", "`device`", "declare only")),
    ],
    ids=["a version that no index has", "other bytes", "texts that the warm-up makes up", "a value that the model refuses"],
)  # fmt: skip
def test_a_service_that_would_fail_says_where_and_why(
    tmp_path: Path, recommender: Path, service: str, artifact: str, wrong: tuple[str, str, str]
) -> None:
    root = repository(tmp_path, recommender, service)
    other = tmp_path / "other"
    other.mkdir()
    (other / "model.pkl").write_bytes(b"other bytes")
    done = tried(root, other if artifact else recommender)
    stage, message, hint = wrong
    assert done.exit_code == 1, done.output
    found = re.search(rf"error \({stage}\): (.*)\n  = hint: (.*)", done.stdout)
    assert found, done.stdout
    assert message in found[1]
    assert hint in found[2]


PREDICTOR = """
import os, sys, time


class Rules:
    def __init__(self, folder):
        {start}

    examples = [{{"x": 1.0}}]

    def check(self, rows):
        if not all(isinstance(row, dict) and row.keys() == {{"x"}} for row in rows):
            raise ValueError("each row has `x`")

    def predict(self, rows):
        {predict}
"""
GOOD = "return [row['x'] for row in rows]"
BROKEN = {
    "a package that is missing": ("import no_such_package", GOOD, "start", "No module named 'no_such_package'", "needs no_such_package"),
    "an exit": ("os._exit(7)", GOOD, "start", "No active process", "ended without a word"),
    "too slow a start": ("time.sleep(600)", GOOD, "start", "not ready in 8 s", "service.startup"),
    "too many answers": ("pass", "return [1, 2, 3]", "start", "3 predictions for 1 rows", ""),
    "an error at the first row": ("pass", "return [1 / 0 for row in rows]", "start", "ZeroDivisionError", ""),
    "an error at other rows": ("self.n = 0", "self.n += 1; return [1 / (self.n < 9) for row in rows]", "measure", "requests failed", ""),
    "too much memory": ("self.held = bytearray(300 * 2**20)", GOOD, "measure", "a pod is killed above 256Mi", "resources.memory"),
    "too slow an answer": ("pass", "time.sleep(0.3); return [1.0 for row in rows]", "measure", "slower than 250 ms", "slowerThan"),
    "a metric that is missing": ("pass", GOOD, "metrics", "sluice_outcomes_total", "no series has this name"),
}  # fmt: skip

LOGS = {  # lines as scikit-learn, skops, BentoML, uv, pip and the rendered service log them
    "RuntimeError: /m contains no such model: model.ubj": "`model.framework` does not fit",
    "RuntimeError: /m contains 2 files that can be the model, name one as `model.file` in the spec: a, b": "`model.file`",
    "ValueError: the model was trained with 0 columns, the spec declares 2": "in their order",
    "ValueError: Found unknown categories ['an', 'ex'] in column 0 during transform": "`values`",
    "TypeError: ufunc 'isnan' not supported for the input types": "`service.inputs`",
    "AttributeError: 'SimpleImputer' object has no attribute '_fill_dtype'": "other versions",
    "ModuleNotFoundError: No module named 'numpy._core'": "other versions",
    "InconsistentVersionWarning: Trying to unpickle estimator from version 1.5.2": "other versions",
    "AttributeError: Can't get attribute 'rule' on <module '__main__' from '/x/bentoml'>": "framework: custom",
    "AttributeError: Can't get attribute 'Tree' on <module 'sklearn.tree._tree' from '/x'>": "trained with other versions",
    "AttributeError: 'function' object has no attribute 'predict'": "the model is a function without `predict`",
    "skops.io.exceptions.UntrustedTypesFoundException: Untrusted types found in the file": "skops_trusted_types",
    "RuntimeError: the pipeline sets neither categories nor entities, it has only: senter": "framework: custom",
    "_pickle.UnpicklingError: invalid load key, 'x'.": "damaged",
    "KeyError: 110": "damaged",
    "FileNotFoundError: [Errno 2] No such file or directory: '/m/weights.bin'": "looks for another file",
    "KeyError: 'FEATURE_STORE'": "`service.env`",
    "PermissionError: [Errno 13] Permission denied: '/home/bentoml/x'": "/tmp",
    "urllib.error.URLError: <urlopen error [Errno 111] Connection refused>": "`egress`",
    "ValueError: the model answers 'yes', which is never one of `service.positive`: [1]": "`service.positive`",
    "  because pandas==99.1.1 was not found in the package registry": "`service.requirements`",
    "ERROR: No matching distribution found for pandas==99.1.1": "`service.requirements`",
    "refused: /a has the SHA-256 00, the lock pins 11": "`sluice pin`",
    "MemoryError": "does not fit",
}


@pytest.mark.parametrize("log", LOGS)
def test_the_cause_is_found_in_a_log(log: str) -> None:
    spec = importlib.util.spec_from_file_location("trial_report", PROGRAM / "report.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    line, hint = module.cause(f"Traceback (most recent call last):\n  File x\n{log}\n[INFO] the last line")
    assert line == log.strip()
    assert LOGS[log] in hint


@pytest.fixture(scope="module")
def custom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built bento whose class each test replaces."""
    bento: Bento = replace(BENTOS["rules"], workers=1, threads=4, outcomes=())
    folder = tmp_path_factory.mktemp("custom") / "built"
    build("rules", bento, environment("bento"), folder)
    return folder / "bento"


def facts(kind: str) -> dict[str, Any]:
    """What the spec of the class says."""
    series = {"guard": "ctr", "metric": "sluice_outcomes_total", "labels": [["outcome", "=", "ctr"]]}
    return {
        "model": "ops/rules", "path": "/predict", "ready": "/readyz", "metrics": "/metrics",
        "columns": [], "examples": [], "attributes": {}, "events": [], "max_rows": 256, "threads": 4, "timeout_s": 10.0,
        "startup_s": 8.0 if kind == "too slow a start" else 400.0, "memory": 256 * 2**20, "cpu": 0.5, "rps_per_pod": 0.0,
        "slower_than": [["slow-rate", 0.25]], "series": [series] if kind == "a metric that is missing" else [],
        "env": {}, "secrets": [], "body": None, "renames": [],
    }  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_each_kind_of_broken_service_is_named_with_its_cause(custom: Path, tmp_path: Path, kind: str) -> None:
    start, predict, stage, message, hint = BROKEN[kind]
    bento = shutil.copytree(custom, tmp_path / "bento", symlinks=True)
    (module,) = bento.glob("models/*/*/team_rules.py")
    module.write_text(PREDICTOR.format(start=start, predict=predict))
    (tmp_path / "try.json").write_text(json.dumps(facts(kind)))
    report = tmp_path / "report.json"
    done = run(
        environment("bento"), tmp_path / "home",
        str(PROGRAM), str(tmp_path / "try.json"), str(bento), "--report", str(report), "--seconds", "0.5",
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    problem = json.loads(report.read_text())["problems"][0]
    assert problem["stage"] == stage, done.stdout
    assert message in problem["message"], done.stdout
    assert hint in problem["hint"], done.stdout
    assert bool(problem["log"]) == (stage == "start")
