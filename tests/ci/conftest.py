"""A real repository with a remote, made by `sluice init`, and a registry."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from generator import __version__
from generator.cli.main import cli
from tests.ci.demo import Demo, git, sha256
from tests.ci.jobs import MODEL, runner
from tests.ci.programs import skopeo, uv
from tests.ci.runner import STANDINS, Runner
from tests.references.bentoml_store import store, stored
from tests.references.dvc_tree import own, template
from tests.references.hub import hub
from tests.references.mlflow_server import mlflow
from tests.references.registry import Registry, serving
from tests.references.sandbox import sandbox
from tests.tools.environment import environment

__all__ = ["hub", "mlflow", "own", "sandbox", "store", "stored", "template"]  # fixtures
BRANCH = "change"
TRAIN = """
import sys, joblib
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
texts = ["the server is down", "refund my invoice", "the server is slow", "a wrong invoice"]
joblib.dump(make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [1, 0, 1, 0]), sys.argv[1])
"""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, once a worker."""
    folder = tmp_path_factory.mktemp("demo")
    root = folder / "clone"
    done = CliRunner().invoke(cli, ["init", str(root)])
    assert done.exit_code == 0, done.output
    demo = Demo(root, folder / "remote.git")
    git(folder, "init", "--quiet", "--bare", "remote.git")
    demo.git("init", "--quiet")
    demo.git("remote", "add", "origin", "../remote.git")
    demo.sluice("render")
    # What `sluice pin --tools` writes; the package is installed here already, so its hash is never compared.
    pinned = root / "ci/pins/sluicegate.txt"
    pinned.write_text(f"sluicegate=={__version__} --hash=sha256:{'0' * 64}\n")
    demo.commit("A new repository")
    demo.git("push", "--quiet", "origin", "main")
    demo.git("checkout", "--quiet", "-b", BRANCH)
    spec = root / "specs" / "shop" / "recommender.yaml"
    spec.write_text(spec.read_text().replace("hold: 60m", "hold: 90m"))
    demo.sluice("render")
    demo.commit("Look longer")
    return folder


@pytest.fixture
def demo(made: Path, tmp_path: Path) -> Demo:
    """A demo that a test may change."""
    shutil.copytree(made, tmp_path / "demo", symlinks=True)
    return Demo(tmp_path / "demo" / "clone", tmp_path / "demo" / "remote.git")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """The runner's own folder."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A real registry on this machine."""
    with serving(tmp_path_factory.mktemp("registry")) as host:
        yield Registry(host)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A model that the rendered service can load."""
    path = tmp_path_factory.mktemp("model") / "model.pkl"
    subprocess.run([environment("bento"), "-c", TRAIN, path], check=True, timeout=120)
    return path.read_bytes()


@pytest.fixture
def imaged(demo: Demo, registry: Registry, scratch: Path, model: bytes) -> Runner:
    """The demo with a model whose bytes are there, and a registry that can be pushed to."""
    return with_model(demo, registry, scratch, model)


def with_model(demo: Demo, registry: Registry, scratch: Path, bytes_: bytes) -> Runner:
    """Put a model into the demo's bucket and into its lock."""
    store = scratch / "s3" / "models" / "ticket"
    store.mkdir(parents=True)
    (store / "7.pkl").write_bytes(bytes_)
    spec, lock = demo.root / f"specs/{MODEL}.yaml", demo.root / f"specs/{MODEL}.lock.yaml"
    digest, ref = sha256(bytes_), "s3://models/ticket/7.pkl"
    spec.write_text(
        spec.read_text()
        .replace("ref: bentoml:ticket_classifier:7", f'ref: "{ref}", sha256: {digest}')
        .replace('ref: "bentoml:ticket_classifier:7"', f'ref: "{ref}", sha256: {digest}')
    )
    platform = demo.root / "specs/platform.yaml"
    platform.write_text(
        platform.read_text().replace("registry.example.com/models", f"{registry.host}/models")
    )
    document = yaml.safe_load(lock.read_text())
    document["model"] |= {
        "ref": ref,
        "resolved": f"{ref}#sha256={digest}",
        "digest": f"sha256:{digest}",
        "version": digest[:12],
    }
    lock.write_text("# Ours.\n" + yaml.safe_dump(document, sort_keys=False))
    for other in demo.root.glob("specs/shop/*"):
        other.unlink()
    demo.sluice("render")
    demo.sluice("ci", "github")
    demo.sluice("ci", "gitlab")
    demo.git("checkout", "--quiet", "-B", "main")
    demo.commit("A model in a bucket")
    demo.git("push", "--quiet", "--force", "origin", "main")
    return runner(
        demo, scratch, {
            "vars.MLFLOW_TRACKING_URI": "", "vars.SLUICE_BENTOML_STORE": "", "secrets.MLFLOW_TRACKING_TOKEN": "", "secrets.HF_TOKEN": "",
            "secrets.AWS_ACCESS_KEY_ID": "", "secrets.AWS_SECRET_ACCESS_KEY": "",
            "secrets.REGISTRY_USER": "ci", "secrets.REGISTRY_PASSWORD": "word", "secrets.SLUICE_TOKEN || github.token": "x",
            "sluice-registry:REGISTRY_USER": "ci", "sluice-registry:REGISTRY_PASSWORD": "word",
            "sluice-registry:SLUICE_ARTIFACTS_TOKEN": "reads",
        },
        STANDIN_S3=str(scratch / "s3"), SLUICE_TRY_SECONDS="0.2", STANDIN_TOOLS=str(STANDINS), STANDIN_UV=uv(), STANDIN_SKOPEO=skopeo(scratch),
        GITHUB_REF_NAME="main", CI_COMMIT_BRANCH="main",
    )  # fmt: skip
