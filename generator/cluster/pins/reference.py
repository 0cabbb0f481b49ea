"""References and what they resolve to; one module a kind, each with the function `find`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from generator.cluster.pins.failure import MALFORMED, PinError
from generator.cluster.pins.web import Web

_MODELS: Final = {
    "mlflow:": "mlflow",
    "bentoml:": "bentoml",
    "dvc:": "dvc",
    "hf:": "huggingface",
    "oci://": "registry",
    "s3://": "address",
    "https://": "address",
}
_DATA: Final = {"dvc:": "dvc", "s3://": "address", "https://": "address"}
SHORT: Final = 12
AS_GIVEN: Final = "the producer's sha256, not downloaded"


@dataclass(frozen=True, slots=True)
class Reference:
    """What a spec asks for.

    Args:
        text: as written.
        data: a data set of a gate, not a model.
        sha256: digest (hex) that the producer gave.
    """

    text: str
    data: bool = False
    sha256: str | None = None

    @property
    def what(self) -> str:
        """How messages call it."""
        return f"`{self.text}`"


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes behind a reference.

    Args:
        digest: `sha256:` and hex.
        by: what measured it.
        doubt: why the digest is only what the producer gave; empty when it was measured.
    """

    digest: str
    by: str
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What a reference means now.

    Args:
        resolved: an immutable reference.
        version: of a model, fit for an image tag: a number of a registry, else the start of a content digest.
        measure: downloads or reads the bytes; raises PinError.
        local: the bytes are on this machine, so that measuring them again costs little.
    """

    resolved: str
    version: str
    measure: Callable[[], Content]
    local: bool = False

    def same_as(self, resolved: str) -> bool:
        """Whether an earlier resolution meant the same bytes.

        A fragment (`#md5=…`, `#sha256=…`) identifies the content whatever commit or address stands before it.
        """
        old, new = resolved.partition("#"), self.resolved.partition("#")
        return old == new or (bool(new[2]) and old[2] == new[2] and _place(old[0]) == _place(new[0]))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where references are resolved.

    Args:
        root: the GitOps repository.
        variables: environment variables.
        web: asks servers.
    """

    root: Path
    variables: Mapping[str, str]
    web: Web


def find(reference: Reference, around: Surroundings) -> Found:
    """What a reference means now.

    Raises:
        PinError: it can't be resolved.
    """
    kinds = _DATA if reference.data else _MODELS
    module = next((name for prefix, name in kinds.items() if reference.text.startswith(prefix)), None)
    if module is None:
        if not reference.data or any(map(reference.text.startswith, _MODELS)):
            known = ", ".join(kinds)
            raise PinError(
                MALFORMED, f"{reference.what} is no reference of a data set", f"known here: {known}, a path"
            )
        module = "file"
    found: Found = import_module(f"generator.cluster.pins.{module}").find(reference, around)
    return found


def _place(resolved: str) -> str:
    """The part of a resolved DVC reference that is no commit."""
    return resolved.rpartition("@")[0] if resolved.startswith("dvc:") else resolved
