"""`status --cluster` never shows the state of one cluster as that of another."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from generator.pipeline import status
from generator.pipeline.session import open_session
from generator.pipeline.status import Servers, StatusRow, with_cluster
from generator.plan.values import Plan

ENVIRONMENTS = ("staging", "production")


class Cluster:
    """A server that knows no object, and counts its requests."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.asked: list[str] = []


@cache
def recommender() -> Plan:
    session = open_session(Path(__file__).parents[3])
    return session.resolve(session.repository.entry("shop", "recommender")).plans[0].plan


def row(environment: str, server: str) -> StatusRow:
    plan = recommender()
    identity = replace(plan.identity, environment=environment)
    return StatusRow(replace(plan, identity=identity, delivery=replace(plan.delivery, server=server)))


@pytest.fixture
def clusters(monkeypatch) -> dict[str | None, Cluster]:
    known = {None: Cluster("https://a.example.com"), "b": Cluster("https://b.example.com:443/")}

    def read(server: Cluster, namespace: str, name: str) -> None:
        server.asked.append(f"{namespace}/{name}")

    monkeypatch.setattr(status, "connect", lambda _, context: known[context])
    monkeypatch.setattr(status, "read_rollout", read)
    monkeypatch.setattr(status, "read_application", lambda *_: None)
    return known


def test_one_context_of_two_clusters_is_asked_for_its_own(clusters, capsys):
    rows = (row("staging", "https://A.example.com/"), row("production", "https://b.example.com"))
    found = with_cluster(rows, Servers.of(None, (), ENVIRONMENTS))
    assert [one.queried for one in found] == [True, False]
    assert "production was not queried" in capsys.readouterr().err


def test_each_context_is_asked_for_its_environment(clusters, capsys):
    rows = (row("staging", "https://A.example.com/"), row("production", "https://b.example.com"))
    found = with_cluster(rows, Servers.of(None, ("production=b",), ENVIRONMENTS))
    assert [one.queried for one in found] == [True, True]
    assert [len(cluster.asked) for cluster in clusters.values()] == [1, 1]
    assert capsys.readouterr().err == ""


def test_environments_of_one_cluster_may_have_another_address_in_the_kubeconfig(clusters):
    rows = [row(name, "https://kubernetes.default.svc") for name in ("staging", "production")]
    assert all(one.queried for one in with_cluster(rows, Servers.of(None, (), ENVIRONMENTS)))
