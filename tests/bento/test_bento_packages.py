"""A service whose packages are pinned by hash: installed from exactly the rendered list, built, served, asked."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from generator.plan.packages import read_packages
from generator.render.bento import render_bento
from generator.render.environment import Templates
from tests.bento.bentos import BENTOS
from tests.bento.serving import Built, Server, build
from tests.bento.test_bento_served import same
from tests.ci.programs import uv
from tests.tools.environment import environment

pytestmark = pytest.mark.slow
LIST = Path(__file__).resolve().parents[2] / "specs/support/ticket-classifier.requirements.txt"


def install(home: Path, requirements: Path) -> subprocess.CompletedProcess[str]:
    """Install a list into an empty environment, as `ci/build-image.sh` does."""
    subprocess.run([uv(), "venv", "--quiet", "--python", "3.11", str(home)], check=True, timeout=300)
    command = [
        uv(),
        "pip",
        "install",
        "--quiet",
        "--python",
        f"{home}/bin/python",
        "--requirement",
        str(requirements),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def test_a_service_is_built_and_served_from_its_list(tmp_path: Path) -> None:
    bento = replace(BENTOS["ticket"], packages=read_packages(LIST.read_text()))
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(render_bento(bento, Templates())["requirements.txt"])
    done = install(tmp_path / "venv", requirements)
    assert done.returncode == 0, done.stderr
    python = tmp_path / "venv/bin/python"
    (python.parent / "uv").symlink_to(uv())  # BentoML's build needs it even if it locks nothing
    build("ticket", bento, python, tmp_path / "built", trainer=environment("bento"))
    # BentoML's own list has one more line, without a hash: `ci/build-image.sh` replaces it, and the line that installs uv.
    environment_files = tmp_path / "built/bento/env"
    assert (environment_files / "python/requirements.txt").read_text().splitlines()[-1] == "bentoml==1.4.39"
    dockerfile = (environment_files / "docker/Dockerfile").read_text()
    assert "pip install -r $BENTO_PATH/env/python/requirements.txt" in dockerfile
    assert [line for line in dockerfile.splitlines() if line.endswith("|| pip install uv")]
    with Server(Built(bento, tmp_path / "built", python), tmp_path / "home") as server:
        expected = server.ready().built.expected
        status, answer = server.post("/predict", {"rows": expected["rows"]})
    assert status == 200, answer
    assert same(answer["predictions"], expected["predictions"])


@pytest.mark.parametrize("change", ["another hash", "one more package"])
def test_what_is_not_in_the_list_is_not_installed(tmp_path: Path, change: str) -> None:
    bento = replace(BENTOS["ticket"], packages=read_packages(LIST.read_text()))
    lines = render_bento(bento, Templates())["requirements.txt"].splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("idna=="))
    name = lines[at].partition(" ")[0]
    lines = (
        [*lines[:2], f"{name} --hash=sha256:{'0' * 64}"] if change == "another hash" else [*lines[:2], name]
    )
    (tmp_path / "requirements.txt").write_text("\n".join(lines) + "\n")
    done = install(tmp_path / "venv", tmp_path / "requirements.txt")
    assert done.returncode != 0
    assert "hash" in done.stderr.lower()
