"""The messages of the service: what a client may send, and what it gets back.

Rendered by Sluice from the declared inputs of the model: edit the spec, not this file.
"""

from __future__ import annotations

import typing_extensions as t
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, WithJsonSchema

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

MAX = 3.4028235e+38  # of a 32-bit float
MAX_CELLS, MAX_CHARACTERS = 10_000, 100_000


def check_row(row: object) -> object:
    """Check that a row is a text, a list of numbers and nulls, or an object of numbers, texts, booleans and nulls.

    Raises:
        ValueError: it is something else, or too large.
    """
    if isinstance(row, str):
        cells: t.Iterable = [("text", row)]
    elif isinstance(row, list | dict):
        cells = row.items() if isinstance(row, dict) else enumerate(row)
    else:
        raise ValueError("a row is a text, a list of numbers, or an object")
    if not isinstance(row, str) and len(row) > MAX_CELLS:
        raise ValueError(f"a row has at most {MAX_CELLS} columns")
    for name, cell in cells:
        kind = type(cell)
        if kind is float or kind is int:
            if not -MAX <= cell <= MAX:
                raise ValueError(f"column {name!r}: the number must be between {-MAX} and {MAX}")
        elif kind is str and not isinstance(row, list):
            if len(cell) > MAX_CHARACTERS:
                raise ValueError(f"column {name!r}: the text is longer than {MAX_CHARACTERS} characters")
        elif cell is not None and (kind is not bool or isinstance(row, list)):
            raise ValueError(f"column {name!r}: {'a list holds numbers' if isinstance(row, list) else 'unknown type'}")
    return row


_NUMBER = {"type": ["number", "null"], "minimum": -MAX, "maximum": MAX}
_CELL = {"type": ["number", "null", "boolean", "string"], "minimum": -MAX, "maximum": MAX, "maxLength": MAX_CHARACTERS}
_ROW = [
    {"type": "array", "items": _NUMBER, "maxItems": MAX_CELLS},
    {"type": "string", "maxLength": MAX_CHARACTERS},
    {"type": "object", "additionalProperties": _CELL, "maxProperties": MAX_CELLS},
]
Row = t.Annotated[t.Any, AfterValidator(check_row), WithJsonSchema({"anyOf": _ROW})]


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


class Feedback(BaseModel):
    """What happened after a prediction, and the `served_by` of that prediction as it was returned."""

    model_config = STRICT
    served_by: t.Annotated[str, Field(pattern=r"^[a-z0-9-]{1,63}\.[A-Za-z0-9_-]{70}$")]
    outcome: t.Literal[('click',)]
