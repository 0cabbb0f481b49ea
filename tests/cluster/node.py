"""containerd, kubelet, kube-proxy, and the stand-in for cluster DNS."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.cluster import image, programs
from tests.cluster.client import Api
from tests.cluster.layout import BRIDGE, FIRST_POD, NODE, NODE_IP, PODS, Layout
from tests.cluster.processes import Command, answers
from tests.cluster.waiting import until

PAUSE = "docker.io/library/pause:bed"


def start(layout: Layout) -> None:
    """Start what runs pods and wait until the node is ready."""
    _containerd(layout)
    _dns(layout)
    _kubelet(layout)
    _proxy(layout)
    api = Api(layout.pki)
    until("a ready node", lambda: _is_ready(api), 60)
    layout.processes.ready("kube-proxy", answers("http://127.0.0.1:10256/livez"))


def import_image(layout: Layout, archive: Path) -> None:
    """Give a docker archive to containerd."""
    command: Command = [
        "ctr",
        "--address",
        str(layout.containerd),
        "--namespace",
        "k8s.io",
        "images",
        "import",
        str(archive),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{archive}: {done.stderr}")


def _containerd(layout: Layout) -> None:
    work, binaries = layout.work("containerd"), Path("/usr/lib/cni")
    (layout.work("cni") / "10-bed.conflist").write_text(json.dumps(_pod_network(layout)))
    unused = ", ".join(
        f'"io.containerd.snapshotter.v1.{name}"' for name in ("aufs", "btrfs", "devmapper", "zfs")
    )
    (work / "config.toml").write_text(
        f"""version = 2
root = "{work}/root"
state = "{work}/state"
disabled_plugins = [{unused}, "io.containerd.internal.v1.opt"]
[grpc]
  address = "{layout.containerd}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  # Without CAP_SYS_RESOURCE runc may not lower a score, and dies without a word about it.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
      Root = "{work}/runc"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{binaries}"
    conf_dir = "{layout.folder}/cni"
"""
    )
    layout.processes.start("containerd", [programs.debian("containerd"), "--config", work / "config.toml"])
    layout.processes.ready("containerd", layout.containerd.exists)
    import_image(layout, _pause(layout))


def _pod_network(layout: Layout) -> dict[str, object]:
    addresses = {
        "type": "host-local",
        "dataDir": f"{layout.folder}/addresses",
        "ranges": [[{"subnet": PODS, "rangeStart": FIRST_POD, "gateway": NODE_IP}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": BRIDGE, "isGateway": True, "hairpinMode": True, "ipam": addresses}
    return {"cniVersion": "1.0.0", "name": "bed", "plugins": [bridge]}


def _pause(layout: Layout) -> Path:
    layer = image.layer_of_files(layout.folder / "pause.layer", {"pause": programs.folder("pause") / "pause"})
    content = image.Image(PAUSE, (layer,), {"Entrypoint": ["/pause"]})
    return image.archive(layout.folder / "pause.tar", [content])


def _dns(layout: Layout) -> None:
    command: Command = [sys.executable, "-m", "tests.cluster.dns_standin", layout.pki]
    layout.processes.start("dns-standin", command, cwd=Path(__file__).parents[2])


def _kubelet(layout: Layout) -> None:
    work, keys = layout.work("kubelet"), layout.pki
    resolv = work / "resolv.conf"
    resolv.write_text(f"nameserver {NODE_IP}\n")
    settings = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": f"{keys}/ca.crt"}},
        "tlsCertFile": f"{keys}/kubelet-server.crt",
        "tlsPrivateKeyFile": f"{keys}/kubelet-server.key",
        "containerRuntimeEndpoint": f"unix://{layout.containerd}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{layout.cgroup}",  # two kubelets with one root delete each other's pods
        "failCgroupV1": False,
        "failSwapOn": False,
        "podLogsDir": str(layout.pod_logs),
        "resolvConf": str(resolv),
        "clusterDNS": [NODE_IP],
        "clusterDomain": "cluster.local",
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "serializeImagePulls": False,
        "syncFrequency": "10s",
        "nodeStatusUpdateFrequency": "5s",
        "volumePluginDir": f"{work}/plugins",
    }
    (work / "config.json").write_text(json.dumps(settings))
    command: Command = [
        programs.folder("kubernetes") / "kubelet",
        f"--config={work}/config.json",
        f"--root-dir={work}/root",
    ]
    command += [
        f"--kubeconfig={keys}/kubelet.kubeconfig",
        f"--hostname-override={NODE}",
        f"--node-ip={NODE_IP}",
    ]
    layout.processes.start("kubelet", command)


def _proxy(layout: Layout) -> None:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:node-proxier"}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "bed-kube-proxy"},
        "roleRef": role,
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "system:kube-proxy"}],
    }
    Api(layout.pki).create(binding)
    settings = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": PODS,
        "clientConnection": {"kubeconfig": f"{layout.pki}/kube-proxy.kubeconfig"},
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpCloseWaitTimeout": "0s", "tcpEstablishedTimeout": "0s"},
        "hostnameOverride": NODE,
        "metricsBindAddress": "127.0.0.1:10249",
        "healthzBindAddress": "127.0.0.1:10256",
    }
    config = layout.work("kube-proxy") / "config.json"
    config.write_text(json.dumps(settings))
    command: Command = [programs.folder("kubernetes") / "kube-proxy", f"--config={config}"]
    layout.processes.start("kube-proxy", command)


def _is_ready(api: Api) -> bool:
    conditions = (api.find(f"/api/v1/nodes/{NODE}") or {}).get("status", {}).get("conditions", [])
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
