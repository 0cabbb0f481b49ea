"""TraefikService and IngressRoute (traefik.io/v1alpha1)."""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.metadata import manifest
from generator.lint.kinds.scalars import (
    BOOL,
    COUNT,
    DNS_NAME,
    FILLED,
    INT,
    INT_OR_TEXT,
    TEXT,
    TEXT_MAP,
    TEXTS,
)
from generator.lint.kinds.table import Schema, checked, enum, extend, listof, one_of, record, whole

_OBJECT: Final = record({"name!": DNS_NAME, "namespace": TEXT})
_HEALTH: Final = record(
    {
        "scheme mode path method hostname": TEXT,
        "status port": INT,
        "interval unhealthyInterval timeout": INT_OR_TEXT,
        "followRedirects": BOOL,
        "headers": TEXT_MAP,
    }
)
_STICKY: Final = record(
    {
        "cookie": record(
            {
                "name domain path": TEXT,
                "secure httpOnly": BOOL,
                "sameSite": enum("none", "lax", "strict", "None", "Lax", "Strict"),
                "maxAge": INT,
            }
        )
    }
)
_SERVICE: Final = record(
    {
        "name!": FILLED,
        "kind": enum("Service", "TraefikService"),
        "namespace scheme serversTransport": TEXT,
        "port": INT_OR_TEXT,
        "weight": COUNT,
        "strategy": enum("wrr", "p2c", "hrw", "leasttime", "RoundRobin"),
        "passHostHeader nativeLB nodePortLB": BOOL,
        "sticky": _STICKY,
        "healthCheck": _HEALTH,
        "passiveHealthCheck": record({"failureWindow": INT_OR_TEXT, "maxFailedAttempts": INT}),
        "responseForwarding": record({"flushInterval": TEXT}),
        "middlewares": listof(_OBJECT),
    }
)
_MIRROR: Final = extend(_SERVICE, {"percent": whole("a percentage (0 to 100)", 0, 100)})
_MIRRORING: Final = extend(_SERVICE, {"mirrors": listof(_MIRROR), "mirrorBody": BOOL, "maxBodySize": INT})
_KINDS: Final[dict[str, Schema]] = {
    "weighted": record({"services": listof(_SERVICE), "sticky": _STICKY}),
    "mirroring": _MIRRORING,
    "highestRandomWeight": record({"services": listof(_SERVICE)}),
    "failover": record(
        {
            "service! fallback!": _SERVICE,
            "errors!": record({"status": TEXTS, "maxRequestBodyBytes": INT}),
        }
    ),
}
_ROUTE: Final = record(
    {
        "match!": FILLED,
        "kind": enum("Rule"),
        "syntax": TEXT,
        "priority": INT,
        "services": listof(_SERVICE),
        "middlewares": listof(_OBJECT),
        "observability": record(
            {"accessLogs metrics tracing": BOOL, "traceVerbosity": enum("minimal", "detailed")}
        ),
    }
)
_INGRESS: Final = record(
    {
        "routes!": listof(_ROUTE),
        "entryPoints": TEXTS,
        "ingressClassName": TEXT,
        "parentRefs": listof(_OBJECT),
        "tls": record(
            {
                "secretName certResolver": TEXT,
                "options store": _OBJECT,
                "domains": listof(record({"main": TEXT, "sans": TEXTS})),
            }
        ),
    }
)

_API: Final = "traefik.io/v1alpha1"
TRAEFIK_SERVICE: Final = manifest(
    _API, "TraefikService", {"spec!": checked(record(_KINDS), one_of(" ".join(_KINDS)))}, status=False
)
INGRESS_ROUTE: Final = manifest(_API, "IngressRoute", {"spec!": _INGRESS}, status=False)
