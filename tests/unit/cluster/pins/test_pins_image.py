"""`sluice pin --image`: an image is locked, and stays locked, only if the registry has it with the labels of the lock."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.pipeline.ci_files import workflow_files
from generator.pipeline.session import open_session
from generator.render.environment import Templates
from tests.references.sandbox import Sandbox, sandbox
from tests.references.standin import Reply, Request, standing_in

__all__ = ["sandbox"]
KIND = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
MODEL = "a" * 64


def sha256(raw: bytes) -> str:
    return "sha256:" + hashlib.sha256(raw).hexdigest()


@dataclass
class Registry:
    """A stand-in for a registry with one repository."""

    tags: dict[str, str] = field(default_factory=dict)
    manifests: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)

    def manifest(self, labels: dict[str, str] | None) -> str:
        config = json.dumps({"config": {"Labels": labels}}).encode()
        self.blobs[sha256(config)] = config
        return self._add(json.dumps({"config": {"digest": sha256(config)}, "layers": []}).encode(), KIND)

    def index(self, *manifests: tuple[str, str]) -> str:
        items = [{"digest": digest, "platform": {"os": system}} for digest, system in manifests]
        return self._add(json.dumps({"manifests": items}).encode(), INDEX)

    def _add(self, raw: bytes, kind: str) -> str:
        self.manifests[sha256(raw)] = raw, kind
        return sha256(raw)

    def play(self, request: Request) -> Reply:
        name = request.path.rpartition("/")[2]
        if "/blobs/" in request.path:
            return Reply(body=self.blobs[name]) if name in self.blobs else Reply(404)
        digest = self.tags.get(name, name)
        if digest not in self.manifests:
            return Reply(404)
        raw, kind = self.manifests[digest]
        return Reply(body=raw, headers={"Content-Type": kind, "Docker-Content-Digest": digest})


@dataclass
class Pushed:
    """A locked model and a registry for its image."""

    sandbox: Sandbox
    registry: Registry
    tag: str

    @property
    def labels(self) -> dict[str, str]:
        return {"dev.sluice.model": f"sha256:{MODEL}", "dev.sluice.bento": self.tag.rpartition("-")[2]}

    def push(self, labels: dict[str, str] | None) -> str:
        self.registry.tags[self.tag] = self.registry.manifest(labels)
        return self.registry.tags[self.tag]

    def locked(self) -> Any:
        return yaml.safe_load(self.sandbox.lock.read_text()).get("image")


@contextmanager
def _pushed(sandbox: Sandbox) -> Iterator[Pushed]:
    registry = Registry()
    with standing_in(registry.play) as server:
        platform = sandbox.root / "specs/platform.yaml"
        host = server.address.removeprefix("http://")
        text = platform.read_text()
        platform.write_text(text.replace("registry: registry.example.com", f"registry: {host}"))
        assert host in platform.read_text()
        sandbox.ask("s3://models/m.pkl", f", sha256: {MODEL}").pinned(
            AWS_ENDPOINT_URL_S3="http://127.0.0.1:9"
        )
        session = open_session(sandbox.root)
        tag = session.resolve(session.entries[0]).plans[0].plan.image.tag
        yield Pushed(sandbox, registry, tag)


@pytest.fixture
def pushed(sandbox: Sandbox) -> Iterator[Pushed]:
    with _pushed(sandbox) as found:
        yield found


def demand_digests(sandbox: Sandbox) -> None:
    """Let the model's tier require images by digest."""
    platform = sandbox.root / "specs/platform.yaml"
    data = yaml.safe_load(platform.read_text())
    data["spec"]["tiers"]["standard"].setdefault("requires", {})["imageDigest"] = True
    platform.write_text(json.dumps(data, indent=1, default=str))


def test_an_image_with_the_labels_of_the_lock_is_locked_and_holds(pushed: Pushed):
    digest = pushed.push(pushed.labels)
    assert pushed.sandbox.pin("--image").exit_code == 0
    assert pushed.locked() == {"digest": digest, "bento": pushed.tag.rpartition("-")[2]}
    assert pushed.sandbox.pin("--image", "--check").exit_code == 0


WRONG = {
    "another model": {"dev.sluice.model": "sha256:" + "b" * 64},
    "another bento": {"dev.sluice.bento": "0" * 12},
    "a text for a terminal": {"dev.sluice.model": "\x1b[2Jsha256:" + MODEL},
}


