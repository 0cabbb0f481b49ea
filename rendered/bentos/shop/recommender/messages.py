"""The messages of the service: what a client may send, and what it gets back.

Rendered by Sluice from the declared inputs of the model: edit the spec, not this file.
"""

from __future__ import annotations

import typing_extensions as t
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from starlette.responses import JSONResponse

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

Number = t.Annotated[float, Field(strict=True, ge=-3.4028235e+38, le=3.4028235e+38, allow_inf_nan=False)]
Text = t.Annotated[str, Field(max_length=100_000)]
Row = (
    t.Annotated[list[Number], Field(max_length=10_000)]
    | Text
    | t.Annotated[dict[str, bool | Number | Text], Field(max_length=10_000)]
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


class Feedback(BaseModel):
    """What happened after a prediction, and the `served_by` of that prediction as it was returned."""

    model_config = STRICT
    served_by: t.Annotated[str, Field(pattern=r"^[a-z0-9-]{1,63}\.[A-Za-z0-9_-]{70}$")]
    outcome: t.Literal[('click',)]


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
