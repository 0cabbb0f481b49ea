"""Metric providers of an AnalysisTemplate: where a measurement comes from."""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.metadata import LOOSE_MARKS
from generator.lint.kinds.pods import LOOSE_JOB_SPEC
from generator.lint.kinds.scalars import (
    ANY,
    ARGO_DURATION,
    BOOL,
    FILLED,
    FREE,
    INT,
    INT_OR_TEXT,
    POSITIVE,
    TEXT,
    TEXT_MAP,
    TEXTS,
)
from generator.lint.kinds.table import enum, listof, record

_AUTHENTICATION: Final = record(
    {
        "sigv4": record({"region profile roleArn": TEXT}),
        "oauth2": record({"tokenUrl clientId clientSecret": TEXT, "scopes": TEXTS}),
    }
)
_HEADERS: Final = listof(record({"key! value!": TEXT}))
_PROMETHEUS: Final = record(
    {
        "address query": TEXT,
        "rangeQuery": record({"start end step": TEXT}),
        "timeout": INT,
        "insecure": BOOL,
        "headers": _HEADERS,
        "authentication": _AUTHENTICATION,
    }
)
_WEB: Final = record(
    {
        "url!": FILLED,
        "method": enum("GET", "POST", "PUT"),
        "jsonPath body": TEXT,
        "jsonBody": ANY,
        "timeoutSeconds": INT,
        "insecure": BOOL,
        "headers": _HEADERS,
        "authentication": _AUTHENTICATION,
    }
)
_DATADOG: Final = record(
    {
        "apiVersion": enum("v1", "v2"),
        "query formula requestTimeout": TEXT,
        "queries": TEXT_MAP,
        "interval": ARGO_DURATION,
        "aggregator": enum("avg", "min", "max", "sum", "last", "percentile", "mean", "l2norm", "area"),
        "secretRef": record({"name": TEXT, "namespaced": BOOL}),
    }
)
_METRIC_STAT: Final = record(
    {
        "metric": record(
            {"metricName namespace": TEXT, "dimensions": listof(record({"name value": TEXT}))},
        ),
        "period": INT_OR_TEXT,
        "stat unit": TEXT,
    }
)
_CLOUD_WATCH: Final = record(
    {
        "interval": ARGO_DURATION,
        "metricDataQueries!": listof(
            record(
                {
                    "id expression label": TEXT,
                    "period": INT_OR_TEXT,
                    "returnData": BOOL,
                    "metricStat": _METRIC_STAT,
                }
            )
        ),
    }
)
_KAYENTA_SCOPE: Final = record({"scope! region! start! end!": TEXT, "step!": POSITIVE})
_KAYENTA: Final = record(
    {
        "address! application! canaryConfigName!": FILLED,
        "metricsAccountName! configurationAccountName! storageAccountName!": FILLED,
        "threshold!": record({"pass! marginal!": INT}),
        "scopes!": listof(record({"name!": FILLED, "controlScope! experimentScope!": _KAYENTA_SCOPE})),
        "lookback": BOOL,
    }
)
PROVIDER: Final = record(
    {
        "prometheus": _PROMETHEUS,
        "web": _WEB,
        "job": record({"metadata": LOOSE_MARKS, "spec!": LOOSE_JOB_SPEC}),
        "kayenta": _KAYENTA,
        "datadog": _DATADOG,
        "newRelic": record({"query!": FILLED, "profile": TEXT, "timeout": INT}),
        "cloudWatch": _CLOUD_WATCH,
        "wavefront graphite": record({"address query": TEXT}),
        "influxdb": record({"profile query": TEXT}),
        "skywalking": record({"address query": TEXT, "interval": ARGO_DURATION}),
        "plugin": FREE,
    }
)
