"""Volumes of a pod (core/v1 Volume)."""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.metadata import LOOSE_SELECTOR, PARTIAL_METADATA, SELECTOR
from generator.lint.kinds.scalars import (
    AMOUNT,
    BOOL,
    CONFIG_KEY,
    DNS_LABEL,
    DNS_NAME,
    FILLED,
    FREE,
    POSITIVE,
    QUANTITIES,
    TEXT,
    TEXT_MAP,
)
from generator.lint.kinds.table import Schema, checked, enum, extend, listof, one_of, record, whole

_MODE: Final = whole("a file mode (octal 0 to 0777)", 0, 0o777)
_ITEMS: Final = listof(record({"key!": CONFIG_KEY, "path!": FILLED, "mode": _MODE}))
FIELD_REF: Final = record({"fieldPath!": FILLED, "apiVersion": TEXT})
RESOURCE_REF: Final = record({"resource!": FILLED, "containerName": TEXT, "divisor": AMOUNT})
LOCAL_REF: Final = record({"name": DNS_NAME})

_DOWNWARD: Final = listof(
    checked(
        record(
            {"path!": FILLED, "mode": _MODE, "fieldRef": FIELD_REF, "resourceFieldRef": RESOURCE_REF},
        ),
        one_of("fieldRef resourceFieldRef"),
    )
)
_OPTIONAL_ITEMS: Final[dict[str, Schema]] = {"items": _ITEMS, "optional": BOOL}
_PROJECTIONS: Final[dict[str, Schema]] = {
    "configMap secret": record({"name!": DNS_NAME, **_OPTIONAL_ITEMS}),
    "downwardAPI": record({"items": _DOWNWARD}),
    "serviceAccountToken": record({"path!": FILLED, "audience": TEXT, "expirationSeconds": POSITIVE}),
    "clusterTrustBundle": record(
        {"path!": FILLED, "name signerName": TEXT, "labelSelector": SELECTOR, "optional": BOOL}
    ),
    "podCertificate": FREE,
}
_DATA_SOURCE: Final = record({"kind! name!": FILLED, "apiGroup": TEXT})
CLAIM_SPEC: Final = record(
    {
        "accessModes": listof(enum("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")),
        "resources": record({"limits requests": QUANTITIES}),
        "storageClassName volumeAttributesClassName volumeName": TEXT,
        "volumeMode": enum("Filesystem", "Block"),
        "selector": LOOSE_SELECTOR,
        "dataSource": _DATA_SOURCE,
        "dataSourceRef": extend(_DATA_SOURCE, {"namespace": TEXT}),
    }
)
_CLAIM_TEMPLATE: Final = record({"metadata": PARTIAL_METADATA, "spec!": CLAIM_SPEC})
_SOURCES: Final[dict[str, Schema]] = {
    "configMap": record({"name!": DNS_NAME, "defaultMode": _MODE, **_OPTIONAL_ITEMS}),
    "secret": record({"secretName!": DNS_NAME, "defaultMode": _MODE, **_OPTIONAL_ITEMS}),
    "emptyDir": record({"medium": enum("", "Memory", "HugePages"), "sizeLimit": AMOUNT}),
    "downwardAPI": record({"items": _DOWNWARD, "defaultMode": _MODE}),
    "projected": record(
        {
            "sources": listof(checked(record(_PROJECTIONS), one_of(" ".join(_PROJECTIONS)))),
            "defaultMode": _MODE,
        }
    ),
    "persistentVolumeClaim": record({"claimName!": DNS_NAME, "readOnly": BOOL}),
    "ephemeral": record({"volumeClaimTemplate": _CLAIM_TEMPLATE}),
    "image": record({"reference": TEXT, "pullPolicy": enum("Always", "IfNotPresent", "Never")}),
    "hostPath": record({"path!": FILLED, "type": TEXT}),
    "nfs": record({"server! path!": FILLED, "readOnly": BOOL}),
    "csi": record(
        {
            "driver!": FILLED,
            "fsType": TEXT,
            "readOnly": BOOL,
            "volumeAttributes": TEXT_MAP,
            "nodePublishSecretRef": LOCAL_REF,
        }
    ),
    # In-tree drivers, most of them gone from current clusters: their options are not looked at.
    "awsElasticBlockStore azureDisk azureFile cephfs cinder fc flexVolume flocker "
    "gcePersistentDisk gitRepo glusterfs "
    "iscsi photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume": FREE,
}
VOLUME: Final = checked(record({"name!": DNS_LABEL, **_SOURCES}), one_of(" ".join(_SOURCES)))

VOLUME_MOUNT: Final = record(
    {
        "name! mountPath!": FILLED,
        "subPath subPathExpr": TEXT,
        "readOnly": BOOL,
        "recursiveReadOnly": enum("Disabled", "IfPossible", "Enabled"),
        "mountPropagation": enum("None", "HostToContainer", "Bidirectional"),
    }
)
VOLUME_DEVICE: Final = record({"name! devicePath!": FILLED})
