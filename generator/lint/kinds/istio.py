"""VirtualService and DestinationRule (networking.istio.io)."""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.metadata import manifest
from generator.lint.kinds.scalars import (
    BOOL,
    COUNT,
    FILLED,
    GO_DURATION,
    INT,
    LABELS,
    NUMBER,
    PORT,
    TEXT,
    TEXT_MAP,
    TEXTS,
)
from generator.lint.kinds.table import Schema, checked, enum, listof, mapof, nullable, one_of, record

_MATCHER: Final = checked(record({"exact prefix regex": TEXT}), one_of("exact prefix regex", least=0))
_PERCENT: Final = record({"value": NUMBER})
_OPERATIONS: Final = record({"add set": TEXT_MAP, "remove": TEXTS})
_HEADERS: Final = record({"request response": _OPERATIONS})
_DESTINATION: Final = record({"host!": FILLED, "subset": TEXT, "port": record({"number": PORT})})
_CORS: Final = record(
    {
        "allowCredentials": BOOL,
        "maxAge": GO_DURATION,
        "unmatchedPreflights": enum("UNSPECIFIED", "FORWARD", "IGNORE"),
        "allowOrigin allowHeaders allowMethods exposeHeaders": TEXTS,
        "allowOrigins": listof(_MATCHER),
    }
)
_FAULT: Final = record(
    {
        "abort": record({"grpcStatus http2Error": TEXT, "httpStatus": INT, "percentage": _PERCENT}),
        "delay": record({"fixedDelay exponentialDelay": GO_DURATION, "percent": INT, "percentage": _PERCENT}),
    }
)
_HTTP_MATCH: Final = record(
    {
        "name sourceNamespace statPrefix": TEXT,
        "uri scheme method authority": _MATCHER,
        "headers queryParams withoutHeaders": mapof(_MATCHER),
        "port": PORT,
        "ignoreUriCase": BOOL,
        "gateways": TEXTS,
        "sourceLabels": LABELS,
    }
)
_REDIRECT: Final = record(
    {
        "authority uri scheme prefixRewrite": TEXT,
        "derivePort": enum("FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"),
        "port": PORT,
        "redirectCode": COUNT,
    }
)
_RETRIES: Final = record(
    {
        "attempts": COUNT,
        "perTryTimeout backoff": GO_DURATION,
        "retryOn": TEXT,
        "retryIgnorePreviousHosts retryRemoteLocalities": nullable(BOOL),
    }
)
_HTTP: Final = record(
    {
        "name": TEXT,
        "match": listof(_HTTP_MATCH),
        "route": listof(record({"destination!": _DESTINATION, "weight": COUNT, "headers": _HEADERS})),
        "redirect": _REDIRECT,
        "directResponse": record({"status!": COUNT, "body": record({"bytes string": TEXT})}),
        "delegate": record({"name namespace": TEXT}),
        "rewrite": record({"authority uri": TEXT, "uriRegexRewrite": record({"match rewrite": TEXT})}),
        "timeout": GO_DURATION,
        "retries": _RETRIES,
        "fault": _FAULT,
        "mirror": _DESTINATION,
        "mirrorPercentage": _PERCENT,
        "mirrorPercent mirror_percent": nullable(COUNT),
        "mirrors": listof(record({"destination!": _DESTINATION, "percentage": _PERCENT})),
        "corsPolicy": _CORS,
        "headers": _HEADERS,
    }
)
_STREAM_MATCH: Final[dict[str, Schema]] = {
    "destinationSubnets gateways": TEXTS,
    "port": PORT,
    "sourceLabels": LABELS,
    "sourceNamespace": TEXT,
}
_STREAM_ROUTE: Final = listof(record({"destination!": _DESTINATION, "weight": COUNT}))
_TLS: Final = record(
    {"match!": listof(record({**_STREAM_MATCH, "sniHosts!": TEXTS})), "route": _STREAM_ROUTE}
)
_TCP: Final = record(
    {"match": listof(record({**_STREAM_MATCH, "sourceSubnet": TEXT})), "route": _STREAM_ROUTE}
)
_VIRTUAL_SERVICE: Final = record(
    {"hosts gateways exportTo": TEXTS, "http": listof(_HTTP), "tls": listof(_TLS), "tcp": listof(_TCP)}
)

