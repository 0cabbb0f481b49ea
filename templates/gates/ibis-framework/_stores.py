"""The files of a source, and the object store that has them."""

from __future__ import annotations

import os
from typing import Any

from common import Problem


def files_of(source: dict[str, Any]) -> tuple[list[str], Any]:
    """The files of a source, none of a table or a query, and the store that has them; None for this machine.

    Raises:
        Problem: a version of a table has rows that were deleted without a new file.
    """
    if not source.get("delta") and not source.get("iceberg"):
        return source.get("files") or [], None
    kind = "delta" if source.get("delta") else "iceberg"
    place, _, version = source[kind].rpartition("@")
    files = delta_files(place, int(version)) if kind == "delta" else iceberg_files(place, int(version))
    store = s3() if place.startswith("s3://") else None
    return sorted(file.removeprefix("file://").removeprefix("s3://") for file in files), store


def delta_files(place: str, version: int) -> list[str]:
    """The files of a version of a Delta table."""
    from deltalake import DeltaTable

    options = {"AWS_ALLOW_HTTP": "true", "AWS_ENDPOINT_URL": endpoint()} if endpoint() else {}
    table = DeltaTable(place, version=version, storage_options=options)
    if "deletionVectors" in (table.protocol().reader_features or ()):
        raise Problem(f"{place} may have deletion vectors: switch them off, and purge the table")
    return table.file_uris()


def iceberg_files(place: str, snapshot: int) -> list[str]:
    """The files of a snapshot of an Iceberg table."""
    from pyiceberg.table import StaticTable

    table = StaticTable.from_metadata(place, {"s3.endpoint": endpoint()} if endpoint() else {})
    tasks = list(table.scan(snapshot_id=snapshot).plan_files())
    if any(task.delete_files for task in tasks):
        raise Problem(f"{place} has deletes that are not in its files yet: compact the table")
    return [task.file.file_path for task in tasks]


def endpoint() -> str:
    """The address of the object store, unless it is that of AWS."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""


def s3() -> Any:
    """The object store, with the credentials of the environment."""
    from pyarrow.fs import S3FileSystem

    return S3FileSystem(**({"endpoint_override": endpoint()} if endpoint() else {}))
