"""A real registry, open and with a password; the service that sells tokens is a stand-in."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.bento.serving import tree_sha256
from tests.references.registry import (
    BASIC,
    MANIFEST,
    PASSWORD,
    Registry,
    manifest,
    sha256,
)
from tests.references.sandbox import Sandbox
from tests.references.standin import Reply, standing_in
from tests.references.standin import Request as Asked


def test_a_tag_is_locked_as_its_manifest_and_its_move_is_told(registry: Registry, sandbox: Sandbox) -> None:
    first = registry.push("acme/moves", "v1", b"one")
    ref = f"oci://{registry.host}/acme/moves:v1"
    model = sandbox.ask(ref).pinned()["model"]
    assert model["digest"] == sha256(b"one")
    assert model["resolved"] == f"oci://{registry.host}/acme/moves@{first}"
    assert model["version"] == first.removeprefix("sha256:")[:12]
    assert sandbox.pin("--check").exit_code == 0
    second = registry.push("acme/moves", "v1", b"two")
    moved = sandbox.pin("--check")
    assert (moved.exit_code, f"`{ref}` has moved" in moved.output, "PIN201" in moved.output) == (
        1,
        True,
        True,
    )
    model = sandbox.pinned()["model"]
    assert (model["digest"], model["resolved"].endswith(second)) == (sha256(b"two"), True)


def test_a_digest_is_asked_for_once_and_then_known(registry: Registry, sandbox: Sandbox) -> None:
    digest = registry.push("acme/fixed", "v1", b"one")
    ref = f"oci://{registry.host}/acme/fixed@{digest}"
    assert sandbox.ask(ref).pinned()["model"]["digest"] == sha256(b"one")
    sandbox.ask(f"oci://127.0.0.1:1/acme/fixed@{digest}")
    sandbox.lock.write_text(sandbox.lock.read_text().replace(registry.host, "127.0.0.1:1"))
    assert sandbox.pin("--check").exit_code == 0


@pytest.mark.parametrize("path", ["acme/nothing:v1", f"acme/nothing@sha256:{'0' * 64}"])
def test_what_the_registry_does_not_have(registry: Registry, sandbox: Sandbox, path: str) -> None:
    done = sandbox.ask(f"oci://{registry.host}/{path}").pin()
    assert (done.exit_code, "PIN104" in done.output) == (1, True)


def test_a_password_comes_from_what_docker_login_wrote(
    guarded: Registry, sandbox: Sandbox, tmp_path: Path
) -> None:
    guarded.push("acme/secret", "v1", b"one")
    sandbox.ask(f"oci://{guarded.host}/acme/secret:v1")
    refused = sandbox.pin()
    assert (refused.exit_code, "PIN105" in refused.output) == (1, True)
    encoded = BASIC.removeprefix("Basic ")
    (tmp_path / "config.json").write_text(json.dumps({"auths": {guarded.host: {"auth": encoded}}}))
    done = sandbox.pin(DOCKER_CONFIG=str(tmp_path))
    assert done.exit_code == 0
    assert sandbox.locked["model"]["digest"] == sha256(b"one")
    for text in (done.output, refused.output, sandbox.lock.read_text()):
        assert PASSWORD not in text
        assert encoded not in text


def test_a_token_is_bought_where_the_registry_says_so(sandbox: Sandbox) -> None:
    """A stand-in for registry and token service: Debian's registry wants a certificate for tokens."""
    body = manifest({"digest": sha256(b"one")})
    digest = sha256(body)

    def play(asked: Asked) -> Reply:
        if asked.path.startswith("/token"):
            query = parse_qs(urlsplit(asked.path).query)
            right = query == {"service": ["models"], "scope": ["repository:acme/m:pull"]}
            return Reply(body=b'{"token": "bought"}') if right else Reply(400)
        if asked.authorization != "Bearer bought":
            realm = f'Bearer realm="{stand_in.address}/token",service="models",scope="repository:acme/m:pull"'
            return Reply(401, headers={"WWW-Authenticate": realm})
        return Reply(body=body, headers={"Docker-Content-Digest": digest, "Content-Type": MANIFEST})

    with standing_in(play) as stand_in:
        host = stand_in.address.removeprefix("http://")
        model = sandbox.ask(f"oci://{host}/acme/m:v1").pinned()["model"]
    assert (model["digest"], model["resolved"].endswith(digest)) == (sha256(b"one"), True)


