"""The service of a model version: the values that the templates of a BentoML service use."""

from __future__ import annotations

import json
import re
from typing import ClassVar

from generator.dataclass import dataclass
from generator.plan.column import ESCAPED, PLAIN_VALUE, Column, Json, Scalar
from generator.plan.packages import PackageList
from generator.spec.frameworks import FRAMEWORKS

RESERVED_MODULES = frozenset(
    {
        "calls",
        "counters",
        "edge",
        "feedback",
        "import_model",
        "kinds",
        "messages",
        "predictor",
        "service",
        "tokens",
    }
)
"""Modules of the rendered service; the module of a custom model can't have one of these names."""

FEEDBACK_PORT = 3001
"""Port of the feedback route in a pod."""

MAX_FEEDBACK = 100
"""Outcomes in one request to the feedback route."""

HELD_SCRAPES = 2
"""Scrapes that must see a new series at 0 before it counts."""

OTHER = "other"
"""Group of undeclared and missing values of a sensitive attribute."""

MAX_BODY = 64 * 2**20
"""Bytes of the longest request, however many rows are declared."""

_FREE_BODY = 16 * 2**20
"""Bytes of the longest request when no inputs are declared."""

# For people who read the histogram: steps of at most half a decade, up to a minute.
_LATENCY_GRID = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


def version_label(version: str) -> str:
    """Return a version in characters that a label allows."""
    return re.sub(r"[^a-z0-9-]", "-", version.lower())[:63]


