"""What every object has: apiVersion, kind, metadata; and selectors, which most kinds have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from generator.lint.kinds.scalars import (
    ANNOTATIONS,
    ANY,
    BOOL,
    DNS_LABEL,
    DNS_NAME,
    FREE,
    INT,
    LABELS,
    QUALIFIED_NAME,
    TEXT,
    TEXT_MAP,
    TEXTS,
    TIME,
)
from generator.lint.kinds.table import (
    Schema,
    by_type,
    checked,
    enum,
    extend,
    listof,
    nullable,
    one_of,
    record,
)

_TIMESTAMP: Final = nullable(TIME)
_OWNER: Final = record({"apiVersion! kind! name! uid!": TEXT, "blockOwnerDeletion controller": BOOL})
_COMMON: Final[dict[str, Schema]] = {
    "namespace": DNS_LABEL,
    "generateName uid resourceVersion selfLink": TEXT,
    "labels": LABELS,
    "annotations": ANNOTATIONS,
    "finalizers": TEXTS,
    "ownerReferences": listof(_OWNER),
    "creationTimestamp deletionTimestamp": _TIMESTAMP,
    "generation deletionGracePeriodSeconds": INT,
    "managedFields": listof(FREE),
}

METADATA: Final = record({"name!": DNS_NAME, **_COMMON})
GENERATED: Final = checked(record({"name": DNS_NAME, **_COMMON}), one_of("name generateName"))
"""Metadata of a kind that runs once and may leave its name to the API server."""
POD_METADATA: Final = record({"name": DNS_NAME, **_COMMON})
MARKS: Final = record({"labels": LABELS, "annotations": ANNOTATIONS})
"""The labels and annotations that a controller puts on what it creates."""
LOOSE_MARKS: Final = record({"labels annotations": TEXT_MAP})
"""The same where values may hold placeholders of a template language."""
PARTIAL_METADATA: Final = extend(LOOSE_MARKS, {"name generateName namespace": TEXT, "finalizers": TEXTS})
"""What a custom resource definition keeps of the metadata of an object inside another."""


def _selector(values: Schema) -> Schema:
    operators = ("In", "NotIn", "Exists", "DoesNotExist")
    term = record({"key!": QUALIFIED_NAME, "operator!": enum(*operators), "values": TEXTS})
    lists = dict.fromkeys(operators[:2], "values")
    return record(
        {"matchLabels": values, "matchExpressions": listof(checked(term, by_type(lists, "operator")))}
    )


SELECTOR: Final = _selector(LABELS)
LOOSE_SELECTOR: Final = _selector(TEXT_MAP)


def named(name: Schema) -> Schema:
    """Metadata of a kind whose names follow a stricter or looser rule than a DNS name."""
    return record({"name!": name, **_COMMON})


def manifest(
    api_version: str,
    kind: str,
    rows: Mapping[str, Schema],
    metadata: Schema = METADATA,
    *,
    status: bool = True,
) -> Schema:
    """The table of a whole object: its type, its metadata, its own fields and, if it has one, its status."""
    head: dict[str, Schema] = {
        "apiVersion!": enum(api_version),
        "kind!": enum(kind),
        "metadata!": metadata,
    }
    tail = {"status": ANY} if status else {}
    return record({**head, **rows, **tail})
