"""The projects of teams: Argo CD's limit of 255 characters for a description, and labels."""

from __future__ import annotations

import pytest
import yaml

from generator.plan.describe import describe
from generator.plan.repository import Repository
from generator.render.argocd import (
    _project_description,
    render_application,
    render_platform_application,
    render_project,
)
from generator.render.environment import Templates
from tests.system.repositories import PLATFORM, resolve_one, small


@pytest.mark.parametrize(
    ("owners", "end"),
    [
        (["shop@example.com"], "(shop@example.com)"),
        (["a" * 230], f"({'a' * 230})"),
        (["a" * 231], "(1 owner)"),
        (["a" * 300, "b@example.com"], "(2 owners)"),
        (["shop@example.com", "b" * 300], "(shop@example.com, 1 more)"),
        (["shop@example.com", "b" * 300, "c" * 10], "(shop@example.com, 2 more)"),
    ],
)
def test_owners_are_listed_as_far_as_they_fit(owners, end):
    text = _project_description("shop", "live", owners)
    assert text == f"Models of shop in live {end}"
    assert len(text) <= 255


def test_labels_of_an_environment_are_on_its_projects_and_applications(tmp_path):
    (live,) = [line for line in PLATFORM.splitlines() if line == "    live:"]
    labels = "argocd: {labels: {example.com/cost-center: search}}"
    small(tmp_path, platform=PLATFORM.replace(live, f"{live}\n      {labels}"))
    platform, templates = Repository(tmp_path).platform, Templates(None)
    assert platform is not None
    files = [
        *render_project(platform, "live", "shop", templates).values(),
        *render_platform_application(platform, "live", templates).values(),
    ]
    found = [yaml.safe_load(text) for text in files]
    assert [one["kind"] for one in found] == ["AppProject", "Application", "AppProject"]
    assert {one["metadata"]["labels"]["example.com/cost-center"] for one in found} == {"search"}


def test_a_project_has_the_name_that_its_environment_gives_it_and_applications_are_in_it(tmp_path):
    (live,) = [line for line in PLATFORM.splitlines() if line == "    live:"]
    small(
        tmp_path,
        platform=PLATFORM.replace(live, f"{live}\n      argocd: {{projects: {{shop: shop-models}}}}"),
    )
    repository, templates = Repository(tmp_path), Templates(None)
    assert repository.platform is not None
    (project,) = map(yaml.safe_load, render_project(repository.platform, "live", "shop", templates).values())
    (planned,) = resolve_one(tmp_path).plans
    (application,) = map(yaml.safe_load, render_application(planned.plan, templates).values())
    assert project["metadata"]["name"] == application["spec"]["project"] == "shop-models"
    assert ("delivery project", "shop-models") in {(value.label, value.text) for value in describe(planned)}
