"""Records of releases by the real controllers: passed, aborted, skipped by hand, first, without traffic, replaced.

Each ends in two records, from the cluster and from the notification of Argo Rollouts, and both say the same.
"""

from __future__ import annotations

import datetime as dt
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from generator.cli.main import cli
from generator.plan.values import Plan
from generator.render.notifications import render_rollout_notices
from generator.spec.notifications import Notifications
from tests.cluster import bentos, report, repository
from tests.cluster.client import Object, documents
from tests.cluster.gitops import Delivered, GitOps
from tests.cluster.load import Load
from tests.cluster.visitors import ITEM, RPS
from tests.cluster.waiting import until
from tests.cluster.watch import Watch

_MODEL, _CLICKS = "shop/ranker", 0.8
_ROLLOUT = {
    "steps": [{"weight": "20%", "hold": "30s"}, {"weight": "50%", "hold": "25s"}],
    # The limit has no odds, so the power is that of the comparison: 99% at this traffic.
    "guards": [
        {"outcome": "ctr", "detect": {"drop": "60%"}},
        {"metric": "error-rate", "limit": "20%", "noData": "pass"},
    ],
}
_SPEC: dict[str, Any] = {"rollout": _ROLLOUT}
_QUIET: dict[str, Any] = {"rollout": {**_ROLLOUT, "steps": [{"weight": "20%", "hold": "10s"}]}}
_CLOCKS_S = 5.0
# What `kubectl argo rollouts promote` writes to a Rollout in a hold: the next step begins.
_SKIP: Object = {"status": {"pauseConditions": None, "currentStepIndex": 2}}
_NEXT: Object = {"status": {"pauseConditions": None, "currentStepIndex": 3}}


def test_records(delivered: Delivered, tmp_path: Path) -> None:
    with _receiver() as (url, bodies):
        quiet, silent = delivered(_MODEL, "s16n", **_QUIET)
        git, plan = delivered(_MODEL, "s16", **_SPEC)
        for one, of in ((git, plan), (quiet, silent)):
            _subscribe(one, of, url)
        unseen = quiet.release.fresh("2", **_QUIET)
        quiet.synced(unseen, quiet.commit(unseen))
        found = {"first": _cluster(git, plan, _SPEC, tmp_path)}
        with (
            Watch(git.release.api, plan) as watch,
            Load(plan.routing.hosts[0], RPS, ITEM, lambda _: _CLICKS) as load,
        ):
            until("traffic", lambda: load.exposed(git.release.stable(plan)) > 2 * RPS, 60)
            found["passed"] = _released(git, watch, bodies, tmp_path)
            found["full"] = _released(git, watch, bodies, tmp_path, {"status": {"promoteFull": True}})
            _start(git, watch)  # replaced in the middle
            found["skipped"] = _released(git, watch, bodies, tmp_path, _SKIP)
            found["aborted"] = _released(git, watch, bodies, tmp_path, behaviour="errors=0.5", end="Degraded")
        until(
            "a pause for a person", lambda: "Inconclusive" in str(_status(quiet, unseen).get("message")), 120
        )
        quiet.release.api.merge(f"{_path(unseen)}/status", _NEXT)  # a person lets it continue
        quiet.release.until_phase(unseen, "Healthy", 90)
        found["quiet"] = _both(quiet, unseen, _QUIET, bodies, tmp_path)
    report.figures("16 records", {name: f"{one['verdict']} ({_told(one)})" for name, one in found.items()})
    assert {name: one["verdict"] for name, one in found.items()} == {
        "first": "weak",
        "passed": "passed",
        "full": "weak",
        "skipped": "weak",
        "aborted": "aborted",
        "quiet": "inconclusive",
    }
    assert found["first"]["firstRelease"]
    assert found["passed"]["steps"]["skipped"] == []
    assert found["passed"]["power"]["seen"] > 0.9
    assert all(step["canary"] > 0 for step in found["passed"]["traffic"])
    assert found["full"]["steps"]["promoteFull"]
    assert not found["skipped"]["steps"]["promoteFull"]
    assert found["skipped"]["steps"]["skipped"]
    assert found["skipped"]["rollout"]["revision"] == found["full"]["rollout"]["revision"] + 2
    assert found["quiet"]["power"]["seen"] == 0


def _start(git: GitOps, watch: Watch, behaviour: str = "") -> Plan:
    """Release a version; return its plan when it has traffic."""
    plan = git.release.fresh("2", behaviour, **_SPEC)
    git.synced(plan, git.commit(plan))
    until("weight 20", lambda: watch.last.weight == 20 and _status(git, plan).get("phase") != "Healthy", 120)
    return plan


