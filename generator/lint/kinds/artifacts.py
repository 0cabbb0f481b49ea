"""Artifacts of a Workflow: files that travel between tasks through an object store."""

from __future__ import annotations

from typing import Final

from generator.lint.kinds.containers import HEADER, KEY_REF
from generator.lint.kinds.metadata import LOOSE_MARKS
from generator.lint.kinds.scalars import BOOL, FILLED, INT, TEXT, TEXTS
from generator.lint.kinds.table import Schema, enum, listof, record

_S3: Final = record(
    {
        "bucket endpoint key region roleARN": TEXT,
        "insecure useSDKCreds": BOOL,
        "accessKeySecret secretKeySecret sessionTokenSecret caSecret": KEY_REF,
        "createBucketIfNotPresent": record({"objectLocking": BOOL}),
        "encryptionOptions": record(
            {
                "enableEncryption": BOOL,
                "kmsEncryptionContext kmsKeyId": TEXT,
                "serverSideCustomerKeySecret": KEY_REF,
            }
        ),
    }
)
_OSS: Final = record(
    {
        "key!": FILLED,
        "bucket endpoint securityToken": TEXT,
        "accessKeySecret secretKeySecret": KEY_REF,
        "createBucketIfNotPresent useSDKCreds": BOOL,
        "lifecycleRule": record({"markDeletionAfterDays markInfrequentAccessAfterDays": INT}),
    }
)
_GIT: Final = record(
    {
        "repo!": FILLED,
        "branch revision": TEXT,
        "depth": INT,
        "disableSubmodules insecureIgnoreHostKey insecureSkipTLS singleBranch": BOOL,
        "fetch": TEXTS,
        "passwordSecret sshPrivateKeySecret usernameSecret": KEY_REF,
    }
)
_HTTP_AUTH: Final = record(
    {
        "basicAuth": record({"usernameSecret passwordSecret": KEY_REF}),
        "clientCert": record({"clientCertSecret clientKeySecret": KEY_REF}),
        "oauth2": record(
            {
                "clientIDSecret clientSecretSecret tokenURLSecret": KEY_REF,
                "scopes": TEXTS,
                "endpointParams": listof(record({"key!": FILLED, "value": TEXT})),
            }
        ),
    }
)
_HDFS: Final = record(
    {
        "path!": FILLED,
        "addresses": TEXTS,
        "dataTransferProtection hdfsUser krbRealm krbServicePrincipalName krbUsername": TEXT,
        "force": BOOL,
        "krbCCacheSecret krbKeytabSecret krbConfigConfigMap": KEY_REF,
    }
)
_STORES: Final[dict[str, Schema]] = {
    "s3": _S3,
    "gcs": record({"key!": FILLED, "bucket": TEXT, "serviceAccountKeySecret": KEY_REF}),
    "azure": record(
        {"blob! container! endpoint!": FILLED, "useSDKCreds": BOOL, "accountKeySecret": KEY_REF},
    ),
    "oss": _OSS,
    "git": _GIT,
    "hdfs": _HDFS,
    "http": record({"url!": FILLED, "headers": listof(HEADER), "auth": _HTTP_AUTH}),
    "artifactory": record({"url!": FILLED, "usernameSecret passwordSecret": KEY_REF}),
    "raw": record({"data!": TEXT}),
}
ARTIFACT_GC_ROWS: Final[dict[str, Schema]] = {
    "strategy": enum("", "OnWorkflowCompletion", "OnWorkflowDeletion", "Never"),
    "serviceAccountName": TEXT,
    "podMetadata": LOOSE_MARKS,
}
_ROWS: Final[dict[str, Schema]] = {
    **_STORES,
    "path subPath from fromExpression globalName": TEXT,
    "mode": INT,
    "recurseMode optional archiveLogs deleted": BOOL,
    "archive": record({"none zip": record({}), "tar": record({"compressionLevel": INT})}),
    "artifactGC": record(ARTIFACT_GC_ROWS),
}
ARTIFACT: Final = record({"name!": FILLED, **_ROWS})
ARCHIVE_LOCATION: Final = record({"archiveLogs": BOOL, **_STORES})
