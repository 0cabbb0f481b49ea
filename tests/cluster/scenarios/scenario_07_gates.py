"""Gates stand before the Rollout: what fails them is not applied, not even by the next commit; one key runs once."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from generator.cli.main import cli
from generator.plan.names import gate_workflow
from generator.plan.values import Plan
from tests.cluster import bentos, gate_images, gated, report, repository
from tests.cluster.client import Api, Object
from tests.cluster.gitops import GitOps
from tests.cluster.layout import Layout
from tests.cluster.release import Release
from tests.cluster.waiting import until

_ENVIRONMENT = "s7"
_MODEL = "shop/ranker"
_STEPS = {"rollout": {"strategy": "canary", "steps": [{"weight": "50%", "hold": "1s"}]}}
_GOOD, _BAD = 0.95, 0.4


def test_gates(layout: Layout, api: Api, tmp_path: Path) -> None:
    release = Release(layout, api, _MODEL, _ENVIRONMENT)
    git = GitOps(release, tmp_path / "work")

    def plan(label: str, at_least: float = 0.9, **changes: object) -> Plan:
        return release.plan(label, "", **_STEPS, **gated.accuracy(at_least), **changes)

    first = plan("1")
    git.prepare(first)
    folder = gate_images.provide_claim(layout, api, first.identity.namespace)
    for version, accuracy in zip(bentos.versions(_MODEL), (_GOOD, _BAD, _BAD), strict=True):
        reports = {"metrics.json": gate_images.metrics(version.digest, accuracy)}
        gate_images.put(folder, version.digest, reports)

    # Passes: applied.
    git.synced(first, git.start(first), 400)
    release.until_phase(first, "Healthy", 300)
    passed = _workflow(api, first)
    assert passed["status"]["phase"] == "Succeeded"

    # The same key again: applied, and the gates did not run again.
    more = plan("1", replicas=3)
    assert more.gate_key == first.gate_key
    git.synced(more, git.commit(more), 300)
    assert _replicas(release, more) == 3
    assert [_mark(item) for item in gated.workflows(api, first.identity.namespace)] == [_mark(passed)]

    # A version that fails.
    bad = plan("2", replicas=3)
    said = git.refused(bad, git.commit(bad), 400)
    failed = _workflow(api, bad)
    assert failed["status"]["phase"] == "Failed"
    assert gate_workflow(bad) in said
    assert _label(release, bad) == "1"

    # Then an unrelated commit: still not applied, however often Argo CD tries (finding G1).
    unrelated = plan("2", replicas=4)
    commit = git.commit(unrelated)
    git.refused(unrelated, commit, 400)
    tried = until("another try", lambda: git.tries(unrelated, commit), 400, 1.0)
    assert (_label(release, unrelated), _replicas(release, unrelated)) == ("1", 3)
    assert _mark(_workflow(api, unrelated)) == _mark(failed)

    _same_evidence(tmp_path, bad, folder)

    # A new key: the gate asks for less, runs, passes.
    weaker = plan("2", at_least=0.3)
    assert weaker.gate_key != bad.gate_key
    git.synced(weaker, git.commit(weaker), 500)
    assert _label(release, weaker) == "2"
    assert _workflow(api, weaker)["status"]["phase"] == "Succeeded"
    release.until_phase(weaker, "Healthy", 240)
    report.figures(
        "7 gates",
        {
            "tries of the failed sync": tried,
            "what the user reads": said.partition("\n")[0],
        },
    )
    git.remove(weaker)
    release.remove()


def _same_evidence(tmp_path: Path, plan: Plan, folder: Path) -> None:
    """What `gates fetch` brings is what `gates run` finds here, but for times and the image."""
    found = []
    (version,) = (item for item in bentos.versions(_MODEL) if f"sha256:{item.digest}" == plan.version.digest)
    for number, arguments in enumerate(
        (["fetch", _MODEL, "--env", _ENVIRONMENT], ["run", _MODEL, "--from", str(folder / version.digest)])
    ):
        root = tmp_path / f"evidence-{number}"
        changes = {
            **_STEPS,
            **gated.accuracy(0.9),
            "service": {"env": [{"name": "BED_MARK", "value": "none"}]},
        }
        repository.write(root, {_MODEL: version}, changes, _ENVIRONMENT)
        done = CliRunner().invoke(cli, ["gates", *arguments, "--root", str(root)], env=dict(os.environ))
        assert done.exit_code == 1, (done.output, done.exception)  # the gate failed, and both say so
        document = json.loads((root / "specs" / f"{_MODEL}.evidence.json").read_text())
        found.append(_timeless(document))
    assert found[0] == found[1]
    (entry,) = found[0]["predicate"]["gates"]
    assert entry["verdict"] == "fail"


def _timeless(part: Any) -> Any:
    """Without what differs between two places: times, the image, and the digests over them."""
    if isinstance(part, list):
        return [_timeless(item) for item in part]
    if not isinstance(part, dict):
        return part
    own = {"start", "end", "image", "metadata"} | (
        {"digest"} if "_type" in part or "start" in part else set()
    )
    return {key: _timeless(value) for key, value in part.items() if key not in own}


def _workflow(api: Api, plan: Plan) -> Object:
    space = plan.identity.namespace
    found: Object = api.request(
        "GET", f"/apis/argoproj.io/v1alpha1/namespaces/{space}/workflows/{gate_workflow(plan)}"
    )
    return found


def _mark(workflow: Object) -> tuple[str, ...]:
    """Changes when it runs again."""
    return workflow["metadata"]["uid"], workflow["status"]["startedAt"], workflow["status"]["finishedAt"]


def _label(release: Release, plan: Plan) -> str:
    labels = release.rollout(plan)["spec"]["template"]["metadata"]["labels"]
    version: str = labels["app.kubernetes.io/version"]
    return version


def _replicas(release: Release, plan: Plan) -> int:
    replicas: int = release.rollout(plan)["spec"]["replicas"]
    return replicas
