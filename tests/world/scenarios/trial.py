"""A team starts with Sluice in the cluster and the repository that it has, from `sluice init` to a release and a rollback.

The repository has other files, owners and workflows; images come from a private registry, which the real kubelet reads
with a pull secret; guards ask a Prometheus that wants a password, with a Secret; and a program of others runs in the
namespace.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import pytest
import yaml

from generator.plan.values import Plan
from tests.ci.programs import skopeo
from tests.cluster import bentos, programs, report, repository
from tests.cluster.client import Api, Object, documents
from tests.cluster.envoy import refused
from tests.cluster.layout import NODE_IP, Layout
from tests.cluster.load import Load
from tests.cluster.node import PAUSE
from tests.cluster.release import Release
from tests.cluster.visitors import ITEM, RPS
from tests.cluster.waiting import until
from tests.cluster.watch import Watch
from tests.cluster.whole import Whole
from tests.references import registry
from tests.world.scenario import Scenario, in_cluster

_ENVIRONMENT, _MODEL, _FOLDER = "trial", "shop/ranker", "ml/models"
_SPACE, _APPLICATION = f"shop-{_ENVIRONMENT}", f"{_ENVIRONMENT}-shop-ranker"
_PORT = 9091
_PROMETHEUS = f"http://{NODE_IP}:{_PORT}"
_ROLLOUT = {
    "strategy": "canary",
    "steps": [{"weight": "20%", "hold": "75s"}],
    "guards": [{"metric": "error-rate", "limit": "20%"}],
}
_THEIRS = {
    "README.md": "# The shop\n",
    ".github/CODEOWNERS": "* @acme/everyone\n",
    ".github/workflows/test.yml": "on: push\njobs: {}\n",
    "web/app.js": "console.log('hello')\n",
}
"""What is in the repository before, by path."""


@contextmanager
def _private_registry(folder: Path) -> Iterator[str]:
    """A registry that answers only those with the password; its host."""
    folder.mkdir()
    (folder / "htpasswd").write_text(registry.HTPASSWD)
    auth: dict[str, object] = {"htpasswd": {"realm": "models", "path": str(folder / "htpasswd")}}
    with registry.serving(folder, auth, 401) as host:
        yield host


def _guarded_prometheus(layout: Layout) -> None:
    """A second Prometheus, which scrapes the same pods and wants a password."""
    work, processes = layout.work("guarded"), layout.processes
    user, _, hashed = registry.HTPASSWD.strip().partition(":")
    (work / "web.yml").write_text(json.dumps({"basic_auth_users": {user: hashed}}))
    processes.start(
        "guarded",
        [
            programs.debian("prometheus"),
            f"--config.file={layout.work('prometheus')}/prometheus.yml",
            f"--storage.tsdb.path={work}/data",
            f"--web.config.file={work}/web.yml",
            f"--web.listen-address={NODE_IP}:{_PORT}",
        ],
    )
    processes.ready("guarded", lambda: _status(f"{_PROMETHEUS}/-/ready") == 401)


def _status(url: str) -> int:
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=5) as answer:
            return int(answer.status)
    except HTTPError as refusal:
        return refusal.code


def _repository(api: Api, top: Path) -> Whole:
    """A repository with files of others, and what `sluice init` writes next to them."""
    for name, text in _THEIRS.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    origin = repository.origin(_ENVIRONMENT)
    _git(top, "init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    _git(top, "init", "--quiet", "--initial-branch=main")
    _git(top, "remote", "add", "origin", str(origin))
    for key, value in (("user.name", "bed"), ("user.email", "bed@example.com")):
        _git(top, "config", key, value)
    Whole(api, top, _ENVIRONMENT).commit("The shop")
    done = Whole(api, top, _ENVIRONMENT).sluice("init", _FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr
    return Whole(api, top / _FOLDER, _ENVIRONMENT)


def _git(folder: Path, *arguments: str) -> None:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _settle(whole: Whole, host: str) -> None:
    """Write the team's platform over that of `init`, as docs/environments.md says, and take its examples away."""
    file = whole.root / "specs" / "platform.yaml"
    platform = yaml.safe_load(file.read_text())
    spec, bed = platform["spec"], yaml.safe_load((repository.SPECS / "platform.yaml").read_text())["spec"]
    live = bed["environments"][repository.LIVE]
    spec["git"]["repo"] = f"file://{repository.origin(_ENVIRONMENT)}"
    spec["registry"] = f"{host}/models"
    spec["namespaces"] = "adopt"
    spec["prometheus"] = bed["prometheus"]
    spec["tiers"] = {"quick": bed["tiers"]["quick"]}
    spec["teams"] = {"shop": bed["teams"]["shop"] | {"tiers": ["quick"]}}
    spec["environments"] = {
        _ENVIRONMENT: {
            **live,
            "domain": f"{_ENVIRONMENT}.sluice.test",
            "pod": {"imagePullSecrets": [{"name": "mirror"}]},
            "prometheus": {
                "address": _PROMETHEUS,
                "headers": [{"name": "X-Scope-OrgID", "value": "models"}],
                "credentials": {"basic": {"secret": "prometheus", "key": "basic"}},
            },
        }
    }
    file.write_text(yaml.safe_dump(platform, sort_keys=False))
    for example in ("shop/recommender", "support/ticket-classifier"):
        for suffix in (".yaml", ".lock.yaml"):
            (whole.root / "specs" / f"{example}{suffix}").unlink()


