"""A model of a tree as plain dictionaries, against which the room `output` is judged."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Container
from pathlib import Path

import pytest

from generator.output import freshness
from generator.output.bundle import Bundle
from generator.output.folder import open_root
from generator.output.freshness import FreshBundle

Tree = dict[str, bytes | str]
SPEC = "5" * 64


class Everything:
    """Every ledger is known to be right."""

    def __contains__(self, key: object) -> bool:
        return isinstance(key, bytes)


def probe(
    root: Path, path: str, inputs: dict[str, str], known: Container[bytes] = Everything()
) -> FreshBundle | None:
    """Probe a bundle below a root that may be missing."""
    top = open_root(root)
    if top is None:
        return freshness.probe(None, path, inputs, known)
    with top:
        return freshness.probe(top, path, inputs, known)


def make_bundle(files: dict[str, str], path: str = "production/shop/recommender", spec: str = SPEC) -> Bundle:
    return Bundle(path, files, {"spec": spec})


def take_snapshot(root: Path) -> Tree:
    """Everything below a folder: content of files, `-> target` of links, `/` of folders that are empty."""
    tree: Tree = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            tree[name] = f"-> {path.readlink()}"
        elif path.is_file():
            tree[name] = path.read_bytes()
        elif not any(path.iterdir()):
            tree[name] = "/"
    return tree


def need(program: str, package: str) -> str:
    found = shutil.which(program)
    assert found, f"{program} is missing; install it: apt-get install {package}"
    return found


@pytest.fixture
def bundle() -> Callable[..., Bundle]:
    return make_bundle


@pytest.fixture
def snapshot() -> Callable[[Path], Tree]:
    return take_snapshot


@pytest.fixture
def tool() -> Callable[[str, str], str]:
    return need


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "rendered"
