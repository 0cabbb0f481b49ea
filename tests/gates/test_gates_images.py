"""Gate images: what is rendered builds, and a gate says in it what it says on this machine."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from click.testing import CliRunner, Result

from generator.cli.main import cli
from generator.gates.document import configuration, own_digest
from generator.gates.errors import ContainerError
from generator.gates.pod import LARGEST, read_gates, read_release, run_in_container
from generator.plan.gates import gate_from, planned_gates, suite_digest
from generator.render.environment import Templates
from generator.render.gate_images import GateImages
from generator.render.scalars import inert_json
from generator.source.shipped import builtin_folder
from generator.spec.gate_tools import IMAGES
from generator.spec.gates import gate_of
from tests.gates.images import ROOT, built, layer
from tests.gates.tables import LOCKED, MODEL, lock, run

FRAME = "import numpy as np, pandas as pd\n"
WHEN = "1763892000"
JUNIT = '<testsuites><testsuite failures="0" errors="0"><properties><property name="sluice.model" value="{}"/></properties>{}</testsuite></testsuites>'


def release(**more: object) -> str:
    document = {
        "model": "risk/fraud",
        "framework": "sklearn",
        "gateKey": "0" * 64,
        "guaranteed": False,
        "lock": {
            "schema": "sluice/lock/v1",
            "model": {
                "ref": "mlflow:fraud/12",
                "resolved": "x",
                "version": "12",
                "digest": MODEL,
                "at": LOCKED,
                "by": "test",
            },
            "data": {},
        },
    }
    return inert_json({**document, **more})


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """The folder of this model's inputs, below the folder that is mounted."""
    folder = tmp_path / "inputs" / MODEL.removeprefix("sha256:")
    (folder / "reports").mkdir(parents=True)
    cases = "".join(f'<testcase classname="m" name="t{number}"/>' for number in range(25))
    (folder / "reports" / "junit.xml").write_text(JUNIT.format(MODEL, cases))
    rows = [f"{number % 7}.{number % 10},{number}\n" for number in range(2000)]
    (folder / "train.csv").write_text("amount,hour\n" + "".join(rows))
    (folder / "now.csv").write_text(
        "amount,hour\n" + "".join(reversed(rows))
    )  # the same file twice is not a comparison
    return folder


DRIFT = {"name": "gate", "drift": {"reference": "train.csv", "current": "now.csv", "features": ["amount", "hour"]}, "tool": "ks", "alpha": 0.05}  # fmt: skip
TESTS = {"name": "gate", "junit": "reports/junit.xml", "atLeast": 20}


