"""Gate Workflows in the cluster: two ways to submit and read them, and the evidence that they leave.

Each uses the official client, which is imported on first use.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import os
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, Protocol, TypeVar

from generator.cluster.failures import words_of
from generator.dataclass import dataclass
from generator.source.errors import UserError

T = TypeVar("T")
Body = dict[str, Any]
Reason = Literal["exists", "not-found", "refused", "unreachable", "no-client"]

TIMEOUT_S: Final = 30.0
ENDED: Final = frozenset({"Succeeded", "Failed", "Error"})
_GROUP, _VERSION, _PLURAL = "argoproj.io", "v1alpha1", "workflows"
_NOT_FOUND, _CONFLICT = 404, 409
_VERDICT, _EVIDENCE, _NONE = "verdict", "evidence", "none"
_NEWLINE: Final = "\n"
_LARGEST: Final = 32 << 20
# The client can't parse null times, which a Workflow has until it ends.
_UNTYPED: Final[Mapping[str, Any]] = {"_check_return_type": False, "_request_timeout": TIMEOUT_S}


class WorkflowError(UserError):
    """A Workflow can't be submitted or read.

    Args:
        reason: why, for programs.
        message: one sentence.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason

    def __reduce__(self) -> tuple[type[WorkflowError], tuple[str, str]]:
        return type(self), (self.reason, self.message)


class Server(Protocol):
    """A way to submit and read Workflows."""

    def create(self, workflow: Body) -> Body:
        """Create a Workflow in its namespace.

        Raises:
            WorkflowError: it was refused; `exists` when there is already one with this name.
        """
        ...

    def get(self, namespace: str, name: str) -> Body | None:
        """Return a Workflow; None when there is none with this name.

        Raises:
            WorkflowError: there is no answer, or no permission.
        """
        ...


@dataclass(frozen=True, slots=True)
class ArgoServer:
    """The API of an Argo Workflows server, by `argo_workflows`.

    Args:
        address: base URL.
        token: bearer token, or empty.
        ca: file with the certificates to trust, or empty for those of the system.
        insecure: don't verify the server's certificate.
    """

    address: str
    token: str = ""
    ca: str = ""
    insecure: bool = False

    def create(self, workflow: Body) -> Body:
        """Create it without the client's type check, which would turn integers into strings."""
        models = _module("argo_workflows.models", "workflows")
        request = models.IoArgoprojWorkflowV1alpha1WorkflowCreateRequest(workflow=workflow, _check_type=False)
        namespace = workflow["metadata"]["namespace"]
        return _plain(self._call(lambda api: api.create_workflow(namespace, request, **_UNTYPED)))

    def get(self, namespace: str, name: str) -> Body | None:
        """Get it."""
        return _found(lambda: self._call(lambda api: api.get_workflow(namespace, name, **_UNTYPED)))

    def _call(self, call: Callable[[Any], T]) -> T:
        client = _module("argo_workflows", "workflows")
        service = _module("argo_workflows.api.workflow_service_api", "workflows")
        errors = _module("argo_workflows.exceptions", "workflows")
        configuration = client.Configuration(host=self.address.rstrip("/"), ssl_ca_cert=self.ca or None)
        configuration.verify_ssl = not self.insecure
        configuration.retries = False
        if self.token:
            configuration.api_key = {"BearerToken": self.token.removeprefix("Bearer ")}
            configuration.api_key_prefix = {"BearerToken": "Bearer"}
        with client.ApiClient(configuration) as api:
            return _called(lambda: call(service.WorkflowServiceApi(api)), errors.ApiException, self.address)


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """Workflows as custom resources, accessed with `kubernetes` and a kubeconfig.

    Args:
        context: of the kubeconfig; empty for its current one.
    """

    context: str = ""

    def create(self, workflow: Body) -> Body:
        """Create it; the API server refuses unknown fields."""
        arguments = (_GROUP, _VERSION, workflow["metadata"]["namespace"], _PLURAL, workflow)
        options = {"field_validation": "Strict", "_request_timeout": TIMEOUT_S}
        return _plain(self._call(lambda api: api.create_namespaced_custom_object(*arguments, **options)))

    def get(self, namespace: str, name: str) -> Body | None:
        """Get it."""
        arguments = (_GROUP, _VERSION, namespace, _PLURAL, name)
        options = {"_request_timeout": TIMEOUT_S}
        return _found(lambda: self._call(lambda api: api.get_namespaced_custom_object(*arguments, **options)))

    def _call(self, call: Callable[[Any], T]) -> T:
        client = _module("kubernetes.client", "kubernetes")
        config = _module("kubernetes.config", "kubernetes")
        try:
            api = config.new_client_from_config(os.environ.get("KUBECONFIG") or None, self.context or None)
        except config.ConfigException as error:
            raise WorkflowError("unreachable", f"there is no usable kubeconfig: {error}") from error
        api.configuration.retries = False
        with api:
            return _called(
                lambda: call(client.CustomObjectsApi(api)), client.ApiException, api.configuration.host
            )


