"""`sluice pin --version`: one scalar changes, and nothing else."""

from __future__ import annotations

import pytest

from generator.cluster.pins.errors import PinError
from generator.cluster.pins.versions import with_version
from tests.references.sandbox import Sandbox, sandbox

__all__ = ["sandbox"]
SHA = "sha256:" + "5" * 64


@pytest.mark.parametrize(
    ("ref", "version", "new"),
    [
        ("mlflow:fraud/12", "13", "mlflow:fraud/13"),
        ("mlflow:fraud@champion", "13", "mlflow:fraud/13"),
        ("mlflow:fraud/12", "@champion", "mlflow:fraud@champion"),
        ("mlflow:acme/fraud/12", "13", "mlflow:acme/fraud/13"),
        ("bentoml:ticket_classifier:7", "8", "bentoml:ticket_classifier:8"),
        ("dvc:models/m.pkl", "v2", "dvc:models/m.pkl@v2"),
        ("dvc:models/m.pkl@v1", "v2", "dvc:models/m.pkl@v2"),
        ("dvc:git@example.com:acme/d.git//m.pkl@v1", "v2", "dvc:git@example.com:acme/d.git//m.pkl@v2"),
        ("hf:org/name", "main", "hf:org/name@main"),
        ("hf:org/name@main", "0" * 40, "hf:org/name@" + "0" * 40),
        ("oci://h:5000/a/b:1", "2", "oci://h:5000/a/b:2"),
        ("oci://h:5000/a/b:1", SHA, f"oci://h:5000/a/b@{SHA}"),
        (f"oci://h/a/b@{SHA}", "2", "oci://h/a/b:2"),
        ("s3://b/k-1", "s3://b/k-2", "s3://b/k-2"),
    ],
)
def test_a_version_of_each_kind(ref, version, new):
    assert with_version(ref, version) == new


@pytest.mark.parametrize(
    ("ref", "version"),
    [("mlflow:fraud/12", "champion"), ("s3://b/k", "2"), ("https://h/k", "s3://b/k"), ("x:y", "1")],
)
def test_a_version_that_the_kind_does_not_have(ref, version):
    with pytest.raises(PinError) as raised:
        with_version(ref, version)
    assert raised.value.code == "PIN101"


def test_comments_order_and_quotes_stay(sandbox: Sandbox):
    before = sandbox.ask("mlflow:ranker@champion").spec.read_text()
    done = sandbox.point_at("--version", "13")
    assert done.exit_code == 0
    assert "mlflow:ranker@champion is now mlflow:ranker/13" in done.output
    assert "sluice pin shop/ranker" in done.output
    assert sandbox.spec.read_text() == before.replace("@champion", "/13")


def test_windows_files_stay_windows_files(sandbox: Sandbox):
    text = b"\xef\xbb\xbf" + sandbox.ask("bentoml:ranker:7").spec.read_bytes().replace(b"\n", b"\r\n")
    sandbox.spec.write_bytes(text)
    assert sandbox.point_at("--version", "8").exit_code == 0
    assert sandbox.spec.read_bytes() == text.replace(b"ranker:7", b"ranker:8")


def test_the_same_version_again_writes_nothing(sandbox: Sandbox):
    sandbox.ask("mlflow:ranker/12")
    stamp = sandbox.spec.stat().st_mtime_ns
    done = sandbox.point_at("--version", "12")
    assert (done.exit_code, "already" in done.output) == (0, True)
    assert sandbox.spec.stat().st_mtime_ns == stamp


def test_an_address_needs_its_digest(sandbox: Sandbox):
    before = sandbox.ask("s3://b/k-1", f", sha256: {'a' * 64}").spec.read_text()
    assert sandbox.point_at("--version", "s3://b/k-2").exit_code == 2
    assert sandbox.spec.read_text() == before
    assert sandbox.point_at("--version", "s3://b/k-2", "--sha256", "b" * 64).exit_code == 0
    assert sandbox.spec.read_text() == before.replace("k-1", "k-2").replace("a" * 64, "b" * 64)


def test_a_digest_is_added_where_there_was_none(sandbox: Sandbox):
    before = sandbox.ask("mlflow:ranker/12").spec.read_text()
    assert sandbox.point_at("--version", "13", "--sha256", "b" * 64).exit_code == 0
    assert sandbox.spec.read_text() == before.replace(
        '/12", framework: sklearn', f'/13", framework: sklearn, sha256: {"b" * 64}'
    )


@pytest.mark.parametrize("ref", ["mlflow:ranker/12", "bentoml:ranker:7", "hf:a/b@main", "oci://h/a:1"])
@pytest.mark.parametrize("version", ["13 14", "13\n", "ü", "../x", "", "@", "-x", "x#y", '1"'])
def test_a_version_that_makes_no_reference_is_refused(sandbox: Sandbox, ref: str, version: str):
    before = sandbox.ask(ref).spec.read_text()
    assert sandbox.point_at("--version", version).exit_code == 2
    assert sandbox.spec.read_text() == before


def test_a_reference_over_several_lines_is_left_alone(sandbox: Sandbox):
    sandbox.ask("mlflow:ranker/12")
    flow = '{ref: "mlflow:ranker/12", framework: sklearn}  # which one'
    block = "\n    framework: sklearn\n    ref: >-\n      mlflow:ranker/12"
    text = sandbox.spec.read_text().replace(flow, block)
    sandbox.spec.write_text(text)
    assert sandbox.point_at("--version", "13").exit_code == 2
    assert sandbox.spec.read_text() == text