def test_a_registry_without_the_digest_header(sandbox: Sandbox) -> None:
    """A stand-in: the header is optional, and the digest is that of the manifest."""
    body = manifest({"digest": sha256(b"one")})
    with standing_in(lambda _: Reply(body=body, headers={"Content-Type": MANIFEST})) as stand_in:
        host = stand_in.address.removeprefix("http://")
        model = sandbox.ask(f"oci://{host}/acme/m:v1").pinned()["model"]
    assert model["resolved"].endswith(sha256(body))


def test_a_page_is_no_registry(sandbox: Sandbox) -> None:
    """A stand-in for a host that answers everything with a page."""
    with standing_in(lambda _: Reply(body=b"<html>", headers={"Content-Type": "text/html"})) as stand_in:
        host = stand_in.address.removeprefix("http://")
        done = sandbox.ask(f"oci://{host}/acme/m:v1").pin()
    assert (done.exit_code, "PIN108" in done.output) == (1, True)


def test_several_files_have_the_digest_of_their_folder(
    registry: Registry, sandbox: Sandbox, tmp_path: Path
) -> None:
    registry.push("acme/folder", "v1", b"one", **{"sub/ü": b"two", "sub-1": b"three"})
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    for name, content in {"first": b"one", "sub/ü": b"two", "sub-1": b"three"}.items():
        (folder / name).write_bytes(content)
    model = sandbox.ask(f"oci://{registry.host}/acme/folder:v1").pinned()["model"]
    assert model["digest"] == f"sha256:{tree_sha256(folder)}"


LAYER = {"digest": sha256(b"one"), "annotations": {"org.opencontainers.image.title": "a"}}


@pytest.mark.parametrize(
    "body",
    [
        manifest(),
        manifest({"digest": "sha512:" + "0" * 128}),
        manifest({}),
        manifest("layer"),
        manifest(LAYER, {"digest": sha256(b"two")}),
        manifest(LAYER, LAYER),
        *(
            manifest(LAYER, {**LAYER, "annotations": {"org.opencontainers.image.title": title}})
            for title in ("../a", "/a", "a//b", "a/./b", "a\nb")
        ),
        json.dumps({"manifests": [{"digest": sha256(b"one")}]}).encode(),
        b"[]",
    ],
)
def test_what_is_no_artifact_of_files(sandbox: Sandbox, body: bytes) -> None:
    """A stand-in, for no client pushes such things."""
    with standing_in(lambda _: Reply(body=body, headers={"Content-Type": MANIFEST})) as stand_in:
        host = stand_in.address.removeprefix("http://")
        done = sandbox.ask(f"oci://{host}/acme/m:v1").pin()
    assert (
        done.exit_code,
        "[PIN109]" in done.output or "[PIN111]" in done.output,
        sandbox.lock.exists(),
    ) == (1, True, False)


def test_a_registry_that_gives_another_manifest(sandbox: Sandbox) -> None:
    """A stand-in: the right digest is requested, other bytes are returned."""
    asked = "sha256:" + "0" * 64
    headers = {"Content-Type": MANIFEST, "Docker-Content-Digest": asked}
    with standing_in(lambda _: Reply(body=manifest(LAYER), headers=headers)) as stand_in:
        host = stand_in.address.removeprefix("http://")
        done = sandbox.ask(f"oci://{host}/acme/m@{asked}").pin()
    assert (done.exit_code, "PIN108" in done.output) == (1, True)


def test_the_image_of_a_container_is_locked_by_its_manifest(registry: Registry, sandbox: Sandbox) -> None:
    first = registry.push("acme/served", "v1", b"one", more=b"a second layer")
    platform = sandbox.root / "specs/platform.yaml"
    platform.write_text(platform.read_text().replace("registry.example.com/", f"{registry.host}/"))
    sandbox.ask("bentoml:ranker:7")
    served = (
        f"serve: {{image: {registry.host}/acme/served:v1, metrics: {{requests: {{metric: hits_total}}}}}}"
    )
    lines = sandbox.spec.read_text().splitlines(keepends=True)
    sandbox.spec.write_text(
        "".join(f"  {served}\n" if line.lstrip().startswith("model:") else line for line in lines)
    )
    model = sandbox.pinned()["model"]
    assert model["digest"] == first
    assert model["resolved"] == f"oci://{registry.host}/acme/served@{first}"
    assert model["ref"] == f"oci://{registry.host}/acme/served:v1"
    assert sandbox.pin("--check", "--verify").exit_code == 0
    registry.push("acme/served", "v1", b"two")
    moved = sandbox.pin("--check")
    assert (moved.exit_code, "PIN201" in moved.output) == (1, True)
