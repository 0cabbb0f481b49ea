"""The experiment: real BentoML processes under load, scraped by a real Prometheus that is restarted once.

It leaves a folder: the data of Prometheus, and what happened when. Everything is judged from there, afterwards.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from tests.bento.serving import Built, build, write
from tests.bento.serving import Server as Bento
from tests.prometheus.bento_releases import (
    CLICKS,
    MINUTE,
    MISTAKES,
    RELEASES,
    SLOW_S,
    STABLE,
    STABLE_RPS,
    UPLOADS,
    Release,
    plan_of,
)
from tests.prometheus.server import Server, until
from tests.tools.environment import environment

# Of the seeds tried, one whose evidence passes its boundaries well between two looks, so that a late scrape changes
# no verdict.
SEED = 194
# Requests that the canary with a fifth fewer clicks serves before Prometheus is restarted; about a minute's.
ENOUGH = 1300
AWAY = 3.0
# Prometheus scrapes again some five seconds after it is ready, and the mask then waits for two look-backs.
AFTER_RESTART = 7 * MINUTE
LOAD = Path(__file__).with_name("bento_load.py")
SERVICE = tuple(
    f"{name}.py"
    for name in ("service", "messages", "edge", "predictor", "calls", "counters", "feedback", "tokens")
)
# A version that takes its time, as a module that the image has next to the service.
PACED = '''
"""The same model, but every so many predictions take so many seconds more."""

import itertools
import os
import time

import joblib
import pandas


class Paced:
    def __init__(self, folder):
        (path,) = folder.rglob("*.pkl")
        self.model = joblib.load(path)
        self.every, self.seconds = int(os.environ["PACED_EVERY"]), float(os.environ["PACED_S"])
        self.asked = itertools.count(1)

    def predict(self, rows):
        if next(self.asked) % self.every == 0:
            time.sleep(self.seconds)
        return self.model.predict(pandas.DataFrame(rows)).tolist()
'''


@dataclass(frozen=True)
class Happened:
    """When, in seconds since 1970, and what the users have sent.

    Args:
        start_s: the first weight of all canaries.
        stopped_s: Prometheus got the signal to stop.
        restarted_s: Prometheus answers again.
        end_s: the users got the signal to end.
        last_s: the last scrape, which has seen everything.
        sent: by the load generator's account.
    """

    start_s: float
    stopped_s: float
    restarted_s: float
    end_s: float
    last_s: float
    sent: dict[str, Any]


def scrape(folder: Path, targets: dict[str, int], namespace: str = "") -> None:
    """Tell the Prometheus of a folder to scrape these ports, with the labels that the rendered PodMonitor gives."""
    pods = [
        {
            "targets": [f"127.0.0.1:{port}"],
            "labels": {"namespace": namespace, "rollouts_pod_template_hash": pod},
        }
        for pod, port in targets.items()
    ]
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{"job_name": "recommender", "static_configs": pods}] if pods else [],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))


def rebuilt(built: Built, release: Release, folder: Path) -> Built:
    """The same bento with the service rendered from the spec of a release."""
    bento = plan_of(release, folder / "repository", built.bento.digest).bento
    shutil.copytree(built.folder / "bento", folder / "bento")
    write(bento, folder / "rendered")
    source = folder / "bento" / "src"
    for name in SERVICE:
        shutil.copy(folder / "rendered" / name, source / name)
    (source / "paced.py").write_text(PACED)
    return Built(bento, folder, built.python)


def versions(folder: Path) -> dict[str, Bento]:
    """The processes of stable and of every canary, by hash, each with its own home folder; not started."""
    python = environment("bento")
    good = plan_of(RELEASES["good"], folder / "repository")
    build("recommender", good.bento, python, folder / "built")
    built = Built(good.bento, folder / "built", python)
    servers = {STABLE: Bento(built, folder / "home-stable", STABLE)}
    for release in RELEASES.values():
        own = rebuilt(built, release, folder / release.name) if release.model or release.inputs else built
        home = folder / f"home-{release.name}"
        servers[release.hash] = Bento(own, home, release.hash, variables=dict(release.variables))
    return servers


@contextmanager
def serving(servers: dict[str, Bento]) -> Iterator[None]:
    """All of them ready at once; ended at once."""
    with ExitStack() as stack:
        for server in servers.values():
            stack.enter_context(server)
        try:
            for server in servers.values():
                server.ready()
            yield
        finally:
            for server in servers.values():
                if server.process is not None:
                    server.process.terminate()


def _ports(server: Bento) -> dict[str, int]:
    return {"port": server.port, "feedback_port": server.feedback_port}


class Users:
    """The load generator, a separate process."""

    def __init__(self, servers: dict[str, Bento], folder: Path) -> None:
        self._folder = folder
        good = RELEASES["good"].hash
        arms = [{"name": STABLE, "rps": STABLE_RPS, "clicks": CLICKS, "told": [STABLE, good]}]
        arms += [
            {"name": r.hash, "rps": r.rps, "clicks": CLICKS * r.click_ratio, "told": [STABLE, r.hash]}
            for r in RELEASES.values()
            if r.rps
        ]
        config = {
            "seed": SEED,
            "rows": servers[STABLE].built.expected["rows"],
            "mistakes": MISTAKES,
            "uploads": UPLOADS,
            "upload_s": SLOW_S + 0.5,
            "delay_s": 2.0,
            "arms": [{**arm, **_ports(servers[str(arm["name"])])} for arm in arms],
        }
        (folder / "load.json").write_text(json.dumps(config))

    def __enter__(self) -> Self:
        command = [sys.executable, str(LOAD), str(self._folder / "load.json")]
        pipe = subprocess.PIPE
        with (self._folder / "load.log").open("wb") as log:
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def visit_canaries(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"canaries\n")
        self._process.stdin.flush()

    def sending(self) -> bool:
        """True; it has no other way to end than `end`."""
        assert self._process.poll() is None, (self._folder / "load.log").read_text()
        return True

    def end(self) -> dict[str, Any]:
        """Let them finish; what they have sent."""
        said, _ = self._process.communicate(timeout=60)
        assert self._process.returncode == 0, (self._folder / "load.log").read_text()
        sent: dict[str, Any] = json.loads(said)
        return sent


def experiment(folder: Path) -> Happened:
    """Run it; the data of Prometheus are left in `folder/prometheus/data`."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "prometheus").mkdir(parents=True)
    server = Server(folder / "prometheus", 0)
    namespace = plan_of(RELEASES["good"], folder / "repository").identity.namespace
    servers = versions(folder)
    with serving(servers):
        scrape(folder / "prometheus", {pod: one.port for pod, one in servers.items()}, namespace)
        with ExitStack() as stack:
            stack.callback(server.stop)
            server.start()
            until(lambda: value(server, "sum(up)") == len(servers), 60, "a scrape of every process")
            happened = _traffic(server, stack.enter_context(Users(servers, folder)))
    (folder / "happened.json").write_text(json.dumps(asdict(happened)))
    return happened


