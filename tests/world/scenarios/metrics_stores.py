"""The rendered queries of one release on Prometheus, VictoriaMetrics and Thanos, over the same recorded counters."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from generator.cluster.prometheus import Prometheus
from generator.lint import measure_vector
from tests.cluster import programs
from tests.prometheus.exporter import Release, Script
from tests.prometheus.server import until
from tests.world.processes import free_address, started
from tests.world.scenario import ROOT, Result, Scenario

SAME: Final = 1e-9
_BUNDLE: Final = ROOT / "rendered/production/shop/recommender"
_SCRAPE_S: Final = 15
_WEIGHTS: Final = ((0.05, 0.0, 1), (0.25, 3600.0, 3), (0.5, 4800.0, 12))
_HELD_S: Final = 6000
_START_S: Final = 1_790_000_000 + 7  # not on the grid of scrapes or strata
_BEFORE_S: Final = 3600
_EVERY_S: Final = 240


def run(folder: Path) -> Result:
    """Fill the three stores with the counters of a release and compare the answers to every rendered query."""
    release = Release("shop-production", click_ratio=0.95)
    script = Script("shop-recommender", 200.0, _START_S, 20_000.0, _WEIGHTS, (release,))
    samples = list(_samples(script))
    with ExitStack() as running:
        prometheus = running.enter_context(_prometheus(folder, samples))
        thanos = running.enter_context(_thanos(folder))
        victoria = running.enter_context(_victoria(folder, samples))
        figures: dict[str, str | float] = {"samples": f"{len(samples):,}"}
        for kind, queries in groupby(_queries(), lambda query: query.kind):
            asked = list(queries)
            want = [_ask(prometheus, query.text) for query in asked]
            assert any(value for values in want for value in values), f"no answer to any query of {kind}"
            figures[f"{kind}: Thanos"] = _compared(asked, want, [_ask(thanos, query.text) for query in asked])
            got = [_ask(victoria, query.text) for query in asked]
            figures[f"{kind}: VictoriaMetrics"] = _compared(asked, want, got)
            other = [
                _ask(victoria, query.text.replace("increase(", "increase_prometheus(")) for query in asked
            ]
            figures[f"{kind}: VictoriaMetrics, increase_prometheus"] = _compared(asked, want, other)
        assert Prometheus.at(victoria).is_victoriametrics()
        assert Prometheus.at(thanos).leaves_stores_out()
        assert not Prometheus.at(prometheus).is_victoriametrics()
        assert not Prometheus.at(prometheus).leaves_stores_out()
    _judge(figures)
    return Result(figures)


def _judge(figures: dict[str, str | float]) -> None:
    """Thanos evaluates with Prometheus' own engine; a version that differs must not pass unseen."""
    differing = [
        name for name, text in figures.items() if name.endswith("Thanos") and not str(text).startswith("all")
    ]
    assert not differing, differing


def _samples(script: Script) -> Iterator[tuple[str, int]]:
    """Yield series with value and the time in milliseconds, one scrape after the other."""
    start = int(script.start_s) - _BEFORE_S
    for at in range(start - start % _SCRAPE_S, int(script.start_s) + _HELD_S + _SCRAPE_S, _SCRAPE_S):
        for line in script.exposition(at).splitlines():
            phase = 3217 if '"c"' in line else 811  # the two versions are scraped at other moments
            yield line, at * 1000 + phase


class _Query(NamedTuple):
    """A rendered query: its kind, its text, and the conditions of a measurement; None for a rule."""

    kind: str
    text: str
    conditions: tuple[str | None, str | None] | None


def _queries() -> Iterator[_Query]:
    """Yield every query of the release's analyses, and those of its rules on counters, by kind."""
    found = []
    for file in sorted(_BUNDLE.glob("analysistemplate-*.yaml")):
        kind = "guard" if file.stem.endswith("guards") else "evidence"
        for metric in yaml.safe_load(file.read_text())["spec"]["metrics"]:
            text = metric["provider"]["prometheus"]["query"]
            for name, value in (("canary-hash", "c"), ("stable-hash", "s")):
                text = text.replace("{{args." + name + "}}", value)
            conditions = metric.get("successCondition"), metric.get("failureCondition")
            found.append(_Query(f"{kind} {metric['name']}", text, conditions))
    yield from sorted(found, key=lambda query: query.kind)
    for group in yaml.safe_load((_BUNDLE / "prometheusrule-main.yaml").read_text())["spec"]["groups"]:
        for rule in group["rules"]:
            if "bentoml_" in rule["expr"] or "sluice_" in rule["expr"]:
                yield _Query("rules", rule["expr"], None)


def _times() -> Sequence[int]:
    return range(_START_S + 60, _START_S + _HELD_S, _EVERY_S)


def _ask(address: str, query: str) -> list[list[float]]:
    """Return the sorted values of an instant query at each time."""
    return [sorted(_instant(address, query, at)) for at in _times()]


