"""Stand-ins for object stores, each started on this machine: moto for S3, fake-gcs-server for Google's, Azurite for Azure's."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import programs
from tests.prometheus.server import until
from tests.tools.environment import environment
from tests.world.processes import accepts, free_address, started

_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The account that every Azurite has, and its key, which is published."""


@contextmanager
def stores(folder: Path) -> Iterator[Mapping[str, str]]:
    """Yield the address of a bucket named `lake` in each store; variables of this process say where the stores are."""
    s3, google, azure = (free_address() for _ in range(3))
    port = {address: address.rpartition(":")[2] for address in (s3, google, azure)}
    moto = [str(environment("engines")), "-m", "moto.server", "-p", port[s3]]
    fake = [str(programs.folder("fakegcs") / "fake-gcs-server"), "-backend", "memory", "-scheme", "http"]
    fake += ["-host", "127.0.0.1", "-port", port[google], "-public-host", google]
    azurite = [
        "node",
        str(programs.folder("azurite") / "node_modules/azurite/dist/src/blob/main.js"),
        "--silent",
    ]
    azurite += ["--blobHost", "127.0.0.1", "--blobPort", port[azure], "--location", str(folder / "azurite")]
    azurite += ["--disableTelemetry", "--skipApiVersionCheck"]
    with (
        started(folder, "moto", f"http://{s3}/moto-api/", *moto),
        started(folder, "fake-gcs-server", f"http://{google}/_internal/healthcheck", *fake),
        started(folder, "azurite", "", *azurite),
    ):
        until(lambda: accepts(azure), 60, f"the start of Azurite (log in {folder})")
        os.environ |= {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }
        os.environ |= {"AWS_ENDPOINT_URL_S3": f"http://{s3}", "STORAGE_EMULATOR_HOST": f"http://{google}"}
        os.environ |= {
            "AZURE_STORAGE_ENDPOINT": f"http://{azure}/{_ACCOUNT}",
            "AZURE_STORAGE_ACCOUNT_KEY": _KEY,
        }
        yield {
            "S3": "s3://lake",
            "Google": "gs://lake",
            "Azure": f"abfss://lake@{_ACCOUNT}.dfs.core.windows.net",
        }
