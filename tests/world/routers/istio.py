"""Istio on the bed: istiod, and a gateway proxy that gets its configuration from it.

The proxy is the Envoy of the core, not Istio's build of it, with a bootstrap of ours instead of the agent's: so istiod sends
nothing of Istio's own filters (exchange of metadata, ALPN), and pods have no sidecars and no mutual TLS.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tests.cluster import programs
from tests.cluster.client import Api, Object
from tests.cluster.delivery import namespace
from tests.cluster.layout import GATEWAY_NAMESPACE, NODE_IP, Layout
from tests.cluster.processes import Command, answers
from tests.cluster.routers import ISTIO
from tests.world.processes import accepts
from tests.world.routed import Proxy

_SPACE: Final = "istio-system"
_PORT: Final = 8104
_READY, _XDS, _SECURE_XDS, _MONITORING, _WEBHOOKS = (
    f"127.0.0.1:{port}" for port in (8105, 15010, 15012, 15014, 15017)
)
_SELECTOR: Final = {"istio": "bed"}
_VARIABLES: Final = {
    "POD_NAME": "istiod-bed",
    "POD_NAMESPACE": _SPACE,
    "PILOT_ENABLE_METADATA_EXCHANGE": "false",
    "PILOT_ENABLE_ALPN_FILTER": "false",
    "PILOT_ENABLE_GATEWAY_API": "false",
}


def istio(layout: Layout) -> Proxy:
    """Start istiod and its gateway proxy, unless they run; return where the proxy listens."""
    if not (layout.processes.folder / "istio-proxy.pid").exists():
        _istiod(layout)
        _proxy(layout)
    return Proxy("127.0.0.1", _PORT)


def _istiod(layout: Layout) -> None:
    api, work = Api(layout.pki), layout.work("istiod")
    for name in (_SPACE, GATEWAY_NAMESPACE):
        namespace(api, name)
    api.apply(_gateway())
    api.close()
    (work / "mesh.yaml").write_text(json.dumps({"enableAutoMtls": False}))
    command: Command = [programs.folder("istio") / "pilot-discovery", "discovery"]
    command += [f"--kubeconfig={layout.kubeconfig}", f"--meshConfig={work}/mesh.yaml"]
    command += [f"--httpAddr={_READY}", f"--grpcAddr={_XDS}", f"--secureGRPCAddr={_SECURE_XDS}"]
    command += [f"--monitoringAddr={_MONITORING}", f"--httpsAddr={_WEBHOOKS}"]
    layout.processes.start("istiod", command, cwd=work, env=_VARIABLES)
    layout.processes.ready("istiod", answers(f"http://{_READY}/ready"), 120)


def _gateway() -> Object:
    port = {"number": _PORT, "name": "http", "protocol": "HTTP"}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "Gateway",
        "metadata": {"name": ISTIO, "namespace": GATEWAY_NAMESPACE},
        "spec": {"selector": _SELECTOR, "servers": [{"port": port, "hosts": ["*"]}]},
    }


def _proxy(layout: Layout) -> None:
    work = layout.work("istio-proxy")
    bootstrap = work / "envoy.json"
    bootstrap.write_text(json.dumps(_bootstrap(work)))
    command: Command = [programs.folder("envoy") / "envoy", "-c", bootstrap, "--log-level", "warning"]
    # With hot restart Envoy dies with the process that started it.
    command += ["--concurrency", "1", "--disable-hot-restart"]
    layout.processes.start("istio-proxy", command)
    layout.processes.ready("istio-proxy", lambda: accepts(f"127.0.0.1:{_PORT}"))


def _bootstrap(work: Path) -> Object:
    """Return a configuration with which Envoy asks istiod for the rest, as a gateway does (Istio: pkg/bootstrap)."""
    aggregated = {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
    service = {"envoy_grpc": {"cluster_name": "istiod"}}
    streams = {
        "api_type": "GRPC",
        "transport_api_version": "V3",
        "set_node_on_first_message_only": True,
        "grpc_services": [service],
    }
    return {
        "node": {
            "id": f"router~{NODE_IP}~istio-bed.{GATEWAY_NAMESPACE}~{GATEWAY_NAMESPACE}.svc.cluster.local",
            "cluster": f"istio-bed.{GATEWAY_NAMESPACE}",
            "metadata": {
                "CLUSTER_ID": "Kubernetes",
                "INSTANCE_IPS": NODE_IP,
                "ISTIO_VERSION": "1.31.0",
                "LABELS": _SELECTOR,
                "NAMESPACE": GATEWAY_NAMESPACE,
            },
        },
        "admin": {"address": {"pipe": {"path": f"{work}/admin.sock"}}},
        "dynamic_resources": {"ads_config": streams, "lds_config": aggregated, "cds_config": aggregated},
        "static_resources": {"clusters": [_istiod_cluster()]},
    }


def _istiod_cluster() -> Object:
    host, _, port = _XDS.partition(":")
    address = {"socket_address": {"address": host, "port_value": int(port)}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    protocol = {
        "@type": f"type.googleapis.com/{options}",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
    return {
        "name": "istiod",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": "istiod", "endpoints": endpoints},
        "typed_extension_protocol_options": {options: protocol},
    }