@pytest.mark.slow
@pytest.mark.parametrize(("image", "config"), [("scipy", DRIFT), ("sluice", TESTS)])
def test_an_image_says_what_this_machine_says(image: str, config: dict, inputs: Path, tmp_path: Path):
    made = built(image)
    variables = {
        "SLUICE_GATE": inert_json(config),
        "SLUICE_RELEASE": release(),
        "SLUICE_IMAGE": made.reference,
        "SOURCE_DATE_EPOCH": WHEN,
    }
    found = tmp_path / "evidence.json"
    done = made.run(*made.command[1:], "--inputs", str(inputs.parent), "--to", str(found), **variables)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    there = json.loads(found.read_text())
    here = json.loads(run(inputs, config).model_dump_json(by_alias=True))
    assert there["digest"] == own_digest(there)
    assert there["image"] == made.reference
    apart = {"image", "start", "end", "digest"}
    assert {key: value for key, value in there.items() if key not in apart} == {
        key: value for key, value in here.items() if key not in apart
    }
    assert here["verdict"] == "pass"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "code", "said"),
    [
        ({**TESTS, "atLeast": 26}, 10, "tests that ran is 25, not at least 26"),
        ({**TESTS, "junit": "reports/other.xml"}, 11, "put it into the gates' inputs"),
        ({"name": "gate", "junit": 3}, 2, "not a gate"),
    ],
)
def test_exit_codes_are_the_contract_of_the_workflow(
    config: dict, code: int, said: str, inputs: Path, tmp_path: Path
):
    found = tmp_path / "evidence.json"
    done = built("sluice").run(
        "gates", "judge", "--inputs", str(inputs.parent), "--to", str(found),
        SLUICE_GATE=json.dumps(config), SLUICE_RELEASE=release(),
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr
    assert found.exists() == (code != 2)


@pytest.mark.slow
def test_a_layer_holds_nothing_of_this_machine(tmp_path: Path):
    folder = layer(built("sluice"), tmp_path / "layer")
    assert (folder / "env" / "sluice" / "bin" / "python").readlink() == Path("/usr/bin/python3")
    assert (folder / "env/sluice/bin/sluice").read_text().startswith("#!/opt/sluice/env/sluice/bin/python\n")
    with pytest.raises(StopIteration):
        next(
            path
            for path in folder.rglob("*")
            if path.is_symlink() and not str(path.readlink()).startswith(("/usr/bin", "python", "lib"))
        )


def test_every_folder_of_tools_is_in_an_image():
    folders = {path.parent.name for path in (builtin_folder() / "gates").glob("*/requirements.txt")}
    assert folders == {tool for tools in IMAGES.values() for tool in tools}


@pytest.mark.parametrize("name", sorted(IMAGES))
def test_the_tag_says_what_is_in_the_image(name: str):
    images = GateImages("registry.example.com/gates", "docker.io/library/python:3.11-slim", Templates())
    files = images.files(name)
    assert re.fullmatch(rf"registry\.example\.com/gates/{name}:0\.1\.0-[0-9a-f]{{12}}\n", files["IMAGE"])
    assert images.reference(name) == files["IMAGE"].strip()
    other = GateImages("registry.example.com/gates", "docker.io/library/python:3.12-slim", Templates())
    assert other.reference(name) != images.reference(name)
    for tool in IMAGES[name]:
        lines = files[f"{tool}/requirements.txt"].splitlines()
        assert all(
            "--hash=sha256:" in line or line.endswith("\\") or not line or line.lstrip().startswith("#")
            for line in lines
        )
        assert f"-r /build/{tool}/requirements.txt" in files["Containerfile"]
    assert "http" not in "".join(
        line for text in files.values() for line in text.splitlines() if "index-url" in line
    )


@pytest.mark.parametrize("name", sorted(IMAGES))
def test_every_package_but_sluice_is_installed_by_hash(name: str):
    images = GateImages("registry.example.com/gates", "docker.io/library/python:3.11-slim", Templates())
    text = images.files(name)["Containerfile"]
    installs = re.findall(r"pip install (.*?)(?: \\)?$", text, re.MULTILINE)
    assert text.count("pip ") == text.count("pip install ") == len(installs)
    by_hash = re.compile(r"--no-cache-dir --require-hashes -r /build/[\w./-]+\.txt")
    others = [options for options in installs if not by_hash.fullmatch(options)]
    assert others == ['--no-cache-dir --no-deps "$SLUICE"']
    assert re.search(r"^ARG SLUICE=sluicegate==\d\S*$", text, re.MULTILINE)


def test_only_images_in_use_are_rendered(tmp_path: Path):
    from tests.system.repositories import sluice

    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    platform = tmp_path / "specs" / "platform.yaml"
    platform.write_text(platform.read_text().partition("  waivers:")[0])
    assert sluice(tmp_path, "render").code == 0
    rendered = tmp_path / "rendered" / "gates"
    fraud = {"fairlearn", "great-expectations", "shap"}
    assert {path.name for path in rendered.iterdir()} == {*fraud, "scipy", "sluice"}
    for name in ("fraud.yaml", "fraud.lock.yaml", "fraud.evidence.json", "fraud.requirements.txt"):
        (tmp_path / "specs" / "risk" / name).unlink(missing_ok=True)
    platform.write_text(platform.read_text().replace("      models: [risk/fraud]\n", ""))
    assert sluice(tmp_path, "render", "--check").code == 1
    assert sluice(tmp_path, "render").code == 0
    assert {path.name for path in rendered.iterdir()} == {"scipy", "sluice"}
    assert "nothing changed" in sluice(tmp_path, "render").out
    (rendered / "scipy" / "Containerfile").unlink()
    assert sluice(tmp_path, "render", "--check").code == 1
    assert sluice(tmp_path, "render").code == 0
    assert (rendered / "scipy" / "Containerfile").exists()


def test_a_gate_survives_the_way_into_a_container():
    configs = [DRIFT, TESTS, {"name": "a", "custom": "r.example/x@sha256:" + "0" * 64, "args": ["{{x}}"]}]
    assert [gate.config for gate in read_gates(inert_json(configs))] == configs
    assert [gate_from(config).kind for config in configs] == ["drift", "tests", "custom"]


def test_a_suite_of_the_repository_survives_it_too(tmp_path: Path):
    """The digest of the suite is in the configuration, and not a key that people write."""
    suites = {"suite.json": "sha256:" + "1" * 64}
    spec = gate_of({"name": "schema", "data": {"current": "dvc:x.csv", "suite": "suite.json"}})
    (planned,) = planned_gates([spec], [], MODEL, suites, {})
    (gate,) = read_gates(inert_json([planned.config]))
    assert (gate.spec, suite_digest(gate)) == (spec, "sha256:" + "1" * 64)
    assert configuration(gate) == configuration(planned)


@pytest.mark.parametrize("text", ["", "null", "{}", "[", '{"model": 3}', "[" * 100_000])
def test_a_container_that_was_told_nothing_says_so(text: str):
    with pytest.raises(ContainerError):
        read_release({"SLUICE_RELEASE": text})
    with pytest.raises(ContainerError):
        read_gates(text)


def test_evidence_too_large_for_a_parameter_is_no_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from generator.gates.adapters import Outcome
    from generator.gates.measures import measure
    from generator.pipeline.gates import clock

    many = tuple(measure(f"feature {number}", 0.0, "atMost", 0.1) for number in range(600))
    found = SimpleNamespace(run=lambda task: Outcome("tool", "1", "data", (), many))
    monkeypatch.setattr("generator.gates.run.adapter", lambda kind: found)
    entry = run_in_container(
        gate_from(DRIFT), read_release({"SLUICE_RELEASE": release()}), tmp_path, tmp_path, "", clock()
    )
    assert (entry.verdict, str(LARGEST) in entry.reason) == ("inconclusive", True)
    assert lock().model.digest == MODEL


def test_a_tier_can_require_digests_of_gate_images(tmp_path: Path) -> None:
    """Their build files are rendered even so: without them no image could be pushed."""
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    platform = tmp_path / "specs/platform.yaml"
    data = yaml.safe_load(platform.read_text())
    data["spec"]["tiers"]["regulated"]["requires"]["gateImageDigest"] = True

    def sluice(*command: str) -> Result:
        platform.write_text(json.dumps(data, indent=1, default=str))
        return CliRunner().invoke(cli, [*command, "--root", str(tmp_path)])

    found = json.loads(sluice("validate", "risk/fraud", "--format", "json").stdout)["findings"]
    lacking = {one["message"].split()[6] for one in found if one["code"] == "TIER342"}
    names = {"fairlearn", "great-expectations", "scipy", "shap", "sluice"}
    assert {image.split("/")[-1].split(":")[0] for image in lacking} == {"python", *names}
    assert sluice("render").exit_code == 1
    assert {path.name for path in (tmp_path / "rendered/gates").iterdir()} == names
    assert not (tmp_path / "rendered/production/risk").exists()
    data["spec"]["images"] = {"digests": dict.fromkeys(sorted(lacking), f"sha256:{'c' * 64}")}
    base = next(image for image in lacking if "/python:" in image)
    found = json.loads(sluice("validate", "risk/fraud", "--format", "json").stdout)["findings"]
    again = {one["message"].split()[6] for one in found if one["code"] == "TIER342"}
    assert base not in again
    assert len(again) == len(names)  # built from another base, they have other tags
    data["spec"]["images"]["digests"] |= dict.fromkeys(sorted(again), f"sha256:{'d' * 64}")
    done = sluice("validate", "risk/fraud", "--format", "json")
    assert "TIER342" not in done.stdout
