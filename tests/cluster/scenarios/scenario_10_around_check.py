"""Files that no spec asks for: the check refuses each; where it was bypassed, Argo CD reads none or its project refuses it."""

from __future__ import annotations

from pathlib import Path

from tests.cluster import report
from tests.cluster.argocd import NAMESPACE
from tests.cluster.client import Api, Object
from tests.cluster.waiting import until
from tests.cluster.whole import Whole

_ENVIRONMENT, _MODEL = "s10t", "shop/ranker"
_STEPS = [{"weight": "5%", "hold": "120s"}, {"weight": "50%", "hold": "60s"}]
_ROOT = f"rendered/{_ENVIRONMENT}/argocd"
_LISTS = f"{_ROOT}/root"
_LISTED = f"{_ROOT}/applications/{_MODEL}/application.yaml"
_CONFIG = f"/api/v1/namespaces/{NAMESPACE}/configmaps/argocd-rbac-cm"
_ARGO = f"/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}"
_RBAC = f"""\
apiVersion: v1
kind: ConfigMap
metadata: {{name: argocd-rbac-cm, namespace: {NAMESPACE}}}
data: {{policy.default: "role:admin"}}
"""
_PROJECT = f"""\
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {{name: {_ENVIRONMENT}-shop, namespace: {NAMESPACE}}}
spec:
  sourceRepos: ["*"]
  destinations: [{{server: "*", namespace: "*"}}]
  clusterResourceWhitelist: [{{group: "*", kind: "*"}}]
"""
_APPLICATION = f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {_ENVIRONMENT}-foreign, namespace: {NAMESPACE}}}
spec:
  project: default
  source: {{repoURL: "https://git.example.com/other.git", path: ., targetRevision: main}}
  destination: {{server: https://kubernetes.default.svc, namespace: {NAMESPACE}}}
"""
_ROLE = f"""\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: stolen, namespace: shop-{_ENVIRONMENT}}}
rules: [{{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}}]
"""
_SECRET = f"""\
apiVersion: v1
kind: Secret
metadata: {{name: stolen, namespace: shop-{_ENVIRONMENT}}}
stringData: {{key: value}}
"""
_NOT_READ = {
    f"{_ROOT}/applications/{_MODEL}/x.yaml": _RBAC,
    f"{_ROOT}/applications/shop/x.json": "{}",
    f"{_ROOT}/applications/{_MODEL}/y.yaml": _PROJECT,
    f"{_ROOT}/projects/shop/y.yaml": _PROJECT,
    f"{_ROOT}/applications/{_MODEL}/z.yaml": _APPLICATION,
    f"{_LISTS}/z.yaml": _APPLICATION,
    f"rendered/{_ENVIRONMENT}/platform/shop/x.yaml": _ROLE,
}


def test_files_that_no_spec_asks_for(api: Api, tmp_path: Path) -> None:
    whole = Whole(api, tmp_path, _ENVIRONMENT)
    whole.write({_MODEL: {"rollout": {"steps": _STEPS}}})
    whole.publish()
    whole.bootstrap()
    roots = tuple(f"sluice-{_ENVIRONMENT}{role}" for role in ("", "-projects", "-applications"))
    names = (*roots, f"{_ENVIRONMENT}-platform", f"{_ENVIRONMENT}-shop-ranker")
    until("all Applications", lambda: whole.applications().keys() >= set(names), 300)
    until("synced roots", lambda: all(whole.applications()[name][0] == "Synced" for name in roots), 300)
    project = f"{_ARGO}/appprojects/{_ENVIRONMENT}-shop"
    before = _spec(api, project)
    try:
        _files_that_are_not_listed(whole, names, project, before)
        _other_kinds_in_listed_places(whole)
    finally:
        whole.remove()


def _files_that_are_not_listed(whole: Whole, names: tuple[str, ...], project: str, before: Object) -> None:
    """Nothing of them reaches the cluster."""
    for name, text in _NOT_READ.items():
        (whole.root / name).write_text(text)
    _refused_by_the_check(whole, *_NOT_READ)
    commit = whole.commit("Around the check")
    for name in names[:4]:
        whole.compared(name, commit)
    api = whole.api
    assert (api.find(_CONFIG) or {}).get("data") in (None, {})
    assert _spec(api, project) == before
    assert api.find(f"{_ARGO}/applications/{_ENVIRONMENT}-foreign") is None
    assert api.find(f"/apis/rbac.authorization.k8s.io/v1/namespaces/shop-{_ENVIRONMENT}/roles/stolen") is None
    assert all(whole.applications()[name][0] == "Synced" for name in names[:3])
    for name in _NOT_READ:
        (whole.root / name).unlink()
    whole.commit("Back")


def _other_kinds_in_listed_places(whole: Whole) -> None:
    """Within a file that is listed, and in a model's bundle, the project decides."""
    listed = whole.root / _LISTED
    loose = whole.root / f"rendered/{_ENVIRONMENT}/{_MODEL}/secret.yaml"
    text, found = listed.read_text(), {}
    # In one commit: while Argo CD retries a sync, it does not start that of the next commit.
    listed.write_text(f"{text}---\n{_RBAC}---\n{_PROJECT}")
    _refused_by_the_check(whole, _LISTED)
    commit = whole.commit("Around the check: a ConfigMap and an AppProject")
    found["a ConfigMap and an AppProject"] = whole.refused(f"sluice-{_ENVIRONMENT}-applications", commit)
    listed.write_text(text)
    loose.write_text(_SECRET)
    _refused_by_the_check(whole, loose.relative_to(whole.root).as_posix())
    commit = whole.commit("Around the check: a Secret")
    found["a Secret in a bundle"] = whole.refused(f"{_ENVIRONMENT}-shop-ranker", commit)
    for what, said in found.items():
        report.figures(f"10 around the check: {what}", {"what the user reads": said})
    assert "ConfigMap is not permitted in project" in found["a ConfigMap and an AppProject"]
    assert "AppProject is not permitted in project" in found["a ConfigMap and an AppProject"]
    assert "Secret is not permitted in project" in found["a Secret in a bundle"]
    assert (whole.api.find(_CONFIG) or {}).get("data") in (None, {})


def _refused_by_the_check(whole: Whole, *names: str) -> None:
    done = whole.sluice("render", "--check")
    assert done.returncode == 1
    assert all(name in done.stdout + done.stderr for name in names), done.stdout + done.stderr


def _spec(api: Api, address: str) -> Object:
    found = api.find(address)
    assert found is not None
    spec: Object = found["spec"]
    return spec
