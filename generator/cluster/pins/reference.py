"""References and what they resolve to; each kind of reference has a module with the function `resolve`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from importlib import import_module
from pathlib import Path
from typing import Final

from generator.cluster.http_client import HttpClient
from generator.cluster.limits import GIB, Allowance
from generator.cluster.pins.errors import MALFORMED, PinError
from generator.dataclass import dataclass

SHORT: Final = 12
_LONGER: Final = 60  # all requests for one reference may take this many times the time-out of one response
AS_GIVEN: Final = "the producer's sha256, not downloaded"

_ADDRESSES: Final = {"dvc:": "dvc", "s3://": "address", "https://": "address"}
_MODELS: Final = {
    "mlflow:": "mlflow",
    "bentoml:": "bentoml",
    "hf:": "huggingface",
    "oci://": "registry",
    **_ADDRESSES,
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference of a spec.

    Args:
        text: as written.
        data: a data set of a gate, not a model.
        sha256: digest (hex) that the producer gave.
        image: an image to run, whose content is its manifest; not an artifact of files.
        name: of a further model of the service; empty for the model, and for data.
    """

    text: str
    data: bool = False
    sha256: str | None = None
    image: bool = False
    name: str = ""

    @property
    def shown(self) -> str:
        """The reference as messages show it."""
        return f"`{self.text}`"


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a reference.

    Args:
        digest: `sha256:` and hex.
        by: what measured it.
        doubt: why the digest was not verified; empty when it was.
        files: the start of each file that was read, by its path; of some kinds of references none are.
    """

    digest: str
    by: str
    doubt: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Resolution:
    """The resolution of a reference.

    Args:
        resolved: an immutable reference.
        version: of a model, valid in an image tag: the registry's version number, else the start of a content digest.
        measure: downloads or reads the bytes; raises PinError, ContentError, GitError or HttpError.
        local: the bytes are on this machine, so measuring them again costs little.
    """

    resolved: str
    version: str
    measure: Callable[[], Content]
    local: bool = False

    def same_as(self, resolved: str) -> bool:
        """Return whether an earlier resolution meant the same bytes.

        A fragment (`#md5=…`, `#sha256=…`) identifies the content, whatever commit or address comes before it.
        """
        old, new = resolved.partition("#"), self.resolved.partition("#")
        return old == new or (bool(new[2]) and old[2] == new[2] and _place(old[0]) == _place(new[0]))


@dataclass(frozen=True, slots=True)
class PinContext:
    """The context in which references are resolved.

    Args:
        root: the GitOps repository.
        variables: environment variables.
        http: sends requests; its time-out also bounds git.
        largest_gib: the largest content of one reference, in GiB.
    """

    root: Path
    variables: Mapping[str, str]
    http: HttpClient
    largest_gib: int = 64

    def for_one_reference(self) -> PinContext:
        """Return the context with fresh totals of time, bytes and requests."""
        allowance = Allowance(self.http.timeout_s * _LONGER, self.largest_gib * GIB)
        return replace(self, http=self.http.allowed(allowance))

    @property
    def home(self) -> Path:
        """The user's home folder, from the environment."""
        return Path(self.variables.get("HOME") or self.variables.get("USERPROFILE") or "")


def resolve(reference: Reference, context: PinContext) -> Resolution:
    """Resolve a reference; each kind has a module with the function `resolve`.

    Raises:
        PinError: it can't be resolved.
        ContentError, GitError, HttpError: the same, see `PinError.of`.
    """
    kinds = _ADDRESSES if reference.data else _MODELS
    module = next((name for prefix, name in kinds.items() if reference.text.startswith(prefix)), None)
    if module is None and reference.data and not reference.text.startswith(tuple(_MODELS)):
        module = "files"
    if module is None:
        message = f"{reference.shown} is not a reference of a {'data set' if reference.data else 'model'}"
        kinds_of_data = " or a path of this repository" if reference.data else ""
        raise PinError(MALFORMED, message, f"start it with {', '.join(kinds)}{kinds_of_data}")
    resolver = import_module(f"generator.cluster.pins.{module}")
    found: Resolution = resolver.resolve(reference, context.for_one_reference())
    return found


def _place(resolved: str) -> str:
    """Return the part of a resolved DVC reference that is not a commit."""
    return resolved.rpartition("@")[0] if resolved.startswith("dvc:") else resolved