@dataclass(frozen=True, slots=True)
class Bento:
    """A model version and the service around it.

    Args:
        name: name of the service and the bento, `<team>-<model>`.
        class_name: Python class of the service.
        framework: how the model is loaded.
        tag: tag of the model in the local BentoML model store, `name:version`.
        version: label of the model version.
        digest: SHA-256 of the model artifact, in hexadecimal; of a folder, its tree digest.
        python_version: Python of the image, such as "3.11".
        base_image: image reference that the image is built from.
        requirements: pinned lines of requirements.txt; one of them pins bentoml.
        system_packages: packages of Debian in the image, sorted.
        packages: all packages with their hashes; None when only `requirements` are pinned, and what these need is not.
        custom_class: "module:Class" of a custom model, or of the network whose weights are the model.
        model_file: the model's file in its folder; None to find it by its content.
        references: (name, immutable reference) of each further model that the team's class loads.
        workers: server processes.
        threads: requests that one worker computes at a time.
        timeout_s: seconds after which a request fails.
        max_rows: largest number of rows in one request.
        buckets: latency bounds in seconds that guards need as histogram buckets.
        inputs: declared columns of a row; empty when rows may have any form.
        output: one prediction; None when it may be any JSON.
        outcomes: (name, event) pairs; the feedback route receives the event, the counter is labelled with the name.
        groups: sensitive attributes with their values, whose groups are compared.
        positive: predictions that count as selected.
        classes: names of the model's classes, in its own order; empty for its own names.
        threshold: probability from which the second of two classes is the prediction; None if the model decides.
        scrape_s: seconds between two scrapes by Prometheus.
        path: route of the predictions.
        token_window_s: seconds after a prediction in which its outcomes count.
        gpu: in some environment its pods have GPUs.
        endpoints: routes of predictions of a bento that the team has built; empty for rendered services.
        own_example: JSON of a request that such a bento answers; empty for none.
    """

    name: str
    class_name: str
    framework: str
    tag: str
    version: str
    digest: str
    python_version: str
    base_image: str
    requirements: tuple[str, ...]
    system_packages: tuple[str, ...] = ()
    packages: PackageList | None = None
    custom_class: str | None = None
    model_file: str | None = None
    references: tuple[tuple[str, str], ...] = ()
    workers: int = 1
    threads: int = 4
    timeout_s: float = 10.0
    max_rows: int = 256
    buckets: tuple[float, ...] = ()
    inputs: tuple[Column, ...] = ()
    output: Column | None = None
    outcomes: tuple[tuple[str, str], ...] = ()
    groups: tuple[tuple[str, tuple[Scalar, ...]], ...] = ()
    positive: tuple[Scalar, ...] = ()
    classes: tuple[Scalar, ...] = ()
    threshold: float | None = None
    scrape_s: float = 15.0
    path: str = "/predict"
    token_window_s: int = 86_400
    gpu: bool = False
    endpoints: tuple[str, ...] = ()
    own_example: str = ""

    port: ClassVar[int] = 3000
    user: ClassVar[int] = 1034
    """The user that BentoML's images create."""
    ready: ClassVar[str] = "/readyz"
    live: ClassVar[str] = "/livez"
    metrics_path: ClassVar[str] = "/metrics"

    def __post_init__(self) -> None:
        """Check what spec and rules have made sure of.

        Raises:
            ValueError: a value is invalid; only a bug of the planner can cause it.
        """
        framework = FRAMEWORKS.get(self.framework)
        wrong = "never" if self.custom_class is not None else "always"
        if framework and framework.own_class == wrong:
            raise ValueError(
                "a custom model names its class, and a model that brings its own loader does not"
            )
        if (
            self.custom_class is not None
            and not self.endpoints
            and self.custom_class.split(":")[0].split(".")[0] in RESERVED_MODULES
        ):
            raise ValueError(f"the module of {self.custom_class} has the name of a module of the service")
        if not any(re.match(r"bentoml(\[[a-z0-9,-]+\])?==", line) for line in self.requirements):
            raise ValueError("the requirements don't pin bentoml")
        if not re.fullmatch(r"[0-9a-f]{64}", self.digest):
            raise ValueError("the model's digest is not a SHA-256")

    @property
    def model_names(self) -> tuple[str, ...]:
        """The names of all models of the service, sorted; empty if it has one model."""
        return tuple(sorted(("model", *(name for name, _ in self.references)))) if self.references else ()

    @property
    def example(self) -> str:
        """JSON of a request that it answers; empty when no inputs are declared."""
        return json.dumps({"rows": [self.examples[0]]}) if self.examples else self.own_example

    @property
    def paths(self) -> tuple[str, ...]:
        """The routes of predictions."""
        return self.endpoints or (self.path,)

    @property
    def default_served_by(self) -> str:
        """The label of the arm outside Kubernetes, where there is no pod-template hash: the version."""
        return version_label(self.version)

    @property
    def build_version(self) -> str:
        """The version of the built bento: that of the model, in characters that BentoML allows in a tag."""
        return self.default_served_by.strip("-")

    @property
    def latency_buckets(self) -> tuple[float, ...]:
        """The histogram bounds in seconds: a grid up to the timeout, the timeout, and the bounds that guards need."""
        grid = (bound for bound in _LATENCY_GRID if bound < self.timeout_s)
        return tuple(sorted({*grid, float(self.timeout_s), *map(float, self.buckets)}))

    @property
    def feedback_port(self) -> int:
        """Port of the feedback route."""
        return FEEDBACK_PORT

    @property
    def max_feedback(self) -> int:
        """Outcomes in one request to the feedback route."""
        return MAX_FEEDBACK

    @property
    def hold_s(self) -> float:
        """Seconds that the increments of a new series are held back, until two scrapes have seen it at 0."""
        return HELD_SCRAPES * self.scrape_s

    @property
    def input_names(self) -> tuple[str, ...]:
        """The declared columns, in the order that a model without column names expects."""
        return tuple(column.name for column in self.inputs)

    @property
    def arrays(self) -> bool:
        """Whether a declared column is an array."""
        return any(column.shape for column in self.inputs)

    @property
    def nested(self) -> tuple[str, ...]:
        """The declared columns that are arrays or lists."""
        return tuple(column.name for column in self.inputs if column.shape or column.items is not None)

    @property
    def shapes(self) -> dict[str, tuple[int | None, ...]]:
        """The lengths of arrays; those of lists vary."""
        return {column.name: column.shape or (None,) for column in self.inputs if column.name in self.nested}

    @property
    def exact_types(self) -> dict[str, str]:
        """The type of numpy of integers and booleans; numbers have the one of the model."""
        own = {"integer": "int64", "boolean": "bool"}
        return {column.name: own[column.type] for column in self.inputs if column.type in own}

    @property
    def pictures(self) -> bool:
        """Whether a row is an image, as bytes or as an array."""
        return len(self.inputs) == 1 and (self.inputs[0].type == "image" or bool(self.inputs[0].shape))

    @property
    def width(self) -> int:
        """How many columns a matrix of all inputs has."""
        return sum(column.width for column in self.inputs)

    @property
    def files(self) -> tuple[str, ...]:
        """The columns whose bytes a request may send as they are: in a form, or alone as the body."""
        return tuple(
            c.name for c in self.inputs if c.type in {"bytes", "image"} and c.items is None and not c.shape
        )

    @property
    def text_parts(self) -> tuple[str, ...]:
        """The columns that a form has as texts, and the sensitive attributes next to them; other parts are JSON."""
        return tuple(c.name for c in self.inputs if c.plain and c.type in {"string", "date", "datetime"})

    @property
    def file_types(self) -> tuple[str, ...]:
        """The types of a body that is the only column; empty where a row needs more than one."""
        needed = [column for column in self.inputs if not column.nullable or column.name in self.files]
        if len(needed) != 1 or not self.files:
            return ()
        return (*(f"image/{name}" for name in needed[0].formats), "application/octet-stream")

    @property
    def kinds(self) -> tuple[str, ...]:
        """What `kinds.py` is needed for: types beyond those of JSON, and listed numbers; sorted."""
        own = {"date", "datetime", "bytes", "image", "json"}
        output = (self.output,) if self.output else ()
        parts = [part for column in (*self.inputs, *output) for part in column.parts()]
        listed = {"listed" for part in parts if part.values is not None and part.type != "string"}
        return tuple(sorted(listed | {part.type for part in parts if part.type in own}))

    @property
    def dtypes(self) -> dict[str, str]:
        """The dtype of each declared column in a table."""
        return {column.name: column.dtype for column in self.inputs}

    @property
    def max_body_bytes(self) -> int:
        """Bytes of the longest request: all rows, with the longest texts, and every character escaped."""
        group = sum(ESCAPED * (len(name) + 256) + PLAIN_VALUE for name in self.attributes_beside_rows)
        rows = self.max_rows * (sum(column.max_bytes_of_one for column in self.inputs) + group + PLAIN_VALUE)
        return min(MAX_BODY, rows + 4096) if self.inputs else _FREE_BODY

    @property
    def numeric(self) -> bool:
        """Whether no column is a string; rows without a declaration are numbers."""
        return all(column.type in {"number", "integer", "boolean"} for column in self.inputs)

    @property
    def group_labels(self) -> dict[str, dict[Scalar, str]]:
        """The label of each value of each sensitive attribute, by the value itself and by its text."""
        return {
            name: {key: str(value) for value in values for key in (value, str(value))}
            for name, values in self.groups
        }

    @property
    def attributes_beside_rows(self) -> tuple[str, ...]:
        """Sensitive attributes that are not inputs of the model; a request sends them next to its rows."""
        return tuple(name for name, _ in self.groups if name not in self.input_names)

    @property
    def events(self) -> dict[str, tuple[str, ...]]:
        """The outcomes that each event counts towards."""
        events: dict[str, tuple[str, ...]] = {}
        for name, event in self.outcomes:
            events[event] = (*events.get(event, ()), name)
        return events

    @property
    def event_names(self) -> tuple[str, ...]:
        """Events that the feedback route accepts."""
        return tuple(self.events)

    @property
    def examples(self) -> tuple[dict[str, Json], ...]:
        """The rows of the warm-up, at the corners of the declared inputs; empty when none are declared."""
        if not self.inputs:
            return ()
        pairs = {column.name: column.examples() for column in self.inputs}
        first: dict[str, Json] = {name: pair[0] for name, pair in pairs.items()}
        last: dict[str, Json] = {name: pair[1] for name, pair in pairs.items()}
        nulls = {column.name: None for column in self.inputs if column.nullable}
        return (first, last, {**first, **nulls}) if nulls else (first, last)
