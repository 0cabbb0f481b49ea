"""etcd, API server, controller manager, scheduler."""

from __future__ import annotations

import subprocess

from tests.cluster import pki, programs
from tests.cluster.client import Api
from tests.cluster.layout import API_VIP, BRIDGE, NODE, NODE_IP, PODS, SERVICES, Layout
from tests.cluster.processes import Command, answers
from tests.cluster.waiting import until

_ETCD = "http://127.0.0.1:2379"
_PEERS = "http://127.0.0.1:2380"


def start(layout: Layout) -> None:
    """Start the control plane and wait until it has made its own first objects."""
    _network()
    pki.create(layout.pki, NODE, NODE_IP, API_VIP)
    _etcd(layout)
    _api_server(layout)
    _controllers(layout)
    api, processes = Api(layout.pki), layout.processes
    account = "/api/v1/namespaces/default/serviceaccounts/default"
    processes.ready("kube-controller-manager", lambda: api.find(account))


def _network() -> None:
    """The node's address is the bridge's: it exists before any pod, and pods and Services are reached through it.

    Virtual addresses of Services need a route, or the rules that translate them never see a packet.
    """
    for command in (
        "ip link set lo up",
        f"ip link add {BRIDGE} type bridge",
        f"ip address add {NODE_IP}/16 dev {BRIDGE}",
        f"ip link set {BRIDGE} up",
        f"ip route add {SERVICES} dev {BRIDGE}",
        "sysctl -qw net.ipv4.ip_forward=1",
    ):
        subprocess.run(command.split(), check=True)


def _etcd(layout: Layout) -> None:
    data = layout.work("etcd")
    data.chmod(0o700)
    command: Command = [
        programs.folder("etcd") / "etcd",
        "--name=bed",
        f"--data-dir={data}",
        "--unsafe-no-fsync",
    ]
    command += [
        f"--listen-client-urls={_ETCD}",
        f"--advertise-client-urls={_ETCD}",
        f"--listen-peer-urls={_PEERS}",
    ]
    command += [f"--initial-advertise-peer-urls={_PEERS}", f"--initial-cluster=bed={_PEERS}"]
    layout.processes.start("etcd", command)
    layout.processes.ready("etcd", answers(f"{_ETCD}/health"))


def _api_server(layout: Layout) -> None:
    keys = layout.pki
    command: Command = [
        programs.folder("kubernetes") / "kube-apiserver",
        f"--etcd-servers={_ETCD}",
        "--allow-privileged=true",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--bind-address={NODE_IP}",
        f"--advertise-address={NODE_IP}",
        "--secure-port=6443",
        f"--tls-cert-file={keys}/apiserver.crt",
        f"--tls-private-key-file={keys}/apiserver.key",
        f"--client-ca-file={keys}/ca.crt",
        f"--kubelet-client-certificate={keys}/kubelet-client.crt",
        f"--kubelet-client-key={keys}/kubelet-client.key",
        f"--kubelet-certificate-authority={keys}/ca.crt",
        "--kubelet-preferred-address-types=InternalIP",  # the node's name cannot be resolved
        f"--service-account-key-file={keys}/accounts.pub",
        f"--service-account-signing-key-file={keys}/accounts.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-cluster-ip-range={SERVICES}",
        "--enable-priority-and-fairness=false",
        # Servers behind this one, as of metrics: reached at their own address, with the name of the user.
        "--enable-aggregator-routing=true",
        f"--proxy-client-cert-file={keys}/kubelet-client.crt",
        f"--proxy-client-key-file={keys}/kubelet-client.key",
        f"--requestheader-client-ca-file={keys}/ca.crt",
        "--requestheader-allowed-names=kubelet-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    ]
    layout.processes.start("kube-apiserver", command)
    api = Api(layout.pki)
    layout.processes.ready("kube-apiserver", api.healthy)


def _controllers(layout: Layout) -> None:
    start_controller_manager(layout)
    scheduler: Command = [
        programs.folder("kubernetes") / "kube-scheduler",
        f"--kubeconfig={layout.pki}/scheduler.kubeconfig",
        "--leader-elect=false",
    ]
    layout.processes.start("kube-scheduler", [*scheduler, "--bind-address=127.0.0.1"])


def count_new_kinds(layout: Layout) -> None:
    """Restart the controllers once all kinds are defined, so that quotas count them from the beginning.

    The controller of quotas looks for new kinds every 30 s, and the API server refuses objects of a kind whose number a
    quota limits and does not know. A quota that is older than the kind is computed again after up to five minutes.
    """
    layout.processes.stop("kube-controller-manager")
    start_controller_manager(layout)
    log = layout.processes.log("kube-controller-manager")
    until(
        "a quota of Rollouts",
        lambda: 'resource="rollouts.argoproj.io"' in log.read_text(errors="replace"),
        60,
    )


def start_controller_manager(layout: Layout, *options: str) -> None:
    """Start the controllers of Kubernetes, with further options."""
    keys = layout.pki
    manager: Command = [
        programs.folder("kubernetes") / "kube-controller-manager",
        f"--kubeconfig={keys}/controller-manager.kubeconfig",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--service-account-private-key-file={keys}/accounts.key",
        f"--root-ca-file={keys}/ca.crt",
        "--use-service-account-credentials=true",
        f"--cluster-cidr={PODS}",
        "--allocate-node-cidrs=false",
        *options,
    ]
    layout.processes.start("kube-controller-manager", manager)
