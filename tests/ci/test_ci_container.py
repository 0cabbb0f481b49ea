"""The container file: its steps are run here with the image's folders elsewhere, and the result as the image's user."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from generator import __version__
from tests.ci.demo import Demo
from tests.gates.images import wheel

ROOT = Path(__file__).resolve().parents[2]


def instructions() -> list[tuple[str, str]]:
    rows = [row for row in (ROOT / ".ci/Containerfile").read_text().splitlines() if row and row[0] != "#"]
    joined = re.sub(r" \\\n\s*", " ", "\n".join(rows))
    return [tuple(row.split(" ", 1)) for row in joined.splitlines()]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that is `/opt/sluice` in the image."""
    home = tmp_path_factory.mktemp("image")
    build = home / "build"
    build.mkdir()
    (copy,) = [rest for word, rest in instructions() if word == "COPY"]
    assert copy.split() == ["generator/pins/core.txt", "dist/*.whl", "/build/"]
    shutil.copy(ROOT / "generator/pins/core.txt", build)
    shutil.copy(wheel(), build)
    for word, rest in instructions():
        if word == "RUN" and not rest.startswith("apt-get "):
            here = rest.replace("/opt/sluice", f"{home}/opt").replace("/build/", f"{build}/")
            path = f"{Path(sys.executable).resolve().parent}:{os.environ['PATH']}"
            subprocess.run(["sh", "-ec", here], check=True, env={**os.environ, "PATH": path})
    return home / "opt"


def test_the_image_runs_as_a_user_without_rights():
    found = dict(instructions())
    assert found["USER"] == "65532:65532"
    assert found["ENTRYPOINT"] == '["sluice"]'
    assert found["ARG"].startswith("BASE=")
    assert found["FROM"] == "${BASE}"


@pytest.mark.slow
def test_the_program_works_on_a_repository_that_it_may_only_read(image: Path, demo: Demo, tmp_path: Path):
    found = dict(instructions())
    variables = dict(word.split("=", 1) for word in found["ENV"].split())
    variables["PATH"] = variables["PATH"].replace("/opt/sluice", str(image))
    variables = {key: value.replace("/repository", str(demo.root)) for key, value in variables.items()}
    variables["XDG_CACHE_HOME"] = str(tmp_path / "nowhere")
    read_only = (
        f"mount --bind {demo.root} {demo.root} && mount -o remount,bind,ro {demo.root} && cd {demo.root}"
    )

    def sluice(*arguments: str) -> str:
        script = f'{read_only} && exec env -i "$@"'
        values = [f"{key}={value}" for key, value in variables.items()]
        command = ["unshare", "--mount", "sh", "-ec", script, "sh", *values, image / "bin/sluice", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert sluice("--version").strip() == f"sluice {__version__}"
    assert "2 specs are fine" in sluice("validate")
    assert "up to date" in sluice("render", "--check")
    assert "shop/recommender" in sluice("plan", "--all", "--against", "main", "--format", "markdown")
    assert "Rollout shop-production/recommender" in sluice("odds", "rendered/production/shop")


@pytest.mark.slow
def test_every_dependency_has_a_wheel_for_the_other_architecture(tmp_path: Path):
    """The image has no compiler: `docker buildx build --platform linux/arm64` installs wheels only."""
    uv = Path(sys.executable).with_name("uv")
    options = [
        "--python-platform",
        "aarch64-unknown-linux-gnu",
        "--only-binary",
        ":all:",
        "--dry-run",
        "--require-hashes",
    ]
    pins = ["--target", tmp_path / "none", "--python-version", "3.13", "-r", ROOT / "generator/pins/core.txt"]
    done = subprocess.run([uv, "pip", "install", *options, *pins], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Would install" in done.stderr
