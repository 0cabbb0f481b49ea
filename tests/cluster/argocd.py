"""Argo CD without its web server: Redis, repository server, application controller, application-set controller."""

from __future__ import annotations

import os
import secrets

from tests.cluster import pki, programs
from tests.cluster.client import Api
from tests.cluster.delivery import config_map, namespace
from tests.cluster.layout import API, Layout
from tests.cluster.processes import answers
from tests.cluster.waiting import until

NAMESPACE = "argocd"
_CONFIG_MAPS = ("cm", "cmd-params-cm", "gpg-keys-cm", "rbac-cm", "ssh-known-hosts-cm", "tls-certs-cm")
_REDIS, _REPO_SERVER = "127.0.0.1:6379", "127.0.0.1:8081"


def start(layout: Layout) -> None:
    """Start Argo CD and wait until all of it answers."""
    api, processes, work = Api(layout.pki), layout.processes, layout.work(NAMESPACE)
    _objects(api)
    redis = [programs.debian("redis-server"), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
    processes.start("redis", [*redis, "--dir", work])
    until("Redis", lambda: "Ready to accept" in processes.log("redis").read_text(), 20)
    _start(layout, "repo-server", "--port", "8081", "--metrics-port", "8084", "--redis", _REDIS)
    start_controller(layout)
    _start(
        layout, "applicationset-controller", "--metrics-addr", "127.0.0.1:12345", "--probe-addr", "127.0.0.1:12346",
        "--webhook-addr", "127.0.0.1:7001", "--argocd-repo-server", _REPO_SERVER,
    )  # fmt: skip
    processes.ready("argocd-repo-server", answers("http://127.0.0.1:8084/healthz"))
    # Its probe port knows no path that the others know.
    processes.ready("argocd-applicationset-controller", answers("http://127.0.0.1:12345/metrics"))


def start_controller(layout: Layout) -> None:
    """Start the application controller, again after it was stopped."""
    _start(
        layout, "application-controller", "--redis", _REDIS, "--repo-server", _REPO_SERVER, "--app-resync", "60",
        "--app-resync-jitter", "0", "--self-heal-timeout-seconds", "1", "--metrics-port", "8082",
    )  # fmt: skip
    layout.processes.ready("argocd-application-controller", answers("http://127.0.0.1:8082/healthz"))


def _objects(api: Api) -> None:
    namespace(api, NAMESPACE)
    for name in _CONFIG_MAPS:
        config_map(api, f"argocd-{name}", NAMESPACE, {})
    labels = {"app.kubernetes.io/part-of": NAMESPACE}
    api.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "argocd-secret", "namespace": NAMESPACE, "labels": labels},
            "stringData": {"server.secretkey": secrets.token_hex(16)},
        }
    )


def _start(layout: Layout, role: str, *arguments: str) -> None:
    """One binary, which becomes what a variable says."""
    work, program = layout.folder / NAMESPACE, programs.folder("argocd")
    folders = {name: work / name for name in ("tls", "ssh", "gpg", "plugins", "tmp")}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
    (folders["ssh"] / "ssh_known_hosts").touch()
    # Argo CD takes its own namespace from the context of the kubeconfig.
    kubeconfig = pki.kubeconfig(layout.pki, "admin", API, NAMESPACE, NAMESPACE)
    variables = {
        "ARGOCD_ASK_PASS_SOCK": str(folders["tmp"] / "ask-pass.sock"),  # one for the whole machine otherwise
        "ARGOCD_BINARY_NAME": f"argocd-{role}",
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_GNUPGHOME": str(folders["gpg"]),
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_PLUGINSOCKFILEPATH": str(folders["plugins"]),
        "ARGOCD_SSH_DATA_PATH": str(folders["ssh"]),
        "ARGOCD_TLS_DATA_PATH": str(folders["tls"]),
        "HOME": str(work),
        "HOSTNAME": "bed-0",
        "KUBECONFIG": str(kubeconfig),
        "PATH": f"{program}:{os.environ['PATH']}",
        "TMPDIR": str(folders["tmp"]),
    }
    layout.processes.start(f"argocd-{role}", [program / "argocd", *arguments], env=variables)
