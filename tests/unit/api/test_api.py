"""`import sluice` gives what the commands give, as values: nothing is printed, written or imported early."""

from __future__ import annotations

import datetime
import json
import pickle
import subprocess
import sys

import pytest

from generator.api import sluice as api
from tests.system.repositories import read_tree

RECOMMENDER = "shop/recommender"


@pytest.fixture
def broken(repository):
    spec = repository / "specs/shop/recommender.yaml"
    spec.write_text(spec.read_text().replace("tier: high-traffic", "tier: hightraffic"))
    return repository


def test_rendered_bytes_are_those_that_the_command_writes(repository, sluice):
    rendering = api.load(repository).render()
    assert not (repository / "rendered").exists()
    assert sluice("render").exit_code == 0
    assert rendering.files == read_tree(repository / "rendered")


@pytest.mark.parametrize(
    ("models", "options"), [([RECOMMENDER], {}), ([], {"environment": "staging"}), (["risk", "support"], {})]
)
def test_a_part_is_the_part_that_the_command_writes(repository, sluice, models, options):
    rendering = api.load(repository).render(*models, **options)
    arguments = [text for key, value in options.items() for text in ("--env", value) if key]
    assert sluice("render", *models, *arguments).exit_code == 0
    assert rendering.files == read_tree(repository / "rendered")


def test_a_model_with_an_error_has_findings_and_no_files(broken):
    rendering = api.load(broken).render()
    assert [(f.code, str(f.place)) for f in rendering.findings if f.severity == "error"] == [
        ("REF202", "specs/shop/recommender.yaml:7:9")
    ]
    folders = {path.partition("/")[2].rpartition("/")[0] for path in rendering.files}
    assert "shop/recommender" not in folders
    assert "risk/fraud" in folders


def test_findings_are_those_of_the_command(repository, sluice):
    document = json.loads(sluice("validate", "--format", "json").stdout)
    findings = api.load(repository).validate()
    assert findings
    assert [(f.code, f.severity, f.message, f.place.line) for f in findings] == [
        (f["code"], f["severity"], f["message"], f["place"]["line"]) for f in document["findings"]
    ]
    one = api.load(repository).validate(RECOMMENDER)
    assert one == tuple(f for f in findings if f.place.file == "specs/shop/recommender.yaml")


def test_plan_and_odds_are_those_of_the_command(repository, sluice):
    (document,) = json.loads(sluice("plan", RECOMMENDER, "--env", "production", "--format", "json").stdout)[
        "plans"
    ]
    plan = api.load(repository).plan(RECOMMENDER, "production")
    assert (plan.identity.model, plan.identity.environment) == ("recommender", "production")
    odds = api.odds(plan)
    assert {guard.name: found.power for guard, found in odds.guards} == {
        guard["name"]: guard["power"] for guard in document["odds"]["guards"]
    }


def test_a_blue_green_rollout_has_no_odds(repository):
    assert api.odds(api.load(repository).plan("support/ticket-classifier", "staging")) is None


def test_a_model_with_an_error_has_no_plan(broken):
    repository = api.load(broken)
    with pytest.raises(
        api.FindingsError, match=r"recommender\.yaml:7:9: unknown tier `hightraffic`"
    ) as raised:
        repository.plan(RECOMMENDER, "production")
    assert [finding.code for finding in raised.value.findings] == ["REF202"]
    assert repository.plan("risk/fraud", "production").identity.model == "fraud"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda found: found.plan("shop/recomender", "staging"), "did you mean shop/recommender"),
        (lambda found: found.plan(RECOMMENDER, "stagin"), "no such environment: `stagin`; did you mean"),
        (lambda found: found.validate("unknown"), "no spec matches unknown"),
        (lambda found: found.render("unknown"), "no spec matches unknown"),
        (lambda found: found.render(environment="stagin"), "no such environment: `stagin`"),
        (lambda found: api.load(found.root / "specs" / "shop"), r"no specs/platform\.yaml"),
    ],
)
def test_a_call_that_cannot_be_answered_raises_a_user_error(repository, call, message):
    with pytest.raises(api.UserError, match=message):
        call(api.load(repository))


def test_a_platform_with_errors_is_findings_or_prevents_a_plan(repository):
    platform = repository / "specs/platform.yaml"
    platform.write_text(platform.read_text().replace("registry:", "registri:"))
    found = api.load(repository)
    assert {finding.severity for finding in found.validate()} == {"error"}
    assert found.render().files == {}
    assert found.render().findings == found.validate()
    with pytest.raises(api.FindingsError, match="registri"):
        found.plan(RECOMMENDER, "staging")
    with pytest.raises(api.FindingsError, match="registri"):
        _ = found.environments


def test_what_a_repository_holds(repository):
    found = api.load()
    assert found.root == repository
    assert found.models == ("risk/fraud", RECOMMENDER, "support/ticket-classifier")
    assert found.environments == ("staging", "production")
    assert repr(found) == f"sluice.load({str(repository)!r})"


def test_waivers_end_on_the_given_day(repository):
    def errors(day):
        findings = api.load(repository, today=day).validate("risk/fraud")
        return [finding.code for finding in findings if finding.severity == "error"]

    assert errors(datetime.date(2027, 1, 31)) == []
    assert errors(datetime.date(2027, 2, 1)) == ["WAIV701"]


def test_a_loaded_repository_is_a_snapshot(repository):
    before = api.load(repository)
    first = before.plan(RECOMMENDER, "production")
    platform = repository / "specs/platform.yaml"
    platform.write_text(platform.read_text().replace("registry.example.com", "registry2.example.com"))
    assert before.plan(RECOMMENDER, "production") == first
    assert api.load(repository).plan(RECOMMENDER, "production").image != first.image


def test_nothing_is_printed(repository, capfd, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    found = api.load(repository)
    found.validate()
    found.render()
    api.odds(found.plan(RECOMMENDER, "production"))
    assert capfd.readouterr() == ("", "")


def test_an_error_survives_pickling(broken):
    with pytest.raises(api.FindingsError) as raised:
        api.load(broken).plan(RECOMMENDER, "production")
    again = pickle.loads(pickle.dumps(raised.value))
    assert (str(again), again.findings) == (str(raised.value), raised.value.findings)


def test_every_exported_name_is_there_and_documented():
    assert dir(api) == api.__all__
    for name in set(api.__all__) - {"__version__"}:
        assert getattr(api, name).__doc__, name
    with pytest.raises(AttributeError, match="nothing"):
        _ = api.nothing


def test_importing_it_imports_nothing_else():
    script = "import sys; before = set(sys.modules); from generator.api import sluice; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {name for name in loaded if name.startswith("generator.")} == {
        "generator.api",
        "generator.api.sluice",
    }
    assert {name.partition(".")[0] for name in loaded} <= {"generator", *sys.stdlib_module_names}
