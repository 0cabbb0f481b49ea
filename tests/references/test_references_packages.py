"""`sluice pin --packages` and `--tools`, with the real uv and the package index that it is configured for."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest
import yaml

from generator import __version__
from generator.plan.packages import read_packages
from tests.references.sandbox import Sandbox
from tests.references.standin import Reply, Request, standing_in

pytestmark = pytest.mark.slow
_CHOSEN = "https://packages.example.com"


@pytest.fixture
def custom(sandbox: Sandbox) -> Sandbox:
    """A model that names no package but BentoML, in a repository that tries to choose the index."""
    sandbox.ask("bentoml:ranker:7").online = True
    (sandbox.root / "uv.toml").write_text(f'index-url = "{_CHOSEN}"\n')
    (sandbox.root / "pyproject.toml").write_text(f'[tool.uv]\nindex-url = "{_CHOSEN}"\n')
    return sandbox


def listed(sandbox: Sandbox) -> Path:
    return sandbox.root / "specs/shop/ranker.requirements.txt"


def require(sandbox: Sandbox, *packages: str) -> None:
    document = yaml.safe_load(sandbox.spec.read_text())
    document["spec"]["service"] = {"requirements": list(packages)}
    sandbox.spec.write_text(yaml.safe_dump(document, sort_keys=False))


def test_the_first_pin_makes_a_list_that_follows_the_lock(custom: Sandbox, store: Path) -> None:
    custom.ask("bentoml:ticket_classifier:7")
    lock = custom.pinned(BENTOML_HOME=str(store))
    assert {"bentoml==1.4.39", "scikit-learn==1.9.1"} <= set(lock["packages"])
    assert "skops" not in read_packages(listed(custom).read_text()).versions
    custom.spec.write_text(custom.spec.read_text().replace("framework: sklearn", "framework: skops"))
    assert "skops==0.16.0" in custom.pinned(BENTOML_HOME=str(store))["packages"]
    assert read_packages(listed(custom).read_text()).versions["skops"] == "0.16.0"


def test_a_list_has_everything_that_a_service_needs(custom: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(custom.root)
    done = custom.pin("--packages")
    assert done.exit_code == 0, done.output
    found = read_packages(listed(custom).read_text())
    assert found.python == "3.11"
    assert {"bentoml", "scikit-learn", "numpy", "scipy", "starlette"} <= found.versions.keys()
    assert not [
        line for line in listed(custom).read_text().splitlines() if "://" in line or line.startswith("-")
    ]
    again = custom.pin("--packages", "--check")
    assert again.exit_code == 0
    assert "unchanged" in again.stderr
    require(custom, "six==1.16.0")
    moved = custom.pin("--packages", "--check")
    assert moved.exit_code == 1
    assert "PIN201" in moved.output
    assert custom.pin("--packages").exit_code == 0
    assert read_packages(listed(custom).read_text()).versions["six"] == "1.16.0"


def test_without_an_index_the_lock_is_written_and_the_list_is_missed(custom: Sandbox, store: Path) -> None:
    custom.ask("bentoml:ticket_classifier:7")
    nowhere = {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_NO_CACHE": "1", "UV_HTTP_RETRIES": "0"}
    done = custom.pin(BENTOML_HOME=str(store), **nowhere)
    assert done.exit_code == 0, done.output
    assert "PIN103" in done.output
    assert "1 warning" in done.output
    assert custom.lock.exists()
    assert not listed(custom).exists()


def test_a_package_without_wheels_needs_the_platform_s_consent(custom: Sandbox) -> None:
    require(custom, "docopt==0.6.2")
    refused = custom.pin("--packages")
    assert refused.exit_code == 1
    assert "PIN104" in refused.output
    assert not listed(custom).exists()
    platform = custom.root / "specs/platform.yaml"
    platform.write_text(platform.read_text() + "  images: {fromSource: [docopt]}\n")
    done = custom.pin("--packages")
    assert done.exit_code == 0, done.output
    assert read_packages(listed(custom).read_text()).from_source == ("docopt",)


def test_a_version_that_does_not_exist_writes_nothing(custom: Sandbox) -> None:
    require(custom, "six==99.9")
    done = custom.pin("--packages")
    assert done.exit_code == 1
    assert "PIN104" in done.output
    assert not listed(custom).exists()


def test_the_hash_of_sluice_itself_is_written_for_ci(custom: Sandbox, tmp_path: Path) -> None:
    """The index is a stand-in with one wheel; the hash is the file's."""
    files = {
        "METADATA": f"Metadata-Version: 2.1\nName: sluicegate\nVersion: {__version__}\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    name = f"sluicegate-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        for file, text in files.items():
            archive.writestr(f"sluicegate-{__version__}.dist-info/{file}", text)
    wheel = (tmp_path / name).read_bytes()
    digest = hashlib.sha256(wheel).hexdigest()
    page = f'<a href="/files/{name}#sha256={digest}">{name}</a>'.encode()

    def play(request: Request) -> Reply:
        if request.path.startswith("/files/"):
            return Reply(body=wheel)
        return Reply(body=page, headers={"Content-Type": "text/html"})

    with standing_in(play) as index:
        done = custom.pin(
            "--tools", UV_DEFAULT_INDEX=f"{index.address}/simple/", UV_INDEX_URL="", UV_NO_CACHE="1"
        )
    assert done.exit_code == 0, done.output
    line = (custom.root / "ci/pins/sluicegate.txt").read_text().splitlines()[-1]
    assert line == f"sluicegate=={__version__} --hash=sha256:{digest}"
