"""A repository with one model whose gates run in the cluster, and what its containers find."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import yaml

from generator.plan.repository import Repository
from generator.plan.resolve import resolve
from generator.render.bento import Bentos
from generator.render.bundle import render_bundle
from generator.render.environment import Templates
from generator.render.gate_images import gate_images
from tests.gates import argo_standin
from tests.gates.images import ROOT, built
from tests.gates.tables import MODEL

CUSTOM = "registry.example.com/checks/toxicity@sha256:" + "1" * 64
SPEC = f"""\
apiVersion: sluice.dev/v1alpha1
kind: Model
metadata: {{name: ranker, team: shop, owner: shop@example.com}}
spec:
  tier: standard
  model: {{ref: "mlflow:ranker/3", framework: sklearn}}
  gates:
    - {{name: unit-tests, junit: reports/junit.xml, atLeast: 20}}
    - {{name: drift, drift: {{reference: "dvc:train.csv", current: "dvc:now.csv", features: [amount, hour]}}, tool: ks}}
    - {{name: toxicity, custom: "{CUSTOM}", args: ["--level", "3"]}}
  rollout: {{strategy: blue-green, approve: manual}}
"""
LOCK = """\
schema: sluice/lock/v1
model: {ref: "mlflow:ranker/3", resolved: "mlflow:ranker/3", version: "3", digest: "MODEL", at: "2026-11-23T00:00:00Z", by: test}
data:
  "dvc:train.csv": {resolved: "dvc:train.csv@cccccccccccccccccccccccccccccccccccccccc#md5=dddddddddddddddddddddddddddddddd", digest: "sha256:{train}"}
  "dvc:now.csv": {resolved: "dvc:now.csv@cccccccccccccccccccccccccccccccccccccccc#md5=dddddddddddddddddddddddddddddddd", digest: "sha256:{now}"}
"""
JUNIT = '<testsuites><testsuite failures="0" errors="0"><properties><property name="sluice.model" value="{}"/></properties>{}</testsuite></testsuites>'
REPORT = {"tool": "toxicity", "version": "1", "model": MODEL, "measures": [{"name": "toxic", "value": 0.01, "bound": "atMost", "threshold": 0.02}]}  # fmt: skip


class Case:
    """A repository with one model, its inputs, and what is rendered of it."""

    def __init__(self, root: Path, platform: str = "") -> None:
        from generator.gates.inputs import file_digest

        self.root, self.inputs = root, root / "inputs"
        folder = self.inputs / MODEL.removeprefix("sha256:")
        (folder / "reports").mkdir(parents=True)
        cases = "".join(f'<testcase classname="m" name="t{number}"/>' for number in range(25))
        (folder / "reports" / "junit.xml").write_text(JUNIT.format(MODEL, cases))
        rows = [f"{number % 7}.{number % 10},{number}\n" for number in range(2000)]
        (folder / "train.csv").write_text("amount,hour\n" + "".join(rows))
        (folder / "now.csv").write_text(
            "amount,hour\n" + "".join(reversed(rows))
        )  # the same file twice is not a comparison
        shutil.copytree(ROOT / "specs", root / "specs")
        shutil.rmtree(root / "specs" / "shop")
        (root / "specs" / "shop").mkdir()
        (root / "specs" / "shop" / "ranker.yaml").write_text(SPEC)
        digests = {name: file_digest(folder / f"{name}.csv") for name in ("train", "now")}
        (root / "specs" / "shop" / "ranker.lock.yaml").write_text(
            LOCK.replace("MODEL", MODEL).replace("{train}", digests["train"]).replace("{now}", digests["now"])
        )
        file = root / "specs" / "platform.yaml"
        text = re.sub(r"(?m)^  gates: .*\n", "", file.read_text()) if platform else file.read_text()
        file.write_text(text.replace("spec:\n", f"spec:\n{platform}", 1))
        self.folder = folder

    @property
    def planned(self):
        repository, templates = Repository(self.root), Templates()
        entry = next(entry for entry in repository.entries if entry.model == "ranker")
        found = resolve(repository, entry, Bentos(templates).digest)
        assert not found.findings
        return found.plans[-1]

    @property
    def workflow(self) -> dict[str, Any]:
        plan = self.planned.plan
        return yaml.safe_load(render_bundle(plan, Templates(), {})["workflow-gates.yaml"])

    def run(self, workflow: dict[str, Any] | None = None, custom=lambda _: (0, json.dumps(REPORT))):
        images = gate_images(self.planned.plan, Templates())
        ours = {images.reference(name): name for name in ("sluice", "scipy")}
        return argo_standin.run(
            workflow or self.workflow,
            lambda reference: built(ours[reference], images) if reference in ours else custom,
            self.inputs,
            self.root / "pods",
        )
