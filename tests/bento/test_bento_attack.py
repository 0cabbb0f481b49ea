"""Forged and replayed feedback changes no decision of a guard: the rendered service counts, the real Prometheus decides."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from generator.promql.event_share import EventShare, event_share
from generator.promql.served import BY_VERSION, Served
from tests.bento.bentos import BENTOS
from tests.bento.serving import KEY, surroundings, write
from tests.unit.promql.counted import outcome

pytestmark = pytest.mark.slow
SCRAPE_S = 15
QUERY = event_share(
    outcome(Served("shop-recommender", "shop"), "ctr"),
    BY_VERSION,
    EventShare(rate_ratio=0.9, step_s=60, scrape_s=SCRAPE_S, horizon_s=7200),
)
GOOD, BAD = 0.04, 0.02


def counted(
    python: Path, folder: Path, clicks: float, attacked: str, trusting: str
) -> dict[str, dict[str, list[int]]]:
    """Play it with the rendered modules; the counters of each version at every scrape."""
    write(replace(BENTOS["recommender"], scrape_s=0.0), folder)
    shutil.copy(Path(__file__).with_name("attack.py"), folder)
    (folder / "keys").mkdir()
    (folder / "keys" / "current").write_text(KEY)
    done = subprocess.run(
        [str(python), "attack.py", str(clicks), attacked, trusting],
        cwd=folder,
        env=surroundings(python, folder / "home") | {"SLUICE_FEEDBACK_KEYS": str(folder / "keys")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, list[int]]] = json.loads(done.stdout)
    return found


def rolled_back(counts: dict[str, dict[str, list[int]]], folder: Path) -> bool:
    """The verdict of the guard after half an hour: whether the statistic has reached its boundary."""
    names = {
        "requests": 'sluice_predictions_total{namespace="shop",model="shop-recommender",served_by="%s"}',
        "events": 'sluice_outcomes_total{namespace="shop",model="shop-recommender",outcome="ctr",served_by="%s"}',
    }
    series = [
        {"series": names[what] % arm, "values": " ".join(map(str, values))}
        for arm, both in counts.items()
        for what, values in both.items()
    ]
    query = QUERY.replace("{{args.canary-hash}}", "c").replace("{{args.stable-hash}}", "s")
    expression = f"count(({query}) >= {math.log(20)})"
    case = {"expr": expression, "eval_time": "30m", "exp_samples": [{"labels": "{}", "value": 1}]}
    test = {"interval": f"{SCRAPE_S}s", "input_series": series, "promql_expr_test": [case]}
    (folder / "test.yaml").write_text(yaml.safe_dump({"tests": [test]}))
    command = ["promtool", "test", "rules", "test.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "got:" in done.stderr + done.stdout, done.stderr + done.stdout
    return done.returncode == 0


@pytest.mark.parametrize(("clicks", "attacked"), [(GOOD, "s"), (BAD, "c")])
def test_an_attacker_with_made_up_and_replayed_tokens_changes_no_decision(
    python: Path, tmp_path: Path, clicks: float, attacked: str
) -> None:
    """A good canary is not rolled back by clicks for stable, and a bad one is not saved by clicks for it."""
    alone = counted(python, tmp_path / "alone", clicks, "none", "0")
    under_attack = counted(python, tmp_path / "attacked", clicks, attacked, "0")
    assert under_attack == alone
    assert rolled_back(under_attack, tmp_path / "attacked") == (clicks == BAD)


@pytest.mark.parametrize(("clicks", "attacked"), [(GOOD, "s"), (BAD, "c")])
def test_without_signatures_the_attacker_decides(
    python: Path, tmp_path: Path, clicks: float, attacked: str
) -> None:
    """The test above can fail: a service that believes every token gives the attacker the decision."""
    believed = counted(python, tmp_path / "believed", clicks, attacked, "1")
    assert rolled_back(believed, tmp_path / "believed") != (clicks == BAD)
