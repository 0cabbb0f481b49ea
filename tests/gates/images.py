"""The gate images without a container builder: what their build files make, step by step, as a folder.

`built("fairlearn")` takes the rendered Containerfile apart and runs its RUN lines here, with `/opt/sluice` and `/build`
put elsewhere; lines that install packages of the distribution are left to the base image. `layer(...)` copies the
result so that it can be at `/opt/sluice` of an image with another Python: a layer for a test bed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from generator import __version__
from generator.render.environment import Templates
from generator.render.gate_images import GateImages

ROOT = Path(__file__).resolve().parents[2]
PLACE = "/opt/sluice"
_IGNORED = (".*", "rendered", "tests", "docs", "__pycache__", "*.egg-info", "specs")


@dataclass(frozen=True)
class Built:
    """What a gate image holds.

    Args:
        reference: name and tag, as the Workflow has them.
        folder: the content of `/opt/sluice`.
        command: what a container runs by default.
        env: variables of the image.
        user: user and group.
    """

    reference: str
    folder: Path
    command: tuple[str, ...]
    env: Mapping[str, str]
    user: str

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """A container's process, here: nothing but the image's variables and these."""
        here = {name: value.replace(PLACE, str(self.folder)) for name, value in self.env.items()}
        return subprocess.run(
            [str(self.folder / "env" / "sluice" / "bin" / "sluice"), *arguments],
            env={**here, **variables},
            capture_output=True,
            text=True,
        )


def built(name: str, images: GateImages | None = None) -> Built:
    """A gate image, built once for its tag and this checkout.

    Args:
        name: of the image: `sluice`, `scipy`, `fairlearn`, …
        images: those of a platform; default: those of this repository's own.
    """
    images = images or GateImages(
        "registry.example.com/models/gates", "docker.io/library/python:3.11-slim", Templates()
    )
    files = images.files(name)
    key = hashlib.sha256(
        f"{sys.version}{sys.base_prefix}{_package_digest()}{files['Containerfile']}".encode()
    )
    key.update(json.dumps(files).encode())
    home = _cache() / f"{name}-{key.hexdigest()[:16]}"
    with home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "done").exists():
            shutil.rmtree(home, ignore_errors=True)
            _build(home, files)
            (home / "done").touch()
    steps = _steps(files["Containerfile"])
    return Built(
        reference=files["IMAGE"].strip(),
        folder=home / "opt",
        command=tuple(json.loads(next(rest for word, rest in steps if word == "CMD"))),
        env=dict(item.split("=", 1) for word, rest in steps if word == "ENV" for item in shlex.split(rest)),
        user=next(rest for word, rest in steps if word == "USER"),
    )


def layer(image: Built, target: Path, python: str = "/usr/bin/python3") -> Path:
    """A copy of an image's folder that works at `/opt/sluice` of an image with this interpreter (3.11).

    Args:
        image: a built image.
        target: folder to make; its content belongs at `/opt/sluice`.
        python: interpreter of the base image.
    """
    shutil.copytree(
        image.folder, target, ignore=lambda folder, _: ["env"] if folder == str(image.folder) else []
    )
    for home in sorted((image.folder / "env").iterdir()):
        shutil.copytree(home.resolve(), target / "env" / home.name, symlinks=True)
    for home in sorted((target / "env").iterdir()):
        for link in (home / "bin").glob("python*"):
            link.unlink()
        (home / "bin" / "python").symlink_to(python)
        (home / "bin" / "python3").symlink_to("python")
        version = ".".join(map(str, sys.version_info[:3]))
        (home / "pyvenv.cfg").write_text(
            f"home = {Path(python).parent}\ninclude-system-site-packages = false\nversion = {version}\n"
        )
        for script in (home / "bin").iterdir():
            if script.is_file() and not script.is_symlink():
                head, _, rest = script.read_bytes().partition(b"\n")
                if head.startswith(b"#!") and b"/bin/python" in head:
                    script.write_bytes(f"#!{PLACE}/env/{home.name}/bin/python\n".encode() + rest)
    return target


@cache
def wheel() -> Path:
    """The wheel of this checkout, built by hatchling without a network."""
    folder = _cache() / f"wheel-{_package_digest()[:16]}"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not any(folder.glob("*.whl")):
            shutil.rmtree(folder, ignore_errors=True)
            source = folder / "source"
            shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*_IGNORED))
            pip = [
                sys.executable,
                "-m",
                "pip",
                "wheel",
                "-q",
                "--no-deps",
                "--no-build-isolation",
                "--no-index",
            ]
            _checked(subprocess.run([*pip, "-w", folder, source], capture_output=True, text=True, cwd=folder))
            shutil.rmtree(source)
    return next(folder.glob("*.whl"))


def _build(home: Path, files: Mapping[str, str]) -> None:
    context = home / "build"
    for name, text in files.items():
        path = context / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shutil.copy(wheel(), context)
    (home / "opt").mkdir()
    surroundings = {
        key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL"))
    }
    surroundings["PATH"] = f"{Path(sys.executable).parent}:{surroundings['PATH']}"
    surroundings["SLUICE"] = str(context / wheel().name)
    for word, rest in _steps(files["Containerfile"]):
        tool = re.search(rf"{PLACE}/env/([a-z-]+)", rest)
        if word != "RUN" or rest.startswith("apt-get "):
            continue
        if tool and tool[1] != "sluice":
            made = _tool(tool[1], rest, context, surroundings)
            (home / "opt" / "env" / tool[1]).symlink_to(made)
        else:
            _step(rest, home / "opt", context, surroundings)


def _tool(name: str, command: str, context: Path, surroundings: Mapping[str, str]) -> Path:
    """The environment of one tool: kept apart, so that it outlives changes of Sluice's own code."""
    key = hashlib.sha256(f"{sys.version}{sys.base_prefix}{command}".encode())
    key.update((context / name / "requirements.txt").read_bytes())
    place = _cache() / f"{name}-environment-{key.hexdigest()[:16]}"
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "done").exists():
            shutil.rmtree(place, ignore_errors=True)
            _step(command, place, context, surroundings)
            (place / "done").touch()
    return place / "env" / name


def _step(command: str, place: Path, context: Path, surroundings: Mapping[str, str]) -> None:
    """A RUN line, with the folders of the image and of its build elsewhere."""
    here = command.replace(PLACE, str(place)).replace("/build/", f"{context}/")
    _checked(subprocess.run(["sh", "-ec", here], env=surroundings, capture_output=True, text=True))


def _steps(containerfile: str) -> list[tuple[str, str]]:
    """Instructions and their arguments, continued lines joined."""
    rows = [row for row in containerfile.splitlines() if row and not row.startswith("#")]
    joined = re.sub(r" \\\n", " ", "\n".join(rows))
    return [tuple(row.split(" ", 1)) for row in joined.splitlines()]


def _checked(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode:
        raise RuntimeError(f"{done.args}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


@cache
def _package_digest() -> str:
    """Digest (hex) of all that the wheel is made of."""
    total = hashlib.sha256(__version__.encode())
    for top in ("generator", "templates"):
        for path in sorted((ROOT / top).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                total.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return total.hexdigest()


def _cache() -> Path:
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sluice" / "gate-images"
    root.mkdir(parents=True, exist_ok=True)
    return root
