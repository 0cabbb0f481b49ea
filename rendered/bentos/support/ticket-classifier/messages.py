"""The messages of the service: what a client may send, and what it gets back.

Rendered by Sluice from the declared inputs of the model: edit the spec, not this file.
"""

from __future__ import annotations

import pydantic
import typing_extensions as t
from pydantic import BaseModel, ConfigDict, Field, JsonValue

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
    classes: t.Annotated[list[JsonValue] | None, Field(description="what the columns of scores are about")] = None
    served_by: str


class Error(BaseModel):
    """What is wrong."""

    error: str


ERRORS = {  # status: when it comes
    "400": "the request is not as described, or the model does not accept its rows",
    "413": "the body is too long",
    "415": "the body is not JSON",
    "500": "the model failed",
    "504": "the prediction took too long",
}
