"""Copies the files that the gates of one model read to the folder of their containers."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import field
from pathlib import Path, PurePosixPath
from typing import Final

from generator.dataclass import dataclass
from generator.gates.errors import NoVerdictError
from generator.gates.inputs import Inputs, place
from generator.spec.gate_data import UNHASHED
from generator.spec.gates import GateBase
from generator.spec.lock import LockFile

MODEL, MODEL_FILE, PREDICTIONS = "model", "model-file", "predictions"
_ADVICE: Final = "put it into the gates' inputs: `sluice gates stage`"


@dataclass
class StagedFiles:
    """The files to copy.

    Args:
        files: file or folder by its path below the folder of the model.
        problems: a message for each gate whose files are missing.
    """

    files: dict[str, Path] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def staged_files(gates: Iterable[GateBase], inputs: Inputs) -> StagedFiles:
    """Find everything that the containers of these gates read; data and model must be the locked ones."""
    out = StagedFiles()
    for gate in gates:
        try:
            out.files |= dict(_files(gate, inputs))
        except NoVerdictError as error:
            out.problems.append(f"{gate.name}: {error}")
    return out


def copy(found: StagedFiles, target: Path) -> None:
    """Copy files with their times: a report that does not name its model is tied to it by its time.

    Args:
        found: what to copy.
        target: folder of the model; created if missing, and its old content replaced atomically.
    """
    scratch = target.with_name(f".{target.name}.new")
    shutil.rmtree(scratch, ignore_errors=True)
    for name, source in found.files.items():
        made = scratch / name
        made.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, made)
        else:
            shutil.copy2(source, made)
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    scratch.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def archive(found: StagedFiles, folder: Path, name: str) -> Path:
    """Write the files as one folder in `NAME.tgz` for Argo Workflows, atomically replacing an old archive."""
    target = folder / f"{name}.tgz"
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        copy(found, Path(scratch, name))
        made = Path(scratch, "made.tgz")
        with tarfile.open(made, "w:gz") as tar:
            tar.add(Path(scratch, name), arcname=name)
        shutil.move(made, target)
    return target


def mounted_inputs(folder: Path, lock: LockFile) -> Inputs:
    """Return the files of one model below the mounted folder."""
    own = folder / lock.model.digest.removeprefix("sha256:")
    files = sorted((own / MODEL_FILE).glob("*"))
    model = files[0] if len(files) == 1 else None
    if (own / MODEL).is_dir():
        model = own / MODEL
    tables: dict[str, tuple[Path, ...]] = {}
    for path in sorted((own / PREDICTIONS).glob("*")):
        tables[path.stem] = (*tables.get(path.stem, ()), path)
    return Inputs(own, own / "spec.yaml", lock, own, {}, tables, model, _ADVICE)


def _files(gate: GateBase, inputs: Inputs) -> Iterator[tuple[str, Path]]:
    needs = gate.needs
    for name in needs.files:
        yield _inside(place(name)), inputs.file(name)
    for ref in needs.data.values():
        if ref.startswith(UNHASHED):
            continue
        name = _inside(place(ref))
        files, _ = inputs.partitions(ref) if needs.engine else ([inputs.data(ref)[0]], None)
        root = inputs.root_of(ref)
        for file in files:
            yield name if root is None else file.relative_to(root).as_posix(), file
    if needs.model:
        model, _ = inputs.artifact()
        yield (MODEL if model.is_dir() else f"{MODEL_FILE}/{model.name}"), model
    if needs.predictions:
        own = gate.name in inputs.predictions
        for path in inputs.tables(gate.name):
            yield (f"{PREDICTIONS}/{gate.name}{path.suffix}" if own else f"predictions{path.suffix}"), path


def _inside(path: str) -> str:
    """Return a path that stays below its folder.

    Raises:
        NoVerdictError: it does not.
    """
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise NoVerdictError(f"{path} is outside the folder that containers see")
    return path
