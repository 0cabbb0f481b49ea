"""Everything that Sluice renders is accepted as written: strict fields, CEL rules, admission; `verify --cluster` asks."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import generated, report, variants
from tests.cluster.bed import ROOT
from tests.cluster.client import Api, documents
from tests.cluster.layout import Layout

_SPECS = 200
_SEED = 20261123


@pytest.mark.parametrize("router", variants.ROUTERS)
def test_example_specs(router: str, layout: Layout, api: Api, tmp_path: Path) -> None:
    files = dict(variants.rendered(variants.write(tmp_path / "repository", ROOT / "specs", router)))
    tree = _tree(tmp_path / "tree", files)
    _namespaces(api, files.values())
    refused = _refused(layout, tree)
    kinds = sorted({item["kind"] for text in files.values() for item in documents(text)})
    report.figures(
        f"0 accepted, {router}", {"objects": len(files), "refused": len(refused), "kinds": ", ".join(kinds)}
    )
    assert not refused


def test_generated_specs(layout: Layout, api: Api, tmp_path: Path) -> None:
    specs, files = generated.drawn(ROOT / "specs", _SPECS, _SEED), {}
    for router, of_router in generated.by_router(specs):
        repository = generated.write(tmp_path / router, ROOT / "specs", router, of_router)
        files |= {f"{router}/{path}": text for path, text in variants.rendered(repository)}
    _namespaces(api, files.values())
    # A separate tree for each router: otherwise they would render into one namespace.
    tree = _tree(tmp_path / "tree", files)
    refused = [finding for router in variants.ROUTERS for finding in _refused(layout, tree / router)]
    report.figures(
        "0 accepted, generated", {"specs": len(specs), "objects": len(files), "refused": len(refused)}
    )
    assert len(specs) == _SPECS
    assert not refused


def test_the_judge_is_strict(layout: Layout, tmp_path: Path) -> None:
    """Unknown fields, broken CEL rules, unknown kinds and namespaces are refused, or the other tests say nothing."""
    route = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: wrong, namespace: default}
spec:
  rules:
    - timeouts: {request: 1s, backendRequest: 2s}
"""
    broken = {
        "cel.yaml": route,
        "unknown.yaml": route.replace("backendRequest: 2s", "backendReqest: 1s"),
        "kind.yaml": "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: a}\n",
        "nowhere.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: nowhere}\n",
        "core.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: default}\ndatum: {}\n",
    }
    found = {
        item["file"]: (item["code"], item["line"], item["message"])
        for item in _refused(layout, _tree(tmp_path, broken))
    }
    assert {file: code for file, (code, _, _) in found.items()} == {
        "cel.yaml": "VER170",
        "unknown.yaml": "VER170",
        "kind.yaml": "VER171",
        "nowhere.yaml": "VER172",
        "core.yaml": "VER170",
    }
    assert "backendRequest timeout cannot be longer" in found["cel.yaml"][2]
    assert "backendReqest" in found["unknown.yaml"][2]
    assert found["unknown.yaml"][1] == 6


def test_who_may_not_ask_is_told_so(layout: Layout, tmp_path: Path) -> None:
    """The kubelet's certificate: a real user with few rights."""
    tree = _tree(
        tmp_path, {"a.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: default}\n"}
    )
    found = _refused(layout, tree, layout.pki / "kubelet.kubeconfig")
    assert [item["code"] for item in found] == ["VER173"]


def _tree(folder: Path, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def _namespaces(api: Api, texts: Iterable[str]) -> None:
    """A namespace must be there for its content to be judged; nothing but its name and its Pod Security."""
    spaces = [item for text in texts for item in documents(text) if item["kind"] == "Namespace"]
    for item in [*spaces, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}]:
        api.apply(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": item["metadata"]["name"], "labels": item["metadata"].get("labels", {})},
            }
        )


def _refused(layout: Layout, tree: Path, kubeconfig: Path | None = None) -> list[dict[str, Any]]:
    """What `sluice verify --cluster` finds that only a cluster can say."""
    command = [ROOT / ".venv" / "bin" / "sluice", "verify", tree, "--cluster", "--format", "json"]
    done = subprocess.run(
        [*map(str, command), "--kubeconfig", str(kubeconfig or layout.kubeconfig)],
        capture_output=True,
        text=True,
        env={**os.environ, "SLUICE_DEBUG": "1"},
    )
    assert done.returncode in {0, 1}, done.stderr
    found = json.loads(done.stdout)["findings"]
    return [{**item, **item["place"]} for item in found if item["code"].startswith("VER17")]
