"""What makes a bundle stale: its own files and its own part of the platform, and nothing of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from generator.plan.inputs import (
    PlatformInputs,
    model_inputs,
    oldest_verdict,
    read_platform_inputs,
    suite_digests,
    suites_of,
)
from generator.plan.model_files import ModelFiles

OWN, OTHER = "sha256:" + "a1" * 32, "sha256:" + "b2" * 32
LOCK = f"model: {{digest: {OWN}}}\n".encode()
SPEC: dict[str, Any] = {
    "registry": "registry.example.com",
    "environments": {"test": {"server": "one"}, "live": {"server": "two"}},
    "teams": {"shop": {"owners": ["a"]}, "risk": {"owners": ["b"]}},
    "waivers": [{"model": "shop/ranker", "id": "W1"}, {"model": "shop/other", "id": "W2"}],
    "quarantine": [{"digest": OWN, "reason": "clicks fell"}, {"digest": OTHER, "reason": "too slow"}],
}


def of_ranker(**changes: Any) -> str:
    return PlatformInputs({"spec": SPEC | changes}).of_model("shop", "ranker", LOCK)


OF_THE_MODEL: dict[str, Any] = {
    "registry": "elsewhere.example.com",
    "environments": {"test": {"server": "one"}},
    "teams": SPEC["teams"] | {"shop": {"owners": ["c"]}},
    "waivers": [{"model": "shop/ranker", "id": "W9"}, SPEC["waivers"][1]],
    "quarantine": [SPEC["quarantine"][0] | {"released": {"by": "a"}}, SPEC["quarantine"][1]],
}
OF_OTHERS: dict[str, Any] = {
    "teams": SPEC["teams"] | {"risk": {"owners": ["c"]}},
    "waivers": [SPEC["waivers"][0], {"model": "shop/other", "id": "W9"}],
    "quarantine": [SPEC["quarantine"][0], SPEC["quarantine"][1] | {"released": {"by": "a"}}],
}


@pytest.mark.parametrize("key", OF_THE_MODEL)
def test_what_a_model_depends_on_changes_its_digest(key: str):
    assert of_ranker(**{key: OF_THE_MODEL[key]}) != of_ranker()


@pytest.mark.parametrize("key", OF_OTHERS)
def test_what_belongs_to_others_does_not(key: str):
    assert of_ranker(**{key: OF_OTHERS[key]}) == of_ranker()


@pytest.mark.parametrize("key", ["waivers", "quarantine"])
def test_the_first_and_the_last_entry_count(key: str):
    assert of_ranker(**{key: []}) != of_ranker()
    assert of_ranker(**{key: SPEC[key][1:]}) == of_ranker(**{key: []})


def test_a_quarantined_version_is_that_of_the_lock():
    platform = PlatformInputs({"spec": SPEC})
    assert platform.quarantine(LOCK) == SPEC["quarantine"][:1]
    assert platform.quarantine(LOCK.replace(OWN.encode(), OTHER.encode())) == SPEC["quarantine"][1:]
    assert platform.quarantine(b"") == []
    assert platform.of_model("shop", "other", LOCK) != platform.of_model("shop", "other", b"")


@pytest.mark.parametrize("key", ["waivers", "quarantine", "teams", "environments"])
@pytest.mark.parametrize("value", [None, "x", 1, ["x"], {"shop": 1}])
def test_a_platform_with_mistakes_still_has_a_digest(key: str, value: Any):
    assert len(of_ranker(**{key: value})) == 64


@pytest.mark.parametrize("data", [None, [], "x", {"spec": []}, {}])
def test_a_platform_without_a_spec_is_empty(data: Any):
    platform = PlatformInputs(data)
    assert platform.spec == {}
    assert platform.folder == "rendered"
    assert platform.names("teams") == platform.waivers() == []
    assert platform.shortest_age is None


def test_parts_of_a_platform():
    tiers = {"a": {"evidenceAge": "90d", "gates": [{"suite": "x.json"}]}, "b": {"evidenceAge": "7d"}}
    platform = PlatformInputs({"spec": {"git": {"path": "out"}, "tiers": tiers, "admission": "none"}})
    assert platform.folder == "out"
    assert platform.names("tiers") == ["a", "b"]
    assert platform.suites == {"x.json"}
    assert platform.shortest_age == 7
    assert not platform.has_admission("live")
    assert PlatformInputs({}).has_admission("live")
    assert [item["id"] for item in PlatformInputs({"spec": SPEC}).waivers("shop/other")] == ["W2"]


@pytest.mark.parametrize(
    ("servers", "rollouts"),
    [({"test": "one", "live": "two"}, ["test", "live"]), ({"test": "one", "live": "one"}, ["test"])],
)
def test_notifications_are_configured_once_per_cluster(servers: dict[str, str], rollouts: list[str]):
    environments = {name: {"server": server} for name, server in servers.items()}
    platform = PlatformInputs({"spec": {"environments": environments, "notifications": {}}})
    assert [name for name in servers if platform.has_rollout_notices(name)] == rollouts
    assert [name for name in servers if platform.has_argocd_notices(name)] == ["test"]
    silent = PlatformInputs({"spec": {"environments": environments}})
    assert not any(silent.has_rollout_notices(name) or silent.has_argocd_notices(name) for name in servers)


@pytest.fixture
def files(tmp_path: Path) -> ModelFiles:
    spec = tmp_path / "specs/shop/ranker.yaml"
    spec.parent.mkdir(parents=True)
    spec.write_text("spec: {gates: [{suite: checks/a.json}]}\n")
    (tmp_path / "specs/platform.yaml").write_text("spec: {registry: r}\n")
    found = ModelFiles("shop", "ranker", spec)
    found.lock.write_bytes(LOCK)
    return found


def test_every_file_of_a_model_is_an_input(files: ModelFiles, tmp_path: Path):
    platform = read_platform_inputs(tmp_path)
    seen = [model_inputs(files, platform)]
    assert sorted(seen[0]) == ["evidence", "lock", "platform", "spec", "suites"]
    suite = files.spec.parent / "checks/a.json"
    suite.parent.mkdir()
    for name, file, text in (
        ("evidence", files.evidence, "{}"),
        ("lock", files.lock, "x"),
        ("suites", suite, "{}"),
        ("spec", files.spec, files.spec.read_text() + "#\n"),
    ):
        file.write_text(text)
        seen.append(model_inputs(files, platform))
        assert {key for key in seen[-1] if seen[-1][key] != seen[-2][key]} == {name}
    (tmp_path / "specs/platform.yaml").write_text("spec: {registry: s}\n")
    changed = model_inputs(files, read_platform_inputs(tmp_path))
    assert {key for key in changed if changed[key] != seen[-1][key]} == {"platform"}


def test_a_suite_next_to_the_spec_is_preferred_to_one_at_the_root(files: ModelFiles, tmp_path: Path):
    assert suite_digests(files, ["a.json", "missing.json"]) == ()
    (tmp_path / "a.json").write_text("root")
    ((path, root),) = suite_digests(files, ["a.json"])
    assert (path, root[:7]) == ("a.json", "sha256:")
    (files.spec.parent / "a.json").write_text("next to the spec")
    assert suite_digests(files, ["a.json"]) != ((path, root),)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"gates: [{suite: a.json}, {suite: b.json}]", {"a.json", "b.json"}),
        (b'{"su\\u0069te": a.json}', {"a.json"}),
        (b"suite: [a.json]", set()),
        (b"tool: suite", set()),
        (b"suite: a.json\nx: [", {"a.json"}),
        (b"\xff suite: \xfe", set()),
    ],
)
def test_suites_are_read_without_validating_the_spec(text: bytes, found: set[str]):
    assert suites_of(text) == found


def test_the_oldest_verdict_is_that_of_the_earliest_end(files: ModelFiles):
    assert oldest_verdict(files) is None
    files.evidence.write_text(
        '{"end": "2026-11-20T10:00:00Z"}\n{"end": "2026-10-01T10:00:00Z", "start": "2026-01-01T"}'
    )
    assert oldest_verdict(files) == "2026-10-01"


@pytest.mark.parametrize("content", [b"a: [", b"\xff", b"!!python/object:x {}", b""])
def test_a_platform_that_cannot_be_read_is_empty(content: bytes, tmp_path: Path):
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/platform.yaml").write_bytes(content)
    assert read_platform_inputs(tmp_path).spec == {}
