"""Packages of an index with a password, resolved by the real uv; the usual index has traps under the same names."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from generator.cluster.pins.errors import FORBIDDEN, NOT_CONFIGURED, UNKNOWN, PinError
from generator.cluster.pins.packages import resolve_packages
from generator.gates.environments import Environments
from generator.plan.packages import outdated
from generator.spec.indexes import Index
from tests.references.package_index import Wheel, package_index
from tests.references.standin import StandIn

pytestmark = pytest.mark.slow
LOGIN = ("reader", "p@ss:w/rd")
OWN = (
    Wheel("acme-ranker", "1.4", needs=("acme-features>=1", "acme-common", "six"), says="own"),
    Wheel("acme-features", "1.0", says="own"),
    Wheel("acme-common", "2.0", says="own"),
    Wheel("six", "0.1", says="own"),
)
USUAL = (
    Wheel("acme-ranker", "1.4", says="trap"),
    Wheel("acme-features", "9.0", says="trap"),
    Wheel("six", "1.16.0", says="usual"),
)
LISTED = ["acme-common", "acme-features", "acme-ranker"]
PLAIN = {"UV_NO_CACHE": "1", "UV_INDEX_URL": "", "UV_HTTP_RETRIES": "0"}


@pytest.fixture
def usual(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with package_index(USUAL) as server:
        for name, value in {**PLAIN, "UV_DEFAULT_INDEX": f"{server.address}/simple/"}.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.setenv("UV_INDEX_ACME_OWN_USERNAME", LOGIN[0])
    monkeypatch.setenv("UV_INDEX_ACME_OWN_PASSWORD", LOGIN[1])
    with package_index(OWN, LOGIN) as server:
        yield server


def indexes(server: StandIn, **more: Any) -> Mapping[str, Index]:
    return {"acme-own": Index(url=f"{server.address}/simple", packages=LISTED, login=True, **more)}


def test_listed_packages_come_from_their_index_and_all_others_do_not(usual: StandIn, own: StandIn) -> None:
    found = resolve_packages(["acme-ranker==1.4"], "3.11", (), indexes(own))
    assert found.lines == (
        f"acme-common==2.0 {OWN[2].hash}",
        f"acme-features==1.0 {OWN[1].hash}",
        f"acme-ranker==1.4 {OWN[0].hash}",
        f"six==1.16.0 {USUAL[2].hash}",
    )
    assert found.indexes == (("acme-own", tuple(LISTED)),)
    assert {request.authorization for request in usual.requests} == {None}
    assert not own.asked("/simple/six/")


def test_without_the_index_the_same_names_are_those_of_the_usual_one(usual: StandIn) -> None:
    """The near miss: what an index that is not named would give."""
    assert resolve_packages(["acme-ranker==1.4"], "3.11").lines == (f"acme-ranker==1.4 {USUAL[0].hash}",)


def test_a_listed_package_is_never_built_from_source(usual: StandIn, own: StandIn) -> None:
    assert resolve_packages(["acme-ranker==1.4"], "3.11", LISTED, indexes(own)).from_source == ()


def test_a_listed_package_that_its_index_does_not_have_is_not_taken_elsewhere(
    usual: StandIn, own: StandIn
) -> None:
    with pytest.raises(PinError) as error:
        resolve_packages(["acme-features==9.0"], "3.11", (), indexes(own))
    assert error.value.code == UNKNOWN


def test_a_missing_password_is_said_before_anyone_is_asked(
    usual: StandIn, own: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_INDEX_ACME_OWN_PASSWORD")
    with pytest.raises(PinError) as error:
        resolve_packages(["acme-ranker==1.4"], "3.11", (), indexes(own))
    assert (error.value.code, error.value.hint) == (NOT_CONFIGURED, "set UV_INDEX_ACME_OWN_PASSWORD")
    assert not own.requests
    assert not usual.requests


def test_a_wrong_password_is_in_no_message(
    usual: StandIn, own: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_INDEX_ACME_OWN_PASSWORD", "not-the-one")
    with pytest.raises(PinError) as error:
        resolve_packages(["acme-ranker==1.4"], "3.11", (), indexes(own))
    assert error.value.code == FORBIDDEN
    assert "UV_INDEX_ACME_OWN_PASSWORD" in (error.value.hint or "")
    assert "not-the-one" not in str(error.value)


def test_a_build_for_the_cpu_brings_no_package_of_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """As PyPI and PyTorch's index have torch: under one version, once with CUDA."""
    cuda = [
        Wheel("torch", "2.15.0", needs=("nvidia-cublas", "six")),
        Wheel("nvidia-cublas", "13.1"),
        USUAL[2],
    ]
    cpu = Wheel("torch", "2.15.0+cpu", needs=("six",))
    with package_index(cuda) as pypi, package_index([cpu, Wheel("six", "0.1")]) as pytorch:
        for name, value in {**PLAIN, "UV_DEFAULT_INDEX": f"{pypi.address}/simple/"}.items():
            monkeypatch.setenv(name, value)
        named = {"torch-cpu": Index(url=f"{pytorch.address}/simple", packages=["torch"], exclusive=False)}
        with_cuda = resolve_packages(["torch==2.15.0"], "3.11")
        without = resolve_packages(["torch==2.15.0"], "3.11", (), named)
    assert sorted(with_cuda.versions) == ["nvidia-cublas", "six", "torch"]
    assert without.versions == {"six": "1.16.0", "torch": "2.15.0+cpu"}
    assert outdated(without, "3.11", ["torch==2.15.0"], (), {"torch-cpu": ["torch"]}) == ""


@dataclass(frozen=True)
class Listed:
    """A list of packages, as a trial hands it over."""

    name: str
    requirements: Path


def test_a_trial_installs_the_files_of_the_list_from_both_indexes(
    usual: StandIn, own: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = resolve_packages(["acme-ranker==1.4"], "3.11", (), indexes(own))
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("\n".join(found.requirements) + "\n")
    installed = Environments(print, kind="services", indexes=(("acme-own", f"{own.address}/simple"),))
    python = installed.python(Listed("the service", requirements))
    program = "import acme_common, acme_features, acme_ranker, six; print(acme_ranker.SAYS, acme_features.SAYS, six.SAYS)"
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "own own usual\n"
