"""`sluice diff`, and `plan --all --against`: two states of a real git repository, compared as values."""

from __future__ import annotations

import json
import subprocess

import jsonschema

from generator.plan.changes import Change
from generator.report.diffs.compare import Difference
from generator.report.diffs.groups import groups, trends
from generator.report.schemas import schema_text
from generator.source.shipped import builtin_folder
from tests.unit.cli.edits import change, git


def test_nothing_differs_and_layout_is_no_difference(committed, sluice):
    done = sluice("diff", "--exit-code")
    assert (done.exit_code, done.output[:24]) == (0, "nothing differs from HEA")
    change(committed, "shop/recommender.yaml", "hold: 60m", "hold: 1h")
    change(committed, "shop/recommender.yaml", "# off-peak; all odds use it", "# of a Sunday night")
    done = sluice("diff", "--exit-code")
    assert (done.exit_code, done.output[:24]) == (0, "nothing differs from HEA")


def test_decisions_come_first_then_what_they_do_to_the_numbers(committed, sluice):
    change(committed, "shop/recommender.yaml", "hold: 60m", "hold: 40m")
    done = sluice("diff")
    assert done.exit_code == 0
    lines = [line.strip() for line in done.output.splitlines()]
    assert lines[:3] == [
        "shop/recommender",
        "staging, production: the same everywhere",
        "step 1 hold: 1h → 40m (looser)",
    ]
    assert "so planned time: 1h 40m → 1h 20m" in lines
    assert any(line.startswith("so caught in the first step: 82.7% →") for line in lines)
    assert sluice("diff", "--exit-code").exit_code == 1
    assert "nothing differs" in sluice("diff", "risk").output


def test_one_environment_is_told_by_its_name(committed, sluice):
    change(
        committed,
        "shop/recommender.yaml",
        "spec:\n",
        "spec:\n  environments: {staging: {autoscaling: {min: 2}}}\n",
    )
    lines = [line.strip() for line in sluice("diff").output.splitlines()]
    assert lines[:3] == ["shop/recommender", "staging", "capacity minimum: 4 → 2 (at once, to everybody)"]
    assert "1 of 6 bundles, 1 of 3 models differ" in lines[-2]
    assert lines[-1] == "1 model changes, no release starts, 1 bundle changes at once for everybody"


def test_the_last_line_counts_models_and_releases(committed, sluice):
    change(committed, "shop/recommender.yaml", "traffic:", "resources: {cpu: '2'}\n  traffic:")
    change(committed, "risk/fraud.yaml", "hold: 2h", "hold: 3h")
    assert sluice("diff").output.splitlines()[-1] == "2 models change, 2 releases start"
    assert sluice("plan", "--all", "--against", "HEAD").output.splitlines()[-1].startswith("2 models change")


def test_red_is_looser_and_green_is_stricter(committed, sluice):
    change(committed, "shop/recommender.yaml", "drop: 10%", "drop: 20%")
    change(committed, "shop/recommender.yaml", "hold: 60m", "hold: 2h")
    change(committed, "shop/recommender.yaml", "  - {metric: slow-rate", "  # - {metric: slow-rate")
    lines = sluice("diff", env={"FORCE_COLOR": "1", "NO_COLOR": None}).output.splitlines()
    found = {
        line[5:].strip().removesuffix("\x1b[0m"): line[2:4] for line in lines if line.startswith("\x1b[3")
    }
    assert found["guard ctr threshold: drop of 10% → drop of 20% (looser)"] == "31"
    assert next(iter(found)).startswith(
        "guard slow-rate: removed; a 50% rise of slow-rate above 250ms: caught"
    )
    assert found["step 1 hold: 1h → 2h (stricter)"] == "32"
    assert all(code == "31" for text, code in found.items() if text.startswith("so planned time"))


def test_a_move_to_another_tier_shows_every_rule_that_differs(committed, sluice):
    change(committed, "shop/recommender.yaml", "tier: high-traffic", "tier: standard")
    lines = [line.strip() for line in sluice("diff").output.splitlines()]
    rules = {line for line in lines if line.startswith("tier ")}
    assert "tier ceilings.firstWeight: 5% → 100% (looser)" in rules
    assert "tier requires.guards: removed, was error-rate, slow-rate (looser)" in rules
    assert "tier ceilings.cpu: 4 → 2 (stricter)" in rules
    assert all(line.endswith(("(looser)", "(stricter)")) for line in rules), rules


