"""A STAND-IN for the Hugging Face Hub: its two routes that matter, as huggingface_hub reads them."""

from __future__ import annotations

import pytest

from tests.bento.serving import tree_sha256
from tests.references.hub import FIRST, SECOND, TOKEN, Hub, hosted
from tests.references.sandbox import Sandbox


def test_a_branch_is_locked_as_its_commit_and_its_move_is_told(hub: Hub, sandbox: Sandbox) -> None:
    with hosted(hub) as (stand_in, variables):
        model = sandbox.ask("hf:acme/ranker").pinned(**variables)["model"]
        assert (model["resolved"], model["version"]) == (f"hf:acme/ranker@{FIRST}", FIRST[:12])
        assert model["digest"] == f"sha256:{tree_sha256(hub.folder)}"
        assert not stand_in.asked(f"/acme/ranker/resolve/{FIRST}/model.safetensors")
        assert sandbox.pin("--check", **variables).exit_code == 0
        hub.revisions["main"] = SECOND
        moved = sandbox.pin("--check", **variables)
    assert (moved.exit_code, "PIN201" in moved.output, "`hf:acme/ranker` has moved" in moved.output) == (
        1,
        True,
        True,
    )


def test_a_commit_needs_the_hub_only_for_its_digest(hub: Hub, sandbox: Sandbox) -> None:
    sandbox.ask(f"hf:acme/ranker@{FIRST}")
    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:1"}
    done = sandbox.pin(**nowhere)
    assert (done.exit_code, "PIN103" in done.output) == (1, True)
    with hosted(hub) as (_, variables):
        assert sandbox.pinned(**variables)["model"]["resolved"] == f"hf:acme/ranker@{FIRST}"
    assert sandbox.pin("--check", **nowhere).exit_code == 0


def test_a_private_model_needs_a_token_which_is_shown_nowhere(hub: Hub, sandbox: Sandbox) -> None:
    hub.private = True
    sandbox.ask("hf:acme/ranker@main")
    with hosted(hub) as (_, variables):
        refused = sandbox.pin(**variables)
        assert (refused.exit_code, "HF_TOKEN" in refused.output) == (1, True)
        done = sandbox.pin(**variables, HF_TOKEN=TOKEN)
    assert done.exit_code == 0
    assert TOKEN not in done.output + sandbox.lock.read_text()


def test_a_file_that_is_not_what_the_hub_lists(hub: Hub, sandbox: Sandbox) -> None:
    hub.changed = b"[]"
    with hosted(hub) as (_, variables):
        done = sandbox.ask("hf:acme/ranker").pin(**variables)
    assert (done.exit_code, "PIN106" in done.output) == (1, True)


@pytest.mark.parametrize("ref", ["hf:acme/ranker@v9", "hf:acme/nothing"])
def test_what_the_hub_does_not_know(hub: Hub, sandbox: Sandbox, ref: str) -> None:
    with hosted(hub) as (_, variables):
        done = sandbox.ask(ref).pin(**variables)
    assert (done.exit_code, "PIN104" in done.output) == (1, True)


def test_a_revision_with_a_slash(hub: Hub, sandbox: Sandbox) -> None:
    with hosted(hub) as (_, variables):
        done = sandbox.ask("hf:acme/ranker@refs/pr/1").pin("--check", **variables)
    assert (done.exit_code, "PIN202" in done.output) == (1, True)
