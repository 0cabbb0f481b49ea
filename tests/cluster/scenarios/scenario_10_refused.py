"""What goes around Sluice is refused by the project, the admission policies or Pod Security; and what its user reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from generator.plan.values import Plan
from generator.render.admission import render_admission
from tests.cluster import report, repository
from tests.cluster.client import Api, ApiError, documents
from tests.cluster.gitops import Delivered, GitOps
from tests.cluster.waiting import until
from tests.cluster.whole import Whole
from tests.unit.render import test_render_admission as admission

_ENVIRONMENT = "s10"
_ROLLOUT = "rollout-main.yaml"
_STEPS = {"rollout": {"strategy": "canary", "steps": [{"weight": "50%", "hold": "1s"}]}}
_SECRET = """\
apiVersion: v1
kind: Secret
metadata: {{name: stolen, namespace: {namespace}}}
stringData: {{key: value}}
"""
_PRIVILEGED = "            privileged: true\n            allowPrivilegeEscalation: true\n"


def test_a_spec_of_another_team(api: Api, tmp_path: Path) -> None:
    """Already Sluice says no: a spec in the folder of team A that says it is team B's."""
    whole = Whole(api, tmp_path, _ENVIRONMENT)
    whole.write({"shop/ranker": {}})
    spec = tmp_path / "specs" / "shop" / "ranker.yaml"
    spec.write_text(spec.read_text().replace("team: shop", "team: support"))
    done = whole.sluice("render")
    assert done.returncode == 1
    assert not list((tmp_path / "rendered").rglob("ranker"))
    said = next(line for line in (done.stdout + done.stderr).splitlines() if line.startswith("error["))
    report.figures("10 a spec of another team", {"what the user reads": _line(said)})


def test_what_goes_around(delivered: Delivered, api: Api) -> None:
    platform = repository.platform(_ENVIRONMENT)
    git, plan = delivered("shop/ranker", _ENVIRONMENT, **_STEPS)
    git.release.send(render_admission(platform, _ENVIRONMENT, repository.templates()))
    files, before = repository.bundle(plan), git.release.rollout(plan)["spec"]
    space = plan.identity.namespace
    other = next(name for name in files if name.startswith("service-"))
    rollout = files[_ROLLOUT]
    unkeyed = re.sub(r"\n *sluice\.dev/gate-key: .*", "", rollout)
    assert unkeyed != rollout
    read = {
        "another team's namespace": _refused(
            git,
            plan,
            {other: files[other].replace(f"namespace: {space}", f"namespace: support-{_ENVIRONMENT}")},
        ),
        "a kind that is not allowed": _refused(git, plan, {"secret.yaml": _SECRET.format(namespace=space)}),
        "no gate key": _refused(git, plan, {_ROLLOUT: unkeyed}),
    }
    assert api.find(f"/api/v1/namespaces/{space}/secrets/stolen") is None
    assert api.items(f"/apis/argoproj.io/v1alpha1/namespaces/{space}/rollouts")[0]["spec"] == before
    git.synced(plan, git.commit(plan), 240)
    read["a privileged pod"] = _privileged(git, plan, rollout)
    for what, text in read.items():
        report.figures(f"10 {what}", {"what the user reads": text})
    assert f"namespace support-{_ENVIRONMENT} is not permitted in project" in read["another team's namespace"]
    assert re.search(r"Secret is not permitted in project", read["a kind that is not allowed"])
    assert "must have the key of its gates" in read["no gate key"]
    assert "violates PodSecurity" in read["a privileged pod"]
    for item in api.items("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"):
        if item["metadata"]["labels"].get("sluice.dev/environment") == _ENVIRONMENT:
            api.request("DELETE", api.address({**item, **_POLICY}))


_CEILINGS = "s10-ceilings"
_TRIED = (
    "a switch", "a first weight above the ceiling", "few pods without a router", "a window without steps",
    "a cohort of all users", "a jump to all users", "a step of a second", "no analysis",
    "a cohort in parts that are too short together",
    "an approval before any traffic", "an approval at half of the traffic",
)  # fmt: skip


def test_policies_judge_what_users_meet(api: Api) -> None:
    """The API server's own CEL gives the verdicts that the library gives in tests/unit/render."""
    policies = render_admission(
        admission.platform(cohorts=admission.COHORTS), _CEILINGS, repository.templates()
    )
    created = [item for text in policies.values() for item in documents(text)]
    labels = {"sluice.dev/environment": _CEILINGS}
    space = {"name": _CEILINGS, "labels": labels, **admission.NAMESPACE["metadata"]}
    for item in ({"apiVersion": "v1", "kind": "Namespace", "metadata": space}, *created):
        api.apply(item)
    try:
        until("the policies are in force", lambda: _said(api, admission.BAD["a switch"][0]), 60)
        read = {name: _said(api, admission.BAD[name][0]) for name in _TRIED}
        for name, text in read.items():
            report.figures(f"10 {name}", {"what the user reads": _line(text)})
        assert [name for name in _TRIED if admission.BAD[name][1] not in read[name]] == []
        assert {name: _said(api, edit) for name, edit in admission.GOOD.items()} == dict.fromkeys(
            admission.GOOD, ""
        )
    finally:
        for item in created:
            api.request("DELETE", api.address(item))


def _said(api: Api, edit: Callable[[Any], object]) -> str:
    """What the API server says to the example's release with an edit; empty when it is let in."""
    item = admission.fraud(edit)
    item["metadata"]["namespace"] = _CEILINGS
    try:
        api.create(item, dry_run=True)
    except ApiError as error:
        return error.message
    return ""


_POLICY = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding"}


def _refused(git: GitOps, plan: Plan, edited: dict[str, str]) -> str:
    """One commit that a hand made around Sluice; what its user reads in Argo CD."""
    return _line(git.refused(plan, git.commit(plan, edited), 300))


def _privileged(git: GitOps, plan: Plan, rollout: str) -> str:
    """The Rollout is accepted, its pods are not: the old ones stay."""
    text = re.sub(r" *allowPrivilegeEscalation: false\n", _PRIVILEGED, rollout)
    assert text != rollout
    release, space = git.release, plan.identity.namespace
    stable = release.stable(plan)
    git.synced(plan, git.commit(plan, {_ROLLOUT: text}))

    def said() -> str:
        sets = release.api.items(f"/apis/apps/v1/namespaces/{space}/replicasets")
        conditions = [item for one in sets for item in one.get("status", {}).get("conditions", [])]
        return next((item["message"] for item in conditions if item["type"] == "ReplicaFailure"), "")

    message = until("what the ReplicaSet says", said, 90, 0.5)
    pods = release.api.items(f"/api/v1/namespaces/{space}/pods")
    assert {pod["metadata"]["labels"]["rollouts-pod-template-hash"] for pod in pods} == {stable}
    return _line(message)


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "/")[:400]
