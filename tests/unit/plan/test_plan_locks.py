"""What a lock may say that a reference resolved to: for every scheme an immutable form of the reference, nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from generator.cluster.pins.reference import _MODELS as PINNED
from generator.plan.locks import FORMS, immutable_form, version_of
from generator.source.content import joint_digest
from generator.spec.types import Reference
from tests.system.repositories import DIGEST, LOCK, MODEL, PLATFORM, codes, resolve_one, small

HEX = "a1" * 32
COMMIT, OTHER = "c" * 40, "d" * 40
MD5 = "e" * 32
GIT = "dvc:https://git.example.com/acme/data.git//train.pkl"
# reference: the forms that are accepted, and those that are refused.
MODELS: dict[str, tuple[list[str], list[str]]] = {
    "mlflow:ranker/3": (
        ["mlflow:ranker/3"],
        ["mlflow:ranker/4", "mlflow:other/3", "mlflow:ranker@champion", "mlflow:ranker/3/4", "mlflow:ranker/-3",
         "models:/m-" + "0" * 32, "models:/ranker/3", "mlflow:ranker/3\n", "mlflow:RANKER/3", "mlflow:ranker/3#x"],
    ),
    "mlflow:ranker@champion": (
        ["mlflow:ranker/3", "mlflow:ranker/12"],
        ["mlflow:ranker@champion", "mlflow:ranker/03", "mlflow:ranker/0", "mlflow:ranker/latest", "mlflow:ranker2/3"],
    ),
    "bentoml:ranker:7": (["bentoml:ranker:7"], ["bentoml:ranker:8", "bentoml:ranker:latest", "bentoml:--help:7", "bentoml:ranker"]),
    "dvc:model.pkl@main": (
        [f"dvc:model.pkl@{COMMIT}#md5={MD5}", f"dvc:model.pkl@{COMMIT}#md5={MD5}.dir", f"dvc:model.pkl@{'c' * 64}#md5={MD5}"],
        ["dvc:model.pkl@main", "dvc:model.pkl", f"dvc:model.pkl@{COMMIT}", f"dvc:other.pkl@{COMMIT}#md5={MD5}",
         "dvc:--cd=/etc//passwd@main", f"dvc:--cd=/etc//model.pkl@{COMMIT}#md5={MD5}", f"dvc:model.pkl@{COMMIT[:12]}#md5={MD5}",
         f"dvc:https://evil.example.com/x.git//model.pkl@{COMMIT}#md5={MD5}", f"dvc:model.pkl@HEAD#md5={MD5}"],
    ),
    f"dvc:model.pkl@{COMMIT}": ([f"dvc:model.pkl@{COMMIT}#md5={MD5}"], [f"dvc:model.pkl@{OTHER}#md5={MD5}"]),
    GIT: (
        [f"{GIT}@{COMMIT}#md5={MD5}"],
        [f"dvc:train.pkl@{COMMIT}#md5={MD5}", f"{GIT.replace('git.', 'evil.')}@{COMMIT}#md5={MD5}",
         f"{GIT.replace('https', 'http')}@{COMMIT}#md5={MD5}", f"{GIT.replace('data', 'date')}@{COMMIT}#md5={MD5}", f"{GIT}@v3#md5={MD5}"],
    ),
    "hf:org/ranker@main": (
        [f"hf:org/ranker@{COMMIT}"],
        ["hf:org/ranker@main", "hf:org/ranker", f"hf:evil/ranker@{COMMIT}", f"hf:org/ranker@{COMMIT[:39]}", f"hf:--token/ranker@{COMMIT}"],
    ),
    f"hf:org/ranker@{COMMIT}": ([f"hf:org/ranker@{COMMIT}"], [f"hf:org/ranker@{OTHER}"]),
    "oci://registry.example.com/models/ranker:1": (
        [f"oci://registry.example.com/models/ranker@sha256:{HEX}"],
        ["oci://registry.example.com/models/ranker:1", f"oci://evil.example.com/models/ranker@sha256:{HEX}",
         f"oci://registry.example.com/models/other@sha256:{HEX}", f"oci://registry.example.com/models/ranker:1@sha256:{HEX}",
         f"oci://registry.example.com:444/models/ranker@sha256:{HEX}", f"oci://registry.example.com/models/ranker@sha256:{HEX[:63]}"],
    ),
    f"oci://registry.example.com/ranker@sha256:{HEX}": (
        [f"oci://registry.example.com/ranker@sha256:{HEX}"], [f"oci://registry.example.com/ranker@sha256:{'b' * 64}"],
    ),
    "s3://bucket/m.pkl": (
        [f"s3://bucket/m.pkl#sha256={HEX}"],
        ["s3://bucket/m.pkl", f"s3://other/m.pkl#sha256={HEX}", f"s3://bucket/m.pkl#sha256={'b' * 64}", f"s3://bucket/m.pkl/#sha256={HEX}"],
    ),
    "https://models.example.com/m.pkl": (
        [f"https://models.example.com/m.pkl#sha256={HEX}"],
        ["https://models.example.com/m.pkl", f"https://evil.example.com/m.pkl#sha256={HEX}", f"http://models.example.com/m.pkl#sha256={HEX}",
         f"https://user@models.example.com/m.pkl#sha256={HEX}", f"https://models.example.com/m.pkl#sha256={'b' * 64}"],
    ),
}  # fmt: skip
# Of no reference at all.
NEVER = ["file:///etc/passwd", "/etc/passwd", "--help", "$(touch x)`id`", "-o x", "ext::sh -c id", "x", "https://evil.example.com/"]  # fmt: skip
ROWS = [(ref, form, True) for ref, (fine, _) in MODELS.items() for form in fine]
ROWS += [(ref, form, False) for ref, (_, wrong) in MODELS.items() for form in [*wrong, *NEVER]]


def findings(folder: Path, ref: str, resolved: str, version: str, more: str = "") -> list[str]:
    """The codes of a model whose lock says this."""
    sha256 = f", sha256: {HEX}" if ref.startswith(("s3:", "https:")) else ""
    spec = MODEL.replace('ref: "mlflow:ranker/3"', f'ref: "{ref}"{sha256}')
    quoted = resolved.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    lock = LOCK.replace('  resolved: "mlflow:ranker/3"', f'  resolved: "{quoted}"')
    lock = lock.replace('ref: "mlflow:ranker/3"', f'ref: "{ref}"').replace(
        'version: "3"', f'version: "{version}"'
    )
    return codes(resolve_one(small(folder, spec, PLATFORM, lock + more)))


@pytest.mark.parametrize(("ref", "resolved", "fine"), ROWS)
def test_a_reference_resolves_to_an_immutable_form_of_itself(tmp_path, ref, resolved, fine):
    found = findings(tmp_path, ref, resolved, version_of(ref, resolved) or "3")
    if fine:
        assert found == []
    else:
        # A line end is refused even before.
        assert found
        assert set(found) <= {"LOCK205", "SPEC105"}


@pytest.mark.parametrize("ref", MODELS)
def test_the_version_is_that_of_what_was_resolved(tmp_path, ref):
    form = immutable_form(ref, HEX).example
    assert findings(tmp_path / "right", ref, form, version_of(ref, form)) == []
    assert findings(tmp_path / "wrong", ref, form, "99") == ["LOCK205"]


FURTHER = "references: {second: {ref: 'mlflow:second/2', resolved: 'mlflow:second/2', version: '2', digest: %s, at: x, by: test}}\n"


@pytest.mark.parametrize(
    ("spec", "lock", "found"),
    [
        ("mlflow:second/2", {}, []),
        ("mlflow:second/3", {}, ["LOCK202"]),
        ("", {}, ["LOCK202"]),
        ("mlflow:second/2", {"second": "third"}, ["LOCK202", "LOCK202", "LOCK205"]),
        ("mlflow:second/2", {"resolved: 'mlflow:second/2": "resolved: 'mlflow:other/2"}, ["LOCK205"]),
        ("mlflow:second/2", {HEX: "b2" * 32}, ["LOCK205"]),
        ("s3://bucket/second.pkl", {}, ["REF206"]),
        ("mlflow:second/Production", {}, ["REF208"]),
    ],
)
def test_a_lock_names_every_model_of_a_service(tmp_path, spec, lock, found):
    """What the spec names, what was resolved, and the digest of all must agree."""
    text = f"references: {{second: {{ref: '{spec}'}}}}, " if spec else ""
    model = MODEL.replace("framework: sklearn", f"{text}framework: custom, load: 'a:B'")
    further = FURTHER % f"sha256:{HEX}"
    for old, new in lock.items():
        further = further.replace(old, new)
    joint = joint_digest({"model": DIGEST, "second": f"sha256:{HEX}"})
    locked = LOCK.replace(f"digest: {DIGEST}", f"digest: {joint}\n  files: {DIGEST}") + further
    assert sorted(codes(resolve_one(small(tmp_path / "own", model, PLATFORM, locked)))) == found
    if spec == "mlflow:second/2":  # only a class of the team loads several models
        model = model.replace("framework: custom, load: 'a:B'", "framework: sklearn")
        assert codes(resolve_one(small(tmp_path / "other", model, PLATFORM, locked))) == ["REF207"]


DATA = {
    "dvc:rows.csv": ([f"dvc:rows.csv@{COMMIT}#md5={MD5}"], ["dvc:rows.csv", "dvc:rows.csv@main", "dvc:--cd=/etc//passwd@main"]),
    "s3://bucket/rows.csv": ([f"s3://bucket/rows.csv#sha256={HEX}"], ["s3://bucket/rows.csv", f"s3://bucket/rows.csv#sha256={'b' * 64}"]),
    "https://data.example.com/rows.csv": ([f"https://data.example.com/rows.csv#sha256={HEX}"], ["https://data.example.com/rows.csv"]),
    "data/rows.csv": (["data/rows.csv", f"data/rows.csv#sha256={HEX}"], ["data/other.csv", f"data/rows.csv#sha256={'b' * 64}", "../rows.csv"]),
    "-rf": ([], ["-rf"]),
    "dvc:--cd=/etc//passwd": ([], [f"dvc:--cd=/etc//passwd@{COMMIT}#md5={MD5}"]),
    "dvc:file:///srv/git//-x": ([], [f"dvc:file:///srv/git//-x@{COMMIT}#md5={MD5}"]),
}  # fmt: skip
DATA_ROWS = [(ref, form, True) for ref, (fine, _) in DATA.items() for form in fine]
DATA_ROWS += [(ref, form, False) for ref, (_, wrong) in DATA.items() for form in [*wrong, *NEVER]]


@pytest.mark.parametrize(("ref", "resolved", "fine"), DATA_ROWS)
def test_a_data_set_resolves_to_an_immutable_form_of_itself(tmp_path, ref, resolved, fine):
    more = f"data:\n  '{ref}': {{digest: {DIGEST}, resolved: '{resolved}'}}\n"
    assert findings(tmp_path, "mlflow:ranker/3", "mlflow:ranker/3", "3", more) == (
        [] if fine else ["LOCK205"]
    )


def test_every_scheme_has_a_form():
    """Those that specs accept, and those that `pin` knows."""
    pattern = Reference.__metadata__[0].pattern
    accepted = set(re.match(r"\^\(\?:(.*?)\)", pattern)[1].split("|"))
    assert accepted == set(FORMS) == set(PINNED) == {re.match(r"[a-z0-9]+:(?://)?", ref)[0] for ref in MODELS}