@pytest.mark.parametrize("what", [*WRONG, "no label", "no labels"])
def test_an_image_of_something_else_is_not_locked(pushed: Pushed, what: str):
    labels = {**pushed.labels, **WRONG.get(what, {})}
    if what == "no label":
        del labels["dev.sluice.model"]
    pushed.push(None if what == "no labels" else labels)
    demand_digests(pushed.sandbox)
    for arguments in (["--image"], ["--image", "--check"]):
        done = pushed.sandbox.pin(*arguments)
        assert (done.exit_code, "[PIN106]" in done.output, "\x1b" in done.output) == (1, True, False)
    assert pushed.locked() is None


def test_every_platform_of_an_image_is_compared_and_attestations_are_not(pushed: Pushed):
    good, other = pushed.registry.manifest(pushed.labels), pushed.registry.manifest({"dev.sluice.model": "x"})
    pushed.registry.tags[pushed.tag] = pushed.registry.index((good, "linux"), (other, "linux"))
    assert pushed.sandbox.pin("--image").exit_code == 1
    pushed.registry.tags[pushed.tag] = pushed.registry.index((good, "linux"), (other, "unknown"))
    assert pushed.sandbox.pin("--image").exit_code == 0


def test_a_digest_that_the_registry_does_not_have_under_the_tag(pushed: Pushed):
    """64 digits that a person wrote into the lock, or those of an older image."""
    pushed.push(pushed.labels)
    bento = pushed.tag.rpartition("-")[2]
    lock = pushed.sandbox.lock
    lock.write_text(f'{lock.read_text()}image:\n  digest: sha256:{"f" * 64}\n  bento: "{bento}"\n')
    done = pushed.sandbox.pin("--image", "--check")
    assert (done.exit_code, "[PIN202]" in done.output) == (1, True)


def test_an_image_that_is_not_pushed_yet_is_a_finding_only_for_who_locks_it(pushed: Pushed):
    assert pushed.sandbox.pin("--image", "--check").exit_code == 0
    assert "[PIN104]" in pushed.sandbox.pin("--image").output
    demand_digests(pushed.sandbox)
    assert "[PIN104]" in pushed.sandbox.pin("--image", "--check").output


def test_without_an_answer_only_tiers_with_image_digests_refuse(sandbox: Sandbox):
    with _pushed(sandbox) as pushed:
        pushed.push(pushed.labels)
        assert sandbox.pin("--image").exit_code == 0
    done = sandbox.pin("--image", "--check")
    assert (done.exit_code, "warning[PIN103]" in done.output) == (0, True)
    demand_digests(sandbox)
    done = sandbox.pin("--image", "--check")
    assert (done.exit_code, "error[PIN103]" in done.output) == (1, True)


@pytest.mark.parametrize(
    ("released", "code"), [("", 1), (", released: {by: boss, reason: fine, at: 2026-11-21}", 0)]
)
def test_an_image_in_quarantine_is_not_locked(pushed: Pushed, released: str, code: int):
    digest = pushed.push(pushed.labels)
    platform = pushed.sandbox.root / "specs/platform.yaml"
    entry = f'{{model: shop/old, digest: "sha256:{"c" * 64}", image: "{digest}", reason: bad, since: 2026-11-20{released}}}'
    platform.write_text(f"{platform.read_text()}  quarantine: [{entry}]\n")
    done = pushed.sandbox.pin("--image")
    assert (done.exit_code, "[PIN204]" in done.output) == (code, bool(code))
    assert (pushed.locked() is None) is bool(code)


def test_ci_writes_these_labels(pushed: Pushed, tmp_path: Path):
    """The lines of `ci/build-image.sh` that read the digests, with a stand-in for docker."""
    script = workflow_files("gitlab", Templates(), "main", "r.example.com/m")["ci/build-image.sh"]
    start = script.index("digest=$(sed")
    (tmp_path / "bento").mkdir()
    (tmp_path / "bento/import_model.py").write_text(f"TAG = 'a:b'\nSHA256 = '{MODEL}'\n")
    lines = script[start : script.index("docker save")]
    head = f'docker() {{ printf "%s\\n" "$@"; }}\nimage=r/x:{pushed.tag} work=w\n'
    done = subprocess.run(
        ["sh", "-euc", head + lines], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    printed = done.stdout.splitlines()
    assert {f"{name}={value}" for name, value in pushed.labels.items()} <= set(printed)