def _released(
    git: GitOps, watch: Watch, bodies: list[Object], work: Path, by_hand: Object | None = None, behaviour: str = "", end: str = "Healthy"
) -> Object:  # fmt: skip
    """Release a version, perhaps with a hand in it; return its record."""
    plan = _start(git, watch, behaviour)
    if by_hand:
        # Before the hold has begun, the controller's own write of the next step would replace this one.
        until("a hold", lambda: _status(git, plan).get("pauseConditions"), 60)
        git.release.api.merge(f"{_path(plan)}/status", by_hand)
    git.release.until_phase(plan, end, 200)
    return _both(git, plan, _SPEC, bodies, work)


def _both(git: GitOps, plan: Plan, changes: dict[str, Any], bodies: list[Object], work: Path) -> Object:
    """Return the record from the cluster, which is that from the notification."""
    current = _status(git, plan)["currentPodHash"]
    body = until("the notification", lambda: next((b for b in bodies if _hash(b) == current), None), 30)
    file = work / "body.json"
    file.write_text(json.dumps(body))
    told = _record(git, plan, changes, work, "--from-notification", str(file))
    read = _cluster(git, plan, changes, work)
    one, other = (dt.datetime.fromisoformat(record.pop("end")) for record in (told, read))
    assert abs((one - other).total_seconds()) <= _CLOCKS_S
    for record in (told, read):
        record.pop("digest")
    _take_over_last(told, read)
    assert told == read
    return read


def _take_over_last(told: Object, read: Object) -> None:
    """Take over one measurement that was under way: the controller notifies before it ends the analysis in the background."""
    for one, other in zip(told["runs"], read["runs"], strict=True):
        for ours, theirs in zip(one["metrics"], other["metrics"], strict=True):
            if one["kind"] == "background" and theirs["successful"] == ours["successful"] + 1:
                ours.update(successful=theirs["successful"], last=theirs["last"])


def _cluster(git: GitOps, plan: Plan, changes: dict[str, Any], work: Path) -> Object:
    arguments = [_MODEL, "--env", plan.identity.environment, "--cluster"]
    return _record(git, plan, changes, work, *arguments, "--kubeconfig", str(git.release.layout.kubeconfig))


def _record(git: GitOps, plan: Plan, changes: dict[str, Any], work: Path, *arguments: str) -> Object:
    """Run `sluice record` in a repository with what is in git."""
    root = work / "records"
    shutil.rmtree(root, ignore_errors=True)
    version = next(v for v in bentos.versions(_MODEL) if v.label == plan.version.label)
    repository.write(root, {_MODEL: version}, changes, plan.identity.environment)
    shutil.copytree(git.work / plan.delivery.folder, root / plan.delivery.folder)
    done = CliRunner().invoke(cli, ["record", *arguments, "--root", str(root)])
    assert done.exit_code == 0, done.output
    file = root / f"specs/{_MODEL}.{plan.identity.environment}.record.json"
    found: Object = json.loads(file.read_text())
    return found


@contextmanager
def _receiver() -> Iterator[tuple[str, list[Object]]]:
    """What CI is: an address that takes notifications; its URL, and the bodies."""
    bodies: list[Object] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/start", bodies
        server.shutdown()


def _subscribe(git: GitOps, plan: Plan, url: str) -> None:
    """Configure the controller as Sluice renders it, and subscribe the Rollout, whose platform has no notifications."""
    record = {"host": "github", "url": url, "token": "record-token"}
    wanted = Notifications.model_validate({"record": record})
    environment, api = plan.identity.environment, git.release.api
    platform = repository.platform(environment).model_copy(update={"notifications": wanted})
    metadata = {"name": "argo-rollouts-notification-secret", "namespace": "argo-rollouts"}
    api.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"record-token": "t"}}
    )
    for text in render_rollout_notices(platform, environment, repository.templates()).values():
        for given in documents(text):
            api.apply(given)
    prefix = "notifications.argoproj.io/subscribe.on-rollout-"
    annotations = {f"{prefix}{event}.record": "" for event in ("completed", "aborted")}
    api.merge(_path(plan), {"metadata": {"annotations": annotations}})


def _path(plan: Plan) -> str:
    return f"/apis/argoproj.io/v1alpha1/namespaces/{plan.identity.namespace}/rollouts/{plan.identity.model}"


def _status(git: GitOps, plan: Plan) -> Object:
    found: Object = git.release.rollout(plan).get("status", {})
    return found


def _hash(body: Object) -> str:
    return str(body["client_payload"]["rollout"]["status"]["currentPodHash"])


def _told(record: Object) -> str:
    seen = record["power"]["seen"]
    power = "none" if seen is None else f"{seen:.2f}"
    return f"power {power}, skipped {record['steps']['skipped']}, exposed {record['exposed']}"
