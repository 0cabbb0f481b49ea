"""The options that tell where the files of gates are: the same for running them here and for staging them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from generator.gates.inputs import Inputs
from generator.source.errors import CliError
from generator.spec.lock import LockFile


@dataclass(frozen=True, slots=True)
class Given:
    """What was named on the command line."""

    folder: Path | None
    data: dict[str, Path]
    predictions: dict[str, tuple[Path, ...]]
    model: Path | None

    def inputs(self, root: Path, spec: Path, lock: LockFile) -> Inputs:
        """The files of one model."""
        return Inputs(root, spec, lock, self.folder, self.data, self.predictions, self.model)


def input_options(command: Callable[..., None]) -> Callable[..., None]:
    """Options that become one argument, `given`."""

    @click.option(
        "--from", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="FOLDER",
        help="Where files that gates name are looked for first.",
    )  # fmt: skip
    @click.option(
        "--data", multiple=True, metavar="NAME=FILE", help="The file behind a name that a gate uses."
    )
    @click.option(
        "--predictions", multiple=True, metavar="[GATE=]FILE",
        help="A table of predictions, for all gates or for one; default: predictions.parquet or .csv in --from.",
    )  # fmt: skip
    @click.option(
        "--model", type=click.Path(path_type=Path, exists=True), help="The model's own file or folder."
    )
    @functools.wraps(command)
    def told(
        *arguments: Any,
        folder: Path | None,
        data: tuple[str, ...],
        predictions: tuple[str, ...],
        model: Path | None,
        **others: Any,
    ) -> None:
        command(*arguments, given=Given(folder, _pairs(data), _tables(predictions), model), **others)

    return told


def _pairs(texts: Sequence[str]) -> dict[str, Path]:
    """`NAME=FILE`, the name of a data set may hold a `=` itself."""
    out = {}
    for text in texts:
        name, found, file = text.rpartition("=")
        if not found or not name or not file:
            raise CliError(f"--data takes NAME=FILE, not {text}")
        out[name] = Path(file)
    return out


def _tables(texts: Sequence[str]) -> dict[str, tuple[Path, ...]]:
    out: dict[str, tuple[Path, ...]] = {}
    for text in texts:
        gate, _, file = text.rpartition("=")
        out[gate] = (*out.get(gate, ()), Path(file))
    return out
