"""The blast radius is what a render would really change: told by `plan --all --against`, and seen on disk."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.unit.cli.edits import change

MONITORING = "  monitoring:\n    alerts:"
EDITS = {
    "quota": ('quota: {cpu: "40", memory: 80Gi}', 'quota: {cpu: "41", memory: 80Gi}'),
    "registry": (
        "registry: registry.example.com/models\n",
        "registry: images.example.com/ml\n  images: {gates: registry.example.com/models/gates}\n",
    ),
    "registry of gates": ("registry: registry.example.com/models", "registry: images.example.com/ml"),
    "repository": ("acme/models.git", "acme/ml.git"),
    "prometheus": ("http://prometheus.monitoring:9090", "http://prometheus.metrics:9090"),
    "domain": ("domain: models.example.com", "domain: m.example.com"),
    "router": ("implementation: envoy-gateway", "implementation: istio"),
    "ceiling": ("firstWeight: 1%", "firstWeight: 2%"),
    "description": ("description: internal products;", "description: tools of our own;"),
    "admission": ("  monitoring:\n", "  admission: warn\n  monitoring:\n"),
    "no admission": ("  monitoring:\n", "  admission: none\n  monitoring:\n"),
    "namespace": ("domain: models.example.com", 'domain: models.example.com\n      namespace: "{environment}-{team}"'),
    "owners": ("owners: [support-ml@example.com]", "owners: [help-ml@example.com]"),
    "watch": ('daily: "04:30"', 'daily: "05:30"'),
    "dashboards": ("dashboards: {folder: Models}", "dashboards: {folder: ML}"),
    "waiver": ("until: 2027-01-31", "until: 2027-02-28"),
    "a team": ("    support:\n", "    search: {owners: [s@example.com], tiers: [standard]}\n    support:\n"),
    "an environment": (
        "    production:\n",
        '    test: {server: "https://kubernetes.default.svc", router: {kind: gateway-api, gateway: public, namespace: gateways, implementation: envoy-gateway}}\n    production:\n',
    ),
    "notifications": (
        "  monitoring:\n",
        "  notifications: {slack: {token: slack-token}}\n  monitoring:\n",
    ),
    "workflows": ('argo-workflows: "3.7"', 'argo-workflows: "3.5"'),
    "secrets": ("secrets: {store: vault}", "secrets: {store: safe}"),
    "comment": ("# Owned by the platform team", "# Owned by us"),
}  # fmt: skip


def tree(root: Path) -> dict[str, bytes]:
    """Rendered files without ledgers, which hold digests of the inputs."""
    files = (path for path in (root / "rendered").rglob("*") if path.is_file() and path.name != ".sluice")
    return {path.relative_to(root / "rendered").as_posix(): path.read_bytes() for path in files}


def is_model(path: str) -> bool:
    parts = path.split("/")
    return len(parts) == 4 and parts[0] not in {"bentos", "gates"} and parts[1] not in {"argocd", "platform"}


def is_application(path: str) -> bool:
    return "/argocd/applications/" in path


@pytest.mark.parametrize("edit", EDITS)
def test_shared_bundles_that_are_told_are_those_that_a_render_changes(committed, sluice, edit):
    assert sluice("render").exit_code == 0
    before = tree(committed)
    change(committed, "platform.yaml", *EDITS[edit])
    told = json.loads(sluice("plan", "--all", "--against", "HEAD", "--format", "json").stdout)
    done = sluice("render")
    if edit == "registry of gates":
        # The gates' images have other names, so the evidence of before no longer counts and no model is rendered.
        assert done.exit_code == 1
        assert set(re.findall(r"^error\[(\w+)\]", done.output, re.MULTILINE)) == {"EVID114"}
    else:
        assert done.exit_code == 0, done.output
    after = tree(committed)
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    models = {path for path in changed if is_model(path) or is_application(path)}
    shared = {path for path in changed - models if not path.startswith(("bentos/", "gates/"))}
    folders = {
        "project": "{environment}/argocd/projects/{team}",
        "team": "{environment}/platform/{team}",
        "admission": "{environment}/platform/admission",
        "overview": "{environment}/platform/overview",
        "rollout-notices": "{environment}/platform/notifications",
        "argocd-notices": "{environment}/argocd/notifications",
        "platform": "{environment}/argocd/platform",
        "root": "{environment}/argocd/root",
    }
    said = {f"{folders[one['kind']].format(**one)}/{file}" for one in told["shared"] for file in one["files"]}
    assert said == shared
    kinds = {(one["kind"], one["environment"], one["team"]) for one in told["shared"]}
    assert told["shared_bundles_changed"] == len(kinds)
    plans = {(d["environment"], f"{d['team']}/{d['model']}") for d in told["differences"]}
    seen = {(path.split("/")[0], "/".join(path.split("/")[1:3])) for path in models if is_model(path)}
    assert seen <= plans, "a bundle changes that is not told"


def test_the_radius_of_shared_bundles_is_told_in_every_form(committed, sluice):
    change(committed, "platform.yaml", *EDITS["quota"])
    change(committed, "platform.yaml", *EDITS["admission"])
    text = [
        " ".join(line.split()) for line in sluice("plan", "--all", "--against", "HEAD").output.splitlines()
    ]
    assert text[0].startswith("0 of 6 bundles, 0 of 3 models and 4 of 20 shared bundles differ from HEAD")
    assert "2 bundles namespaces of teams resourcequota-main.yaml differs everywhere: shop" in text
    (policies,) = [line for line in text if line.startswith("2 bundles admission policies")]
    assert policies.endswith("everywhere: the platform")
    markdown = sluice("plan", "--all", "--against", "HEAD", "--format", "markdown").output
    assert (
        "| 2 bundles | namespaces of teams | resourcequota-main.yaml differs | everywhere | shop |"
        in markdown
    )
    diff = sluice("diff", "--exit-code")
    assert diff.exit_code == 1
    assert "bundles that belong to no model:" in diff.output
    assert "nothing differs" in sluice("diff", "shop").output, "the models of one team"


def test_what_is_the_same_is_not_told(committed, sluice):
    change(committed, "platform.yaml", *EDITS["comment"])
    assert "no bundle changes" in sluice("plan", "--all", "--against", "HEAD").output
    assert sluice("diff", "--exit-code").exit_code == 0