def test_models_come_and_go(committed, sluice):
    files = sorted((committed / "specs/support").glob("ticket-classifier.*"))
    assert len(files) == 4
    for file in files:
        file.unlink()
    told = sluice("diff").output
    assert "model: removed" in told
    assert "model: removed" in sluice("diff", "support/ticket-classifier").output
    assert "model: removed" not in sluice("diff", "shop").output
    git(committed, "add", "-A")
    git(committed, "commit", "-qm", "gone")
    git(committed, "checkout", "-q", "HEAD~1")
    assert "model: added, version 7" in sluice("diff", "--against", "main").output


def test_documents_match_their_schema(committed, sluice):
    change(committed, "shop/recommender.yaml", "rise: 50%", "rise: 30%")
    change(committed, "risk/fraud.yaml", "minRps: 120", "minRps: [120")
    done = sluice("diff", "--format", "json")
    document = json.loads(done.output)
    jsonschema.validate(document, json.loads(schema_text("diff")))
    assert done.exit_code == 1, "fraud can't be read"
    by_status = {found["status"]: found for found in document["differences"]}
    assert by_status["unreadable"]["model"] == "fraud"
    assert by_status["unreadable"]["reason"]
    assert document["against"]["commit"] == git(committed, "rev-parse", "HEAD")
    assert by_status["changed"]["changes"] == [
        {
            "topic": "guard",
            "item": "slow-rate",
            "field": "threshold",
            "old": "rise of 50%",
            "new": "rise of 30%",
            "direction": "stricter",
            "applies": "rules",
        }
    ]
    old, new = (by_status["changed"]["numbers"][side] for side in ("old", "new"))
    assert new["exposed"] < old["exposed"], (
        "the same rise of 30% on both sides: the stricter guard sees it sooner"
    )
    (harm,) = by_status["changed"]["harms"]
    assert (harm["change"], harm["lost"]) == ("a 30% rise of slow-rate above 250ms", False)
    assert harm["old"]["share"] < harm["new"]["share"]


def test_what_git_can_not_answer_is_said_without_a_traceback(repository, sluice):
    done = sluice("diff")
    assert (done.exit_code, "is not in a git repository; run `git init`" in done.output) == (2, True)
    git(repository, "init", "-q")
    assert "no revision `HEAD`" in sluice("diff").output
    (repository / "README").write_text("nothing\n")
    git(repository, "add", "README")
    git(repository, "commit", "-qm", "nothing")
    assert "has no specs/platform.yaml" in sluice("diff").output
    for name in ("nosuch", "--all", "-x", "HEAD:specs", "a b", "'; ls"):
        done = sluice("diff", f"--against={name}")
        assert (done.exit_code, "no revision" in done.output) == (2, True), done.output


def test_a_platform_that_was_broken_is_told(repository, sluice):
    git(repository, "init", "-q")
    good = (repository / "specs/platform.yaml").read_text()
    (repository / "specs/platform.yaml").write_text(good.replace("kind: Platform", "kind: Plan"))
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "broken")
    (repository / "specs/platform.yaml").write_text(good)
    done = sluice("diff")
    assert done.exit_code == 1
    assert "the platform can't be read as it is at HEAD" in done.output
    assert "specs/platform.yaml:4" in done.output.replace("\x1b", "")


def test_a_repository_below_the_top_and_links_that_lead_out(tmp_path, monkeypatch, sluice, committed):
    """The repository may be a folder of a larger one; a link in an old commit reads nothing outside of it."""
    top = tmp_path / "top"
    (top / "models").mkdir(parents=True)
    subprocess.run(["cp", "-r", str(committed / "specs"), str(top / "models/specs")], check=True)
    secret = tmp_path / "secret.yaml"
    secret.write_text("spec: {secret: found}\n")
    (top / "models/specs/shop/stolen.yaml").symlink_to(secret)
    git(top, "init", "-q")
    git(top, "add", "-A")
    git(top, "commit", "-qm", "one")
    (top / "models/specs/shop/stolen.yaml").unlink()
    change(top / "models", "shop/recommender.yaml", "hold: 60m", "hold: 2h")
    monkeypatch.chdir(top / "models")
    done = sluice("diff")
    assert "step 1 hold: 1h → 2h" in done.output
    assert "found" not in done.output
    assert "stolen" not in done.output


