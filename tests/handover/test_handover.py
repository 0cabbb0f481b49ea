"""Runs the three hand-overs of docs/handover.md unchanged: plain Python, Kubeflow Pipelines, Airflow."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from generator.gates.document import read_evidence
from generator.gates.inputs import tree_digest
from tests.tools.environment import OFFLINE, environment

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "handover.md").read_text(), re.DOTALL)
SPEC = """\
apiVersion: sluice.dev/v1alpha1
kind: Model
metadata: {name: ranker, team: shop, owner: shop@example.com}
spec:
  tier: basic
  model: {ref: "bentoml:ranker:1", framework: sklearn}   # what serves now
  gates:
    - {name: unit-tests, junit: reports/junit.xml, atLeast: 2}
  rollout: {strategy: blue-green, approve: manual}
"""
PLATFORM = """\
apiVersion: sluice.dev/v1alpha1
kind: Platform
metadata: {name: acme}
spec:
  git: {repo: "https://git.example.com/models.git"}
  registry: registry.example.com/models
  prometheus: {address: "http://prometheus.monitoring:9090"}
  environments:
    live: {server: "https://kubernetes.default.svc", router: {kind: none}}
  tiers:
    basic: {}
  teams:
    shop: {owners: [shop@example.com], tiers: [basic]}
"""
KFP = """\
import json, os, sys
from kfp import compiler, local
from pipeline import pipeline, release

compiler.Compiler().compile(pipeline, "pipeline.yaml")
local.init(runner=local.SubprocessRunner(use_venv=False))
arguments = json.loads(sys.argv[1])
print("branch", release(**arguments).output)
"""
AIRFLOW = """\
import json, sys
from airflow.utils.db import initdb
from airflow.utils.state import DagRunState

initdb()
from flow import release

