"""Envoy Gateway on the bed, installed as by its chart: the controller is a pod, and starts the pods of its proxies itself.

Their images are made here: one holds the controller, the other the Envoy of the core on the Debian of the models' images.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from tests.cluster import image, programs
from tests.cluster.client import Api, Object, install_crds
from tests.cluster.delivery import config_map, namespace
from tests.cluster.layout import GATEWAY_NAMESPACE, Layout
from tests.cluster.node import import_image
from tests.cluster.routers import ENVOY_GATEWAY
from tests.cluster.waiting import until
from tests.world.routed import Proxy

_SPACE: Final = "envoy-gateway-system"
_NAME: Final = "envoy-gateway"
_LABELS: Final = {"control-plane": _NAME}
_CONTROLLER_IMAGE: Final = "registry.sluice.test/envoy-gateway:bed"
_PROXY_IMAGE: Final = "registry.sluice.test/envoy:bed"
_CONTROLLER: Final = "gateway.envoyproxy.io/gatewayclass-controller"
_GROUP: Final = "gateway.envoyproxy.io"
_GATEWAY_API: Final = "gateway.networking.k8s.io/v1"
_PORT: Final = 80
_PORTS: Final = {"grpc": 18000, "ratelimit": 18001, "wasm": 18002, "metrics": 19001}


def envoy_gateway(layout: Layout) -> Proxy:
    """Start Envoy Gateway with one Gateway, unless it runs.

    Returns:
        The address of the Gateway, as its status has it.
    """
    api = Api(layout.pki)
    if api.find(_gateway_path()) is None:
        _install(layout, api)
    ready = until("a Gateway with a proxy", lambda: _programmed(api), 180, 1.0)
    api.close()
    return ready


def _install(layout: Layout, api: Api) -> None:
    import_image(layout, _images(layout))
    install_crds(api, programs.folder("envoygatewaydefinitions").glob("*.yaml"))
    namespace(api, _SPACE)
    _make_certificates(layout, api)
    config_map(api, f"{_NAME}-config", _SPACE, {"envoy-gateway.yaml": json.dumps(_configuration())})
    for item in (*_account(), _deployment(), _service(), *_gateway()):
        api.apply(item)


def _images(layout: Layout) -> Path:
    controller, proxy, temporary = (
        layout.work(name) for name in ("envoy-gateway", "envoy-gateway-proxy", "envoy-gateway-tmp")
    )
    temporary.chmod(0o1777)
    _link(programs.folder("envoygateway") / "envoy-gateway", controller)
    _link(programs.folder("envoy") / "envoy", proxy)
    layers = {
        folder: image.layer_of_folder(layout.folder / f"{folder.name}.layer", folder, below)
        for folder, below in ((controller, "usr/local/bin"), (proxy, "usr/local/bin"), (temporary, "tmp"))
    }
    base = programs.folder("base") / "base.tar"
    images = (
        image.Image(_CONTROLLER_IMAGE, (layers[controller], layers[temporary])),
        image.Image(_PROXY_IMAGE, (base, layers[proxy])),
    )
    return image.archive(layout.folder / "envoy-gateway.tar", images)


def _link(program: Path, folder: Path) -> None:
    os.link(program, folder / program.name)


def _make_certificates(layout: Layout, api: Api) -> None:
    """Let the program write the Secrets of both sides of xDS, as the chart's Job does.

    Raises:
        RuntimeError: it did not.
    """
    command = [programs.folder("envoygateway") / "envoy-gateway", "certgen", "--disable-topology-injector"]
    variables = {"KUBECONFIG": str(layout.kubeconfig), "ENVOY_GATEWAY_NAMESPACE": _SPACE}
    layout.processes.start("envoy-gateway-certgen", command, env=variables)
    until("the end of certgen", lambda: not layout.processes.alive("envoy-gateway-certgen"), 60)
    if api.find(f"/api/v1/namespaces/{_SPACE}/secrets/{_NAME}") is None:
        raise RuntimeError(layout.processes.tail("envoy-gateway-certgen"))


def _configuration() -> Object:
    kubernetes = {
        "leaderElection": {"disable": True},
        "proxyTopologyInjector": {"disabled": True},
        "shutdownManager": {"image": _CONTROLLER_IMAGE},
    }
    return {
        "apiVersion": f"{_GROUP}/v1alpha1",
        "kind": "EnvoyGateway",
        "gateway": {"controllerName": _CONTROLLER},
        "provider": {"type": "Kubernetes", "kubernetes": kubernetes},
    }


def _account() -> tuple[Object, Object]:
    rbac = "rbac.authorization.k8s.io"
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": _NAME, "namespace": _SPACE},
    }
    binding = {
        "apiVersion": f"{rbac}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": _NAME},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": _NAME, "namespace": _SPACE}],
    }
    return account, binding


def _deployment() -> Object:
    probe = {"httpGet": {"path": "/readyz", "port": 8081}, "periodSeconds": 2}
    variables = [
        {"name": "ENVOY_GATEWAY_NAMESPACE", "value": _SPACE},
        {"name": "KUBERNETES_CLUSTER_DOMAIN", "value": "cluster.local"},
    ]
    mounts = {"config": "/config", "certs": "/certs", "wasm": "/var/lib/eg/wasm"}
    container = {
        "name": _NAME,
        "image": _CONTROLLER_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": [_NAME],
        "args": ["server", "--config-path=/config/envoy-gateway.yaml"],
        "env": variables,
        "readinessProbe": probe,
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}},
        "volumeMounts": [{"name": name, "mountPath": path} for name, path in mounts.items()],
    }
    volumes = [
        {"name": "config", "configMap": {"name": f"{_NAME}-config"}},
        {"name": "certs", "secret": {"secretName": _NAME}},
        {"name": "wasm", "emptyDir": {}},
    ]
    pod = {"serviceAccountName": _NAME, "containers": [container], "volumes": volumes}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": _NAME, "namespace": _SPACE, "labels": _LABELS},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": _LABELS},
            "template": {"metadata": {"labels": _LABELS}, "spec": pod},
        },
    }


def _service() -> Object:
    ports = [{"name": name, "port": port, "protocol": "TCP"} for name, port in _PORTS.items()]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": _NAME, "namespace": _SPACE, "labels": _LABELS},
        "spec": {"selector": _LABELS, "ports": ports},
    }


def _gateway() -> tuple[Object, Object, Object]:
    container = {"image": _PROXY_IMAGE, "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}}}
    provider = {"envoyDeployment": {"container": container}, "envoyService": {"type": "ClusterIP"}}
    proxies = {
        "apiVersion": f"{_GROUP}/v1alpha1",
        "kind": "EnvoyProxy",
        "metadata": {"name": "bed", "namespace": _SPACE},
        "spec": {"concurrency": 1, "provider": {"type": "Kubernetes", "kubernetes": provider}},
    }
    parameters = {"group": _GROUP, "kind": "EnvoyProxy", "name": "bed", "namespace": _SPACE}
    gateway_class = {
        "apiVersion": _GATEWAY_API,
        "kind": "GatewayClass",
        "metadata": {"name": _NAME},
        "spec": {"controllerName": _CONTROLLER, "parametersRef": parameters},
    }
    listener = {
        "name": "http",
        "protocol": "HTTP",
        "port": _PORT,
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    gateway = {
        "apiVersion": _GATEWAY_API,
        "kind": "Gateway",
        "metadata": {"name": ENVOY_GATEWAY, "namespace": GATEWAY_NAMESPACE},
        "spec": {"gatewayClassName": _NAME, "listeners": [listener]},
    }
    return proxies, gateway_class, gateway


def _gateway_path() -> str:
    return f"/apis/{_GATEWAY_API}/namespaces/{GATEWAY_NAMESPACE}/gateways/{ENVOY_GATEWAY}"


def _programmed(api: Api) -> Proxy | None:
    """Return where the Gateway listens once its controller says that a proxy does."""
    status = (api.find(_gateway_path()) or {}).get("status", {})
    conditions = {item["type"]: item["status"] for item in status.get("conditions", [])}
    addresses = [item["value"] for item in status.get("addresses", [])]
    return Proxy(addresses[0], _PORT) if conditions.get("Programmed") == "True" and addresses else None
