"""Scalars of the Kubernetes API: names, numbers, quantities, durations, ports, labels.

Sources: the Kubernetes API conventions and `apimachinery/pkg/util/validation` (names, labels, port names),
`apimachinery/pkg/api/resource` (quantities), Go's `time.ParseDuration`, GEP-2257 (Gateway API durations) and
the Prometheus configuration page (Prometheus durations).
"""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.table import Schema, either, listof, mapof, scalar, text, whole

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED: Final = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_GO: Final = r"([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)"
_AMOUNT: Final = r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]+)?"
_HOST: Final = rf"{_LABEL}(\.{_LABEL})*"

TEXT: Final = scalar("str", "a string")
FILLED: Final = scalar("str", "a string that is not empty", min_length=1)
BOOL: Final = scalar("bool", "true or false")
INT: Final = scalar("int", "a whole number")
COUNT: Final = scalar("int", "a whole number, 0 or more", ge=0)
POSITIVE: Final = scalar("int", "a whole number, 1 or more", ge=1)
NUMBER: Final = scalar("float", "a number")
ANY: Final = scalar("any", "anything")
FREE: Final = mapof(ANY)
"""A mapping whose content belongs to somebody else: a plugin's configuration, a driver's options."""

TEXTS: Final = listof(TEXT)
TEXT_MAP: Final = mapof(TEXT)

DNS_LABEL: Final = text(
    "a DNS label (lower-case letters, digits and '-', at most 63 characters)", f"^{_LABEL}$", 63
)
DNS_1035: Final = text(
    "a DNS-1035 label (a lower-case letter, then lower-case letters, digits and '-', at most 63 characters)",
    "^[a-z]([-a-z0-9]*[a-z0-9])?$",
    63,
)
DNS_NAME: Final = text(
    "a DNS name (lower-case letters, digits, '-' and '.', at most 253 characters)", f"^{_HOST}$", 253
)
HOSTNAME: Final = text("a host name, perhaps with a leading '*.'", rf"^(\*\.)?{_HOST}$", 253)
PATH_SEGMENT: Final = text("a name without '/' and '%'", r"^[^/%]+$", 253)
KIND: Final = text("a kind (letters, digits and '-')", "^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$", 63)
GROUP: Final = text("an API group (a DNS name, empty for the core group)", f"^({_HOST})?$", 253)
CONFIG_KEY: Final = text("a key (letters, digits, '-', '_' and '.')", "^[-._a-zA-Z0-9]+$", 253)
ENV_NAME: Final = text("an environment variable's name (printable ASCII without '=')", "^[ -<>-~]+$")

PORT: Final = whole("a port (1 to 65535)", 1, 65535)
PORT_NAME: Final = text(
    "a port name (lower-case letters, digits and single '-', at least one letter, at most 15 characters)",
    "^([0-9]+-?)*[a-z](-?[a-z0-9])*$",
    15,
)
PORT_OR_NAME: Final = either("a port (1 to 65535) or a port's name", PORT, PORT_NAME)
INT_OR_TEXT: Final = either("a whole number or a string", INT, TEXT)
INT_OR_PERCENT: Final = either(
    "a whole number or a percentage such as 25%",
    COUNT,
    text("a percentage", "^[0-9]+%$"),
)
INT_OR_TEMPLATED: Final = either(
    "a whole number or a placeholder", INT, text("a placeholder", r"^-?[0-9]+$|\{\{.*\}\}")
)
QUANTITY: Final = either(
    "a quantity such as 500m, 2 or 512Mi",
    text("a quantity", f"^[-+]?{_AMOUNT}$"),
    INT,
)
AMOUNT: Final = either(
    "a quantity such as 500m, 2 or 512Mi, not below zero",
    text("a quantity", rf"^\+?{_AMOUNT}$"),
    COUNT,
)
QUANTITIES: Final = mapof(AMOUNT, FILLED)

GO_DURATION: Final = text("a Go duration such as 90s, 15m or 1h30m", f"^[-+]?(0|({_GO})+)$")
ARGO_DURATION: Final = text(
    "a duration such as 90s, 15m or 1h30m, a number of seconds, or a placeholder",
    rf"^([0-9]+|({_GO})+)$|\{{\{{.*\}}\}}",
)
PAUSE_DURATION: Final = either(
    "a whole number of seconds or a Go duration such as 90s or 15m",
    COUNT,
    text("a duration", f"^([0-9]+|({_GO})+)$"),
)
GATEWAY_DURATION: Final = text("a Gateway API duration such as 10s or 1m30s", "^([0-9]{1,5}(h|m|s|ms)){1,4}$")
PROMETHEUS_DURATION: Final = text(
    "a Prometheus duration such as 30s, 5m or 1d",
    "^(0|([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$",
)
TIME: Final = text(
    "a time in RFC 3339 form", r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[-+]\d\d:\d\d)$"
)

QUALIFIED_NAME: Final = text(
    "a qualified name (a DNS prefix and '/', if any, then at most 63 letters, digits, '-', '_' and '.')",
    f"^({_HOST}/)?{_QUALIFIED}$",
    317,
)
LABEL_VALUE: Final = text(
    "a label value (at most 63 letters, digits, '-', '_' and '.', a letter or digit at both ends)",
    f"^({_QUALIFIED})?$",
    63,
)
LABELS: Final = mapof(LABEL_VALUE, QUALIFIED_NAME)
ANNOTATIONS: Final = mapof(TEXT, QUALIFIED_NAME)

REQUIRED_NAME: Final[dict[str, Schema]] = {"name!": DNS_NAME}