_TCP_POOL: Final = record(
    {
        "maxConnections": INT,
        "connectTimeout idleTimeout maxConnectionDuration": GO_DURATION,
        "tcpKeepalive": record({"probes": COUNT, "time interval": GO_DURATION}),
    }
)
_HTTP_POOL: Final = record(
    {
        "http1MaxPendingRequests http2MaxRequests maxRequestsPerConnection": INT,
        "maxRetries maxConcurrentStreams": INT,
        "idleTimeout": GO_DURATION,
        "h2UpgradePolicy": enum("DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"),
        "useClientProtocol": BOOL,
        "http2KeepAlive": record({"interval timeout": GO_DURATION}),
    }
)
_COOKIE: Final = record(
    {
        "name!": FILLED,
        "path": TEXT,
        "ttl": GO_DURATION,
        "attributes": listof(record({"name!": FILLED, "value": TEXT})),
    }
)
_HASH_KEYS: Final = "httpHeaderName httpCookie useSourceIp httpQueryParameterName"
_HASH: Final = checked(
    record(
        {
            "httpHeaderName httpQueryParameterName": TEXT,
            "httpCookie": _COOKIE,
            "useSourceIp": BOOL,
            "minimumRingSize": COUNT,
            "ringHash": record({"minimumRingSize": COUNT}),
            "maglev": record({"tableSize": COUNT}),
        }
    ),
    one_of(_HASH_KEYS),
)
_FAILOVER: Final[dict[str, Schema]] = {
    "enabled": nullable(BOOL),
    "failover": listof(record({"from to": TEXT})),
    "failoverPriority": TEXTS,
}
_LOAD_BALANCER: Final = checked(
    record(
        {
            "simple": enum(
                "UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST"
            ),
            "consistentHash": _HASH,
            "warmupDurationSecs": GO_DURATION,
            "warmup": record({"duration!": GO_DURATION, "aggression minimumPercent": nullable(NUMBER)}),
            "localityLbSetting": record(
                {**_FAILOVER, "distribute": listof(record({"from": TEXT, "to": mapof(COUNT)}))}
            ),
            "zoneAwareLbSetting": record({**_FAILOVER, "minClusterSize": nullable(COUNT)}),
        }
    ),
    one_of("simple consistentHash", least=0),
)
_OUTLIER: Final = record(
    {
        "consecutive5xxErrors consecutiveGatewayErrors consecutiveLocalOriginFailures": nullable(COUNT),
        "consecutiveErrors maxEjectionPercent minHealthPercent": INT,
        "interval baseEjectionTime": GO_DURATION,
        "splitExternalLocalOriginErrors": BOOL,
        "outlierDetectionHttpErrorCodes": listof(COUNT),
    }
)
_CLIENT_TLS: Final = record(
    {
        "mode": enum("DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"),
        "caCertificates caCrl clientCertificate credentialName privateKey sni": TEXT,
        "insecureSkipVerify": nullable(BOOL),
        "subjectAltNames": TEXTS,
    }
)
_PORT_POLICY: Final[dict[str, Schema]] = {
    "loadBalancer": _LOAD_BALANCER,
    "connectionPool": record({"tcp": _TCP_POOL, "http": _HTTP_POOL}),
    "outlierDetection": _OUTLIER,
    "tls": _CLIENT_TLS,
}
_POLICY: Final = record(
    {
        **_PORT_POLICY,
        "portLevelSettings": listof(record({**_PORT_POLICY, "port": record({"number": PORT})})),
        "tunnel": record({"targetHost!": FILLED, "targetPort!": PORT, "protocol": TEXT}),
        "proxyProtocol": record({"version": enum("V1", "V2")}),
        "retryBudget": record(
            {"percent": nullable(NUMBER), "minRetryConcurrency": COUNT, "budgetInterval": GO_DURATION}
        ),
    }
)
_DESTINATION_RULE: Final = record(
    {
        "host!": FILLED,
        "trafficPolicy": _POLICY,
        "subsets": listof(record({"name!": FILLED, "labels": LABELS, "trafficPolicy": _POLICY})),
        "exportTo": TEXTS,
        "workloadSelector": record({"matchLabels": LABELS}),
    }
)


def _kinds(version: str) -> tuple[Schema, Schema]:
    api = f"networking.istio.io/{version}"
    return (
        manifest(api, "VirtualService", {"spec!": _VIRTUAL_SERVICE}),
        manifest(api, "DestinationRule", {"spec!": _DESTINATION_RULE}),
    )


VIRTUAL_SERVICE, DESTINATION_RULE = _kinds("v1")
VIRTUAL_SERVICE_BETA, DESTINATION_RULE_BETA = _kinds("v1beta1")
VIRTUAL_SERVICE_ALPHA, DESTINATION_RULE_ALPHA = _kinds("v1alpha3")
