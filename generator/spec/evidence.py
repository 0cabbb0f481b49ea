"""Evidence next to a spec: what the gates found about one model, as an in-toto statement.

Subject and predicate are where tools for in-toto attestations expect them, so that a platform may sign the document
later. The digests in it reveal accidents and careless edits; only a signature stops a determined forger.
"""

import datetime as dt
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field

from generator.spec.gates import GateKind
from generator.spec.record import Record
from generator.spec.types import Digest, Line, Name

STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://sluicegate.example/evidence/v1"

Verdict = Literal["pass", "fail", "inconclusive"]
Bound = Literal["atLeast", "atMost"]
Binding = Literal["digest", "time", "data", "none"]
Number = Annotated[float, Field(allow_inf_nan=False)]
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def _exists(text: str) -> str:
    """Check that the calendar has a time."""
    dt.datetime.fromisoformat(text)
    return text


Time = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"),
    AfterValidator(_exists),
]


class Interval(Record):
    """A confidence interval, both ends included."""

    low: Number = Field(description="lower end")
    high: Number = Field(description="upper end")


class Measure(Record):
    """One number against one bound."""

    name: Line = Field(
        description="what was measured: a metric, an attribute, a feature", examples=["accuracy"]
    )
    value: Number | None = Field(description="the estimate; null when there is none")
    interval: Interval | None = Field(None, description="its confidence interval, where one is known")
    bound: Bound = Field(description="which way the threshold bounds it")
    threshold: Number = Field(description="the bound")
    samples: dict[Line, Annotated[int, Field(ge=0, le=10**12)]] = Field(
        {}, description="sample sizes, by name"
    )
    parts: dict[Line, dict[Line, Number]] = Field({}, description="numbers of each group or category")
    details: dict[Line, Number | Line] = Field({}, description="further numbers, such as a p-value")
    verdict: Verdict = Field(description="whether the number meets its bound")
    reason: Line = Field(description="why, in one sentence")


class Source(Record):
    """A file that a gate read."""

    role: Literal["report", "predictions", "data", "snapshot", "unbound", "suite", "model"] = Field(
        description="its role; snapshot: a version of a table, whose files are not hashed; unbound: data of "
        "which nothing proves which rows were read"
    )
    path: Line = Field(description="its path, or its reference")
    digest: Digest = Field(
        description="digest of its content; of a snapshot, of the table's name and version; of unbound data, of its "
        "name or the query"
    )


class EvidenceEntry(Record):
    """The outcome of one gate."""

    name: Name = Field(description="name of the gate")
    kind: GateKind = Field(description="kind of the gate")
    configuration: Digest = Field(description="digest of the gate's configuration, as canonical JSON")
    tool: Line = Field(description="what measured", examples=["fairlearn"])
    tool_version: Line = Field(description="its version", examples=["0.15.0"])
    environment: Digest | None = Field(None, description="digest of the environment that it ran in")
    image: Line | None = Field(None, description="gate image that it ran in; its tag identifies the content")
    binding: Binding = Field(
        description="how it is tied to the model: by a digest, because it is newer than the lock, or by data alone"
    )
    sources: list[Source] = Field([], description="files that it read")
    measures: list[Measure] = Field([], description="numbers against bounds")
    verdict: Verdict = Field(description="the worst verdict of the measures; never pass without measures")
    reason: Line = Field(description="why, in one sentence")
    start: Time = Field(description="when the gate started (RFC 3339, UTC)")
    end: Time = Field(description="when it ended")
    digest: Digest = Field(description="digest of this entry without this key, as canonical JSON")


class SubjectDigest(Record):
    """Digests by algorithm."""

    sha256: Hex = Field(description="SHA-256 of the model's files")


class Subject(Record):
    """The model that was checked."""

    name: Line = Field(description="team/model", examples=["risk/fraud"])
    digest: SubjectDigest = Field(description="digest of its bytes")


class Span(Record):
    """A span of time."""

    start: Time = Field(description="first start of a gate")
    end: Time = Field(description="last end of a gate")


class Predicate(Record):
    """The outcomes of all gates."""

    gate_keys: list[Hex] = Field(
        min_length=1, description="gate keys that this is evidence for: one unless environments differ"
    )
    data: dict[Line, Digest] = Field({}, description="data sets, by reference")
    sluice: Line = Field(description="version of Sluice that ran them")
    created: Span = Field(description="when the gates ran")
    gates: list[EvidenceEntry] = Field(description="outcomes by gate")


class EvidenceFile(Record):
    """The evidence of one model's gates."""

    model_config = ConfigDict(alias_generator=None)
    schema_: Literal["sluice/evidence/v1"] = Field(alias="schema", description="version of this format")
    type_: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type", description="in-toto statement")
    predicate_type: Literal["https://sluicegate.example/evidence/v1"] = Field(
        alias="predicateType", description="type of the predicate"
    )
    subject: Annotated[list[Subject], Field(min_length=1, max_length=1)] = Field(description="the model")
    predicate: Predicate = Field(description="the outcomes")
    digest: Digest = Field(description="digest of this document without this key, as canonical JSON")