def _instant(address: str, query: str, at: int) -> Iterator[float]:
    form = {"query": query, "time": str(at), "nocache": "1", "partial_response": "false"}
    with urllib.request.urlopen(
        f"{address}/api/v1/query", urllib.parse.urlencode(form).encode(), timeout=60
    ) as answer:
        for series in json.load(answer)["data"]["result"]:
            yield float(series["value"][1])


def _compared(
    asked: Sequence[_Query], want: Sequence[list[list[float]]], got: Sequence[list[list[float]]]
) -> str:
    """Return how many answers of two stores agree, their largest relative difference, and verdicts that differ."""
    agreeing = total = verdicts = empty = 0
    worst = 0.0
    for query, mine, theirs in zip(asked, want, got, strict=True):
        for one, other in zip(mine, theirs, strict=True):
            total += 1
            if query.conditions:
                verdicts += measure_vector(*query.conditions, one) != measure_vector(*query.conditions, other)
            if len(one) != len(other):
                empty += 1
                continue
            far = [
                abs(a - b) / max(abs(a), 1e-300)
                for a, b in zip(one, other, strict=True)
                if a != b and not _nan(a, b)
            ]
            agreeing += all(gap <= SAME for gap in far)
            worst = max([worst, *far])
    if agreeing == total:
        return f"all {total} answers within 1e-9"
    text = f"{agreeing} of {total} answers within 1e-9, others up to {worst:.2g} off"
    text += f", {empty} with another number of series" if empty else ""
    return text + f"; {verdicts} verdicts differ"


def _nan(one: float, other: float) -> bool:
    return math.isnan(one) and math.isnan(other)


def _has_data(address: str) -> bool:
    """Return whether the first sample is there; without a store Thanos refuses whole answers."""
    try:
        return any(_instant(address, "sluice_predictions_total", _START_S))
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return False


@contextmanager
def _prometheus(folder: Path, samples: Sequence[tuple[str, int]]) -> Iterator[str]:
    """Run Prometheus over blocks with the samples; its configuration is for the sidecar of Thanos, too."""
    text = "".join(f"{line} {time / 1000:.3f}\n" for line, time in samples)
    (folder / "samples.om").write_text(text + "# EOF\n")
    promtool = shutil.which("promtool")
    assert promtool, "promtool is missing; install it with: sh tests/tools/prometheus.sh"
    data = folder / "prometheus"
    blocks = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(folder / "samples.om"), str(data)]
    subprocess.run(blocks, check=True, capture_output=True)
    (folder / "prometheus.yml").write_text(yaml.safe_dump({"global": {"external_labels": {"replica": "a"}}}))
    address = free_address()
    (folder / "address").write_text(address)
    command = [
        programs.debian("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={data}",
        f"--web.listen-address={address}", "--storage.tsdb.retention.time=100y",
        "--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h",
    ]  # fmt: skip
    with started(folder, "prometheus", f"http://{address}/-/ready", *command):
        yield f"http://{address}"


@contextmanager
def _thanos(folder: Path) -> Iterator[str]:
    """Run a sidecar next to Prometheus and a querier in front of it."""
    program, store, sidecar, querier = (
        str(programs.folder("thanos") / "thanos"),
        free_address(),
        free_address(),
        free_address(),
    )
    sidecar_command = [
        program, "sidecar", f"--prometheus.url=http://{(folder / 'address').read_text()}",
        f"--tsdb.path={folder}/prometheus", f"--grpc-address={store}", f"--http-address={sidecar}",
    ]  # fmt: skip
    querier_command = [
        program, "query", f"--endpoint={store}", f"--grpc-address={free_address()}", f"--http-address={querier}",
        "--query.replica-label=replica",
    ]  # fmt: skip
    with (
        started(folder, "sidecar", f"http://{sidecar}/-/ready", *sidecar_command),
        started(folder, "querier", f"http://{querier}/-/ready", *querier_command),
    ):
        until(lambda: _has_data(f"http://{querier}"), 60, f"an answer of Thanos (logs in {folder})")
        yield f"http://{querier}"


@contextmanager
def _victoria(folder: Path, samples: Sequence[tuple[str, int]]) -> Iterator[str]:
    """Run VictoriaMetrics and send it the samples."""
    program, address = str(programs.folder("victoriametrics") / "victoria-metrics"), free_address()
    command = [
        program, f"-storageDataPath={folder}/victoria", f"-httpListenAddr={address}", "-retentionPeriod=100y",
    ]  # fmt: skip
    with started(folder, "victoria", f"http://{address}/health", *command):
        body = "".join(f"{line} {time}\n" for line, time in samples).encode()
        urllib.request.urlopen(f"http://{address}/api/v1/import/prometheus", body, timeout=60).close()
        urllib.request.urlopen(f"http://{address}/internal/force_flush", timeout=60).close()
        yield f"http://{address}"


SCENARIO = Scenario(
    title="The rendered queries on Prometheus, VictoriaMetrics and Thanos, over the same counters",
    covers=(
        "generator/promql",
        "generator/render/metrics.py",
        "generator/render/alerts.py",
        "tests/prometheus",
    ),
    run=run,
    programs=("victoriametrics", "thanos"),
)