def test_the_blast_radius_of_a_platform_change(committed, sluice):
    change(
        committed, "platform.yaml", 'resources: {cpu: "1", memory: 1Gi}', 'resources: {cpu: "1", memory: 2Gi}'
    )
    change(
        committed, "platform.yaml", "registry: registry.example.com/models", "registry: images.example.com/ml"
    )
    done = sluice("plan", "--all", "--against", "HEAD")
    assert done.exit_code == 0
    assert "6 of 6 bundles, 3 of 3 models differ from HEAD" in done.output
    lines = [" ".join(line.split()) for line in done.output.splitlines()]
    one_group = "registry.example.com/models/{team}/{model} → images.example.com/ml/{team}/{model}"
    assert any(line.startswith("3 models image repository") and one_group in line for line in lines)
    assert any(
        line.startswith("2 models capacity memory 1Gi → 2Gi everywhere: risk/fraud, shop/rec")
        for line in lines
    )
    assert any(line.startswith("cost a month worse in 4 plans better in 0 worst:") for line in lines)
    document = json.loads(sluice("plan", "--all", "--against", "HEAD", "--format", "json").output)
    jsonschema.validate(document, json.loads(schema_text("diff")))
    assert document["bundles_changed"] == 6
    assert document["groups"][0]["models"] == ["risk/fraud", "shop/recommender", "support/ticket-classifier"]


def test_templates_of_the_repository_count(committed, sluice):
    folder = committed / "templates/kubernetes"
    folder.mkdir(parents=True)
    (folder / "podmonitor.yaml.j2").write_text("kind: ConfigMap\n")
    told = sluice("plan", "--all", "--against", "HEAD")
    assert "it can't be rendered as it is now: templates/kubernetes/podmonitor.yaml.j2" in told.output
    assert "templates of this repository that differ: kubernetes/podmonitor.yaml.j2" in told.output
    assert told.exit_code == 1


def test_a_template_shows_which_bundles_change_and_which_releases_start(committed, sluice):
    """Both sides are rendered from today's plans: what a spec changes is not counted twice."""
    folder = committed / "templates/kubernetes"
    folder.mkdir(parents=True)
    pods = (builtin_folder() / "kubernetes/_pod.yaml.j2").read_text()
    (folder / "_pod.yaml.j2").write_text(
        pods.replace("      containers:", "      nodeSelector: {pool: models}\n      containers:", 1)
    )
    document = json.loads(sluice("plan", "--all", "--against", "HEAD", "--format", "json").output)
    jsonschema.validate(document, json.loads(schema_text("diff")))
    assert document["bundles_changed"] == 6
    assert all(one["starts_release"] for one in document["differences"])
    told = sluice("plan", "--all", "--against", "HEAD", "--format", "markdown").output
    assert "6 of 6 bundles" in told
    assert "template rollout-main.yaml" in told
    assert "nothing → nodeSelector:" in told
    git(committed, "add", "--all")
    git(committed, "commit", "-qm", "pools")
    monitors = (builtin_folder() / "kubernetes/podmonitor.yaml.j2").read_text()
    (folder / "podmonitor.yaml.j2").write_text(monitors.replace("honorLabels: false", "honorLabels: true"))
    told = sluice("plan", "shop/recommender", "--against", "HEAD").output
    assert (
        "template podmonitor-main.yaml: honorLabels: false → honorLabels: true (at once, to everybody)"
        in told
    )
    assert "so no release starts" in told


def difference(model: str, *values: tuple[str, str]) -> Difference:
    changes = tuple(Change("capacity", "", "memory", old, new) for old, new in values)
    return Difference("shop", model, "production", "changed", changes)


def test_values_that_are_each_their_own_become_one_group():
    found = [difference(f"m{index}", (f"{index}Gi", f"{index + 1}Gi")) for index in range(9)]
    (group,) = groups(found)
    assert (group.label, group.text, len(group.models)) == ("capacity memory", "each its own", 9)
    some = groups(found[:3])
    assert sorted(group.text for group in some) == ["0Gi → 1Gi", "1Gi → 2Gi", "2Gi → 3Gi"]
    assert trends(found) == []
