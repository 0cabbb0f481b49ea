"""Names that are put together from parts: which models, teams and environments collide, and what is taken already."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from generator.pipeline.bundles import KINDS
from generator.pipeline.repository_files import bootstrap
from generator.plan.derived import RESERVED_ENVIRONMENTS, RESERVED_TEAMS, derived_names
from generator.plan.model_files import ModelFiles
from generator.plan.repository import Repository
from generator.render.environment import Templates
from generator.render.root import render_root
from generator.rules.evaluate import run_fleet_rules
from generator.spec.platform import PlatformFile
from generator.spec.service import Traffic
from tests import golden
from tests.unit.rules.repository import PLATFORM, TODAY, as_yaml, edited, file_of

TEAM = {"owners": ["x@example.com"], "tiers": ["standard"]}
PRODUCTION = PLATFORM["environments"]["production"]  # type: ignore[index]


def collisions(
    root: Path, models: str, teams: str = "shop", environments: str = "production"
) -> list[tuple[str, str]]:
    """Place and message of each collision; the specs are empty, since names do not depend on what is in them."""
    edits = {
        **{f"teams.{team}": TEAM for team in teams.split()},
        **{f"environments.{name}": PRODUCTION for name in environments.split()},
    }
    (root / "specs").mkdir()
    platform = file_of("Platform", {"name": "acme"}, edited(PLATFORM, edits))
    (root / "specs/platform.yaml").write_text(as_yaml(platform))
    for name in models.split():
        path = root / f"specs/{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text("metadata: {name: x}\n")
    repository = Repository(root)
    found = run_fleet_rules([], repository, TODAY)
    return [(f"{f.place.file} {f.path}", f.message) for f in found if f.code in {"NAME403", "NAME407"}]


SHARED = {
    "two teams": ("shop/ads-x shop-ads/x", "shop shop-ads", "production", "the bento `shop-ads-x`"),
    "a shadow's pods": ("shop/a shop/a-shadow", "shop", "production", "the Service `a-shadow`"),
    "a preview": ("shop/a shop/a-preview", "shop", "production", "the Service `a-preview`"),
    "the autoscaler of KEDA": ("shop/a shop/keda-hpa-a", "shop", "production", "the HorizontalPodAutoscaler `keda-hpa-a`"),
    "an account of every namespace": ("shop/default", "shop", "production", "the ServiceAccount `default`"),
    "the account of gates": ("shop/sluice-gates", "shop", "production", "the ServiceAccount `sluice-gates`"),
    "projects of two environments": ("", "a x-a", "production production-x", "the AppProject `production-x-a`"),
    "applications of two environments": ("a/b x-a/b", "a x-a", "production production-x", "the AppProject `production-x-a`"),
    "the platform's Application": ("x/platform", "x", "production production-x", "the Application `production-x-platform`"),
    "the root Application": ("production-a/b", "production-a", "sluice production-a-b", "the Application `sluice-production-a-b`"),
    "the root's project": ("", "production", "production sluice", "the AppProject `sluice-production`"),
    "the list of projects": ("production/projects", "production", "sluice production", "the Application `sluice-production-projects`"),
}  # fmt: skip


@pytest.mark.parametrize("name", SHARED)
def test_a_shared_name_is_an_error_before_anything_is_rendered(name, tmp_path):
    models, teams, environments, said = SHARED[name]
    found = collisions(tmp_path, models, teams, environments)
    assert any(said in message for _, message in found), found


def test_a_pair_of_models_is_reported_once(tmp_path):
    found = collisions(tmp_path, "shop/ads-x shop-ads/x", "shop shop-ads", "production staging")
    assert [place for place, _ in found] == ["specs/shop-ads/x.yaml metadata.name"]


NEAR = {
    "no common prefix": ("shop/ads-x shopads/x", "shop shopads"),
    "an inner suffix": ("shop/a shop/a-shadow-b", "shop"),
    "another team's suffix": ("shop/a ads/a-shadow", "shop ads"),
    "words that objects have as suffixes": ("shop/stable shop/canary shop/guards", "shop"),
}


@pytest.mark.parametrize("name", NEAR)
def test_names_that_only_look_alike_are_accepted(name, tmp_path):
    models, teams = NEAR[name]
    assert collisions(tmp_path, models, teams) == []


@pytest.mark.parametrize("team", sorted(RESERVED_TEAMS))
def test_a_reserved_team_without_a_model_is_an_error_at_the_team(team, tmp_path):
    assert (f"specs/platform.yaml spec.teams.{team}") in {
        place for place, _ in collisions(tmp_path, "", team)
    }


BAD_HOSTS = (
    "*.shop.models.example.com",
    "Shop.models.example.com",
    "shop.models.example.com.",
    "shöp.example.com",
    "a.example.com:80",
    "a..example.com",
    "",
)


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_a_host_is_a_plain_name_in_lower_case(host):
    with pytest.raises(ValidationError):
        Traffic.model_validate({"hosts": [host]})
    assert Traffic.model_validate({"hosts": ["shop.models.example.com"]}).hosts


def test_the_image_of_a_model_is_not_that_of_a_gate():
    platform = file_of(
        "Platform",
        {"name": "acme"},
        edited(PLATFORM, {"images": {"gates": "registry.example.com/models/shop"}}),
    )
    spec = PlatformFile.model_validate(platform).spec
    entry = ModelFiles("shop", "scipy", Path("specs/shop/scipy.yaml"))
    images = [each.name for each in derived_names(spec, [entry]) if each.kind == "image"]
    assert images.count("registry.example.com/models/shop/scipy") == 2


def test_every_folder_next_to_those_of_teams_is_reserved():
    next_to_teams = set()
    for kind in KINDS.values():
        parts = kind.path.split("/")
        if parts[0] != "{environment}":
            assert parts[0] in RESERVED_ENVIRONMENTS
            next_to_teams.add(parts[0])
        # Teams have folders in an environment and in its `platform/`.
        next_to_teams |= {part for part in parts[1:3] if parts[0] == "{environment}" and parts[1] != "argocd"}
    fixed = {part for part in next_to_teams if "{" not in part} | {"argocd"}
    assert {"platform", "admission"} < fixed <= RESERVED_TEAMS


def test_the_table_has_the_names_of_argo_cds_root():
    spec = PlatformFile.model_validate(file_of("Platform", {"name": "acme"}, PLATFORM)).spec
    table = {(each.kind, each.name) for each in derived_names(spec, [])}
    for environment in spec.environments:
        texts = [bootstrap(Templates(None), environment, spec)]
        texts += render_root(spec, environment, [], Templates(None)).values()
        for item in (item for text in texts for item in yaml.safe_load_all(text)):
            assert (item["kind"], item["metadata"]["name"]) in table


_HASH = re.compile(r"-(?:[0-9a-f]{8}|[0-9a-f]{10})$|-evidence-\d+$|-config$|-dashboard$")


def test_the_table_has_every_object_of_a_bundle():
    """Objects of two models can only collide in a name that is in the table, or that ends in a digest or a number."""
    spec = PlatformFile.model_validate(file_of("Platform", {"name": "acme"}, PLATFORM)).spec
    table = {
        (each.kind, each.name)
        for each in derived_names(spec, [ModelFiles("shop", "ranker", Path("specs/shop/ranker.yaml"))])
        if each.scope == "the namespaces of shop"
    }
    names = {name for _, name in table}
    listed = {kind for kind, _ in table}
    seen = 0
    for case in golden.cases():
        for path, text in golden.files(case).items():
            if not re.match(r"[a-z0-9-]+/shop/ranker/.*\.yaml$", path):
                continue
            item = yaml.safe_load(text)
            if "kind" not in item:  # the definition of an alert's test, a list of values
                continue
            kind, name = item["kind"], item["metadata"]["name"]
            seen += 1
            assert name == "ranker" or name in names or _HASH.search(name), (case, kind, name)
            if name != "ranker" and kind in listed and not _HASH.search(name):
                assert (kind, name) in table, (case, kind, name)
    assert seen > 100
