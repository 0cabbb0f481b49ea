"""Applications against their projects: what Argo CD would refuse, and near misses."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.lint.verification import verify

PROJECT = """\
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: live-shop, namespace: argocd}
spec:
  sourceRepos: ["https://git.example.com/models.git"]
  destinations: [{server: "https://kubernetes.default.svc", namespace: shop-live}]
  clusterResourceWhitelist: []
  namespaceResourceWhitelist: [{group: "", kind: ConfigMap}]
"""
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: live-shop-ranker, namespace: argocd}
spec:
  project: live-shop
  source: {repoURL: "https://git.example.com/models.git", path: rendered/live/shop/ranker}
  destination: {server: "https://kubernetes.default.svc", namespace: shop-live}
"""
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop-live}\ndata: {a: b}\n"
PLACE = "live/shop/ranker/configmap.yaml"


def codes(tmp_path: Path, place: str = PLACE, **texts: str) -> list[str]:
    files = {"live/argocd/project.yaml": PROJECT, "live/argocd/application.yaml": APPLICATION, place: OBJECT}
    names = {
        "project": "live/argocd/project.yaml",
        "application": "live/argocd/application.yaml",
        "object": place,
    }
    for name, text in {**files, **{names[key]: text for key, text in texts.items()}}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return [finding.code for finding in verify(tmp_path).findings if finding.code.startswith("VER18")]


def test_what_fits(tmp_path):
    assert codes(tmp_path) == []


@pytest.mark.parametrize(
    "destination",
    [
        '{server: "https://kubernetes.default.svc"}',  # as the platform's own was, until a cluster refused it
        '{server: "https://kubernetes.default.svc", namespace: support-live}',
        '{server: "https://other.example.com", namespace: shop-live}',
        "{name: other, namespace: shop-live}",
    ],
)
def test_a_destination_that_the_project_does_not_allow(destination, tmp_path):
    text = APPLICATION.rpartition("  destination:")[0] + f"  destination: {destination}\n"
    assert "VER180" in codes(tmp_path, application=text)


@pytest.mark.parametrize("pattern", ["shop-*", "'*'", "shop-liv?"])
def test_patterns(pattern, tmp_path):
    assert codes(tmp_path, project=PROJECT.replace("namespace: shop-live", f"namespace: {pattern}")) == []


def test_a_pattern_that_takes_away(tmp_path):
    two = '[{server: "*", namespace: "*"}, {server: "*", namespace: "!shop-*"}]'
    text = PROJECT.replace('[{server: "https://kubernetes.default.svc", namespace: shop-live}]', two)
    assert codes(tmp_path, project=text) == ["VER180", "VER181"]


def test_another_repository(tmp_path):
    text = APPLICATION.replace("git.example.com", "evil.example.com")
    assert codes(tmp_path, application=text) == ["VER180"]


@pytest.mark.parametrize("place", [PLACE, "rendered/live/shop/ranker/a.yaml", "ranker/a.yaml"])
def test_an_object_of_another_team(place, tmp_path):
    text = OBJECT.replace("shop-live", "support-live")
    assert codes(tmp_path, place, object=text) == ["VER181"]


@pytest.mark.parametrize(
    "place", ["live/shop/other/a.yaml", "staging/shop/ranker/a.yaml", "live/shop/ranker/below/a.yaml"]
)
def test_what_the_application_does_not_sync(place, tmp_path):
    assert codes(tmp_path, place, object=OBJECT.replace("shop-live", "support-live")) == []


def test_folders_below_where_the_application_says_so(tmp_path):
    text = APPLICATION.replace(
        "path: rendered/live/shop/ranker", "path: rendered/live/shop/ranker, directory: {recurse: true}"
    )
    below = "live/shop/ranker/below/a.yaml"
    assert codes(tmp_path, below, object=OBJECT.replace("shop-live", "x"), application=text) == ["VER181"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (OBJECT.replace("ConfigMap", "Secret").replace("data:", "stringData:"), ["VER182"]),
        ("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n", ["VER182"]),
    ],
)
def test_a_kind_that_the_project_does_not_allow(text, found, tmp_path):
    assert codes(tmp_path, object=text) == found


def test_kinds_without_a_list(tmp_path):
    text = PROJECT.replace('  namespaceResourceWhitelist: [{group: "", kind: ConfigMap}]\n', "")
    assert codes(tmp_path, project=text) == []
    black = text + '  namespaceResourceBlacklist: [{group: "", kind: "*"}]\n'
    assert codes(tmp_path, project=black) == ["VER182"]


def test_the_examples_fit():
    tree = Path(__file__).parents[4] / "rendered"
    assert not [finding for finding in verify(tree).findings if finding.code.startswith("VER18")]
