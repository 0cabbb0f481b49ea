"""Images of the models under test: trained, rendered, built by BentoML, put together as its own Dockerfile would.

The Dockerfile that `bentoml build` writes needs a registry's base image and a package registry inside the build. Here
its steps are taken one by one: base, user, virtual environment, bento; then its variables and its own entry point.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from functools import cache as once
from pathlib import Path

from generator.plan.values import Plan
from generator.render.bento import render_bento
from tests.bento import serving
from tests.cluster import image, programs, repository
from tests.cluster.repository import Version
from tests.cluster.sandbox import cache
from tests.tools.environment import environment

USER = 1034
HOME = "home/bentoml"
# Models under test: as the repository calls them, and as `tests/bento/train.py` does, or as their file in `models/`.
MODELS = {
    "shop/recommender": "recommender",
    "support/ticket-classifier": "ticket",
    "shop/ranker": "shelf",
    "risk/fraud": "lender",
}
CUSTOM = Path(__file__).with_name("models")
LABELS = {"shop/ranker": ("1", "2", "3")}
_USUAL = ("1", "2")
LATE = {"service": {"timeout": "6s"}}
SLOW_RATE = {
    "metric": "slow-rate", "slowerThan": "250ms", "baseline": "2%", "detect": {"rise": "200%"}, "noData": "pass",
}  # fmt: skip
# Changes of a spec that make another service of it, and so another image.
VARIANTS = {"shop/ranker": (LATE, {"rollout": {"guards": [SLOW_RATE]}})}
_ENV = {
    "LANG": "C.UTF-8",
    "PYTHONIOENCODING": "UTF-8",
    "PYTHONUNBUFFERED": "1",
    "BENTO_PATH": f"/{HOME}/bento",
    "BENTOML_HOME": f"/{HOME}/",
    "BENTOML_CONTAINERIZED": "true",
    "BENTOML_DO_NOT_TRACK": "True",
    "OMP_NUM_THREADS": "1",
    "VIRTUAL_ENV": "/app/.venv",
    "PATH": "/app/.venv/bin:/usr/local/bin:/usr/bin:/bin",
}
_COMMAND = """#!/app/.venv/bin/python3
import sys

from bentoml_cli.cli import cli

