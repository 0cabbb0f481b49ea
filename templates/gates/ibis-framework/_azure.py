"""Files of Iceberg tables in Azure: pyiceberg takes the account in an address for a part of the container's name."""

from __future__ import annotations

from typing import Any

from _stores import azure, path_in
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.typedef import EMPTY_DICT


class Files(PyArrowFileIO):
    """Reads files by container and name; `pyiceberg` finds this class by its name."""

    @staticmethod
    def parse_location(location: str, properties: Any = EMPTY_DICT) -> tuple[str, str, str]:
        """Scheme, container with its account, and path of an address."""
        scheme, place, path = PyArrowFileIO.parse_location(location, properties)
        return scheme, place, path_in(location) if "://" in location else path

    def _initialize_fs(self, scheme: str, netloc: str | None = None) -> Any:
        return azure(f"{scheme}://{netloc}").files
