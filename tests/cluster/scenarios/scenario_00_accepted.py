"""Everything that the example specs render is accepted as written: strict fields, CEL rules, admission."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster import report, variants
from tests.cluster.bed import ROOT
from tests.cluster.client import Api, ApiError, documents


@pytest.mark.parametrize("router", variants.ROUTERS)
def test_rendered_objects_are_accepted(router: str, api: Api, tmp_path: Path) -> None:
    repository = variants.write(tmp_path / "repository", ROOT / "specs", router)
    rendered = dict(variants.rendered(repository))
    objects = [(path, item) for path, text in rendered.items() for item in documents(text)]
    for _, item in objects:  # a namespace must be there for its content to be judged
        if item["kind"] == "Namespace":
            api.apply(
                {key: item[key] for key in ("apiVersion", "kind")}
                | {"metadata": {"name": item["metadata"]["name"]}}
            )
    refused = {}
    for path, item in objects:
        try:
            api.request("PATCH", api.address(item) + _DRY_RUN, item, "application/apply-patch+yaml")
        except ApiError as error:
            refused[path] = error.message
    kinds = sorted({item["kind"] for _, item in objects})
    report.figures(
        f"0 accepted, {router}", {"objects": len(objects), "refused": len(refused), "kinds": ", ".join(kinds)}
    )
    assert not refused


_DRY_RUN = "?dryRun=All&fieldValidation=Strict&fieldManager=test-bed&force=true"


def test_the_judge_is_strict(api: Api) -> None:
    """Unknown fields and broken CEL rules are refused, or the other tests say nothing."""
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "wrong", "namespace": "default"},
        "spec": {"rules": [{"timeouts": {"request": "1s", "backendRequest": "2s"}}]},
    }
    with pytest.raises(ApiError, match="backendRequest timeout cannot be longer"):
        api.create(route, dry_run=True)
    unknown = {**route, "spec": {"rulez": []}}
    with pytest.raises(ApiError, match=r'unknown field "spec\.rulez"'):
        api.create(unknown, dry_run=True)