run = release.test(run_conf=json.loads(sys.argv[1]))
assert run.state == DagRunState.SUCCESS, run.state
"""


class Work:
    """A GitOps repository with a remote, a model store with two versions, and what training left of the second."""

    def __init__(self, root: Path, failed: int = 0) -> None:
        self.origin, self.clone, self.training = root / "origin.git", root / "clone", root / "training"
        self.store, temporary = root / "store", root / "tmp"
        temporary.mkdir()
        for version in ("1", "2"):
            folder = self.store / "models" / "ranker" / version
            folder.mkdir(parents=True)
            (folder / "model.yaml").write_text(f"name: ranker\nversion: '{version}'\n")
            (folder / "saved_model.pkl").write_bytes(version.encode())
        self.artifact = self.store / "models" / "ranker" / "2"
        self.inputs = root / "inputs"
        (self.inputs / "reports").mkdir(parents=True)
        model = f'<property name="sluice.model" value="sha256:{tree_digest(self.artifact)}"/>'
        failure = "<failure/>" * failed
        cases = f'<testcase classname="m" name="a">{failure}</testcase><testcase classname="m" name="b"/>'
        (self.inputs / "reports" / "junit.xml").write_text(
            f'<testsuite failures="{failed}" errors="0"><properties>{model}</properties>{cases}</testsuite>'
        )
        self.environ = OFFLINE | {
            **{key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "PYTHON"))},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "BENTOML_HOME": str(self.store),
            "HOME": str(root),
            "TMPDIR": str(temporary),  # kfp leaves its workspace there
            "GIT_CONFIG_GLOBAL": str(root / "gitconfig"),
        }
        (root / "gitconfig").write_text(
            "[user]\n  name = T\n  email = t@example.com\n[init]\n  defaultBranch = main\n"
        )
        self.run("git", "init", "--bare", "-q", str(self.origin), cwd=root)
        self.run("git", "clone", "-q", str(self.origin), str(self.clone), cwd=root)
        (self.clone / "specs" / "shop").mkdir(parents=True)
        (self.clone / "specs" / "platform.yaml").write_text(PLATFORM)
        (self.clone / "specs" / "shop" / "ranker.yaml").write_text(SPEC)
        self.run("sluice", "pin")
        self.run("git", "add", ".")
        self.run("git", "commit", "-qm", "start")
        self.run("git", "push", "-q", "origin", "HEAD:main")
        self.training.mkdir()
        (self.training / "handover.py").write_text(BLOCKS[0])

    @property
    def arguments(self) -> dict[str, str]:
        return {
            "repository": str(self.clone),
            "model": "shop/ranker",
            "version": "2",
            "inputs": str(self.inputs),
            "artifact": str(self.artifact),
        }

    def run(self, *command: str, cwd: Path | None = None, **more: str) -> str:
        done = subprocess.run(command, cwd=cwd or self.clone, env={**self.environ, **more}, capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def script(self, python: Path, text: str, **more: str) -> str:
        """Run a driver from a file next to the training repository, because Airflow imports every file in it."""
        driver = self.training.with_name("driver.py")
        driver.write_text(text)
        arguments = (str(python), str(driver), json.dumps(self.arguments))
        return self.run(*arguments, cwd=self.training, PYTHONPATH=str(self.training), **more)

    def handed_over(self) -> None:
        """What the remote holds: the branch, with the reference, the lock, passing evidence and its bundle."""
        branch = "release/shop/ranker-2"
        changed = self.run("git", "diff", "--name-only", f"origin/main...origin/{branch}").split()
        assert {
            "specs/shop/ranker.yaml",
            "specs/shop/ranker.lock.yaml",
            "specs/shop/ranker.evidence.json",
        } <= set(changed)
        assert any(name.startswith("rendered/live/shop/ranker/") for name in changed)
        self.run("git", "checkout", "-q", f"origin/{branch}")
        spec = (self.clone / "specs" / "shop" / "ranker.yaml").read_text()
        assert spec == SPEC.replace("ranker:1", "ranker:2")
        evidence = read_evidence(self.clone / "specs/shop/ranker.evidence.json", self.clone, "shop/ranker")
        assert [entry.verdict for entry in evidence.content.predicate.gates] == ["pass"]
        self.run("sluice", "gates", "check")
        assert 'version: "2"' in (self.clone / "specs/shop/ranker.lock.yaml").read_text()


def test_every_hand_over_fits_a_screen():
    assert len(BLOCKS) == 3
    for block in BLOCKS:
        assert len(block.splitlines()) <= 15, block


def test_a_plain_call(tmp_path: Path):
    work = Work(tmp_path)
    text = "import json, sys\nfrom handover import hand_over\nprint(hand_over(**json.loads(sys.argv[1])))\n"
    assert work.script(Path(sys.executable), text).endswith("release/shop/ranker-2\n")
    work.handed_over()


def test_a_model_that_fails_is_not_handed_over(tmp_path: Path):
    work = Work(tmp_path, failed=1)
    driver = tmp_path / "driver.py"
    driver.write_text(
        "import json, sys\nfrom handover import hand_over\nhand_over(**json.loads(sys.argv[1]))\n"
    )
    done = subprocess.run([sys.executable, str(driver), json.dumps(work.arguments)], env={**work.environ, "PYTHONPATH": str(work.training)}, capture_output=True, text=True)  # fmt: skip
    assert done.returncode != 0
    assert "release" not in work.run("git", "ls-remote", "origin")
    assert "tests that failed is 1" in (work.clone / "specs/shop/ranker.evidence.json").read_text()


@pytest.mark.slow
def test_a_step_of_kubeflow_pipelines(tmp_path: Path):
    work = Work(tmp_path)
    (work.training / "pipeline.py").write_text(BLOCKS[1])
    out = work.script(environment("handover-kfp"), KFP)
    assert "branch release/shop/ranker-2" in out
    compiled = (work.training / "pipeline.yaml").read_text()
    assert "registry.example.com/training:3.11" in compiled
    assert list((tmp_path / "tmp").iterdir()), "kfp leaves nothing now: TMPDIR is not needed any more"
    work.handed_over()


@pytest.mark.slow
def test_a_task_of_airflow(tmp_path: Path):
    work = Work(tmp_path)
    (work.training / "flow.py").write_text(BLOCKS[2])
    python = environment("handover-airflow")
    settings = {
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(work.training),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    work.script(python, AIRFLOW, **settings)
    work.handed_over()
