"""Scalars of the Kubernetes API and of the controllers: names, numbers, quantities, durations, ports, labels.

Sources: the Kubernetes API conventions; Kubernetes 1.37, apimachinery/pkg/util/validation (names, labels, port names)
and apimachinery/pkg/api/resource (quantities); Go's `time.ParseDuration`; the Prometheus configuration page
(Prometheus durations).
"""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.notation import Schema, either, listof, mapof, nullable, scalar, text, whole

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_HOST: Final = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED: Final = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_GO: Final = r"([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)"
_QUANTITY: Final = r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]+)?"

TEXT: Final = scalar("str", "a string")
FILLED: Final = scalar("str", "a string that is not empty", min_length=1)
BOOL: Final = scalar("bool", "true or false")
INT: Final = whole("a whole number", -(2**63), 2**63 - 1)
INT32: Final = whole("a whole number", -(2**31), 2**31 - 1)
COUNT: Final = whole("a whole number, 0 or more", 0, 2**63 - 1)
COUNT32: Final = whole("a whole number, 0 or more", 0, 2**31 - 1)
POSITIVE: Final = whole("a whole number, 1 or more", 1, 2**63 - 1)
NUMBER: Final = scalar("float", "a number")
ANY: Final = scalar("any", "anything")
FREE: Final = mapof(ANY)
"""A mapping with foreign content: a plugin's configuration, a driver's options."""
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
PATH_SEGMENT: Final = text("a name without '/' and '%'", r"^[^/%]+$", 253)
CONFIG_KEY: Final = text("a name made of letters, digits, '-', '_' and '.'", "^[-._a-zA-Z0-9]+$", 253)
ENV_NAME: Final = text("an environment variable's name (printable ASCII without '=')", "^[ -<>-~]+$")
SYNC_OPTION: Final = text("a sync option such as CreateNamespace=true", "^[A-Za-z]+=[^=]+$")

PORT: Final = whole("a port (1 to 65535)", 1, 65535)
PORT_NAME: Final = text(
    "a port name (lower-case letters, digits and single '-', at least one letter, at most 15 characters)",
    "^([0-9]+-?)*[a-z](-?[a-z0-9])*$",
    15,
)
PORT_OR_NAME: Final = either("a port (1 to 65535) or a port's name", PORT, PORT_NAME)
FILE_MODE: Final = whole("a file mode (octal 0 to 0777)", 0, 0o777)
INT_OR_TEXT: Final = either("a whole number or a string", INT, TEXT)
INT_OR_PERCENT: Final = either(
    "a whole number or a percentage such as 25%", COUNT, text("a percentage", "^[0-9]+%$")
)
INT_OR_PLACEHOLDER: Final = either(
    "a whole number or a placeholder", INT, text("a placeholder", r"^-?[0-9]+$|\{\{.*\}\}")
)
PLACEHOLDER: Final = text("a placeholder", r"\{\{")
SIGNED_QUANTITY: Final = either(
    "a quantity such as 500m, 2 or 512Mi", text("a quantity", f"^[-+]?{_QUANTITY}$"), INT
)
WHOLE_QUANTITY: Final = either(
    "a quantity such as 500m, 2 or 512Mi, not below zero", text("a quantity", rf"^\+?{_QUANTITY}$"), COUNT
)
QUANTITY: Final = either(
    WHOLE_QUANTITY["metadata"]["says"], *WHOLE_QUANTITY["choices"], scalar("float", "a number", ge=0)
)

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
TIME: Final = text(
    "a time such as 2026-11-29T08:30:00Z", r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[-+]\d\d:\d\d)$"
)

TIME_OR_NULL: Final = nullable(TIME)

QUALIFIED_NAME: Final = text(
    "a qualified name (at most 63 letters, digits, '-', '_' and '.', perhaps after a DNS name and '/')",
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
CONFIG_DATA: Final = mapof(TEXT, CONFIG_KEY)

PLAIN: Final[dict[str, Schema]] = {
    "any": ANY,
    "string": TEXT,
    "integer": INT,
    "boolean": BOOL,
    "number": NUMBER,
    "object": FREE,
    "int-or-string": INT_OR_TEXT,
    "quantity": QUANTITY,
}
"""Scalars without limits by the type of a definition."""
