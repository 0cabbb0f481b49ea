"""References to another version of the same model."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from generator.cluster.pins.errors import MALFORMED, PinError

_MANIFEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_ALIAS: Final = re.compile(r"@[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_REVISION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]*")


def with_version(ref: str, version: str) -> str:
    """Return the reference to another version of the same model.

    Args:
        ref: the reference in the spec.
        version: a number or `@alias` of MLflow, a version of BentoML, a revision of DVC or Hugging Face, a tag or
            manifest digest of a registry, or a whole new address for s3:// and https://.

    Raises:
        PinError: this kind of reference has no such version.
    """
    for prefix, change in _KINDS.items():
        if ref.startswith(prefix):
            return change(ref, version)
    raise PinError(MALFORMED, f"`{ref}` is not of a kind that has versions", "edit the reference by hand")


def _mlflow(ref: str, version: str) -> str:
    name = re.sub(r"(?:@[^@/]*|/[0-9]+)\Z", "", ref)
    if _ALIAS.fullmatch(version):
        return name + version
    return f"{name}/{_checked(version, re.compile('[0-9]+'), 'a number, or @ and an alias')}"


def _bentoml(ref: str, version: str) -> str:
    return ":".join([*ref.split(":")[:2], _checked(version, _VERSION, "a version such as 8")])


def _revision(ref: str, version: str) -> str:
    """Replace the part after the last `@` of a DVC or Hugging Face reference, unless that is a host of git."""
    path = ref.rpartition("//")[2] if ref.startswith("dvc:") else ref
    start = ref[: len(ref) - len(path)]
    revision = _checked(version, _REVISION, "a branch, a tag or a commit")
    return f"{start}{path.partition('@')[0]}@{revision}"


def _oci(ref: str, version: str) -> str:
    host, _, repository = ref.removeprefix("oci://").partition("/")
    name = re.split("[:@]", repository, maxsplit=1)[0]
    if _MANIFEST.fullmatch(version):
        return f"oci://{host}/{name}@{version}"
    return f"oci://{host}/{name}:{_checked(version, _VERSION, 'a tag, or sha256: and 64 hex digits')}"


def _address(ref: str, version: str) -> str:
    scheme = ref.partition("//")[0]
    if not version.startswith(f"{scheme}//"):
        message = f"`{ref}` is an address, which has no version to change"
        raise PinError(MALFORMED, message, f"give the new {scheme}// address and its --sha256")
    return version


def _checked(version: str, form: re.Pattern[str], wanted: str) -> str:
    if not form.fullmatch(version):
        raise PinError(MALFORMED, f"`{version}` is not a version of this kind of reference", f"give {wanted}")
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
