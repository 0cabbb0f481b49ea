"""The image of a service with a package of an index that needs a password: only the job that downloads has it.

Real: the index and its password, uv, pip, and the scripts; see `runner.py` for the stand-ins, of which one is docker.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.pipeline.ci_files import workflow_files
from generator.render.environment import Templates
from generator.spec.indexes import Index
from tests.ci.demo import Demo
from tests.ci.jobs import IMAGE, IMAGES, MODEL, good
from tests.ci.runner import Runner
from tests.references.package_index import Wheel, package_index
from tests.references.standin import StandIn

pytestmark = pytest.mark.slow
USER, PASSWORD = "UV_INDEX_INTERNAL_USERNAME", "UV_INDEX_INTERNAL_PASSWORD"
LOGIN = ("reader", "p@ss:w/rd")
LABELS = Wheel("acme-labels", "1.0", says="own")
LATER = Wheel("acme-labels", "2.0", says="own")


@pytest.fixture
def private() -> Iterator[StandIn]:
    with package_index([LABELS, LATER], LOGIN) as server:
        yield server


def edit(path: Path, **more: Any) -> None:
    document = yaml.safe_load(path.read_text())
    document["spec"] |= more
    path.write_text(yaml.safe_dump(document, sort_keys=False))


@pytest.fixture
def indexed(demo: Demo, imaged: Runner, private: StandIn, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """The demo with a package of the index, pinned and rendered, and with the password where CI keeps it."""
    monkeypatch.setenv(USER, LOGIN[0])
    monkeypatch.setenv(PASSWORD, LOGIN[1])
    platform = demo.root / "specs/platform.yaml"
    tiers = yaml.safe_load(platform.read_text())["spec"]["tiers"]
    for tier in tiers.values():
        tier.setdefault("ceilings", {})["indexes"] = ["internal"]
    index = {"url": f"{private.address}/simple", "packages": ["acme-labels"], "login": True}
    edit(platform, indexes={"internal": index}, tiers=tiers)
    edit(
        demo.root / f"specs/{MODEL}.yaml",
        service={"indexes": ["internal"], "requirements": ["acme-labels==1.0"]},
    )
    demo.sluice("pin", "--packages", MODEL)
    demo.sluice("render")
    demo.sluice("ci", "github")
    demo.sluice("ci", "gitlab")
    (demo.root / "ci/try/__main__.py").write_text("# other tests try a service\n")
    demo.commit("A package of our own")
    monkeypatch.delenv(USER)
    monkeypatch.delenv(PASSWORD)
    secrets = {USER: LOGIN[0], PASSWORD: LOGIN[1]}
    imaged.given = {
        **imaged.given,
        **{f"secrets.{name}": value for name, value in secrets.items()},
        **{f"sluice-models:{name}": value for name, value in secrets.items()},
    }
    return imaged


def test_only_the_job_that_downloads_has_the_password(
    demo: Demo, scratch: Path, indexed: Runner, private: StandIn
) -> None:
    listed = (demo.root / f"specs/{MODEL}.requirements.txt").read_text()
    assert "# From the index internal: acme-labels.\n" in listed
    assert private.address not in listed
    good(indexed.job(IMAGES, "list"))
    (item,) = json.loads(indexed.output("models"))
    assert item["indexes"] == f"internal=acme-labels={private.address}/simple"
    indexed.given |= {f"inputs.{key}": value for key, value in item.items()}
    good(indexed.alone(IMAGE, "fetch"))
    (source,) = scratch.glob("machines/*fetch/temp/source.tar")
    with tarfile.open(source) as archive:
        assert [name for name in archive.getnames() if name.endswith(".whl")] == [f"./packages/{LABELS.file}"]
    asked = len(private.requests)
    good(indexed.alone(IMAGE, "build"))
    assert len(private.requests) == asked
    (dockerfile,) = scratch.glob("machines/*build/temp/Dockerfile")
    mounted = [line for line in dockerfile.read_text().splitlines() if line.startswith("RUN --mount=")]
    assert mounted == ["RUN --mount=type=bind,from=packages,target=/packages if [ -d ./src ]; \\"]
    context = dockerfile.with_name("context")
    requirements = (context / "env/python/requirements.txt").read_text()
    assert requirements.startswith("--find-links /packages\n--require-hashes\n")
    assert f"acme-labels==1.0 {LABELS.hash}" in requirements
    assert not list(context.rglob("*.whl"))
    (build,) = [call for call in indexed.calls if call.startswith("docker build")]
    assert " --build-context packages=" in build
    handed = [path for folder in indexed.artifacts.values() for path in folder.iterdir()]
    assert len(handed) == 2
    assert [path for path in handed if LOGIN[1].encode() in path.read_bytes()] == []


def test_gitlab_hands_the_packages_over(demo: Demo, scratch: Path, indexed: Runner, private: StandIn) -> None:
    document = yaml.safe_load(demo.sluice("ci", "images", "--format", "gitlab"))
    key = MODEL.replace("/", ".")
    assert "environment" not in document[f"build {key}"]
    good(indexed.gitlab_alone(document, f"fetch {key}"))
    with tarfile.open(indexed.artifacts[f"fetch {key}"] / "source.tar") as archive:
        assert f"./packages/{LABELS.file}" in archive.getnames()


def test_workflows_give_the_download_the_passwords_of_indexes_that_need_one() -> None:
    indexes = {
        name: Index(url=f"https://{name}.example.com/simple", packages=["x"], login=login)
        for name, login in (("open-one", False), ("internal", True))
    }
    files = workflow_files("github", Templates(), "main", "r.example.com/m", indexes=indexes)
    steps = [
        (job, step["name"], name)
        for job, content in yaml.safe_load(files[IMAGE])["jobs"].items()
        for step in content["steps"]
        for name in step.get("env", {})
        if name.startswith("UV_INDEX")
    ]
    assert steps == [("fetch", "Fetch", USER), ("fetch", "Fetch", PASSWORD)]
    assert f"package indexes: {USER}, {PASSWORD}" in files[IMAGES]
    assert "UV_INDEX" not in "".join(workflow_files("github", Templates(), "main", "r.example.com/m")[IMAGE])


def fetch(
    tmp_path: Path, lines: str, index: str, python: str = "3.11", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the program that downloads packages."""
    program, listed = tmp_path / "fetch.py", tmp_path / "requirements.txt"
    program.write_text(
        workflow_files("github", Templates(), "main", "r.example.com/m")["ci/fetch-packages.py"]
    )
    listed.write_text(lines)
    command = [sys.executable, "-I", str(program), str(listed), python, str(tmp_path / "packages"), index]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=variables)


