"""A good version goes from staging to production by the scripts of the generated jobs; an aborted one never does."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster import report
from tests.cluster.client import Api
from tests.cluster.layout import Layout
from tests.cluster.promoting import DAY_H, MODEL, RPS, Promoting
from tests.cluster.waiting import until


def test_what_staging_proved_reaches_production(layout: Layout, api: Api, tmp_path: Path) -> None:
    one = Promoting(layout, api, tmp_path, "s17", hold="75s")
    one.start()
    staging, production = one.staging, one.production
    recorded, proposed = f"record {staging}", f"promote {production}"
    rights = _rights(one)
    first, generation = one.key(production), one.rollout(production)["metadata"]["generation"]
    with one.visitors(staging) as load, one.visitors(production) as users:
        until("traffic", lambda: min(len(load.answers), len(users.answers)) > 2 * RPS, 60)
        # A version in staging; commits that change nothing of it prove nothing.
        one.write(2)
        commit = one.published("Version 2")
        changed = one.git("diff", "--name-only", "HEAD~1", "--", f"rendered/{production}/{MODEL}").split()
        assert {Path(name).name for name in changed} <= {".sluice"}  # what it was rendered from
        one.synced(staging, commit)
        until("a canary", lambda: one.rollout(staging)["status"].get("phase") == "Progressing", 60)
        one.git("commit", "--quiet", "--allow-empty", "--message", "Nothing")
        (one.root / "README.md").write_text("Our models.\n")
        unrelated = one.published("A page for people")
        unended = one.jobs(DAY_H)[0].output
        assert one.branches() == set()
        one.until_phase(staging, "Healthy")
        one.compared(production, unrelated)
        held = one.key(production), one.rollout(production)["metadata"]["generation"]
        # It soaks for a day, in which `finish-first` lets no other version start.
        soaking = one.jobs()[1].output
        assert one.branches() == {recorded}, soaking
        overtaking = _overtaking(one)
        one.jobs(DAY_H)
        assert one.branches() == {recorded, proposed}
        record = one.record(staging)
        one.git("checkout", "--quiet", f"sluice/promote/{MODEL}/{production}")
        one.sluice("promote", "--check", "--against", "main", hours=DAY_H)
        one.git("checkout", "--quiet", "main")
        one.merged(f"sluice/record/{MODEL}/{staging}")
        second = one.plan(staging)
        one.synced(production, one.merged(f"sluice/promote/{MODEL}/{production}"))
        # In the meantime a bad version is aborted in staging, and nothing of it is ever proposed.
        one.write(3, "errors=0.5")
        one.synced(staging, one.published("Version 3"))
        one.until_phase(staging, "Degraded")
        one.jobs(DAY_H)
        assert proposed not in one.branches()
        aborted = one.record(staging)
        one.until_phase(production, "Healthy")
    report.figures(
        "17 from staging to production",
        {**users.told(), "verdicts in staging": f"{record['verdict']} and {aborted['verdict']}"}
        | {"the account may": ", ".join(name for name, allowed in rights.items() if allowed)},
    )
    assert "has not ended: it is" in unended
    assert held == (first, generation)
    assert "its soak of 1d ends in" in soaking
    assert ("PROM107" in overtaking[0], "PROM107" in overtaking[1]) == (True, False), overtaking
    assert (record["verdict"], aborted["verdict"]) == ("passed", "aborted")
    assert one.key(production) == record["subject"]["releaseKey"] != first
    assert aborted["subject"]["releaseKey"] not in {first, one.key(production)}
    assert second.version.label == record["subject"]["version"] == "2"
    assert users.failed == []
    one.remove()


def _rights(one: Promoting) -> dict[str, bool]:
    """What the account of the record job may do, and what is printed where it may not, or where nothing answers to it."""
    staging, production = (one.plan(name).identity.namespace for name in (one.staging, one.production))
    wanted = {f"{verb} {kind}" for verb in ("get", "list") for kind in ("rollouts", "analysisruns", "replicasets")}  # fmt: skip
    asked = {*wanted, "get secrets", "list pods", "patch rollouts", "create analysisruns", "delete rollouts"}
    found = {
        words: one.kubectl("auth", "can-i", *words.split(), "--namespace", staging).stdout.strip() == "yes"
        for words in sorted(asked)
    }
    assert {words for words, allowed in found.items() if allowed} == wanted
    assert one.kubectl("auth", "can-i", "get", "rollouts", "--namespace", production).stdout.strip() == "no"
    record = ("record", MODEL, "--cluster", "--kubeconfig", str(one.kubeconfig), "--env")
    other = one.sluice(*record, one.production, "--context", one.staging, code=2)
    assert f'sluice-record-{one.staging}" cannot get resource "rollouts"' in other, other
    assert "let its user get and list rollouts, analysisruns and replicasets there" in other
    unknown = one.sluice(*record, one.staging, "--context", "staging", code=2)
    assert f"its contexts: {one.staging};" in unknown, unknown
    kept = one.kubeconfig.read_text()
    one.kubeconfig.write_text(kept.replace("token: ", "token: x"))
    expired = one.sluice(*record, one.staging, "--context", one.staging, code=2)
    assert "authentication at " in expired, expired
    assert "make a new one" in expired
    one.kubeconfig.write_text(kept)
    return found


def _overtaking(one: Promoting) -> tuple[str, str]:
    """What the check of a change says that would start another release in staging, by both policies."""
    found = []
    for order, code in (("finish-first", 1), ("newest", 0)):
        one.platform(
            lambda spec, order=order: spec["environments"][one.production]["requires"][one.staging].update(order=order)
        )  # fmt: skip
        one.published(f"Order {order}")
        one.write(3)
        found.append(one.sluice("promote", "--check", "--against", "HEAD", "--format", "json", code=code))
        one.git("checkout", "--quiet", "--", "specs")
    assert json.loads(found[1])["findings"] == []
    return found[0], found[1]
