"""Queries a Kubernetes API server with the official client (the extra `kubernetes`); no other module imports it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, Final
from urllib.parse import quote, urlencode

from yaml import YAMLError

from generator.cluster.failures import words_of
from generator.dataclass import dataclass
from generator.source.errors import UserError

_TIMEOUT_S: Final = (5.0, 60.0)  # to connect, to answer
_TRIES: Final = 1
# The kubeconfig loader raises these for malformed files.
_MALFORMED: Final = (AttributeError, KeyError, TypeError, ValueError)


class ClusterError(UserError):
    """The cluster can't be queried at all: no configuration, no answer, or no permission."""


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """The answer of an API server.

    Args:
        status: HTTP status.
        body: the parsed JSON; a Kubernetes `Status` for a refusal.
        warnings: what the server adds for people.
    """

    status: int
    body: Mapping[str, Any]
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the request was granted."""
        return self.status < 400

    @property
    def message(self) -> str:
        """The server's error message, on one line."""
        return " ".join(str(self.body.get("message") or f"HTTP {self.status}").split())


@dataclass(frozen=True, slots=True)
class ApiResource:
    """A kind that an API server serves: its name in paths, and whether it is namespaced."""

    plural: str
    namespaced: bool


@dataclass
class Server:
    """One API server.

    Args:
        client: a `kubernetes.client.ApiClient`.
    """

    client: Any
    _kinds: dict[str, dict[str, ApiResource]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def address(self) -> str:
        """Its URL."""
        return str(self.client.configuration.host)

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        media: str = "application/json",
        accept: str = "application/json",
    ) -> ApiAnswer:
        """Send one request.

        Args:
            method: the HTTP method.
            path: below the server's address.
            query: parameters.
            body: sent as JSON.
            media: type of the body.
            accept: type of the answer.

        Raises:
            ClusterError: there was no answer, or authentication failed.
        """
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        url = f"{self.address.rstrip('/')}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Accept": accept, "Content-Type": media}
        self.client.update_params_for_auth(headers, [], ["BearerToken"], url, method, body)
        try:
            answer = self.client.call_api(method, url, headers, body, _request_timeout=_TIMEOUT_S)
            status, text = answer.status, answer.read()
            warnings = answer.headers.getlist("Warning")
        except ApiException as error:
            raise ClusterError(f"{self.address} does not answer: {error.reason}") from error
        except (HTTPError, OSError) as error:
            message = f"{self.address} {words_of(error, _TIMEOUT_S[1])}"
            raise ClusterError(message, "check the server of this context and the way to it") from error
        answered = ApiAnswer(status, _parsed(text), tuple(map(_warning, warnings)))
        if status == 401:
            message = f"authentication at {self.address} failed: {answered.message}"
            raise ClusterError(message, "the token has expired, or is one of another cluster: make a new one")
        return answered

    def kind(self, api_version: str, kind: str) -> ApiResource | None:
        """Return the resource that serves a kind; None when the server does not serve it.

        Raises:
            ClusterError: the server can't be queried.
        """
        with self._lock:
            if api_version not in self._kinds:
                answer = self.request("GET", _root(api_version))
                served = answer.body.get("resources") or [] if answer.ok else []
                self._kinds[api_version] = {
                    str(item["kind"]): ApiResource(str(item["name"]), bool(item["namespaced"]))
                    for item in served
                    if "/" not in str(item["name"])
                }
            return self._kinds[api_version].get(kind)


def path_of(api_version: str, resource: ApiResource, namespace: str, name: str) -> str:
    """Return the path of an object."""
    scope = f"/namespaces/{quote(namespace, safe='')}" if resource.namespaced else ""
    return f"{_root(api_version)}{scope}/{resource.plural}/{quote(name, safe='')}"


def connect(kubeconfig: Path | None, context: str | None, connections: int = 1) -> Server:
    """Connect to the server of a kubeconfig (KUBECONFIG or `~/.kube/config`), or else of the pod that this runs in.

    Args:
        kubeconfig: the file, instead of the usual one.
        context: the context in it, instead of its current one.
        connections: how many requests may run at once.

    Raises:
        ClusterError: the client is not installed, or there is no usable configuration.
    """
    try:
        client, config = import_module("kubernetes.client"), import_module("kubernetes.config")
    except ImportError as error:
        raise ClusterError(
            "the Kubernetes client is not installed", "pip install 'sluicegate[kubernetes]'"
        ) from error
    settings = client.Configuration()
    settings.connection_pool_maxsize = connections
    settings.retries = _TRIES
    try:
        if kubeconfig is None and context is None and not _has_kubeconfig():
            config.load_incluster_config(settings)
        else:
            file = str(kubeconfig) if kubeconfig else None
            config.load_kube_config(file, context, settings, persist_config=False)
    except (config.ConfigException, YAMLError, OSError, *_MALFORMED) as error:
        where = kubeconfig or "KUBECONFIG or ~/.kube/config"
        known = _contexts(config, kubeconfig) if context else []
        hint = (
            f"its contexts: {', '.join(known)}; `kubectl config rename-context` renames one" if known else ""
        )
        raise ClusterError(f"no cluster is configured by {where}: {_reason(error)}", hint) from error
    return Server(client.ApiClient(settings))


def _contexts(config: Any, kubeconfig: Path | None) -> list[str]:
    """Return the names of the contexts in a kubeconfig, which may have no current one; none if it can't be read."""
    files = config.kube_config
    try:
        found = files.KubeConfigMerger(str(kubeconfig or files.KUBE_CONFIG_DEFAULT_LOCATION)).config
        return [str(one["name"]) for one in found["contexts"]]
    except (config.ConfigException, YAMLError, OSError, *_MALFORMED):
        return []


def _has_kubeconfig() -> bool:
    from kubernetes.config.kube_config import ENV_KUBECONFIG_PATH_SEPARATOR, KUBE_CONFIG_DEFAULT_LOCATION

    files = str(KUBE_CONFIG_DEFAULT_LOCATION).split(ENV_KUBECONFIG_PATH_SEPARATOR)
    return any(Path(file).expanduser().exists() for file in files if file)


def _warning(header: str) -> str:
    """Return the text of a header such as `299 - "text"`."""
    return header.partition('"')[2].rpartition('"')[0].replace('\\"', '"').replace("\\\\", "\\")


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _parsed(text: bytes | str) -> Mapping[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    shown = text.decode(errors="replace") if isinstance(text, bytes) else text
    return body if isinstance(body, dict) else {"message": shown[:500]}


def _reason(error: BaseException) -> str:
    """Return the innermost cause, without Python object addresses."""
    inner = getattr(error, "reason", None)
    if isinstance(inner, BaseException):
        return _reason(inner)
    text = " ".join(str(error).split())
    return text.rpartition(">: ")[2] or type(error).__name__
