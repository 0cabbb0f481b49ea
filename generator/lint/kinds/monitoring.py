"""PodMonitor, ServiceMonitor and PrometheusRule (monitoring.coreos.com/v1)."""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.containers import KEY_REF
from generator.lint.kinds.metadata import SELECTOR, manifest
from generator.lint.kinds.scalars import (
    BOOL,
    COUNT,
    FILLED,
    INT,
    INT_OR_TEXT,
    PORT,
    PORT_OR_NAME,
    PROMETHEUS_DURATION,
    QUANTITY,
    TEXT,
    TEXT_MAP,
    TEXTS,
)
from generator.lint.kinds.table import Schema, checked, enum, listof, mapof, one_of, record

_ACTIONS: Final = (
    "replace Replace keep Keep drop Drop hashmod HashMod labelmap LabelMap labeldrop LabelDrop "
    "labelkeep LabelKeep lowercase Lowercase uppercase Uppercase keepequal KeepEqual dropequal DropEqual"
)
_RELABEL: Final = listof(
    record(
        {
            "sourceLabels": TEXTS,
            "separator targetLabel regex replacement": TEXT,
            "modulus": INT,
            "action": enum(*_ACTIONS.split()),
        }
    )
)
_TLS_VERSION: Final = enum("TLS10", "TLS11", "TLS12", "TLS13")
_EITHER_REF: Final = checked(record({"secret configMap": KEY_REF}), one_of("secret configMap", least=0))
_TLS_ROWS: Final[dict[str, Schema]] = {
    "ca cert": _EITHER_REF,
    "keySecret": KEY_REF,
    "serverName": TEXT,
    "insecureSkipVerify": BOOL,
    "minVersion maxVersion": _TLS_VERSION,
}
_TLS: Final = record(_TLS_ROWS)
_PROXY: Final[dict[str, Schema]] = {
    "proxyUrl noProxy": TEXT,
    "proxyFromEnvironment": BOOL,
    "proxyConnectHeader": mapof(listof(KEY_REF)),
}
_OAUTH2: Final = record(
    {
        **_PROXY,
        "clientId!": _EITHER_REF,
        "clientSecret!": KEY_REF,
        "tokenUrl!": FILLED,
        "scopes": TEXTS,
        "endpointParams": TEXT_MAP,
        "tlsConfig": _TLS,
    }
)
_ENDPOINT: Final[dict[str, Schema]] = {
    **_PROXY,
    "port path": TEXT,
    "targetPort": PORT_OR_NAME,
    "scheme": enum("http", "https", "HTTP", "HTTPS"),
    "params": mapof(TEXTS),
    "interval scrapeTimeout": PROMETHEUS_DURATION,
    "honorLabels honorTimestamps trackTimestampsStaleness filterRunning followRedirects enableHttp2": BOOL,
    "relabelings metricRelabelings": _RELABEL,
    "authorization": record({"type": TEXT, "credentials": KEY_REF}),
    "basicAuth": record({"username password": KEY_REF}),
    "oauth2": _OAUTH2,
    "bearerTokenSecret": KEY_REF,
    "tlsConfig": _TLS,
}
_PROTOCOL: Final = enum(
    "PrometheusProto",
    "OpenMetricsText0.0.1",
    "OpenMetricsText1.0.0",
    "PrometheusText0.0.4",
    "PrometheusText1.0.0",
)
_MONITOR: Final[dict[str, Schema]] = {
    "selector!": SELECTOR,
    "selectorMechanism": enum("RelabelConfig", "RoleSelector"),
    "namespaceSelector": record({"any": BOOL, "matchNames": TEXTS}),
    "jobLabel scrapeClass bodySizeLimit": TEXT,
    "podTargetLabels": TEXTS,
    "sampleLimit targetLimit labelLimit labelNameLengthLimit labelValueLengthLimit keepDroppedTargets": COUNT,
    "scrapeProtocols": listof(_PROTOCOL),
    "fallbackScrapeProtocol": _PROTOCOL,
    "scrapeNativeHistograms scrapeClassicHistograms convertClassicHistogramsToNHCB extraScrapeMetrics": BOOL,
    "nativeHistogramBucketLimit": COUNT,
    "nativeHistogramMinBucketFactor": QUANTITY,
    "attachMetadata": record({"node": BOOL}),
}
_POD_ENDPOINT: Final = record({**_ENDPOINT, "portNumber": PORT})
_SERVICE_ENDPOINT: Final = record(
    {
        **_ENDPOINT,
        "bearerTokenFile": TEXT,
        "tlsConfig": record({**_TLS_ROWS, "caFile certFile keyFile": TEXT}),
    }
)
_RULE: Final = checked(
    record(
        {
            "expr!": INT_OR_TEXT,
            "alert record": FILLED,
            "for keep_firing_for": PROMETHEUS_DURATION,
            "labels annotations": TEXT_MAP,
        }
    ),
    one_of("alert record"),
)
_RULE_GROUP: Final = record(
    {
        "name!": FILLED,
        "rules": listof(_RULE),
        "interval query_offset": PROMETHEUS_DURATION,
        "labels": TEXT_MAP,
        "limit": INT,
        "partial_response_strategy": enum("", "abort", "warn", "ABORT", "WARN"),
    }
)

_API: Final = "monitoring.coreos.com/v1"
POD_MONITOR: Final = manifest(
    _API, "PodMonitor", {"spec!": record({**_MONITOR, "podMetricsEndpoints": listof(_POD_ENDPOINT)})}
)
SERVICE_MONITOR: Final = manifest(
    _API,
    "ServiceMonitor",
    {
        "spec!": record(
            {
                **_MONITOR,
                "endpoints!": listof(_SERVICE_ENDPOINT),
                "targetLabels": TEXTS,
                "serviceDiscoveryRole": enum("Endpoints", "EndpointSlice"),
            }
        )
    },
)
PROMETHEUS_RULE: Final = manifest(_API, "PrometheusRule", {"spec!": record({"groups": listof(_RULE_GROUP)})})
