"""`validate --fix` over generated specs: it repairs where the finding is, asks, loosens nothing, and ends."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from generator.cli.main import cli
from generator.odds.odds import odds_of
from generator.pipeline.session import open_session
from generator.spec.parsing import seconds
from tests.system.repositories import examples
from tests.unit.cli.conftest import CHECKOUT

SPEC = "specs/shop/recommender.yaml"
STAGING = [{"minRps": 1}, {"minRps": 30}, {"minRps": 100_000}]


APPLIED = tuple(
    f"--apply={code}" for code in ("CAN102", "CAN140", "CAN141", "CAN210", "CAN211", "CAN212", "TIER321")
)
DRAWN = st.fixed_dictionaries(
    {
        "rps": st.sampled_from((2, 40, 300, 5000)),
        "holds": st.lists(st.sampled_from(("1m", "20m", "1h", "6h")), min_size=3, max_size=3),
        "weights": st.sampled_from((("1%", "5%", "50%"), ("5%", "25%", "50%"), ("2%", "40%", "60%"))),
        "drop": st.sampled_from(("3%", "10%", "40%")),
        "delay": st.sampled_from(("10s", "60s", "10m")),
        "risk": st.sampled_from(({}, {"maxExposed": 20_000}, {"power": "95%"}, {"falseRollback": "20%"})),
    }
)


def drawn(root: Path, *, rps, holds, weights, drop, delay, risk) -> Path:
    path = root / SPEC
    data = yaml.safe_load(path.read_text())
    spec = data["spec"]
    spec["traffic"]["minRps"] = rps
    spec["outcomes"]["ctr"]["delay"] = delay
    spec["rollout"]["steps"] = [{"weight": w, "hold": h} for w, h in zip(weights, holds, strict=True)]
    spec["rollout"]["guards"][0]["detect"] = {"drop": drop}
    spec["rollout"]["risk"] |= risk
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return root


def least_power(root: Path) -> float:
    """The smallest power of the guards, in all environments; 0 where none has odds."""
    session = open_session(root)
    entry = next(entry for entry in session.entries if entry.name == "shop/recommender")
    return min((odds_of(found.plan).power or 0.0) for found in session.resolve(entry).plans)


@settings(max_examples=10, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
@given(DRAWN)
def test_nothing_that_a_team_chose_changes_without_a_question(values):
    with tempfile.TemporaryDirectory() as folder:
        root = drawn(examples(Path(folder)), **values)
        before = spec(root)["spec"]
        run(root, "validate", "shop/recommender", "--fix")
        after = spec(root)["spec"]
        # A risk above the tier's ceiling is an error, and falls to it; it shows in the difference.
        kept, risk = before["rollout"].pop("risk"), after["rollout"].pop("risk")
        assert risk in (kept, kept | {"falseRollback": "5%"})
        assert after == before


@settings(max_examples=10, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
@example(
    {
        "rps": 5000,
        "holds": ["1m", "1m", "1h"],
        "weights": ("1%", "5%", "50%"),
        "drop": "3%",
        "delay": "10m",
        "risk": {"power": "95%"},
    }
)
@given(DRAWN)
def test_a_fix_that_is_named_loosens_nothing_worsens_no_odds_and_ends(values):
    with tempfile.TemporaryDirectory() as folder:
        root = drawn(examples(Path(folder)), **values)
        before, found, power = spec(root), findings(root), least_power(root)
        run(root, "validate", "shop/recommender", "--fix", *APPLIED)
        after, left = spec(root), findings(root)
        if "falseRollback" not in values["risk"]:  # the tier's ceiling on false rollbacks costs power
            assert least_power(root) >= power - 1e-9
        old, new = (part["spec"].pop("rollout") for part in (before, after))
        assert before == after
        assert old["guards"] == new["guards"]
        kept = {step["weight"]: step["hold"] for step in new["steps"]}
        for step in old["steps"]:
            assert seconds(kept[step["weight"]]) >= seconds(step["hold"])
        codes = [sorted(code for code, _ in each) for each in (left, found)]
        assert len(codes[0]) <= len(codes[1])
        run(root, "validate", "shop/recommender", "--fix", *APPLIED)
        assert spec(root)["spec"]["rollout"] == new


def test_a_person_at_a_terminal_sees_the_difference_and_is_asked(tmp_path):
    root = examples(tmp_path)
    path = root / SPEC
    path.write_text(path.read_text().replace("hold: 60m", "hold: 20m"))
    for answer, hold in (("n", "20m"), ("y", "1h")):
        shown = at_terminal(root, answer, "validate", "shop/recommender", "--fix")
        assert "-    steps: [{weight: 5%, hold: 20m}" in shown
        assert "+    steps: [{weight: 5%, hold: 1h}" in shown
        assert "Write this?" in shown
        assert spec(root)["spec"]["rollout"]["steps"][0]["hold"] == hold


def at_terminal(root: Path, answer: str, *command: str) -> str:
    """Run a command in a pseudo terminal, answer its first question, and return what it showed."""
    main, other = pty.openpty()
    program = "from generator.cli.main import run; run()"
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    started = subprocess.Popen(
        [sys.executable, "-c", program, *command],
        cwd=root,
        env=environment,
        stdin=other,
        stdout=other,
        stderr=other,
    )
    os.close(other)
    shown, asked = b"", False
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
        if not asked and b"Write this?" in shown:
            os.write(main, f"{answer}\n".encode())
            asked = True
    started.wait()
    os.close(main)
    return shown.decode().replace("\r\n", "\n")


def test_a_step_is_inserted_where_the_hint_says_so(tmp_path):
    """Late outcomes: `go to 8% first` adds a step, and the ones that the team chose stay."""
    root = examples(tmp_path)
    path = root / SPEC
    path.write_text(path.read_text().replace("minRps: 200", "minRps: 3000"))
    before = spec(root)["spec"]["rollout"]["steps"]
    report = json.loads(run(root, "validate", "shop/recommender", "--format", "json"))
    (first, *_) = [found for found in report["findings"] if found["code"] == "CAN140"]
    assert first["hint"].startswith("go to ")
    run(root, "validate", "shop/recommender", "--fix", "--apply", "CAN140")
    after = spec(root)["spec"]["rollout"]["steps"]
    assert [step for step in after if step in before] == before
    assert len(after) > len(before)


@pytest.mark.parametrize("traffic", STAGING, ids=str)
def test_a_finding_of_one_environment_does_not_change_another(traffic, tmp_path):
    root = examples(tmp_path)
    path = root / SPEC
    data = yaml.safe_load(path.read_text())
    data["spec"].setdefault("environments", {})["staging"] = {"traffic": traffic}
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    run(root, "validate", "--fix")
    assert {key: value for key, value in spec(root)["spec"].items() if key != "environments"} == {
        key: value for key, value in data["spec"].items() if key != "environments"
    }


def test_an_absolute_limit_stays_absolute_and_gates_keep_their_evidence(tmp_path):
    """CAN103 and GATE310 show an edit; only a person can decide whether it is the same protection."""
    root = examples(tmp_path)
    path = root / SPEC
    data = yaml.safe_load(path.read_text())
    data["spec"]["rollout"]["guards"].append(
        {"metric": "error-rate", "baseline": "0.5%", "limit": "0.6%", "name": "ceiling"}
    )
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    run(root, "validate", "shop/recommender", "--fix")
    assert spec(root)["spec"]["rollout"]["guards"] == data["spec"]["rollout"]["guards"]


def spec(root: Path) -> dict:
    return yaml.safe_load((root / SPEC).read_text())


def findings(root: Path) -> set[tuple[str, str]]:
    """Code and path of each error and warning."""
    report = json.loads(run(root, "validate", "shop/recommender", "--format", "json"))
    return {(found["code"], found["path"]) for found in report["findings"] if found["severity"] != "info"}


def run(root: Path, *command: str) -> str:
    stream = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(sys, "stdout", stream)
        patch.setattr(sys, "stderr", io.StringIO())
        with pytest.raises(SystemExit) as ended:
            cli.main(list(command))
    assert ended.value.code in {0, 1}
    return stream.getvalue()
