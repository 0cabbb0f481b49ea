"""ExternalSecret (external-secrets.io): a Secret that an operator fetches from a vault."""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.metadata import LOOSE_MARKS, manifest
from generator.lint.kinds.scalars import (
    BOOL,
    CONFIG_KEY,
    DNS_NAME,
    FILLED,
    GO_DURATION,
    TEXT,
    TEXT_MAP,
    TEXTS,
)
from generator.lint.kinds.table import Schema, checked, enum, extend, listof, one_of, record

_STORE: Final = record({"name": DNS_NAME, "kind": enum("SecretStore", "ClusterSecretStore")})
_GENERATOR: Final = record({"kind!": FILLED, "name!": DNS_NAME, "apiVersion": TEXT})
_SOURCE: Final = checked(
    record({"storeRef": _STORE, "generatorRef": _GENERATOR}), one_of("storeRef generatorRef")
)
_DECODING: Final[dict[str, Schema]] = {
    "conversionStrategy": enum("Default", "Unicode"),
    "decodingStrategy": enum("Auto", "Base64", "Base64URL", "None"),
}
_REMOTE: Final = record(
    {**_DECODING, "key!": FILLED, "property version": TEXT, "metadataPolicy": enum("None", "Fetch")}
)
_REWRITE: Final = checked(
    record(
        {
            "regexp": record({"source! target!": TEXT}),
            "transform": record({"template!": TEXT}),
            "merge": record(
                {
                    "into": TEXT,
                    "strategy": enum("Extract", "JSON"),
                    "conflictPolicy": enum("Ignore", "Error"),
                    "priorityPolicy": enum("IgnoreNotFound", "Strict"),
                    "priority": TEXTS,
                }
            ),
        }
    ),
    one_of("regexp transform merge"),
)
_DATA: Final = record({"secretKey!": CONFIG_KEY, "remoteRef!": _REMOTE, "sourceRef": _SOURCE})
_DATA_FROM: Final = record(
    {
        "extract": _REMOTE,
        "find": record({**_DECODING, "path": TEXT, "name": record({"regexp": TEXT}), "tags": TEXT_MAP}),
        "rewrite": listof(_REWRITE),
        "sourceRef": _SOURCE,
    }
)
_FROM_OBJECT: Final = record(
    {
        "name!": DNS_NAME,
        "items!": listof(record({"key!": CONFIG_KEY, "templateAs": enum("Values", "KeysAndValues")})),
    }
)
_TEMPLATE: Final = record(
    {
        "type": TEXT,
        "engineVersion": enum("v2"),
        "mergePolicy": enum("Replace", "Merge"),
        "data": TEXT_MAP,
        "metadata": extend(LOOSE_MARKS, {"finalizers": TEXTS}),
        "templateFrom": listof(record({"literal target": TEXT, "configMap secret": _FROM_OBJECT})),
    }
)
_EXTERNAL: Final = record(
    {
        "secretStoreRef": _STORE,
        "refreshInterval": GO_DURATION,
        "refreshPolicy": enum("CreatedOnce", "Periodic", "OnChange"),
        "data": listof(_DATA),
        "dataFrom": listof(_DATA_FROM),
        "target": record(
            {
                "name": DNS_NAME,
                "creationPolicy": enum("Owner", "Orphan", "Merge", "None"),
                "deletionPolicy": enum("Delete", "Merge", "Retain"),
                "immutable": BOOL,
                "template": _TEMPLATE,
                "manifest": record({"apiVersion! kind!": FILLED}),
            }
        ),
    }
)
EXTERNAL_SECRET: Final = manifest("external-secrets.io/v1", "ExternalSecret", {"spec!": _EXTERNAL})
EXTERNAL_SECRET_BETA: Final = manifest("external-secrets.io/v1beta1", "ExternalSecret", {"spec!": _EXTERNAL})
