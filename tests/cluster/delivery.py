"""What moves traffic and judges it: Contour with Envoy, Prometheus, Argo Rollouts, Argo Workflows."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.cluster import image, programs
from tests.cluster.client import Api, Object
from tests.cluster.layout import ENVOY_PORT, GATEWAY, GATEWAY_NAMESPACE, NODE_IP, Layout
from tests.cluster.node import import_image
from tests.cluster.processes import Command, answers
from tests.cluster.waiting import until

EXECUTOR_IMAGE = "registry.sluice.test/argoexec:bed"
_XDS_PORT, _TARGETS_PORT = 8001, 9099
SCRAPE_S = 2
RESYNC_S = 10
"""Seconds after which the Rollouts controller looks at every Rollout again, whether something happened or not."""


def namespace(api: Api, name: str) -> None:
    """Make sure that a namespace exists."""
    api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def config_map(api: Api, name: str, in_namespace: str, data: dict[str, str]) -> None:
    """Write a ConfigMap."""
    metadata = {
        "name": name,
        "namespace": in_namespace,
        "labels": {"app.kubernetes.io/part-of": in_namespace},
    }
    api.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def gateway(layout: Layout) -> None:
    """Contour, and Envoy with one listener that routes of every namespace attach to."""
    api, processes, work = Api(layout.pki), layout.processes, layout.work("contour")
    contour = programs.folder("contour") / "contour"
    _gateway_objects(api)
    reference = {"gateway": {"gatewayRef": {"namespace": GATEWAY_NAMESPACE, "name": GATEWAY}}}
    (work / "contour.yaml").write_text(json.dumps(reference))
    command: Command = [
        contour,
        "serve",
        f"--kubeconfig={layout.kubeconfig}",
        "--insecure",
        "--disable-leader-election",
    ]
    command += ["--xds-address=127.0.0.1", f"--xds-port={_XDS_PORT}", f"--config-path={work}/contour.yaml"]
    command += ["--envoy-service-http-address=0.0.0.0", f"--envoy-service-http-port={ENVOY_PORT}"]
    # Contour's own numbers move away from 8002, where it makes Envoy listen for its own.
    command += [
        "--http-address=127.0.0.1",
        "--http-port=8004",
        "--health-address=127.0.0.1",
        "--health-port=8003",
    ]
    command += [
        "--debug-http-address=127.0.0.1",
        "--debug-http-port=6061",
        f"--ingress-status-address={NODE_IP}",
    ]
    processes.start("contour", command)
    processes.ready("contour", answers("http://127.0.0.1:8003/healthz"))
    bootstrap: Command = [contour, "bootstrap", work / "envoy.json", f"--admin-address={work}/admin.sock"]
    bootstrap += ["--xds-address=127.0.0.1", f"--xds-port={_XDS_PORT}", "--dns-lookup-family=v4"]
    processes.start("contour-bootstrap", bootstrap)
    until("the configuration of Envoy", lambda: not processes.alive("contour-bootstrap"), 20)
    envoy: Command = [
        programs.folder("envoy") / "envoy",
        "-c",
        work / "envoy.json",
        "--service-cluster",
        GATEWAY_NAMESPACE,
    ]
    # With hot restart Envoy dies with the process that started it.
    envoy += [
        "--service-node",
        "bed",
        "--log-level",
        "warning",
        "--concurrency",
        "1",
        "--disable-hot-restart",
    ]
    processes.start("envoy", envoy)
    processes.ready("envoy", answers("http://127.0.0.1:8002/ready"))


def _gateway_objects(api: Api) -> None:
    namespace(api, GATEWAY_NAMESPACE)
    group = "gateway.networking.k8s.io/v1"
    api.apply(
        {
            "apiVersion": group,
            "kind": "GatewayClass",
            "metadata": {"name": "contour"},
            "spec": {"controllerName": "projectcontour.io/gateway-controller"},
        }
    )
    listener = {
        "name": "http",
        "protocol": "HTTP",
        "port": 80,
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    api.apply(
        {
            "apiVersion": group,
            "kind": "Gateway",
            "metadata": {"name": GATEWAY, "namespace": GATEWAY_NAMESPACE},
            "spec": {"gatewayClassName": "contour", "listeners": [listener]},
        }
    )


def prometheus(layout: Layout) -> None:
    """Prometheus and the stand-in for its operator."""
    work, processes = layout.work("prometheus"), layout.processes
    (work / "prometheus.yml").write_text(json.dumps(_scraping()))
    standin: Command = [sys.executable, "-m", "tests.cluster.targets_standin", layout.pki, str(_TARGETS_PORT)]
    standin.append(_gap(layout))
    processes.start("targets-standin", standin, cwd=Path(__file__).parents[2])
    start_prometheus(layout)
    processes.ready("targets-standin", answers(f"http://127.0.0.1:{_TARGETS_PORT}"))


@contextmanager
def scrape_gap(layout: Layout) -> Iterator[None]:
    """For a while Prometheus finds no pod: it runs, and scrapes nothing of them."""
    _gap(layout).touch()
    try:
        yield
    finally:
        _gap(layout).unlink()


def _gap(layout: Layout) -> Path:
    return layout.work("prometheus") / "gap"


def start_prometheus(layout: Layout) -> None:
    """Start Prometheus, again after it was stopped; its data stay."""
    work = layout.work("prometheus")
    command: Command = [
        programs.debian("prometheus"),
        f"--config.file={work}/prometheus.yml",
        f"--storage.tsdb.path={work}/data",
    ]
    layout.processes.start("prometheus", [*command, f"--web.listen-address={NODE_IP}:9090"])
    layout.processes.ready("prometheus", answers(f"http://{NODE_IP}:9090/-/ready"))


def _scraping() -> Object:
    # What the PodMonitor of our template asks for; the operator would write it here.
    label = "__meta_kubernetes_pod_label_"
    relabelings = [
        {
            "source_labels": [f"{label}rollouts_pod_template_hash"],
            "target_label": "rollouts_pod_template_hash",
        },
        {"source_labels": [f"{label}sluice_dev_role"], "target_label": "sluice_dev_role"},
    ]
    pods = {
        "job_name": "pods",
        "http_sd_configs": [{"url": f"http://127.0.0.1:{_TARGETS_PORT}", "refresh_interval": f"{SCRAPE_S}s"}],
        "relabel_configs": relabelings,
    }
    envoy = {"job_name": "envoy", "static_configs": [{"targets": ["127.0.0.1:8002"]}]}
    interval = {"scrape_interval": f"{SCRAPE_S}s", "evaluation_interval": f"{SCRAPE_S}s"}
    return {"global": interval, "scrape_configs": [pods, envoy]}


def rollouts(layout: Layout) -> None:
    """The Rollouts controller with the traffic-router plugin."""
    api = Api(layout.pki)
    namespace(api, "argo-rollouts")
    plugin = {"name": "argoproj-labs/gatewayAPI", "location": f"file://{programs.gateway_plugin()}"}
    config_map(
        api, "argo-rollouts-config", "argo-rollouts", {"trafficRouterPlugins": yaml.safe_dump([plugin])}
    )
    start_rollouts(layout)


def start_rollouts(layout: Layout) -> None:
    """Start the Rollouts controller, again after it was stopped."""
    work = layout.work("rollouts")  # it copies plugins into a folder below where it was started
    command: Command = [
        programs.folder("rollouts") / "rollouts-controller",
        "--kubeconfig",
        layout.kubeconfig,
    ]
    command += [
        "--namespace",
        "argo-rollouts",
        "--leader-elect=false",
        f"--rollout-resync={RESYNC_S}",
        "--metricsPort",
        "8090",
        "--healthzPort",
        "8091",
    ]
    # The plugin's socket is in TMPDIR and stays there.
    variables = {"KUBECONFIG": str(layout.kubeconfig), "TMPDIR": str(work)}
    layout.processes.start("rollouts", command, cwd=work, env=variables)
    layout.processes.ready("rollouts", answers("http://127.0.0.1:8091/healthz"))


def workflows(layout: Layout) -> None:
    """The Workflows controller and its executor's image."""
    api = Api(layout.pki)
    import_image(layout, _executor(layout))
    namespace(api, "argo")
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    executor = {
        "imagePullPolicy": "IfNotPresent",
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
        "securityContext": security,
    }
    metrics = {"enabled": True, "port": 9098, "secure": False}  # its own default port is Prometheus' here
    settings = {"executor": json.dumps(executor), "metricsConfig": json.dumps(metrics)}
    config_map(api, "workflow-controller-configmap", "argo", settings)
    command: Command = [
        programs.folder("workflows") / "workflow-controller",
        "--kubeconfig",
        layout.kubeconfig,
    ]
    command += ["--namespace", "argo", "--executor-image", EXECUTOR_IMAGE]
    layout.processes.start("workflows", command, env={"LEADER_ELECTION_DISABLE": "true"})
    layout.processes.ready("workflows", answers("http://127.0.0.1:6060/healthz"))


def _executor(layout: Layout) -> Path:
    root = layout.work("executor")
    (root / "bin").mkdir()
    (root / "etc").mkdir()
    (root / "tmp").mkdir(mode=0o777)
    (root / "tmp").chmod(0o1777)
    shutil.copy(programs.folder("workflows") / "argoexec", root / "bin")
    (root / "etc" / "passwd").write_text("model:x:1034:1034::/:/bin/argoexec\n")
    layers = tuple(
        image.layer_of_folder(layout.folder / f"executor-{name}.layer", root / name, name)
        for name in ("bin", "etc", "tmp")
    )
    content = image.Image(EXECUTOR_IMAGE, layers, {"Entrypoint": ["argoexec"], "User": "1034:1034"})
    return image.archive(layout.folder / "executor.tar", [content])
