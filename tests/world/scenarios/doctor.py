"""`sluice doctor` on the bed: what its cluster and its Prometheus have is found, and what it does not have is named.

The bed runs the controllers as processes outside the cluster, so no Deployment of them exists, and each scenario makes
its Application itself, so the root is missing. Nothing else may be.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from generator.cli.main import cli
from tests.cluster import bentos, report, repository
from tests.cluster.gitops import Delivered
from tests.cluster.layout import PROMETHEUS, Layout
from tests.cluster.waiting import until
from tests.world.scenario import Scenario, in_cluster

_MODEL = "shop/ranker"
_LEFT_OUT = {"DOC202", "DOC208"}


def test_doctor(layout: Layout, delivered: Delivered, tmp_path: Path) -> None:
    git, plan = delivered(_MODEL, "s20")
    environment = plan.identity.environment
    version = next(one for one in bentos.versions(_MODEL) if one.label == plan.version.label)
    repository.write(tmp_path, {_MODEL: version}, {}, environment)
    shutil.copytree(git.work / plan.delivery.folder, tmp_path / plan.delivery.folder)
    arguments = [
        "--env",
        environment,
        "--cluster",
        "--kubeconfig",
        layout.kubeconfig,
        "--prometheus",
        PROMETHEUS,
    ]

    def diagnosed() -> list[dict[str, Any]]:
        """Return what concerns the environment; nothing until Prometheus has found the pods."""
        done = CliRunner().invoke(
            cli, ["doctor", *map(str, arguments), "--format", "json", "--root", str(tmp_path)]
        )
        assert done.exit_code == 1, done.output
        found = [one for one in json.loads(done.stdout)["diagnoses"] if one["scope"] == environment]
        return [] if any(one["code"] == "DOC301" for one in found) else found

    own = until("a scrape of the pods", diagnosed, 60, every=2)
    report.figures(
        "sluice doctor",
        {state: sum(one["state"] == state for one in own) for state in ("fine", "lacks", "unknown")},
    )
    assert not [one for one in own if one["state"] == "unknown"], own
    assert {one["code"] for one in own if one["state"] == "lacks"} == _LEFT_OUT, own
    said = " ".join(one["message"] for one in own if one["state"] == "fine")
    assert "kinds of objects are served" in said
    assert "plugin argoproj-labs/gatewayAPI" in said
    assert f"you may read releases in {plan.identity.namespace}" in said
    assert f"the pods of {_MODEL} are scraped" in said


SCENARIO = Scenario(
    title="`sluice doctor` names what the cluster and its Prometheus lack, and nothing else",
    covers=("generator/cluster", "generator/pipeline/doctor.py", "tests/cluster"),
    programs=("kubernetes", "rollouts", "argocd", "contour", "envoy"),
    run=in_cluster(__file__),
)
