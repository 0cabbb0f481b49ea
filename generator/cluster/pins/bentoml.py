"""Models of a BentoML model store: its files are read, the library is not needed."""

from __future__ import annotations

import re
from pathlib import Path

from generator.cluster.pins.digest import path_digest
from generator.cluster.pins.failure import MALFORMED, NOT_CONFIGURED, UNKNOWN, PinError
from generator.cluster.pins.reference import Content, Found, Reference, Surroundings

_TAG = re.compile(r"bentoml:([a-z0-9][a-z0-9._-]*):([a-z0-9][a-z0-9._-]*)")


def find(reference: Reference, around: Surroundings) -> Found:
    """Find a model by its tag in the local store: BENTOML_HOME, else `~/bentoml`.

    The digest is that of the model's folder: what `import_model.py` asks of the exported folder.

    Raises:
        PinError: no such store, or no such model in it.
    """
    matched = _TAG.fullmatch(reference.text.lower())
    if matched is None or matched[2] == "latest":
        message = f"{reference.what} does not name one version"
        raise PinError(MALFORMED, message, "write it like bentoml:ticket_classifier:7")
    name, version = matched.groups()
    models = _store(around)
    folder = models / name / version
    if not (folder / "model.yaml").is_file():
        raise PinError(UNKNOWN, f"the BentoML store has no {reference.what}", _known(models / name, name))
    resolved = f"bentoml:{name}:{version}"
    by = "the local BentoML store"
    return Found(resolved, version, lambda: Content(path_digest(folder, reference.what), by), local=True)


def _store(around: Surroundings) -> Path:
    home = around.variables.get("BENTOML_HOME") or f"{around.variables.get('HOME', '')}/bentoml"
    models = Path(home) / "models"
    if not models.is_dir():
        message = "there is no BentoML model store on this machine"
        raise PinError(
            NOT_CONFIGURED, message, "set BENTOML_HOME, or import the model: `bentoml models import`"
        )
    return models


def _known(folder: Path, name: str) -> str:
    versions = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if not versions:
        return f"import it: `bentoml models import`; no version of {name} is there"
    return f"versions there: {', '.join(versions[-8:])}"
