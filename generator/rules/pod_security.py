"""Pod Security Standard `restricted`, for what `pod` can hold (Kubernetes 1.36, pod-security-admission/policy).

It allows tokens for the API server, which are refused here as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from generator.source.document import Path
from generator.spec.pod import Pod

_SOURCES: Final = frozenset({
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
})  # fmt: skip
_REFUSED: Final[Mapping[str, tuple[object, ...]]] = {
    "privileged": (True,),
    "allowPrivilegeEscalation": (True,),
    "runAsNonRoot": (False,),
    "runAsUser": (0,),
    "procMount": ("Unmasked",),
}
_SE_LINUX: Final = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
_APP_ARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"


def violations(pod: Pod) -> Iterator[tuple[Path, str]]:
    """Yield place in `pod` and message of everything that `restricted` refuses."""
    for index, volume in enumerate(pod.volumes):
        for source in volume.keys() - {"name"} - _SOURCES:
            allowed = ", ".join(sorted(_SOURCES))
            yield ("volumes", index, source), f"volumes of type `{source}` are refused; allowed: {allowed}"
        yield from _tokens(volume, index)
    for key, value in pod.annotations.items():
        if key.startswith(_APP_ARMOR) and value == "unconfined":
            yield ("annotations", key), "AppArmor must not be `unconfined`"
    for key, containers in (("sidecars", pod.sidecars), ("initContainers", pod.init_containers)):
        for index, container in enumerate(containers):
            for path, message in _of_container(container):
                yield (key, index, *path), f"{message} (container `{container.get('name')}`)"


def _tokens(volume: Mapping[str, Any], index: int) -> Iterator[tuple[Path, str]]:
    """Yield tokens for the API server, which `restricted` allows and pods of models never get."""
    projected = volume.get("projected")
    sources = _list(projected.get("sources")) if isinstance(projected, dict) else []
    for at, source in enumerate(sources):
        token = source.get("serviceAccountToken") if isinstance(source, dict) else None
        if isinstance(token, dict):
            audience = str(token.get("audience") or "")
            if not audience or "kubernetes" in audience:
                path: Path = ("volumes", index, "projected", "sources", at, "serviceAccountToken")
                yield path, "a token for the API server is refused: name the audience of another service"


def _of_container(container: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    context = container.get("securityContext")
    if isinstance(context, dict):
        for path, message in _of_context(context):
            yield ("securityContext", *path), message
    for index, port in enumerate(_list(container.get("ports"))):
        if isinstance(port, dict) and port.get("hostPort"):
            yield ("ports", index, "hostPort"), "ports of the node are refused"
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        for kind in ("httpGet", "tcpSocket"):
            probe = container.get(name)
            action = probe.get(kind) if isinstance(probe, dict) else None
            if isinstance(action, dict) and action.get("host"):
                yield (name, kind, "host"), "probes of another host are refused"


def _of_context(context: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for field, refused in _REFUSED.items():
        value = context.get(field)
        if any(value is one or (value == one and type(value) is type(one)) for one in refused):
            shown = {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
            yield (field,), f"`{field}: {shown}` is refused"
    capabilities = context.get("capabilities")
    if isinstance(capabilities, dict):
        added = [one for one in _list(capabilities.get("add")) if one != "NET_BIND_SERVICE"]
        if added:
            yield ("capabilities", "add"), f"the capabilities {', '.join(map(str, added))} are refused"
        if "ALL" not in _list(capabilities.get("drop")):
            yield ("capabilities",), "`capabilities.drop` must have ALL"
    for field in ("seccompProfile", "appArmorProfile"):
        profile = context.get(field)
        if isinstance(profile, dict) and profile.get("type") == "Unconfined":
            yield (field, "type"), f"`{field}` must not be `Unconfined`"
    options = context.get("seLinuxOptions")
    if isinstance(options, dict) and (
        options.get("user") or options.get("role") or options.get("type", "") not in _SE_LINUX
    ):
        yield ("seLinuxOptions",), "these options of SELinux are refused"
    windows = context.get("windowsOptions")
    if isinstance(windows, dict) and windows.get("hostProcess"):
        yield ("windowsOptions", "hostProcess"), "processes of the host are refused"


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
