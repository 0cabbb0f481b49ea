"""Nothing is rendered without evidence where a tier demands it in git; nothing that was rejected comes back by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from generator.cli.main import cli
from generator.gates.document import Evidence, parse_evidence
from tests.system.repositories import EPOCH, EXAMPLES, read_tree

FRAUD = "specs/risk/fraud.evidence.json"
MODELS = ("risk/fraud", "shop/recommender", "support/ticket-classifier")
REJECTED = "  quarantine:\n    - {{model: {model}, digest: {digest}, reason: clicks fell, since: 2026-11-20{more}}}\n"

# What is made from the whole of specs/platform.yaml: its digest is among their inputs, their files stay the same.
WHOLE_PLATFORM = {
    f"{environment}/{bundle}/.sluice"
    for environment in ("staging", "production")
    for bundle in ("argocd/platform", "platform/admission", "platform/overview")
}


def sluice(root: Path, *arguments: str, day: int = 0) -> Result:
    """The program, in this process, some days after the evidence."""
    when = {"SOURCE_DATE_EPOCH": str(int(EPOCH) + 86400 * day)}
    return CliRunner().invoke(cli, [*arguments, "--root", str(root)], env=when)


def refused(root: Path, code: str, *said: str, day: int = 0) -> None:
    """Every command that judges says so, and the tree stays as it is."""
    before = read_tree(root)
    for command in (("render",), ("render", "--check"), ("validate",)):
        ran = sluice(root, *command, day=day)
        assert ran.exit_code == 1, (command, ran.output)
        assert all(text in ran.output for text in (code, *said)), ran.output
    assert read_tree(root) == before


def up_to_date(root: Path) -> None:
    ran = sluice(root, "render", "--check")
    assert (ran.exit_code, "up to date" in ran.output) == (0, True), ran.output


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("deleted", [True, False])
def test_one_digit_of_committed_evidence_makes_render_refuse(rendered: Path, model: str, deleted: bool):
    file = rendered / f"specs/{model}.evidence.json"
    text = file.read_text()
    at = re.search(r'"value": ([0-9])', text).start(1)
    digit = "" if deleted else str((int(text[at]) + 1) % 10)
    file.write_text(text[:at] + digit + text[at + 1 :])
    refused(rendered, "EVID10", f"sluice gates run {model}")
    file.write_text(text)
    up_to_date(rendered)


@pytest.mark.parametrize("model", MODELS)
def test_no_digit_of_committed_evidence_is_free(model: str):
    """A sample of all digits, each changed alone and each taken out alone."""
    raw = (EXAMPLES / f"{model}.evidence.json").read_bytes()
    for found in list(re.finditer(rb"[0-9]", raw))[::41]:
        at = found.start()
        other = b"1" if raw[at : at + 1] != b"1" else b"2"
        for spoiled in (raw[:at] + other + raw[at + 1 :], raw[:at] + raw[at + 1 :]):
            evidence = Evidence("x.evidence.json", model)
            parse_evidence(spoiled, evidence)
            assert evidence.findings, raw[max(0, at - 40) : at + 10]


def test_without_evidence_nothing_is_rendered_of_this_model_and_all_of_the_others(repo: Path):
    (repo / FRAUD).unlink()
    ran = sluice(repo, "render")
    assert ran.exit_code == 1
    assert "EVID104" in ran.output
    assert "`drift`" in ran.output
    assert "`parity`" not in ran.output  # it is waived
    assert not (repo / "rendered/production/risk/fraud").exists()
    assert (repo / "rendered/production/shop/recommender/rollout-main.yaml").exists()


def test_evidence_comes_back_and_so_does_the_bundle(repo: Path):
    text = (repo / FRAUD).read_bytes()
    (repo / FRAUD).unlink()
    assert sluice(repo, "render").exit_code == 1
    (repo / FRAUD).write_bytes(text)
    assert sluice(repo, "render").exit_code == 0
    up_to_date(repo)


def test_a_suite_that_changed_was_not_judged(rendered: Path):
    suite = rendered / "specs/risk/expectations/fraud-inputs.json"
    suite.write_text(suite.read_text().replace("1000", "1001"))
    refused(
        rendered, "EVID107", "expectations/fraud-inputs.json", "sluice gates run risk/fraud --gate schema"
    )


def test_another_threshold_was_not_judged(rendered: Path):
    spec = rendered / "specs/support/ticket-classifier.yaml"
    spec.write_text(spec.read_text().replace("atLeast: 0.92", "atLeast: 0.90"))
    refused(rendered, "EVID107", "`accuracy`")


def test_another_model_was_not_judged(rendered: Path):
    lock = rendered / "specs/shop/recommender.lock.yaml"
    lock.write_text(re.sub("digest: sha256:.{4}", "digest: sha256:0000", lock.read_text()))
    refused(rendered, "EVID105")


def test_verdicts_of_a_tier_grow_old(rendered: Path):
    platform = rendered / "specs/platform.yaml"
    text = platform.read_text()
    assert "        imageDigest: true\n" in text
    platform.write_text(
        text.replace("        imageDigest: true\n", "        imageDigest: true\n        evidenceAge: 30d\n")
    )
    assert sluice(rendered, "render").exit_code == 0
    assert sluice(rendered, "render", "--check", day=30).exit_code == 0
    refused(rendered, "EVID110", "31 days ago", "30", day=31)


def test_quarantine_refuses_one_digest_touches_no_other_bundle_and_ends_by_name(rendered: Path):
    platform = rendered / "specs/platform.yaml"
    text = platform.read_text()
    lock = (rendered / "specs/shop/recommender.lock.yaml").read_text()
    digest = re.search("sha256:[0-9a-f]{64}", lock).group()
    platform.write_text(text + REJECTED.format(model="shop/recommender", digest=digest, more=""))
    before = read_tree(rendered / "rendered")
    ran = sluice(rendered, "render")
    assert ran.exit_code == 1
    assert all(said in ran.output for said in ("WAIV705", "since 2026-11-20", "clicks fell"))
    after = read_tree(rendered / "rendered")
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == WHOLE_PLATFORM
    refused(rendered, "WAIV705")
    released = ", released: {by: shop-lead, reason: the events were lost, at: 2026-11-22}"
    platform.write_text(text + REJECTED.format(model="shop/recommender", digest=digest, more=released))
    assert sluice(rendered, "render").exit_code == 0
    up_to_date(rendered)


def test_other_versions_in_quarantine_are_nobodys_input(rendered: Path):
    platform = rendered / "specs/platform.yaml"
    entry = REJECTED.format(model="shop/recommender", digest="sha256:" + "0" * 64, more="")
    platform.write_text(platform.read_text() + entry)
    before = read_tree(rendered / "rendered")
    assert sluice(rendered, "render").exit_code == 0
    after = read_tree(rendered / "rendered")
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed == WHOLE_PLATFORM
