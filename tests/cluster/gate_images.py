"""The gate image of the scenarios, as its rendered build file makes it, and the inputs that its pods judge."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from generator.plan.build import gate_prefix
from generator.render.gate_images import GateImages
from generator.spec.gate_tools import BARE
from tests.cluster import image, programs, repository
from tests.cluster.client import Api
from tests.cluster.layout import Layout
from tests.cluster.sandbox import cache
from tests.gates.images import PLACE, built, layer

CLAIM = "gate-inputs"
"""Claim that the platform names by default."""


def images() -> GateImages:
    """The gate images of the platform of the scenarios."""
    platform = repository.platform(repository.LIVE)
    return GateImages(gate_prefix(platform), platform.images.base, repository.templates())


def archive() -> Path:
    """The image without any tool, which reads reports and makes the verdict; built where something of it is new."""
    made = built(BARE, images())
    key = hashlib.sha256(f"{made.reference}{made.folder}{programs.folder('base')}".encode()).hexdigest()[:12]
    folder = cache() / "images"
    folder.mkdir(exist_ok=True)
    target = folder / f"gates-{key}.tar"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            content = layer(made, Path(scratch) / "sluice")
            top = image.layer_of_folder(Path(scratch) / "sluice.layer", content, PLACE.lstrip("/"))
            config = {"Cmd": list(made.command), "User": made.user}
            packed = image.Image(
                made.reference, (programs.folder("base") / "base.tar", top), config, made.env
            )
            image.archive(Path(scratch) / "archive.tar", [packed]).rename(target)
    return target


def provide_claim(layout: Layout, api: Api, namespace: str) -> Path:
    """The claim of a team's namespace, bound to a folder of this machine; the folder."""
    folder = layout.work("gate-inputs") / namespace
    folder.mkdir(exist_ok=True)
    size = {"storage": "1Gi"}
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{CLAIM}-{namespace}"},
        "spec": {
            "capacity": size,
            "accessModes": ["ReadOnlyMany"],
            "storageClassName": "",
            "hostPath": {"path": str(folder)},
            "claimRef": {"namespace": namespace, "name": CLAIM},
        },
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": CLAIM, "namespace": namespace},
        "spec": {
            "accessModes": ["ReadOnlyMany"],
            "storageClassName": "",
            "volumeName": f"{CLAIM}-{namespace}",
            "resources": {"requests": size},
        },
    }
    api.apply(volume)
    api.apply(claim)
    return folder


def put(folder: Path, digest: str, reports: Mapping[str, object]) -> None:
    """What a training pipeline left about one model: JSON, or text as it is.

    Args:
        folder: of the claim.
        digest: of the model (hex).
        reports: content by file name.
    """
    home = folder / digest
    shutil.rmtree(home, ignore_errors=True)
    for name, content in reports.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(content if isinstance(content, str) else json.dumps(content))


def metrics(digest: str, accuracy: float) -> dict[str, object]:
    """A metrics file about one model."""
    return {"model": f"sha256:{digest}", "rows": 2000, "accuracy": accuracy}


def junit(digest: str, tests: int) -> str:
    """A report of tests that all passed, about one model."""
    cases = "".join(f'<testcase classname="model" name="test_{number}"/>' for number in range(tests))
    told = f'<properties><property name="sluice.model" value="sha256:{digest}"/></properties>'
    return f'<testsuites><testsuite failures="0" errors="0">{told}{cases}</testsuite></testsuites>'
