"""What an autoscaler needs: the programs that measure, and a look at the pods of both versions over time."""

from __future__ import annotations

import shutil
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from generator.plan.values import Plan
from tests.cluster import programs
from tests.cluster.client import Api, ApiError, Object, install_crds
from tests.cluster.control_plane import start_controller_manager
from tests.cluster.delivery import namespace
from tests.cluster.layout import NODE_IP, Layout
from tests.cluster.processes import Command, answers
from tests.cluster.release import Release
from tests.cluster.waiting import until

_SPACE, _EVERY_S = "kube-system", 2.0


def quick_autoscalers(layout: Layout) -> None:
    """Let autoscalers look three times as often as usual, and take the use of a pod for real as soon as it is ready."""
    layout.processes.stop("kube-controller-manager")
    start_controller_manager(
        layout,
        "--horizontal-pod-autoscaler-sync-period=5s",
        "--horizontal-pod-autoscaler-cpu-initialization-period=20s",
        "--horizontal-pod-autoscaler-initial-readiness-delay=5s",
    )


def metrics_server(layout: Layout) -> None:
    """Start the server of the pods' CPU use, and wait until it has measured the node."""
    api, port = Api(layout.pki), 4443
    command: Command = [programs.folder("metricsserver") / "metrics-server"]
    for purpose in ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"):
        command.append(f"--{purpose}={layout.kubeconfig}")
    command += [
        f"--cert-dir={layout.work('metrics-server')}",
        f"--secure-port={port}",
        "--kubelet-insecure-tls",
    ]
    command += ["--kubelet-preferred-address-types=InternalIP", "--metric-resolution=10s"]
    command += ["--kubelet-request-timeout=5s", f"--bind-address={NODE_IP}"]
    layout.processes.start("metrics-server", command)
    _serve(api, "metrics.k8s.io", port)
    until("a measurement", lambda: _found(api, "/apis/metrics.k8s.io/v1beta1/nodes/bed"), 90, 1.0)
    api.close()


def keda(layout: Layout) -> None:
    """Start KEDA: the operator that makes an HPA of each ScaledObject, and the server that the HPA reads requests from."""
    api, certificates, port = Api(layout.pki), layout.work("keda"), 4444
    for ours, theirs in (("ca.crt", "ca.crt"), ("apiserver.crt", "tls.crt"), ("apiserver.key", "tls.key")):
        shutil.copy(layout.pki / ours, certificates / theirs)
    namespace(api, "keda")
    install_crds(api, programs.folder("kedadefinitions").glob("*.yaml"))
    variables = {
        "KUBECONFIG": str(layout.kubeconfig),
        "WATCH_NAMESPACE": "",
        "POD_NAMESPACE": "keda",
        "KEDA_CLUSTER_OBJECT_NAMESPACE": "keda",
    }
    operator: Command = [programs.folder("keda") / "keda-operator", f"--cert-dir={certificates}"]
    operator += ["--metrics-bind-address=127.0.0.1:18080", "--health-probe-bind-address=127.0.0.1:18081"]
    layout.processes.start("keda-operator", [*operator, f"--ca-dir={certificates}"], env=variables)
    layout.processes.ready("keda-operator", answers("http://127.0.0.1:18081/healthz"))
    adapter: Command = [
        programs.folder("keda") / "keda-adapter",
        f"--cert-dir={certificates}",
        "--port=18082",
    ]
    adapter += [f"--tls-cert-file={certificates}/tls.crt", f"--tls-private-key-file={certificates}/tls.key"]
    adapter += [f"--secure-port={port}", "--metrics-service-address=localhost:9666"]
    adapter.append(f"--bind-address={NODE_IP}")
    for purpose in ("authentication-kubeconfig", "authorization-kubeconfig", "lister-kubeconfig"):
        adapter.append(f"--{purpose}={layout.kubeconfig}")
    layout.processes.start("keda-adapter", adapter, env=variables)
    _serve(api, "external.metrics.k8s.io", port)
    until("external metrics", lambda: _found(api, "/apis/external.metrics.k8s.io/v1beta1"), 90, 1.0)
    api.close()


def _serve(api: Api, group: str, port: int) -> None:
    """Let the API server hand a group of its API on to a process on the node."""
    name = group.replace(".", "-")
    metadata = {"name": name, "namespace": _SPACE}
    ports = [{"name": "https", "port": port, "protocol": "TCP"}]
    api.apply({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": ports}})
    labelled = {**metadata, "labels": {"kubernetes.io/service-name": name}}
    endpoints: Object = {"addressType": "IPv4", "endpoints": [{"addresses": [NODE_IP]}], "ports": ports}
    api.apply(
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": labelled, **endpoints}
    )
    spec = {
        "group": group,
        "version": "v1beta1",
        "service": {**metadata, "port": port},
        "insecureSkipTLSVerify": True,
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
    }
    api.apply(
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": f"v1beta1.{group}"},
            "spec": spec,
        }
    )


def _found(api: Api, path: str) -> Object | None:
    """Return an object of a server behind the API server, which answers 503 until it reaches that server."""
    try:
        return api.find(path)
    except ApiError:
        return None


@dataclass(frozen=True)
class Count:
    """Pods at one moment.

    Args:
        at: Unix time.
        stable: number of stable pods that the autoscaler asks for.
        both: number of pods of both versions.
        weight: of the canary, percent.
        use: what the autoscaler read, as it says it.
    """

    at: float
    stable: int
    both: int
    weight: int
    use: str


@dataclass
class Counts:
    """Numbers of pods as long as the context lasts."""

    release: Release
    plan: Plan
    autoscaler: str
    found: list[Count] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        print(self.story())

    def story(self) -> str:
        """Every change of a number of pods: seconds, weight, stable pods, all pods, use."""
        lines, last = [], None
        for one in self.found:
            if (one.stable, one.both, one.weight) != last:
                last = one.stable, one.both, one.weight
                lines.append(
                    f"{one.at - self.found[0].at:6.1f} s  {one.weight:3}%  stable {one.stable}  all {one.both}  {one.use}"
                )
        return "\n".join(lines)

    def asked(self, start: float = 0.0) -> list[int]:
        """The numbers of stable pods that the autoscaler chose since a time, without repetitions."""
        numbers = [one.stable for one in self.found if one.at >= start]
        return [number for index, number in enumerate(numbers) if not index or number != numbers[index - 1]]

    def _work(self) -> None:
        while not self._stop.wait(_EVERY_S):
            with suppress(ApiError, OSError):
                self.found.append(self._look())
        self.release.api.close()

    def _look(self) -> Count:
        rollout = self.release.rollout(self.plan)
        status = rollout.get("status", {})
        path = f"/apis/autoscaling/v2/namespaces/{self.plan.identity.namespace}/horizontalpodautoscalers/{self.autoscaler}"
        scaler = self.release.api.find(path) or {}
        metrics = scaler.get("status", {}).get("currentMetrics") or []
        current = [
            metric[kind]["current"]
            for metric in metrics
            for kind in ("resource", "external")
            if kind in metric
        ]
        weights = status.get("canary", {}).get("weights", {}).get("canary", {})
        return Count(
            time.time(),
            rollout["spec"].get("replicas", 1),
            status.get("HPAReplicas", 0),
            weights.get("weight", 0),
            str(current),
        )
