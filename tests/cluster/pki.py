"""Certificates and kubeconfigs of one run."""

from __future__ import annotations

import subprocess
from pathlib import Path

_DAYS = "7"
_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

# Who talks to the API server: file name, subject.
USERS = {
    "admin": "/O=system:masters/CN=admin",
    "controller-manager": "/CN=system:kube-controller-manager",
    "scheduler": "/CN=system:kube-scheduler",
    "kube-proxy": "/CN=system:kube-proxy",
}


def create(folder: Path, node: str, node_ip: str, api_vip: str) -> None:
    """Make the authority, all certificates, the key of service accounts and all kubeconfigs.

    Args:
        folder: where they go.
        node: name of the node.
        node_ip: its address, which the API server listens on.
        api_vip: address of the Service `kubernetes`.
    """
    folder.mkdir()
    authority = ["-keyout", "ca.key", "-out", "ca.crt", "-days", _DAYS, "-subj", "/CN=bed"]
    for extension in ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"):
        authority += ["-addext", extension]
    _openssl(folder, "req", "-x509", *_KEY, *authority)
    _openssl(folder, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "accounts.key")
    _openssl(folder, "ec", "-in", "accounts.key", "-pubout", "-out", "accounts.pub")
    service = [
        f"DNS:kubernetes{end}" for end in ("", ".default", ".default.svc", ".default.svc.cluster.local")
    ]
    _certificate(
        folder,
        "apiserver",
        "/CN=kube-apiserver",
        [*service, "DNS:localhost", f"IP:{node_ip}", f"IP:{api_vip}"],
    )
    _certificate(folder, "kubelet-server", f"/CN={node}", [f"DNS:{node}", f"IP:{node_ip}"])
    _certificate(folder, "kubelet-client", "/O=system:masters/CN=kubelet-client")
    for name, subject in {**USERS, "kubelet": f"/O=system:nodes/CN=system:node:{node}"}.items():
        _certificate(folder, name, subject)
        kubeconfig(folder, name, f"https://{node_ip}:6443")


def kubeconfig(folder: Path, user: str, server: str, namespace: str = "default", name: str = "") -> Path:
    """Write the kubeconfig of a user whose certificate is there."""
    path = folder / f"{name or user}.kubeconfig"
    path.write_text(
        f"""apiVersion: v1
kind: Config
clusters:
  - name: bed
    cluster: {{server: "{server}", certificate-authority: {folder}/ca.crt}}
users:
  - name: user
    user: {{client-certificate: {folder}/{user}.crt, client-key: {folder}/{user}.key}}
contexts:
  - name: bed
    context: {{cluster: bed, user: user, namespace: {namespace}}}
current-context: bed
"""
    )
    return path


def _certificate(folder: Path, name: str, subject: str, alternatives: list[str] | None = None) -> None:
    extensions = "keyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth,clientAuth\n"
    if alternatives:
        extensions += f"subjectAltName={','.join(alternatives)}\n"
    (folder / f"{name}.ext").write_text(extensions)
    _openssl(folder, "req", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
    signed = ["-in", f"{name}.csr", "-out", f"{name}.crt", "-days", _DAYS, "-extfile", f"{name}.ext"]
    _openssl(folder, "x509", "-req", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", *signed)


def _openssl(folder: Path, *arguments: str) -> None:
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