def test_a_list_can_add_no_index_and_no_other_package(tmp_path: Path, private: StandIn) -> None:
    """What a team could write by hand into a rendered list; nor do variables of the machine add an index."""
    with package_index([Wheel("acme-labels", "1.0", says="trap"), Wheel("other", "1.0")]) as trap:
        lines = f"--index-url {trap.address}/simple\nother==1.0 {Wheel('other', '1.0').hash}\nacme-labels==1.0 {LABELS.hash}\n"
        elsewhere = f"{trap.address}/simple"
        done = fetch(
            tmp_path,
            lines,
            f"internal=acme-labels={private.address}/simple",
            **{
                USER: LOGIN[0],
                PASSWORD: LOGIN[1],
                "PIP_EXTRA_INDEX_URL": elsewhere,
                "PIP_FIND_LINKS": elsewhere,
            },
        )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "packages").iterdir()] == [LABELS.file]
    assert not trap.requests


@pytest.mark.parametrize(
    ("lines", "password", "why"),
    [
        (f"acme-labels==1.0 {LATER.hash}", LOGIN[1], "could not be fetched from the index internal"),
        (f"acme-labels==1.0 {LABELS.hash}", "wrong", "could not be fetched from the index internal"),
        (f"acme-labels==1.0 {LABELS.hash}", "", "could not be fetched from the index internal"),
        ("acme-labels==1.0", LOGIN[1], "has no line with a version and hashes of acme-labels"),
        (f"acme-labels==1.0 {LABELS.hash} --no-binary", LOGIN[1], "has no line with a version and hashes"),
    ],
)
def test_other_bytes_or_a_wrong_password_hand_over_nothing(
    tmp_path: Path, private: StandIn, lines: str, password: str, why: str
) -> None:
    index = f"internal=acme-labels={private.address}/simple"
    done = fetch(tmp_path, lines + "\n", index, **{USER: LOGIN[0], PASSWORD: password})
    assert done.returncode == 1
    assert why in done.stderr
    assert not [*(tmp_path / "packages").iterdir()]
    assert LOGIN[1] not in done.stderr


@pytest.mark.parametrize("python", ["3.11", "3.13"])
def test_the_wheel_is_that_of_the_python_and_the_system_of_the_image(tmp_path: Path, python: str) -> None:
    """The list has the hashes of all files, and the job runs on another Python."""
    minor = python.replace(".", "")
    tags = [
        f"{tag}-{tag}-{system}"
        for tag in ("cp311", "cp313")
        for system in ("manylinux_2_28_x86_64", "win_amd64")
    ]
    wheels = [Wheel("acme-labels", "1.0", tag=tag) for tag in tags]
    hashes = " ".join(sorted(wheel.hash for wheel in wheels))
    with package_index(wheels) as server:
        done = fetch(
            tmp_path, f"acme-labels==1.0 {hashes}\n", f"open=acme-labels={server.address}/simple", python
        )
    assert done.returncode == 0, done.stderr
    (file,) = (tmp_path / "packages").iterdir()
    assert file.name == f"acme_labels-1.0-cp{minor}-cp{minor}-manylinux_2_28_x86_64.whl"
