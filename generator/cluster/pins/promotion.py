"""A reference, pointed at another version."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from generator.cluster.pins.failure import MALFORMED, PinError

_MANIFEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


def promoted(ref: str, version: str) -> str:
    """The reference of another version of the same model.

    Args:
        ref: as the spec has it.
        version: a number or `@alias` of MLflow, a version of BentoML, a revision of DVC or Hugging Face, a tag or
            manifest digest of a registry, or a whole new address for s3:// and https://.

    Raises:
        PinError: such a reference has no such version.
    """
    for prefix, change in _KINDS.items():
        if ref.startswith(prefix):
            return change(ref, version)
    raise PinError(MALFORMED, f"`{ref}` is of no kind that has versions", "edit the reference by hand")


def _mlflow(ref: str, version: str) -> str:
    name = re.sub(r"(?:@[^@/]*|/[0-9]+)\Z", "", ref)
    if version.startswith("@"):
        return name + version
    if not re.fullmatch("[0-9]+", version):
        message = f"`{version}` is no version of an MLflow model"
        raise PinError(MALFORMED, message, f"write a number, or @{version} for an alias")
    return f"{name}/{version}"


def _bentoml(ref: str, version: str) -> str:
    return ":".join([*ref.split(":")[:2], version])


def _revision(ref: str, version: str) -> str:
    """DVC and Hugging Face: what stands behind the last `@`, unless that is the user of a git address."""
    path = ref.rpartition("//")[2] if ref.startswith("dvc:") else ref
    start = ref[: len(ref) - len(path)]
    return f"{start}{path.partition('@')[0]}@{version.removeprefix('@')}"


def _oci(ref: str, version: str) -> str:
    host, _, repository = ref.removeprefix("oci://").partition("/")
    name = re.split("[:@]", repository, maxsplit=1)[0]
    return f"oci://{host}/{name}{'@' if _MANIFEST.fullmatch(version) else ':'}{version}"


def _address(ref: str, version: str) -> str:
    scheme = ref.partition("//")[0]
    if not version.startswith(f"{scheme}//"):
        message = f"`{ref}` is an address: it has no version that could be changed"
        raise PinError(MALFORMED, message, f"give the new {scheme}// address, and its --sha256")
    return version


_KINDS: Final[dict[str, Callable[[str, str], str]]] = {
    "mlflow:": _mlflow,
    "bentoml:": _bentoml,
    "dvc:": _revision,
    "hf:": _revision,
    "oci://": _oci,
    "s3://": _address,
    "https://": _address,
}
