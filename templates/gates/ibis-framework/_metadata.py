"""What the metadata of a Delta or Iceberg table may decide: others write it.

It chooses no code, no server, and no file of this machine outside of the table's folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common import Problem

_LONGEST_HINT = 300


def check_inside(files: list[str], place: Path) -> None:
    """Check that files of this machine are below the folder of their table.

    Args:
        files: their paths.
        place: the folder, or the metadata file in its folder `metadata`.

    Raises:
        Problem: one is not, also by a link.
    """
    folder = (place.parent.parent if place.is_file() else place).resolve()
    for file in files:
        if not Path(file).resolve().is_relative_to(folder):
            raise Problem(f"{place.name} has a file outside of its folder: {Path(file).name}")


def iceberg_table(place: str, properties: Mapping[str, str]) -> Any:
    """An Iceberg table, read with our own settings.

    `StaticTable.from_metadata` (PyIceberg 0.12, table/__init__.py) also takes settings from the table's properties:
    `py-io-impl` names any function of Python to call, and `s3.endpoint` the server that gets our credentials.
    """
    from pyiceberg.catalog.noop import NoopCatalog
    from pyiceberg.io import load_file_io
    from pyiceberg.serializers import FromInputFile
    from pyiceberg.table import StaticTable

    reader = load_file_io(dict(properties), location=place)
    location = metadata_file(reader, place)
    metadata = FromInputFile.table_metadata(reader.new_input(location))
    return StaticTable(("table",), metadata, location, reader, NoopCatalog("none"))


def metadata_file(reader: Any, place: str) -> str:
    """The metadata file of an Iceberg table: the place itself, or what `version-hint.text` in its folder names.

    Raises:
        Problem: the hint is not a file name.
    """
    if place.endswith(".metadata.json"):
        return place
    with reader.new_input(f"{place}/metadata/version-hint.text").open() as stream:
        hint = stream.read(_LONGEST_HINT).decode().strip()
    if "/" in hint:
        raise Problem(f"{place} has no file name in version-hint.text")
    name = f"v{hint}" if hint.isdecimal() else hint.removesuffix(".metadata.json")
    return f"{place}/metadata/{name}.metadata.json"
