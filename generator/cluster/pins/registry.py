"""Images and artifacts of OCI registries: tag to manifest digest, by the distribution API.

Source: OCI distribution specification 1.1 (pulling manifests); token authentication as registries of that API do it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from generator.cluster.http_client import Answer, basic
from generator.cluster.pins.errors import FORBIDDEN, MALFORMED, NO_CONTENT, UNEXPECTED, PinError
from generator.cluster.pins.reference import SHORT, Content, PinContext, Reference, Resolution
from generator.dataclass import dataclass
from generator.source.content import listing_digest

_FORM = re.compile(
    r"oci://(?P<host>[A-Za-z0-9.-]+(?::[0-9]+)?)/(?P<name>[a-z0-9][a-z0-9._/-]*)"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64})|:(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))"
)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_HOSTS: Final = {"docker.io": "registry-1.docker.io"}
"""The registry behind a name that is not its host (distribution/reference, normalize.go; moby, registry/config.go)."""
_LOOPBACK: Final = re.compile(r"(?:localhost|127(?:\.[0-9]{1,3}){3})(?::[0-9]+)?")
_ACCEPT: Final = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
_TITLE: Final = "org.opencontainers.image.title"
_OK: Final = 200
_UNAUTHORIZED: Final = 401


def resolve(reference: Reference, context: PinContext) -> Resolution:
    """Query the registry for the manifest of a tag; a digest needs no request.

    The version is the start of the manifest's digest; the digest of the model is that of its files.

    Raises:
        PinError: the reference is malformed, or the server's answer is not that of a registry.
        HttpError: the registry can't be reached, or has no such tag.
    """
    form = _FORM.fullmatch(reference.text)
    if form is None:
        message = f"{reference.shown} names neither a tag nor a digest of a repository"
        raise PinError(MALFORMED, message, "for example oci://registry.example.com/models/fraud:1.4")
    repository = _Repository(form["host"], form["name"], reference, context)
    digest = form["digest"] or repository.digest(form["tag"])

    def measure() -> Content:
        if reference.image:
            repository.manifest(digest)  # its bytes are compared with the digest
            return Content(digest, f"the registry {form['host']}")
        content = artifact_digest(repository.manifest(digest), reference.shown)
        return Content(content, f"the registry {form['host']}")

    resolved = f"oci://{form['host']}/{form['name']}@{digest}"
    return Resolution(resolved, digest.removeprefix("sha256:")[:SHORT], measure)


def image_labels(image: str, context: PinContext) -> list[dict[str, str]]:
    """Return the labels of an image, one mapping for each platform.

    Args:
        image: its reference by digest: `host/name@sha256:…`.
        context: where it is queried.

    Raises:
        PinError: it is not an image with a configuration.
        HttpError: the registry can't be reached.
    """
    reference = Reference(f"oci://{image}")
    form = _FORM.fullmatch(reference.text)
    if form is None or form["digest"] is None:
        raise PinError(MALFORMED, f"{reference.shown} is not an image by digest", "check `registry`")
    repository = _Repository(form["host"], form["name"], reference, context.for_one_reference())
    try:
        manifest = json.loads(repository.manifest(form["digest"]))
        # An index lists one manifest for each platform, and attestations of the platform `unknown`.
        parts = [item for item in manifest.get("manifests", ()) if item["platform"]["os"] != "unknown"]
        manifests = [json.loads(repository.manifest(_checked(item["digest"]))) for item in parts] or [
            manifest
        ]
        configs = [json.loads(repository.blob(_checked(one["config"]["digest"]))) for one in manifests]
        return [
            {str(key): str(value) for key, value in (one["config"].get("Labels") or {}).items()}
            for one in configs
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"{reference.shown} is not an image: it has no configuration"
        raise PinError(UNEXPECTED, message, "check what was pushed under this tag") from error


def _checked(digest: str) -> str:
    if not _DIGEST.fullmatch(digest):
        raise ValueError(digest)
    return digest


@dataclass(frozen=True, slots=True)
class _Repository:
    """One repository of a registry."""

    host: str
    name: str
    reference: Reference
    context: PinContext

    def digest(self, tag: str) -> str:
        """Return the digest of the manifest that a tag or a digest names."""
        answer = self._manifest("HEAD", tag)
        found = answer.headers.get("docker-content-digest", "")
        if not _DIGEST.fullmatch(found):
            # The header is optional: the digest is that of the manifest's bytes.
            answer = self._manifest("GET", tag)
            if "json" not in answer.headers.get("content-type", ""):
                message = f"{answer.url} does not answer like a registry"
                raise PinError(UNEXPECTED, message, "check the host of the reference")
            found = "sha256:" + hashlib.sha256(answer.body).hexdigest()
        if tag.startswith("sha256:") and found != tag:
            raise PinError(
                UNEXPECTED, f"{answer.url} has the manifest {found}", "contact the registry's operator"
            )
        return found

    def manifest(self, digest: str) -> bytes:
        """Return the manifest of a digest, whose bytes were checked."""
        answer = self._manifest("GET", digest)
        if "sha256:" + hashlib.sha256(answer.body).hexdigest() != digest:
            message = f"the bytes of {answer.url} do not have the digest {digest}"
            raise PinError(UNEXPECTED, message, "contact the registry's operator")
        return answer.body

    def blob(self, digest: str) -> bytes:
        """Return a small blob, whose bytes were checked."""
        answer = self._answer("GET", f"blobs/{digest}")
        if "sha256:" + hashlib.sha256(answer.body).hexdigest() != digest:
            message = f"the bytes of {answer.url} do not have the digest {digest}"
            raise PinError(UNEXPECTED, message, "contact the registry's operator")
        return answer.body

    def _manifest(self, method: str, tag: str) -> Answer:
        return self._answer(method, f"manifests/{tag}")

    def _answer(self, method: str, path: str) -> Answer:
        url = f"{self._base}/v2/{self.name}/{path}"
        own = _configured(self.host, self.context)
        answer = self.context.http.ask(url, method=method, accept=_ACCEPT)
        challenge = answer.headers.get("www-authenticate", "")
        if answer.status == _UNAUTHORIZED and challenge:
            authorization = self._authorization(challenge, own)
            answer = self.context.http.ask(url, method=method, accept=_ACCEPT, authorization=authorization)
        if answer.status != _OK:
            raise answer.failure(self.reference.shown)
        return answer

    @property
    def _base(self) -> str:
        """Return the base URL: plain HTTP for a registry on this machine, as container tools do."""
        host = _HOSTS.get(self.host, self.host)
        return f"{'http' if _LOOPBACK.fullmatch(host) else 'https'}://{host}"

    def _authorization(self, challenge: str, own: str | None) -> str | None:
        """Return the credentials that a challenge requires: the user's own, or a token obtained with them."""
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() != "bearer":
            return own
        parameters = dict(re.findall(r'(?<![a-z])([a-z]+)="([^"]*)"', rest))
        realm = parameters.get("realm", "")
        if urlsplit(realm).scheme != "https" and not (
            self._base.startswith("http:") and _LOOPBACK.fullmatch(urlsplit(realm).netloc)
        ):
            message = f"the registry {self.host} issues tokens over an unencrypted address"
            raise PinError(FORBIDDEN, message, "contact the registry's operator")
        query = {"service": parameters.get("service", ""), "scope": f"repository:{self.name}:pull"}
        joint = "&" if urlsplit(realm).query else "?"
        answer = self.context.http.ask(f"{realm}{joint}{urlencode(query)}", authorization=own)
        if answer.status != _OK:
            raise answer.failure(self.reference.shown)
        found = answer.json()
        token = (found.get("token") or found.get("access_token")) if isinstance(found, dict) else None
        if not isinstance(token, str):
            raise PinError(UNEXPECTED, f"{answer.url} issued no token", "contact the registry's operator")
        return f"Bearer {token}"


