"""The messages of the service: what a client may send, and what it gets back.

Rendered by Sluice from the declared inputs of the model: edit the spec, not this file.
"""

from __future__ import annotations

import pydantic
import typing_extensions as t
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import JSONResponse

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

Row = pydantic.with_config(STRICT)(
    t.TypedDict(
        "Row",
        {
            'text': t.Annotated[str, Field(max_length=5000)],
        },
    )
)


class Request(BaseModel):
    """Rows to predict."""

    model_config = STRICT
    rows: t.Annotated[list[Row], Field(min_length=1, max_length=256)]
    scores: t.Annotated[bool, Field(description="return the probabilities as well")] = False


class Prediction(BaseModel):
    """One prediction a row, and the version that made them, which feedback names."""

    predictions: list[JsonValue]
    scores: list[JsonValue] | None = None
    served_by: str


class JsonOnly:
    """Rejects bodies that are not JSON: a broken form would get a 500, which counts against the model."""

    def __init__(self, app: t.Any) -> None:
        self.app = app

    async def __call__(self, scope: dict, receive: t.Any, send: t.Any) -> None:
        app = self.app
        if scope["type"] == "http" and scope["method"] == "POST":
            kind = dict(scope["headers"]).get(b"content-type", b"application/json")
            if kind.split(b";")[0].strip().lower() != b"application/json":
                app = JSONResponse({"error": "the body must be application/json"}, status_code=415)
        await app(scope, receive, send)
