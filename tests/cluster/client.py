"""A small client of the API server: JSON in, JSON out, one connection a thread."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Iterable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.layout import NODE_IP
from tests.cluster.waiting import until

Object = dict[str, Any]
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
FIELD_MANAGER = "test-bed"


class ApiError(Exception):
    """The API server refused.

    Args:
        code: HTTP status.
        message: what it said.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Api:
    """The API server of a run.

    Args:
        keys: folder of certificates.
        user: whose certificate is shown.
    """

    def __init__(self, keys: Path, user: str = "admin") -> None:
        self._keys, self._user = keys, user
        self._local = threading.local()
        self._resources: dict[str, dict[str, Object]] = {}

    @cached_property
    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self._keys / "ca.crt"))
        context.load_cert_chain(self._keys / f"{self._user}.crt", self._keys / f"{self._user}.key")
        return context

    def request(self, method: str, path: str, body: object = None, media: str = "application/json") -> Any:
        """One request; the parsed answer.

        Raises:
            ApiError: the answer is not a success.
            OSError: there was no answer.
        """
        data = None if body is None else json.dumps(body).encode()
        try:
            status, text = self._exchange(method, path, data, media)
        except OSError:
            if method == "POST":  # it may have been done all the same
                raise
            status, text = self._exchange(method, path, data, media)  # the server closes idle connections
        if status >= 400:
            raise ApiError(status, _message(text))
        return json.loads(text) if text[:1] in (b"{", b"[") else text.decode()

    def close(self) -> None:
        """Let this thread's connection go."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            self._local.connection = None
            connection.close()

    def _exchange(self, method: str, path: str, data: bytes | None, media: str) -> tuple[int, bytes]:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPSConnection(NODE_IP, 6443, context=self._context, timeout=60)
            self._local.connection = connection
        try:
            connection.request(method, path, data, {"content-type": media, "accept": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise OSError(str(error)) from error

    def healthy(self) -> bool:
        """Whether the server says that it is ready."""
        try:
            return bool(self.request("GET", "/readyz") == "ok")
        except ApiError:
            return False

    def find(self, path: str) -> Object | None:
        """An object, or None when there is none."""
        try:
            found: Object = self.request("GET", path)
        except ApiError as error:
            if error.code in (403, 404):
                return None
            raise
        return found

    def items(self, path: str) -> list[Object]:
        """The objects of a collection."""
        found: list[Object] = self.request("GET", path).get("items") or []
        return found

    def address(self, of: Object, *, collection: bool = False) -> str:
        """Path of an object, or of the collection that it belongs to."""
        version, metadata = of["apiVersion"], of["metadata"]
        resource = self._resource(version, of["kind"])
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        scope = f"/namespaces/{metadata.get('namespace', 'default')}" if resource["namespaced"] else ""
        path = f"{root}{scope}/{resource['name']}"
        return path if collection else f"{path}/{metadata['name']}"

    def _resource(self, version: str, kind: str) -> Object:
        if kind not in self._resources.get(version, {}):
            found = self.request("GET", f"/apis/{version}" if "/" in version else f"/api/{version}")[
                "resources"
            ]
            self._resources[version] = {item["kind"]: item for item in found if "/" not in item["name"]}
        try:
            return self._resources[version][kind]
        except KeyError:
            raise ApiError(404, f"there is no {version} {kind}") from None

    def create(self, given: Object, *, dry_run: bool = False) -> Object:
        """Create an object; unknown and repeated fields are errors.

        Raises:
            ApiError: it was refused.
        """
        query = "?fieldValidation=Strict" + ("&dryRun=All" if dry_run else "")
        created: Object = self.request("POST", self.address(given, collection=True) + query, given)
        return created

    def apply(self, given: Object) -> Object:
        """Server-side apply: for the bed's own objects; rendered ones go the way that Argo CD takes."""
        query = f"?fieldManager={FIELD_MANAGER}&force=true&fieldValidation=Strict"
        applied: Object = self.request("PATCH", self.address(given) + query, given, APPLY)
        return applied

    def merge(self, path: str, patch: Mapping[str, object]) -> Object:
        """Merge a change into an object."""
        merged: Object = self.request("PATCH", path, patch, MERGE)
        return merged


def documents(text: str) -> list[Object]:
    """The objects of a YAML text."""
    return [item for item in yaml.load_all(text, yaml.CSafeLoader) if item]


def install_crds(api: Api, files: Iterable[Path]) -> None:
    """Create custom resource definitions and wait until they are served."""
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    names = []
    for file in sorted(files):
        for given in documents(file.read_text()):
            if given["kind"] == "CustomResourceDefinition":
                api.request("POST", crds, given)
                names.append(given["metadata"]["name"])
    for name in names:
        until(f"the definition of {name}", partial(_established, api, f"{crds}/{name}"), 60)


def _established(api: Api, path: str) -> bool:
    # A definition that was created just now says null.
    conditions = (api.find(path) or {}).get("status", {}).get("conditions") or []
    return any(item["type"] == "Established" and item["status"] == "True" for item in conditions)


def _message(text: bytes) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.decode(errors="replace")
