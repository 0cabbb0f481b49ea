"""Parts that a Workflow and its templates share: parameters, retries, locks, metrics."""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.artifacts import ARTIFACT
from generator.lint.kinds.containers import KEY_REF
from generator.lint.kinds.scalars import (
    ARGO_DURATION,
    BOOL,
    FILLED,
    FREE,
    INT_OR_TEMPLATED,
    INT_OR_TEXT,
    NUMBER,
    TEXT,
    TEXTS,
)
from generator.lint.kinds.table import Schema, checked, enum, listof, mapof, one_of, record

PARAMETER: Final = record(
    {
        "name!": FILLED,
        "value default description globalName": TEXT,
        "enum": TEXTS,
        "valueFrom": record(
            {
                "path parameter expression event jqFilter jsonPath default": TEXT,
                "supplied": FREE,
                "configMapKeyRef": KEY_REF,
            }
        ),
    }
)
PARAMETERS: Final = listof(PARAMETER)
ARGUMENTS: Final = record({"parameters": PARAMETERS, "artifacts": listof(ARTIFACT)})
TEMPLATE_REF: Final = record({"name! template!": FILLED, "clusterScope": BOOL})
HOOKS: Final = mapof(
    record(
        {
            "template": FILLED,
            "templateRef": TEMPLATE_REF,
            "expression": FILLED,
            "arguments": ARGUMENTS,
        }
    )
)
RETRY: Final = record(
    {
        "limit": INT_OR_TEMPLATED,
        "retryPolicy": enum("Always", "OnFailure", "OnError", "OnTransientError"),
        "expression": TEXT,
        "backoff": record({"duration cap maxDuration": ARGO_DURATION, "factor": INT_OR_TEXT}),
        "affinity": record({"nodeAntiAffinity": FREE}),
    }
)
_MUTEX: Final = record({"name": FILLED, "namespace": TEXT, "database": BOOL})
_SEMAPHORE: Final = checked(
    record({"configMapKeyRef": KEY_REF, "database": record({"key!": FILLED}), "namespace": TEXT}),
    one_of("configMapKeyRef database"),
)
SYNCHRONIZATION: Final = record(
    {
        "mutex": _MUTEX,
        "mutexes": listof(_MUTEX),
        "semaphore": _SEMAPHORE,
        "semaphores": listof(_SEMAPHORE),
    }
)
_METRIC_ROWS: Final[dict[str, Schema]] = {
    "name! help!": FILLED,
    "when": TEXT,
    "labels": listof(record({"key! value!": TEXT})),
    "counter": record({"value!": FILLED}),
    "gauge": record({"value!": FILLED, "realtime!": BOOL, "operation": enum("Set", "Add", "Sub")}),
    "histogram": record({"value!": FILLED, "buckets!": listof(NUMBER)}),
}
METRICS: Final = record(
    {"prometheus!": listof(checked(record(_METRIC_ROWS), one_of("counter gauge histogram")))},
)