sys.exit(cli())
"""
_ACTIVATE = "export VIRTUAL_ENV=/app/.venv\n"


def versions(name: str) -> tuple[Version, ...]:
    """The versions of a model: one trained model in folders that differ by a note, so that their digests do."""
    return tuple(
        Version(label, serving.tree_sha256(_artifact(name, label))) for label in LABELS.get(name, _USUAL)
    )


@once
def archive() -> Path:
    """All images in one docker archive; built, where something of them is new."""
    made = [
        (repository.plan(name, version, changes), _artifact(name, version.label))
        for name in MODELS
        for version in versions(name)
        for changes in ({}, *VARIANTS.get(name, ()))
    ]
    key = hashlib.sha256("\n".join(sorted(plan.image.reference for plan, _ in made)).encode())
    key.update(Path(__file__).read_bytes())
    key.update(str(programs.folder("base")).encode())
    target = _folder("images") / f"models-{key.hexdigest()[:12]}.tar"
    with (_folder("images") / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            images = [_image(plan, artifact) for plan, artifact in made]
            image.archive(target.with_suffix(".new"), images).rename(target)
    return target


def _folder(name: str) -> Path:
    folder = cache() / name
    folder.mkdir(exist_ok=True)
    return folder


def _artifact(name: str, label: str) -> Path:
    """What a training pipeline would hand over: a folder with one model file."""
    trained = MODELS[name]
    own = CUSTOM / f"{trained}.py"
    recipe = own if own.exists() else serving.TRAIN
    key = hashlib.sha256(recipe.read_bytes() + str(environment("bento")).encode())
    folder = _folder("models") / f"{trained}-{key.hexdigest()[:12]}-{label}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            made = Path(scratch) / "artifact"
            made.mkdir()
            if own.exists():
                shutil.copy(own, made)
            else:
                left = serving.train(trained, environment("bento"), Path(scratch) / "trained")
                shutil.copy(_model_file(left, Path(scratch)), made / "model.pkl")
            (made / "version.txt").write_text(f"{label}\n")
            made.rename(folder)
    return folder


def _model_file(artifact: Path, scratch: Path) -> Path:
    """The pickle in an artifact: a folder, or a model that BentoML exported."""
    if artifact.is_file():
        with tarfile.open(artifact) as tar:
            tar.extractall(scratch / "exported", filter="data")
        artifact = scratch / "exported"
    return next(path for path in sorted(artifact.rglob("*.pkl")) if path.name != "custom_objects.pkl")


def _image(plan: Plan, artifact: Path) -> image.Image:
    layers = (programs.folder("base") / "base.tar", _user_layer(), _package_layer(plan.bento.requirements))
    config = {
        "Entrypoint": [f"/{HOME}/bento/env/docker/entrypoint.sh"],
        "User": "bentoml",
        "WorkingDir": f"/{HOME}/bento",
    }
    return image.Image(plan.image.reference, (*layers, _bento_layer(plan, artifact)), config, _ENV)


def _user_layer() -> Path:
    target = _folder("images") / "user.layer"
    with tempfile.TemporaryDirectory() as scratch, tarfile.open(programs.folder("base") / "base.tar") as base:
        files = {}
        for name, line in (
            ("passwd", f"bentoml:x:{USER}:{USER}::/{HOME}:/bin/bash"),
            ("group", f"bentoml:x:{USER}:"),
        ):
            member = base.extractfile(f"./etc/{name}")
            assert member is not None
            files[f"etc/{name}"] = Path(scratch, name)
            files[f"etc/{name}"].write_text(f"{member.read().decode()}{line}\n")
        return image.layer_of_files(target, files)


def _package_layer(requirements: Sequence[str]) -> Path:
    """The virtual environment of a service, as it would be in an image with Debian's Python."""
    key = hashlib.sha256("\n".join([*requirements, str(programs.folder("base"))]).encode()).hexdigest()[:12]
    target = _folder("images") / f"packages-{key}.layer"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            subprocess.run(["tar", "-xf", programs.folder("base") / "base.tar", "-C", scratch], check=True)
            venv = Path(scratch) / "app" / ".venv"
            packages = venv / "lib" / "python3.11" / "site-packages"
            command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(packages)]
            subprocess.run([*command, "--python-version", "3.11", *requirements], check=True)
            shutil.rmtree(packages / "bin", ignore_errors=True)
            (venv / "bin").mkdir()
            (venv / "bin" / "python3").symlink_to("/usr/bin/python3")
            (venv / "bin" / "python").symlink_to("python3")
            (venv / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
            (venv / "bin" / "activate").write_text(_ACTIVATE)
            (venv / "bin" / "bentoml").write_text(_COMMAND)
            (venv / "bin" / "bentoml").chmod(0o755)
            # As BentoML's Dockerfile does by UV_COMPILE_BYTECODE; by the image's own Python, and valid whatever time the
            # files get in the layer. Some packages ship a file for another version of Python, which does not compile.
            compiling = ["python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
            subprocess.run(["chroot", scratch, *compiling, "/app/.venv/lib"])
            image.layer_of_folder(target.with_suffix(".new"), venv, "app/.venv").rename(target)
    return target


def _bento_layer(plan: Plan, artifact: Path) -> Path:
    """The bento, by the steps of the rendered README."""
    target = _folder("images") / f"{plan.bento.name}-{plan.image.tag}.layer"
    with tempfile.TemporaryDirectory() as scratch:  # BentoML refuses to read below a folder like .cache
        source, home, python = Path(scratch) / "source", Path(scratch) / "home", environment("bento")
        source.mkdir()
        for name, text in render_bento(plan.bento, repository.templates()).items():
            (source / name).write_text(text)
        version, name = plan.bento.build_version, plan.bento.name
        serving.checked(serving.run(python, home, "import_model.py", str(artifact), cwd=source))
        serving.checked(serving.run(python, home, "-m", "bentoml", "build", "--version", version, cwd=source))
        exported = Path(scratch) / "bento.tar"
        serving.checked(
            serving.run(python, home, "-m", "bentoml", "export", f"{name}:{version}", str(exported))
        )
        with tarfile.open(exported) as tar:
            tar.extractall(Path(scratch) / "bento", filter="data")
        (Path(scratch) / "bento" / "env" / "docker" / "entrypoint.sh").chmod(0o755)
        return image.layer_of_folder(target, Path(scratch) / "bento", f"{HOME}/bento", USER)
