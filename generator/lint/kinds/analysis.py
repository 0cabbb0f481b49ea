"""AnalysisTemplate, ClusterAnalysisTemplate and AnalysisRun (argoproj.io/v1alpha1).

Shape and types only, as for a Rollout: what the controller finds out when a run starts (limits and counts,
exactly one provider, conditions that compile) is a rule of the bundle.
"""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.metadata import GENERATED, manifest
from generator.lint.kinds.providers import PROVIDER
from generator.lint.kinds.rollout import RETENTION, TEMPLATE_REFS
from generator.lint.kinds.scalars import ARGO_DURATION, BOOL, FILLED, INT, INT_OR_TEMPLATED, TEXT
from generator.lint.kinds.table import Schema, checked, listof, one_of, record

_ARG: Final = checked(
    record(
        {
            "name!": FILLED,
            "value": TEXT,
            "valueFrom": checked(
                record(
                    {
                        "secretKeyRef": record({"name! key!": FILLED}),
                        "fieldRef": record({"fieldPath!": FILLED}),
                    }
                ),
                one_of("secretKeyRef fieldRef"),
            ),
        }
    ),
    one_of("value valueFrom", least=0),
)
_METRIC: Final = record(
    {
        "name!": FILLED,
        "provider!": PROVIDER,
        "interval initialDelay": ARGO_DURATION,
        "successCondition failureCondition": TEXT,
        "count failureLimit inconclusiveLimit": INT_OR_TEMPLATED,
        "consecutiveErrorLimit consecutiveSuccessLimit": INT_OR_TEMPLATED,
    }
)
_ROWS: Final[dict[str, Schema]] = {"args": listof(_ARG), **RETENTION}
_METRICS: Final = listof(_METRIC)
_SPEC: Final = record({**_ROWS, "metrics": _METRICS, "templates": TEMPLATE_REFS})
_RUN_SPEC: Final = record(
    {
        **_ROWS,
        "metrics!": _METRICS,
        "terminate": BOOL,
        "ttlStrategy": record({"secondsAfterCompletion secondsAfterFailure secondsAfterSuccess": INT}),
    }
)

_API: Final = "argoproj.io/v1alpha1"
ANALYSIS_TEMPLATE: Final = manifest(_API, "AnalysisTemplate", {"spec!": _SPEC})
CLUSTER_ANALYSIS_TEMPLATE: Final = manifest(_API, "ClusterAnalysisTemplate", {"spec!": _SPEC})
ANALYSIS_RUN: Final = manifest(_API, "AnalysisRun", {"spec!": _RUN_SPEC}, GENERATED)
