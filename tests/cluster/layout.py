"""Addresses and paths of a run. Addresses can be constant, because every run has its own network namespace."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.cluster.processes import Processes

NODE = "bed"
BRIDGE = "cni0"
NODE_IP = "10.214.0.1"
PODS = "10.214.0.0/16"
FIRST_POD = "10.214.1.1"
SERVICES = "10.215.0.0/16"
API_VIP = "10.215.0.1"
API = f"https://{NODE_IP}:6443"
PROMETHEUS = f"http://{NODE_IP}:9090"
ENVOY_PORT = 8080
"""Contour gives the listener of a Gateway on port 80 this port of Envoy."""
GATEWAY, GATEWAY_NAMESPACE = "public", "gateways"


@dataclass(frozen=True)
class Layout:
    """Where things of a run lie.

    Args:
        folder: of the run.
    """

    folder: Path

    @property
    def pki(self) -> Path:
        """Certificates and kubeconfigs."""
        return self.folder / "pki"

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of the administrator."""
        return self.pki / "admin.kubeconfig"

    @property
    def containerd(self) -> Path:
        """Socket of containerd."""
        return self.folder / "containerd.sock"

    @property
    def cgroup(self) -> str:
        """Name of the run's cgroup."""
        return self.folder.name

    @property
    def pod_logs(self) -> Path:
        """What containers said."""
        return self.folder / "pods"

    @property
    def processes(self) -> Processes:
        """The processes of the run."""
        return Processes(self.folder / "processes")

    def work(self, name: str) -> Path:
        """A folder for the files of one program."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder
