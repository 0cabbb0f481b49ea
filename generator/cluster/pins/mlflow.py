"""Models of an MLflow registry, over its REST API (MLflow 2 and 3); the library is not needed.

Aliases move; version numbers are immutable. They are not a digest of the content, so the artifacts are downloaded and
hashed. They must come through the tracking server: a folder that it names is not read on this machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from generator.cluster.artifacts.formats import LIMIT
from generator.cluster.http_client import Endpoint, HttpClient, basic
from generator.cluster.pins.errors import MALFORMED, NO_CONTENT, NOT_CONFIGURED, UNEXPECTED, UNKNOWN, PinError
from generator.cluster.pins.reference import Content, PinContext, Reference, Resolution
from generator.dataclass import dataclass
from generator.source.content import check_names, listing_digest

_FORM = re.compile(r"mlflow:(?P<name>.+?)(?:@(?P<alias>[^@/]+)|/(?P<version>[0-9]+))")
_FILES: Final = 10_000
_DEPTH: Final = 32
# MLflow's client writes it into the download folder; it is not part of the model.
_LEAVE_OUT: Final = frozenset({"registered_model_meta"})


def resolve(reference: Reference, context: PinContext) -> Resolution:
    """Query the registry that MLFLOW_TRACKING_URI names.

    Raises:
        PinError: it is not configured, or has no such version.
        HttpError: it can't be reached.
    """
    form = _FORM.fullmatch(reference.text)
    if form is None:
        message = f"{reference.shown} names neither a version nor an alias"
        raise PinError(MALFORMED, message, "for example mlflow:fraud/12 or mlflow:fraud@champion")
    registry = _Registry(_server(context), context.http, reference)
    version = registry.version(form["name"], form["alias"], form["version"])
    number = str(version["version"])
    if form["version"] and int(form["version"]) != int(number):
        raise registry.unexpected()
    resolved = f"mlflow:{form['name']}/{number}"
    return Resolution(resolved, number, lambda: registry.content(form["name"], number))


def _server(context: PinContext) -> Endpoint:
    uri = context.variables.get("MLFLOW_TRACKING_URI", "")
    if not uri.startswith(("http://", "https://")):
        message = f"MLFLOW_TRACKING_URI is {'not the address of a server' if uri else 'not set'}"
        raise PinError(NOT_CONFIGURED, message, "set it to the http(s) address of the tracking server")
    user, password = (context.variables.get(f"MLFLOW_TRACKING_{key}") for key in ("USERNAME", "PASSWORD"))
    token = context.variables.get("MLFLOW_TRACKING_TOKEN")
    if user and password:
        return Endpoint.at(uri, basic(user, password))
    return Endpoint.at(uri, f"Bearer {token}" if token else None)


@dataclass(frozen=True, slots=True)
class _Registry:
    """One tracking server, queried for one reference."""

    server: Endpoint
    http: HttpClient
    reference: Reference

    def version(self, name: str, alias: str | None, version: str | None) -> dict[str, Any]:
        """Return the registered version of an alias or a number, which must be ready."""
        if alias:
            found = self._ask("mlflow/registered-models/alias", name=name, alias=alias)
        else:
            found = self._ask("mlflow/model-versions/get", name=name, version=str(version))
        entry = found.get("model_version")
        if not isinstance(entry, dict) or not re.fullmatch("[1-9][0-9]{0,17}", str(entry.get("version"))):
            raise self.unexpected()
        if entry.get("status", "READY") != "READY":
            message = f"version {entry['version']} of {self.reference.shown} is not ready: {entry['status']}"
            raise PinError(UNKNOWN, message, "wait until it is registered, or register it again")
        return entry

    def content(self, name: str, version: str) -> Content:
        """Hash the artifacts of a version."""
        location = self._ask("mlflow/model-versions/get-download-uri", name=name, version=version)
        uri = str(location.get("artifact_uri", ""))
        parts = urlsplit(uri)
        if parts.scheme == "mlflow-artifacts" and not parts.netloc:
            base = parts.path.strip("/")
            paths = [path for path in self._paths(base) if path not in _LEAVE_OUT]
            check_names(paths, self.reference.shown)
            kept: dict[str, bytes] = {}
            files = [(path, self._sha256(f"{base}/{path}", kept, path)) for path in paths]
            by = f"MLflow at {self.server.address}"
            return Content(listing_digest(files, self.reference.shown), by, files=kept)
        # Also when the server names a folder of this machine: what is read here is never chosen there.
        message = f"the artifacts of {self.reference.shown} can't be read through the tracking server"
        raise PinError(NO_CONTENT, message, "enable that: `mlflow server --serve-artifacts`")

    def _paths(self, base: str) -> Iterator[str]:
        """Yield all files below a folder of the artifact store, as paths relative to it."""
        folders, seen = [""], 0
        while folders:
            folder = folders.pop()
            depth = folder.count("/")
            listed = self._ask("mlflow-artifacts/artifacts", path=f"{base}/{folder}".rstrip("/"))
            for item in listed.get("files", ()):
                name = str(item.get("path", "")).rstrip("/")
                seen += 1
                if not name or "/" in name or name in {".", ".."} or seen > _FILES or depth > _DEPTH:
                    raise self.unexpected()
                if item.get("is_dir"):
                    folders.append(f"{folder}{name}/")
                else:
                    yield folder + name

    def _sha256(self, path: str, kept: dict[str, bytes], name: str) -> str:
        url = f"{self.server.address}/api/2.0/mlflow-artifacts/artifacts/{quote(path)}"
        start, most = bytearray(), LIMIT - sum(map(len, kept.values()))
        found = self.http.sha256(
            url, self.reference.shown, authorization=self.server.authorization, kept=start, most=most
        )
        kept[name] = bytes(start)
        return found

    def _ask(self, endpoint: str, **query: str) -> dict[str, Any]:
        url = f"{self.server.address}/api/2.0/{endpoint}?{urlencode(query)}"
        answer = self.http.ask(url, authorization=self.server.authorization)
        if answer.status in {400, 404} and b'"error_code"' in answer.body:
            message = f"{self.reference.shown} is not in the registry at {self.server.address}"
            raise PinError(UNKNOWN, message, "check the model's name and its version or alias")
        if answer.status in {400, 404}:
            raise self.unexpected()
        if answer.status != 200:
            raise answer.failure(self.reference.shown)
        found = answer.json()
        if not isinstance(found, dict):
            raise self.unexpected()
        return found

    def unexpected(self) -> PinError:
        """Return the error for a response that MLflow would not send."""
        message = f"{self.server.address} does not answer like MLflow"
        return PinError(UNEXPECTED, message, "check MLFLOW_TRACKING_URI")
