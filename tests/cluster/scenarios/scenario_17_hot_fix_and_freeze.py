"""A hot fix enters production before its proof; in a freeze Argo CD syncs nothing by itself, and a person's revert goes out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from tests.cluster import report
from tests.cluster.client import Api
from tests.cluster.layout import Layout
from tests.cluster.promoting import DAY_H, MODEL, RPS, Promoting
from tests.cluster.waiting import pause, until

_QUIET_S = 15.0
"""How long nothing may be synced: Argo CD starts a sync within a second of a comparison."""


def test_a_hot_fix_and_a_freeze(layout: Layout, api: Api, tmp_path: Path) -> None:
    one = Promoting(layout, api, tmp_path, "s17h")
    one.start()
    staging, production = one.staging, one.production
    proposed, first = f"promote {production}", one.key(production)
    with one.visitors(staging) as load, one.visitors(production) as users:
        until("traffic", lambda: min(len(load.answers), len(users.answers)) > 2 * RPS, 60)
        # The hot fix starts in both environments at once.
        one.write(2)
        one.sluice("promote", MODEL, "--to", production, "--hotfix", "--reason", "prices are wrong", "--by", "bed")  # fmt: skip
        commit = one.published("A hot fix")
        one.synced(staging, commit)
        one.synced(production, commit)
        for environment in (staging, production):
            one.until_phase(environment, "Healthy", 240)
        fixed = one.key(production), one.rollout(production)["metadata"]["generation"]
        ended = one.sluice("validate", MODEL, code=1, hours=3 * DAY_H)
        # Its proof follows: another lock, and not a byte of what runs.
        one.jobs(DAY_H)
        assert proposed in one.branches()
        commit = one.merged(f"sluice/promote/{MODEL}/{production}")
        changed = one.git("diff", "--name-only", "HEAD^", "--", f"rendered/{production}/{MODEL}").split()
        proven = one.sluice("plan", MODEL, "--env", production)
        # The next version in staging, by `newest`, is replaced by another one in its soak.
        one.write(3)
        one.synced(staging, one.published("Version 3"))
        one.until_phase(staging, "Healthy", 240)
        one.jobs()
        record = one.record(staging)
        one.write(1)
        one.published("Version 1 again, in the soak of 3")
        one.jobs(DAY_H)
        assert proposed not in one.branches()
        frozen = _freeze(one)
    report.figures("17 a hot fix and a freeze", {**users.told(), "in the freeze": frozen})
    assert fixed[0] != first
    assert "PROM105" in ended
    assert {Path(name).name for name in changed} <= {".sluice"}, changed
    assert "hot fix" not in proven
    assert record["subject"]["version"] == "3"
    assert one.key(production) == first
    assert users.failed == []
    one.remove()


def _freeze(one: Promoting) -> str:
    """Freeze production, and take its version back there; the last operations of Argo CD."""
    production, now = one.production, dt.datetime.now(dt.UTC)
    start, end = now - dt.timedelta(hours=1), now + dt.timedelta(hours=2)
    freeze = {
        "environments": [production],
        "from": f"{start:%Y-%m-%dT%H:%M}",
        "to": f"{end:%Y-%m-%dT%H:%M}",
        "reason": "a sale",
    }
    one.platform(lambda spec: spec.update(freezes=[freeze]))
    commit = one.published("A freeze")
    one.projects_synced(production, commit)
    until("the windows of the project", lambda: _windows(one), 60, 1.0)
    one.compared(production, commit)
    before = one.operation(production)
    refused = one.sluice("promote", MODEL, "--to", production, "--hotfix", "--reason", "more", code=2)
    assert "is frozen until" in refused
    branch = one.sluice("revert", MODEL, "--env", production, "--reason", "worse", "--quiet").strip()
    one.git("checkout", "--quiet", branch)
    one.sluice("promote", "--check", "--against", "main")  # a revert passes in a freeze
    one.git("checkout", "--quiet", "main")
    commit = one.merged(branch)
    one.compared(production, commit)
    pause(_QUIET_S)
    quiet = one.operation(production)
    assert quiet["syncResult"]["revision"] == before["syncResult"]["revision"]
    assert one.application(production)[0] == "OutOfSync"
    one.sync_by_hand(production)
    one.synced(production, commit)
    return f"nothing by itself in {_QUIET_S:.0f} s; by hand {one.operation(production)['phase']}"


def _windows(one: Promoting) -> bool:
    path = f"/apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects/{one.production}-shop"
    return bool((one.api.find(path) or {}).get("spec", {}).get("syncWindows"))
