"""What a request passes before the model sees it, and the form of all answers: type, size and content of the body.

Rendered by Sluice. Every error is `{"error": "..."}`. Clients' values are not logged.
"""

from __future__ import annotations

import typing as t

import messages
from pydantic import ValidationError
from pydantic.json_schema import models_json_schema
from starlette.responses import JSONResponse, Response

PATH = '/predict'
MAX_BODY_BYTES = 1788928  # the longest body that the declaration allows
DISCARDED_BYTES = 2**26  # of a longer body, so that a client that sends before it reads gets its answer
_SHOWN = 5  # mistakes in one answer


def error(status: int, text: str) -> Response:
    """Return an error in the form of all errors."""
    return JSONResponse({"error": text}, status_code=status)


def _mistakes(invalid: ValidationError) -> str:
    found = invalid.errors(include_url=False, include_context=False, include_input=False)
    lines = []
    for mistake in found[:_SHOWN]:
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in mistake["loc"])
        lines.append(f"{place.lstrip('.') or 'the body'}: {mistake['msg'].removeprefix('Value error, ')[:300]}")
    more = f"; {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return "; ".join(lines) + more


async def _whole(receive: t.Any) -> bytes | Response:
    """Return the body of a request, or what is wrong with it."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body") and len(message["body"]) <= MAX_BODY_BYTES:
        return message["body"]
    parts, size = [], 0
    while message["type"] == "http.request":
        part = message.get("body", b"")
        size += len(part)
        if size <= MAX_BODY_BYTES:
            parts.append(part)
        else:
            parts.clear()
        if size > MAX_BODY_BYTES + DISCARDED_BYTES or not message.get("more_body"):
            return b"".join(parts) if size <= MAX_BODY_BYTES else error(413, f"the body is longer than {MAX_BODY_BYTES} bytes")
        message = await receive()
    return error(400, "the body has no end")


async def _read(scope: dict, receive: t.Any) -> messages.Request | Response:
    """Return a request, or what is wrong with it."""
    headers = dict(scope["headers"])
    kind = headers.get(b"content-type", b"application/json").split(b";")[0].strip().lower()
    if kind != b"application/json" or headers.get(b"content-encoding", b"identity") != b"identity":
        return error(415, "the body must be application/json, and not compressed")
    body = await _whole(receive)
    if isinstance(body, Response):
        return body
    try:
        return messages.Request.model_validate_json(body)
    except ValidationError as invalid:
        return error(400, _mistakes(invalid))


class Edge:
    """Answers all requests for predictions, so that nothing of them reaches BentoML, which would read and log them again.

    BentoML's metrics, traces, access log and time-out are around it.
    """

    serve: t.ClassVar[t.Callable[[messages.Request], t.Awaitable[Response]]]
    """The model, as soon as it is in memory."""

    def __init__(self, app: t.Any) -> None:
        self.app = app

    async def __call__(self, scope: dict, receive: t.Any, send: t.Any) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if (scope["method"], scope["path"]) == ("GET", "/docs.json"):
            return await JSONResponse(document())(scope, receive, send)
        if (scope["method"], scope["path"]) != ("POST", PATH):
            return await self.app(scope, receive, _in_one_form(scope, receive, send))
        request = await _read(scope, receive)
        answer = request if isinstance(request, Response) else await Edge.serve(request)
        return await answer(scope, receive, send)


def _in_one_form(scope: dict, receive: t.Any, send: t.Any) -> t.Any:
    """Give the server's own errors, such as 404, the form of all errors."""
    status = 0

    async def changed(message: dict) -> None:
        nonlocal status
        if message["type"] == "http.response.start" and message["status"] >= 400:
            status = message["status"]
        elif not status:
            await send(message)
        elif not message.get("more_body"):
            text = message.get("body", b"").decode(errors="replace")
            await error(status, text or "the request failed")(scope, receive, send)

    return changed


def document() -> dict:
    """Return the OpenAPI description of the predictions: the messages, and every status."""
    kinds = [(messages.Request, "validation"), (messages.Prediction, "serialization"), (messages.Error, "serialization")]
    schemas = models_json_schema(kinds, ref_template="#/components/schemas/{model}")[1]["$defs"]

    def content(name: str) -> dict:
        return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}

    served_by = {"description": "the version that predicted", "required": True, "schema": {"type": "string"}}
    answers = {"200": {"description": "predictions", "headers": {"X-Served-By": served_by}, "content": content("Prediction")}}
    for status, text in messages.ERRORS.items():
        answers[status] = {"description": text, "content": content("Error")}
    body = {"required": True, "content": content("Request")}
    return {
        "openapi": "3.1.0",
        "info": {"title": 'risk-fraud', "version": '12'},
        "paths": {PATH: {"post": {"operationId": "predict", "requestBody": body, "responses": answers}}},
        "components": {"schemas": schemas},
    }