def _traffic(server: Server, users: Users) -> Happened:
    def served(pod: str, least: float) -> bool:
        query = f'sum(sluice_predictions_total{{served_by="{pod}"}})'
        return users.sending() and value(server, query) >= least

    until(lambda: served(STABLE, 8 * STABLE_RPS), 120, "stable's history")
    # At one place of the grid of strata, so that looks see as much in every run and no stratum lies where the mask lifts.
    start = math.ceil(time.time() / MINUTE) * MINUTE + 2
    until(lambda: users.sending() and time.time() >= start, 60, "the first weight")
    users.visit_canaries()
    until(lambda: served(RELEASES["fifth"].hash, ENOUGH), 400, "the traffic before the restart")
    stopped = time.time()
    server.stop()
    until(lambda: users.sending() and time.time() >= stopped + AWAY, 60, "some scrapes missed")
    server.start()
    restarted = time.time()
    until(
        lambda: users.sending() and newest(server) >= restarted + AFTER_RESTART,
        120,
        "the traffic after the restart",
    )
    end = newest(server)
    sent = users.end()
    told = time.time()
    until(lambda: newest(server) >= told + 2, 60, "the last scrapes")
    return Happened(start, stopped, restarted, end, newest(server), sent)


def value(server: Server, query: str) -> float:
    """The only value of a query; 0 for none."""
    found = server.query(query, time.time())
    return float(found[0]["value"][1]) if found else 0.0


def newest(server: Server) -> float:
    """The time of the newest scrape of the process that was scraped least recently."""
    return value(server, 'min(timestamp(up{job="recommender"}))')