def _write(whole: Whole, number: int, behaviour: str = "") -> Plan:
    """Write the spec and the lock of a version; its plan."""
    version = bentos.versions(_MODEL)[number]
    platform = whole.root / "specs" / "platform.yaml"
    text = platform.read_text()
    variables = [{"name": "BED_BEHAVIOUR", "value": behaviour}] if behaviour else []
    repository.write(
        whole.root, {_MODEL: version}, {"rollout": _ROLLOUT, "service": {"env": variables}}, _ENVIRONMENT
    )
    platform.write_text(text)
    (plan,) = repository.plans(whole.root)
    return plan


def _push(plan: Plan, program: str) -> None:
    """Push the image of a version from the archive of the bed."""
    name = plan.image.reference.partition("/")[2]
    source = f"docker-archive:{bentos.archive()}:registry.sluice.test/{name}"
    login = f"--dest-creds={registry.USER}:{registry.PASSWORD}"
    command = [program, "copy", "--insecure-policy", "--dest-tls-verify=false", login, source]
    done = subprocess.run([*command, f"docker://{plan.image.reference}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _others() -> list[Object]:
    """The namespace with a program of others in it."""
    pod = {"containers": [{"name": "legacy", "image": PAUSE, "imagePullPolicy": "Never"}]}
    template = {"metadata": {"labels": {"app": "legacy"}}, "spec": pod}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "legacy"}}, "template": template}
    meta = {"name": "legacy", "namespace": _SPACE}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _SPACE}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec},
    ]


