"""Gateway, HTTPRoute and ReferenceGrant (gateway.networking.k8s.io), both channels of 1.7."""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.metadata import SELECTOR, manifest
from generator.lint.kinds.scalars import (
    ANNOTATIONS,
    BOOL,
    COUNT,
    DNS_LABEL,
    DNS_NAME,
    FILLED,
    GATEWAY_DURATION,
    GROUP,
    HOSTNAME,
    KIND,
    LABELS,
    PORT,
    POSITIVE,
    TEXT,
    TEXT_MAP,
    TEXTS,
)
from generator.lint.kinds.table import Schema, by_type, checked, enum, listof, record, scalar, text, whole

_HEADER_NAME: Final = text("an HTTP header's name", r"^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$", 256)
_HEADER_VALUE: Final = scalar("str", "1 to 4096 characters", min_length=1, max_length=4096)
_METHOD: Final = enum("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
_STATUS: Final = whole("an HTTP status (400 to 599)", 400, 599)

_OBJECT: Final = record({"group!": GROUP, "kind!": KIND, "name!": DNS_NAME})
_SECRET_REF: Final = record({"group": GROUP, "kind": KIND, "name!": DNS_NAME, "namespace": DNS_LABEL})
_CA_REF: Final = record({"group!": GROUP, "kind!": KIND, "name!": DNS_NAME, "namespace": DNS_LABEL})


def _service_without_port(value: dict[str, object]) -> str:
    is_service = value.get("group", "") == "" and value.get("kind", "Service") == "Service"
    return "names a Service and so needs a port" if is_service and "port" not in value else ""


_BACKEND_ROWS: Final[dict[str, Schema]] = {
    "group": GROUP,
    "kind": KIND,
    "name!": DNS_NAME,
    "namespace": DNS_LABEL,
    "port": PORT,
}
_BACKEND: Final = checked(record(_BACKEND_ROWS), _service_without_port)
_PARENT: Final = record(
    {
        "group": GROUP,
        "kind": KIND,
        "name!": DNS_NAME,
        "namespace": DNS_LABEL,
        "sectionName": DNS_NAME,
        "port": PORT,
    }
)

_HEADERS: Final = listof(record({"name!": _HEADER_NAME, "value!": _HEADER_VALUE}))
_MODIFIER: Final = record({"add set": _HEADERS, "remove": TEXTS})
_PATH_MODIFIER: Final = checked(
    record(
        {
            "type!": enum("ReplaceFullPath", "ReplacePrefixMatch"),
            "replaceFullPath replacePrefixMatch": TEXT,
        }
    ),
    by_type({"ReplaceFullPath": "replaceFullPath", "ReplacePrefixMatch": "replacePrefixMatch"}),
)
_MIRROR: Final = record(
    {
        "backendRef!": _BACKEND,
        "percent": whole("a percentage (0 to 100)", 0, 100),
        "fraction": record({"numerator!": COUNT, "denominator": POSITIVE}),
    }
)
_EXTERNAL_AUTH: Final = record(
    {
        "protocol!": enum("HTTP", "GRPC"),
        "backendRef!": _BACKEND,
        "forwardBody": record({"maxSize": COUNT}),
        "grpc": record({"allowedHeaders": TEXTS}),
        "http": record({"path": TEXT, "allowedHeaders allowedResponseHeaders": TEXTS}),
    }
)
_CORS: Final = record(
    {
        "allowCredentials": BOOL,
        "maxAge": POSITIVE,
        "allowHeaders allowMethods allowOrigins exposeHeaders": TEXTS,
    }
)
_FILTERS: Final[dict[str, Schema]] = {
    "requestHeaderModifier responseHeaderModifier": _MODIFIER,
    "requestMirror": _MIRROR,
    "requestRedirect": record(
        {
            "scheme": enum("http", "https"),
            "hostname": HOSTNAME,
            "path": _PATH_MODIFIER,
            "port": PORT,
            "statusCode": enum(301, 302, 303, 307, 308),
        }
    ),
    "urlRewrite": record({"hostname": HOSTNAME, "path": _PATH_MODIFIER}),
    "extensionRef": _OBJECT,
    "cors": _CORS,
    "externalAuth": _EXTERNAL_AUTH,
}
FILTER_FIELDS: Final = {
    "RequestHeaderModifier": "requestHeaderModifier",
    "ResponseHeaderModifier": "responseHeaderModifier",
    "RequestMirror": "requestMirror",
    "RequestRedirect": "requestRedirect",
    "URLRewrite": "urlRewrite",
    "ExtensionRef": "extensionRef",
    "CORS": "cors",
    "ExternalAuth": "externalAuth",
}
_FILTER: Final = checked(record({"type!": enum(*FILTER_FIELDS), **_FILTERS}), by_type(FILTER_FIELDS))

_NAMED_MATCH: Final = {
    "type": enum("Exact", "RegularExpression"),
    "name!": _HEADER_NAME,
    "value!": _HEADER_VALUE,
}
_MATCH: Final = record(
    {
        "path": record({"type": enum("Exact", "PathPrefix", "RegularExpression"), "value": TEXT}),
        "headers queryParams": listof(record(_NAMED_MATCH)),
        "method": _METHOD,
    }
)
_WEIGHTED: Final = checked(
    record(
        {
            **_BACKEND_ROWS,
            "weight": whole("a weight (0 to 1000000)", 0, 1_000_000),
            "filters": listof(_FILTER),
        }
    ),
    _service_without_port,
)
_PERSISTENCE: Final = record(
    {
        "type": enum("Cookie", "Header"),
        "absoluteTimeout": GATEWAY_DURATION,
        "cookie": record({"lifetimeType": enum("Permanent", "Session"), "name": _HEADER_NAME, "path": TEXT}),
        "header": record({"name!": _HEADER_NAME}),
    }
)
_RULE: Final = record(
    {
        "name": DNS_NAME,
        "matches": listof(_MATCH),
        "filters": listof(_FILTER),
        "backendRefs": listof(_WEIGHTED),
        "timeouts": record({"request backendRequest": GATEWAY_DURATION}),
        "retry": record({"attempts": COUNT, "backoff": GATEWAY_DURATION, "codes": listof(_STATUS)}),
        "sessionPersistence": _PERSISTENCE,
    }
)
_ROUTE: Final = record(
    {
        "parentRefs": listof(_PARENT),
        "hostnames": listof(HOSTNAME),
        "rules": listof(_RULE),
        "useDefaultGateways": enum("All", "None"),
    }
)

_VALIDATION: Final = record(
    {
        "validation": record(
            {"caCertificateRefs!": listof(_CA_REF), "mode": enum("AllowValidOnly", "AllowInsecureFallback")}
        )
    }
)
_ROUTE_NAMESPACES: Final = record({"from": enum("All", "Selector", "Same"), "selector": SELECTOR})
_LISTENER_NAMESPACES: Final = record({"from": enum("All", "Selector", "Same", "None"), "selector": SELECTOR})
_AUTH_TYPES: Final = {"ExtensionRef": "extensionRef", "ExternalAuth": "externalAuth"}
_LISTENER_FILTER: Final = checked(
    record({"type!": enum(*_AUTH_TYPES), "extensionRef": _OBJECT, "externalAuth": _EXTERNAL_AUTH}),
    by_type(_AUTH_TYPES),
)
_LISTENER: Final = record(
    {
        "name!": DNS_NAME,
        "port!": PORT,
        "protocol!": FILLED,
        "hostname": HOSTNAME,
        "allowedRoutes": record(
            {"namespaces": _ROUTE_NAMESPACES, "kinds": listof(record({"group": GROUP, "kind!": KIND}))}
        ),
        "tls": record(
            {
                "mode": enum("Terminate", "Passthrough"),
                "certificateRefs": listof(_SECRET_REF),
                "options": TEXT_MAP,
            }
        ),
        "filters": record({"requests": listof(_LISTENER_FILTER)}),
    }
)
_GATEWAY: Final = record(
    {
        "gatewayClassName!": DNS_NAME,
        "listeners!": listof(_LISTENER),
        "addresses": listof(record({"type value routability": TEXT})),
        "allowedListeners": record({"namespaces": _LISTENER_NAMESPACES}),
        "defaultScope": enum("All", "None"),
        "infrastructure": record({"labels": LABELS, "annotations": ANNOTATIONS, "parametersRef": _OBJECT}),
        "tls": record(
            {
                "backend": record({"clientCertificateRef": _SECRET_REF}),
                "frontend": record(
                    {"default!": _VALIDATION, "perPort": listof(record({"port!": PORT, "tls!": _VALIDATION}))}
                ),
            }
        ),
    }
)
_GRANT: Final = record(
    {
        "from!": listof(record({"group!": GROUP, "kind!": KIND, "namespace!": DNS_LABEL}), 1),
        "to!": listof(record({"group!": GROUP, "kind!": KIND, "name": DNS_NAME}), 1),
    }
)

_API: Final = "gateway.networking.k8s.io"
HTTP_ROUTE: Final = manifest(f"{_API}/v1", "HTTPRoute", {"spec!": _ROUTE})
GATEWAY: Final = manifest(f"{_API}/v1", "Gateway", {"spec!": _GATEWAY})
REFERENCE_GRANT: Final = manifest(f"{_API}/v1", "ReferenceGrant", {"spec!": _GRANT}, status=False)
REFERENCE_GRANT_BETA: Final = manifest(f"{_API}/v1beta1", "ReferenceGrant", {"spec!": _GRANT}, status=False)
