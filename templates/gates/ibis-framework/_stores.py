"""The files of a source, and the object store that has them.

A store has its credentials from the environment: S3 from the variables of AWS, Google Cloud Storage from the default
credentials of Google (a service account of the cluster, or GOOGLE_APPLICATION_CREDENTIALS), Azure from
AZURE_STORAGE_ACCOUNT_KEY or the default credentials of Azure (a workload identity).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from _metadata import check_inside, iceberg_table
from common import Problem


@dataclass(frozen=True)
class Store:
    """What has the files of a table.

    `files` is its file system in pyarrow, None for this machine; `delta` and `iceberg` are its options in deltalake and
    in pyiceberg.
    """

    files: Any
    delta: dict[str, str]
    iceberg: dict[str, str]


def files_of(source: dict[str, Any]) -> tuple[list[str], Any]:
    """The files of a source, none of a table or a query, and the store that has them; None for this machine.

    Raises:
        Problem: a version of a table has rows that were deleted without a new file, or a file outside of its folder.
    """
    if not source.get("delta") and not source.get("iceberg"):
        return source.get("files") or [], None
    kind = "delta" if source.get("delta") else "iceberg"
    place, _, version = source[kind].rpartition("@")
    scheme = place.partition("://")[0] if "://" in place else ""
    store = STORES[scheme](place) if scheme else Store(None, {}, {})
    read = delta_files if kind == "delta" else iceberg_files
    files = sorted(map(path_in, read(place, int(version), store)))
    if not scheme:
        check_inside(files, Path(place))
    return files, store.files


def path_in(address: str) -> str:
    """The path of a file in its store: bucket and key, or container and name."""
    scheme, found, path = address.partition("://")
    if not found:
        return address
    return re.sub(r"^([^/@]+)@[^/]+", r"\1", path) if scheme in AZURE else path


def delta_files(place: str, version: int, store: Store) -> list[str]:
    """The files of a version of a Delta table."""
    from deltalake import DeltaTable

    table = DeltaTable(place, version=version, storage_options=store.delta)
    if "deletionVectors" in (table.protocol().reader_features or ()):
        raise Problem(f"{place} may have deletion vectors: switch them off, and purge the table")
    return table.file_uris()


def iceberg_files(place: str, snapshot: int, store: Store) -> list[str]:
    """The files of a snapshot of an Iceberg table."""
    tasks = list(iceberg_table(place, store.iceberg).scan(snapshot_id=snapshot).plan_files())
    if any(task.delete_files for task in tasks):
        raise Problem(f"{place} has deletes that are not in its files yet: compact the table")
    return [task.file.file_path for task in tasks]


def s3(_: str) -> Store:
    """S3, or what answers as it does at AWS_ENDPOINT_URL_S3."""
    from pyarrow.fs import S3FileSystem

    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    if not endpoint:
        return Store(S3FileSystem(), {}, {})
    delta = {"AWS_ALLOW_HTTP": "true", "AWS_ENDPOINT_URL": endpoint}
    return Store(S3FileSystem(endpoint_override=endpoint), delta, {"s3.endpoint": endpoint})


def google(_: str) -> Store:
    """Google Cloud Storage, or an emulator at STORAGE_EMULATOR_HOST, which needs no credentials."""
    from pyarrow.fs import GcsFileSystem

    endpoint = os.environ.get("STORAGE_EMULATOR_HOST", "")
    if not endpoint:
        return Store(GcsFileSystem(), {}, {})
    parts = urlsplit(endpoint)
    files = GcsFileSystem(anonymous=True, scheme=parts.scheme, endpoint_override=parts.netloc)
    unknown = {"client_email": "", "private_key": "", "private_key_id": "", "disable_oauth": True}
    delta = {
        "google_service_account_key": json.dumps({"gcs_base_url": endpoint, **unknown}),
        "allow_http": "true",
    }
    token = {"gcs.oauth2.token": "none", "gcs.oauth2.token-expires-at": "4102444800000"}
    return Store(files, delta, {"gcs.service.host": endpoint, **token})


def azure(place: str) -> Store:
    """Azure: the account is in the address, abfss://container@account.dfs.core.windows.net/folder.

    An emulator has the address AZURE_STORAGE_ENDPOINT, http://host:port/account.
    """
    from pyarrow.fs import AzureFileSystem

    account = urlsplit(place).netloc.partition("@")[2].partition(".")[0]
    key = os.environ.get("AZURE_STORAGE_ACCOUNT_KEY", "")
    endpoint = os.environ.get("AZURE_STORAGE_ENDPOINT", "")
    parts = urlsplit(endpoint)
    known = {"account_name": account} | ({"account_key": key} if key else {})
    where = {}
    for kind in ("blob", "dfs") if endpoint else ():
        where |= {f"{kind}_storage_authority": parts.netloc, f"{kind}_storage_scheme": parts.scheme}
    delta = {f"azure_storage_{name}": value for name, value in known.items()}
    delta |= {"azure_storage_endpoint": endpoint, "allow_http": "true"} if endpoint else {}
    return Store(AzureFileSystem(**known, **where), delta, {"py-io-impl": "_azure.Files"})


AZURE = ("abfs", "abfss", "wasb", "wasbs")
STORES: dict[str, Callable[[str], Store]] = {"s3": s3, "gs": google, "abfss": azure}
"""The stores by the scheme of their addresses."""