def _secret(name: str, kind: str = "Opaque", **data: str) -> Object:
    meta = {"name": name, "namespace": _SPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": kind, "stringData": data}


def _pull_secret(host: str) -> Object:
    login = {"username": registry.USER, "password": registry.PASSWORD}
    secret = _secret("mirror", "kubernetes.io/dockerconfigjson")
    return {**secret, "stringData": {".dockerconfigjson": json.dumps({"auths": {host: login}})}}


def _pods(api: Api, label: str) -> list[Object]:
    return api.items(f"/api/v1/namespaces/{_SPACE}/pods?labelSelector={label}")


def _waits_for_image(api: Api) -> bool:
    """Whether a pod of the model can't get its image."""
    states = [
        status.get("state", {}).get("waiting", {}).get("reason")
        for pod in _pods(api, "sluice.dev%2Fmodel")
        for status in pod.get("status", {}).get("containerStatuses", [])
    ]
    return bool({"ErrImagePull", "ImagePullBackOff"} & set(states))


def _missing(layout: Layout, whole: Whole) -> set[str]:
    """The Secrets that `sluice doctor` does not find in the cluster."""
    arguments = (
        "--env",
        _ENVIRONMENT,
        "--cluster",
        "--kubeconfig",
        str(layout.kubeconfig),
        "--format",
        "json",
    )
    done = whole.sluice("doctor", *arguments)
    assert done.returncode in {0, 1}, done.stderr
    lacks = [one["message"] for one in json.loads(done.stdout)["diagnoses"] if one["state"] == "lacks"]
    return {name for name in ("mirror", "prometheus") if any(f"Secret {name}" in one for one in lacks)}


def test_from_init_to_a_rollback(
    layout: Layout, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_USER", registry.USER)
    monkeypatch.setenv("PROMETHEUS_PASSWORD", registry.PASSWORD)
    _guarded_prometheus(layout)
    for item in _others():
        api.apply(item)
    until("the program of others", lambda: _pods(api, "app%3Dlegacy"), 60)
    before = {pod["metadata"]["uid"] for pod in _pods(api, "app%3Dlegacy")}
    top = tmp_path / "shop"
    top.mkdir()
    with _private_registry(tmp_path / "registry") as host:
        whole, release = _repository(api, top), Release(layout, api, _MODEL, _ENVIRONMENT)
        _settle(whole, host)
        first = _write(whole, 0)
        assert whole.sluice("codeowners").returncode == 0
        _publish(whole)
        lacking = _missing(layout, whole)
        program = skopeo(tmp_path)
        _push(first, program)
        # 1. The first sync: no image without the pull secret, then a healthy model.
        for item in documents((whole.root / "bootstrap" / f"{_ENVIRONMENT}.yaml").read_text()):
            api.apply(item)
        release.provide_keys(first)
        until("a refusal of the registry", lambda: _waits_for_image(api), 400)
        basic = base64.b64encode(f"{registry.USER}:{registry.PASSWORD}".encode()).decode()
        api.apply(_pull_secret(host))
        api.apply(_secret("prometheus", basic=basic))
        healthy = ("Synced", "Healthy")
        until("a healthy Application", lambda: whole.applications().get(_APPLICATION) == healthy, 400)
        found = _missing(layout, whole)
        stable, users = release.stable(first), first.routing.hosts[0]
        with Watch(api, first) as watch, Load(users, RPS, ITEM) as load:
            until("traffic", lambda: load.exposed(stable) > 5 * RPS, 60)
            # 2. Before the first canary: do the guards find their series, with the password?
            verified = whole.sluice("verify", "rendered", "--prometheus", _PROMETHEUS)
            # 3. A good version, then a bad one.
            good = _write(whole, 1)
            _push(good, program)
            whole.synced(_APPLICATION, _publish(whole))
            release.until_phase(good, "Healthy", 400)
            promoted, answered = release.stable(good), len(load.answers)
            bad = _write(whole, 2, "errors=0.5")
            _push(bad, program)
            whole.synced(_APPLICATION, _publish(whole))
            release.until_phase(bad, "Degraded", 500)
            kept = release.stable(bad)
        print(watch.story())
    report.figures(
        "from `sluice init` to a rollback, in a cluster and a repository that a team has",
        {
            **load.told(),
            "missing before the first sync, as `sluice doctor` says": ", ".join(sorted(lacking)),
            "good version": f"promoted, {len(load.answers[:answered])} requests so far",
            "bad version": "aborted" if kept == promoted else "promoted",
        },
    )
    assert lacking == {"mirror", "prometheus"}
    assert found == set()
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert promoted != stable
    assert kept == promoted
    assert not [answer for answer in load.answers[:answered] if answer.error], refused(layout, users)
    assert {pod["metadata"]["uid"] for pod in _pods(api, "app%3Dlegacy")} == before
    _nothing_of_others_changed(whole, top)
    whole.remove()


def _publish(whole: Whole) -> str:
    """Render, commit and push everything; the commit."""
    done = whole.sluice("render")
    assert done.returncode == 0, done.stdout + done.stderr
    return whole.commit("Models by Sluice")


def _nothing_of_others_changed(whole: Whole, top: Path) -> None:
    """Files of others are as they were; the owners' file has further lines; everything rendered is up to date."""
    owners = ".github/CODEOWNERS"
    for name, text in _THEIRS.items():
        now = (top / name).read_text()
        assert now.startswith(text) if name == owners else now == text, name
    assert f"/{_FOLDER}/" in (top / owners).read_text()
    done = whole.sluice("render", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


SCENARIO = Scenario(
    title="A team starts with the cluster and the repository that it has: private registry, guarded Prometheus, adopted namespace",
    covers=("docs/existing-repository.md", "docs/environments.md", "generator", "templates", "tests/cluster"),
    programs=("kubernetes", "rollouts", "argocd", "contour", "envoy"),
    run=in_cluster(__file__),
)
