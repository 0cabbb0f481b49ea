"""The account with which CI reads releases: its rights, and that Argo CD takes it."""

from __future__ import annotations

from pathlib import Path

import yaml
from click.testing import CliRunner

from generator.cli.main import cli
from tests.system.repositories import PLATFORM, small


def test_the_account_may_read_releases_of_its_environment_and_nothing_else(tmp_path: Path) -> None:
    small(tmp_path, platform=PLATFORM.replace("\nspec:\n", "\nspec:\n  records: {}\n", 1))
    done = CliRunner().invoke(cli, ["render", "--root", str(tmp_path)])
    assert done.exit_code == 0, done.output
    live = tmp_path / "rendered/live"
    account = yaml.safe_load((live / "platform/records/serviceaccount-record.yaml").read_text())
    role = yaml.safe_load((live / "platform/shop/role-record.yaml").read_text())
    binding = yaml.safe_load((live / "platform/shop/rolebinding-record.yaml").read_text())
    own = {key: account["metadata"][key] for key in ("name", "namespace")}
    assert own == {"name": "sluice-record-live", "namespace": "argo-rollouts"}
    assert not account["automountServiceAccountToken"]
    assert binding["subjects"] == [{"kind": "ServiceAccount", **own}]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert {(group, kind, verb) for rule in role["rules"] for group in rule["apiGroups"] for kind in rule["resources"] for verb in rule["verbs"]} == {
        (group, kind, verb)
        for group, kind in (("argoproj.io", "rollouts"), ("argoproj.io", "analysisruns"), ("apps", "replicasets"))
        for verb in ("get", "list")
    }  # fmt: skip
    application = yaml.safe_load((live / "argocd/platform/application.yaml").read_text())
    taken = application["spec"]["source"]["directory"]["include"]
    for file in (
        "records/serviceaccount-record.yaml",
        "shop/role-record.yaml",
        "shop/rolebinding-record.yaml",
    ):
        assert file in taken
    project = yaml.safe_load((live / "argocd/platform/appproject.yaml").read_text())
    assert "argo-rollouts" in [item["namespace"] for item in project["spec"]["destinations"]]
