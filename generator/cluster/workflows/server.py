"""Two ways to the same Workflows, each by its official client, imported when it is used."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from generator.cluster.workflows.failure import ALREADY_THERE, WorkflowError

T = TypeVar("T")
Body = dict[str, Any]
TIMEOUT_S: Final = 30.0
_GROUP, _VERSION, _PLURAL = "argoproj.io", "v1alpha1", "workflows"
_NOT_FOUND, _CONFLICT = 404, 409


class Server(Protocol):
    """Where Workflows are."""

    def create(self, workflow: Body) -> Body:
        """Create a Workflow in its namespace.

        Raises:
            WorkflowError: it was refused; code ALREADY_THERE where one of this name exists.
        """
        ...

    def get(self, namespace: str, name: str) -> Body | None:
        """A Workflow, or None where there is none of this name.

        Raises:
            WorkflowError: nobody answers, or it may not be read.
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
        """Create it."""
        namespace = workflow["metadata"]["namespace"]
        return _plain(self._call(lambda api: api.create_workflow(namespace, _request(workflow), **_UNTYPED)))

    def get(self, namespace: str, name: str) -> Body | None:
        """Get it."""
        return _or_none(lambda: _plain(self._call(lambda api: api.get_workflow(namespace, name, **_UNTYPED))))

    def _call(self, call: Callable[[Any], T]) -> T:
        client = _module("argo_workflows", "workflows")
        service = _module("argo_workflows.api.workflow_service_api", "workflows")
        errors = _module("argo_workflows.exceptions", "workflows")
        configuration = client.Configuration(host=self.address.rstrip("/"), ssl_ca_cert=self.ca or None)
        configuration.verify_ssl = not self.insecure
        configuration.retries = False
        if self.token:
            key = self.token.removeprefix("Bearer ")
            configuration.api_key, configuration.api_key_prefix = (
                {"BearerToken": key},
                {"BearerToken": "Bearer"},
            )
        with client.ApiClient(configuration) as api:
            return _asked(lambda: call(service.WorkflowServiceApi(api)), errors.ApiException, self.address)


# The client's own parsing of replies stops at times that are null, which a Workflow has until it ends.
_UNTYPED: Final[Mapping[str, Any]] = {
    "_check_return_type": False,
    "_request_timeout": TIMEOUT_S,
}


def _request(workflow: Body) -> Any:
    """The body of a request. The typed check was made at the render: here it would turn whole numbers into text."""
    models = _module("argo_workflows.models", "workflows")
    return models.IoArgoprojWorkflowV1alpha1WorkflowCreateRequest(workflow=workflow, _check_type=False)


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """Workflows as custom resources, by `kubernetes` and a kubeconfig.

    Args:
        context: of the kubeconfig; empty for its current one.
    """

    context: str = ""

    def create(self, workflow: Body) -> Body:
        """Create it; the API server refuses unknown fields."""
        arguments = (_GROUP, _VERSION, workflow["metadata"]["namespace"], _PLURAL, workflow)
        return _plain(
            self._call(
                lambda api: api.create_namespaced_custom_object(
                    *arguments, field_validation="Strict", _request_timeout=TIMEOUT_S
                )
            )
        )

    def get(self, namespace: str, name: str) -> Body | None:
        """Get it."""
        arguments = (_GROUP, _VERSION, namespace, _PLURAL, name)
        return _or_none(
            lambda: _plain(
                self._call(
                    lambda api: api.get_namespaced_custom_object(*arguments, _request_timeout=TIMEOUT_S)
                )
            )
        )

    def _call(self, call: Callable[[Any], T]) -> T:
        client, config = (
            _module("kubernetes.client", "kubernetes"),
            _module("kubernetes.config", "kubernetes"),
        )
        try:
            api = config.new_client_from_config(os.environ.get("KUBECONFIG") or None, self.context or None)
        except config.ConfigException as error:
            raise WorkflowError("UNREACHABLE", f"there is no usable kubeconfig: {error}") from error
        api.configuration.retries = False
        with api:
            return _asked(
                lambda: call(client.CustomObjectsApi(api)), client.ApiException, api.configuration.host
            )


def _asked(call: Callable[[], T], refused: type[Exception], address: str) -> T:
    """Call a client; whatever it raises becomes a sentence."""
    urllib3 = _module("urllib3", "workflows")
    try:
        return call()
    except refused as error:
        status = getattr(error, "status", None)
        if not status:
            raise WorkflowError("UNREACHABLE", f"{address} does not answer: {_line(error)}") from error
        said = _message(getattr(error, "body", "")) or getattr(error, "reason", "")
        code = {_CONFLICT: ALREADY_THERE, _NOT_FOUND: "NOT_FOUND"}.get(status, "REFUSED")
        raise WorkflowError(code, f"{address} answers {status}: {said}") from error
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise WorkflowError("UNREACHABLE", f"{address} does not answer: {_line(error)}") from error


def _or_none(call: Callable[[], Body]) -> Body | None:
    try:
        return call()
    except WorkflowError as error:
        if error.code == "NOT_FOUND":
            return None
        raise


def _plain(reply: Any) -> Body:
    """A reply as plain values: the client wraps what it was told not to check."""
    value = reply.to_dict() if hasattr(reply, "to_dict") else reply
    if not isinstance(value, dict) or not isinstance(value.get("metadata"), dict):
        raise WorkflowError("REFUSED", "the server's answer is no Workflow")
    return value


def _message(body: Any) -> str:
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
    try:
        return _line(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return _line(text)


def _line(value: object) -> str:
    return " ".join(str(value).split())[:300]


def _module(name: str, extra: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise WorkflowError(
            "NO_CLIENT", f"{error.name} is not installed: pip install 'sluicegate[{extra}]'"
        ) from error