def phase(workflow: Mapping[str, Any]) -> str:
    """Return `Pending`, `Running`, `Succeeded`, `Failed` or `Error`."""
    return str(_map(workflow.get("status")).get("phase") or "Pending")


def message(workflow: Mapping[str, Any]) -> str:
    """Return the controller's message about the whole Workflow, on one line; empty when there is none."""
    return " ".join(str(_map(workflow.get("status")).get("message") or "").split())


def evidence(workflow: Mapping[str, Any]) -> str | None:
    """Return the evidence document of the last attempt of the verdict step; None when it left none.

    Raises:
        WorkflowError: the nodes are not in the object, or can't be read.
    """
    found, when = "", ""
    for node in _nodes(_map(workflow.get("status"))).values():
        if not isinstance(node, dict) or node.get("templateName") != _VERDICT:
            continue
        text, ended = _parameter(node), str(node.get("finishedAt") or "")
        if text not in {"", _NONE} and ended >= when:
            found, when = text, ended
    # The executor strips the last newline from an output parameter (workflow/executor/executor.go, SaveParameters).
    return f"{found.removesuffix(_NEWLINE)}{_NEWLINE}" if found else None


def _parameter(node: Mapping[str, Any]) -> str:
    parameters = _map(node.get("outputs")).get("parameters")
    for item in parameters if isinstance(parameters, list) else []:
        if isinstance(item, dict) and item.get("name") == _EVIDENCE:
            return str(item.get("value") or "")
    return ""


def _nodes(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the nodes, which the controller compresses (gzip, base64) when there are many."""
    if status.get("offloadNodeStatusVersion"):
        raise WorkflowError(
            "refused", "the nodes of this Workflow are in Argo's database: query its server (--server)"
        )
    packed = status.get("compressedNodes")
    if not packed:
        return _map(status.get("nodes"))
    try:
        raw = io.BytesIO(base64.b64decode(str(packed), validate=True))
        with gzip.GzipFile(fileobj=raw) as stream:
            return _map(json.loads(stream.read(_LARGEST)))
    except (ValueError, OSError, EOFError, RecursionError, zlib.error, binascii.Error) as error:
        raise WorkflowError("refused", f"the nodes of this Workflow can't be unpacked: {error}") from error


def _called(call: Callable[[], T], refused: type[Exception], address: str) -> T:
    """Call a client and turn what it raises into a WorkflowError."""
    urllib3 = _module("urllib3", "workflows")
    try:
        return call()
    except refused as error:
        status = getattr(error, "status", None)
        if not status:
            raise WorkflowError("unreachable", f"{address} does not answer: {_line(error)}") from error
        words = _message(getattr(error, "body", "")) or getattr(error, "reason", "")
        reasons: dict[int, Reason] = {_CONFLICT: "exists", _NOT_FOUND: "not-found"}
        text = f"{address} refuses the request (HTTP {status}): {words}"
        raise WorkflowError(reasons.get(status, "refused"), text) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise WorkflowError("unreachable", f"{address} {words_of(error, TIMEOUT_S)}") from error
    except ValueError as error:
        raise WorkflowError("refused", f"{address} is not a usable address: {_line(error)}") from error


def _found(call: Callable[[], Any]) -> Body | None:
    try:
        return _plain(call())
    except WorkflowError as error:
        if error.reason == "not-found":
            return None
        raise


def _plain(reply: Any) -> Body:
    """Return a reply as plain values; the client wraps values that it does not validate."""
    value = reply.to_dict() if hasattr(reply, "to_dict") else reply
    if not isinstance(value, dict) or not isinstance(value.get("metadata"), dict):
        raise WorkflowError("refused", "the server's answer is not a Workflow")
    return value


def _message(body: Any) -> str:
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
    try:
        return _line(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return _line(text)


def _line(value: object) -> str:
    return " ".join(str(value).split())[:300]


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _module(name: str, extra: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        text = f"{error.name} is not installed: pip install 'sluicegate[{extra}]'"
        raise WorkflowError("no-client", text) from error