def artifact_digest(manifest: bytes, what: str) -> str:
    """Return the digest (`sha256:` and hex) of an artifact's files by its manifest; nothing is downloaded.

    One layer is one file. Several layers are a folder, with file names from their titles, as `oras push` writes them.
    Layers are plain files and are not unpacked.

    Raises:
        PinError: it is not an artifact that consists of files.
        ContentError: there are no files, or a name of one is unsafe.
    """
    try:
        layers = [_layer(layer) for layer in json.loads(manifest)["layers"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"{what} is not an artifact of files: its manifest lists none with a SHA-256"
        raise PinError(NO_CONTENT, message, "push the model's files with `oras push`") from error
    if len(layers) == 1:
        return layers[0][1]
    if not all(title for title, _ in layers):
        message = f"the files of {what} have no names"
        raise PinError(NO_CONTENT, message, f"push them with `oras push`, which names them in `{_TITLE}`")
    return listing_digest([(title, digest.removeprefix("sha256:")) for title, digest in layers], what)


def _layer(layer: dict[str, Any]) -> tuple[str, str]:
    """Return the title (may be empty) and the digest of a layer."""
    if not _DIGEST.fullmatch(layer["digest"]):
        raise ValueError(layer["digest"])
    return str((layer.get("annotations") or {}).get(_TITLE, "")), layer["digest"]


def _configured(host: str, context: PinContext) -> str | None:
    """Return the credentials of `docker login` (DOCKER_CONFIG, else `~/.docker`), unless a helper keeps them."""
    folder = Path(context.variables.get("DOCKER_CONFIG") or context.home / ".docker")
    try:
        entries = json.loads((folder / "config.json").read_bytes())["auths"]
        encoded = next(entries[key]["auth"] for key in (host, f"https://{host}") if key in entries)
        user, _, password = base64.b64decode(encoded).decode().partition(":")
    except (OSError, ValueError, KeyError, TypeError, StopIteration, RecursionError):
        return None
    return basic(user, password)
