"""`sluice replay`: what the guards would have decided on recorded or simulated traffic."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from generator.cli.options import root_option
from generator.dataclass import dataclass
from generator.odds.odds import LATENCY_S
from generator.odds.replay.walk import Schedule, walk
from generator.pipeline.evaluate import plans_of
from generator.pipeline.selection import select_one
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit, line_width, note, progress
from generator.plan.exposure import EVERYBODY
from generator.plan.names import COHORT_REQUESTS, SPLIT
from generator.plan.values import Plan
from generator.report.replays.schedule import Replayed
from generator.source.errors import CliError, FindingsError

if TYPE_CHECKING:
    from generator.report.tables import Block

_FORMATS = ("text", "json", "svg")
_PATH = click.Path(path_type=Path, dir_okay=False)


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """The options of the command.

    Args:
        data: file of recorded counters.
        prometheus: address of a server that watched the release.
        simulate: scenario.
        start: time of the first weight.
        end: end of the data.
        hashes: values of `canary-hash` and `stable-hash`.
        runs: number of simulated releases.
        seed: seed of the simulation.
        fmt: output format.
    """

    data: Path | None
    prometheus: str | None
    simulate: str | None
    start: str | None
    end: str | None
    hashes: tuple[str | None, str | None]
    runs: int
    seed: int
    fmt: str


@click.command("replay")
@click.argument("spec", type=click.Path())
@click.option("--env", "environment", metavar="NAME", help="The environment; default: the platform's last.")
@click.option("--data", type=_PATH, metavar="FILE", help="Counters recorded in a CSV or JSON file.")
@click.option(
    "--prometheus",
    metavar="URL",
    help="A server that watched a release; needs --start, --end and both hashes.",
)
@click.option(
    "--start", metavar="TIME", help="When the first weight was set (ISO 8601, or seconds since 1970)."
)
@click.option("--end", metavar="TIME", help="End of the data.")
@click.option("--canary-hash", metavar="HASH", help="Pod-template hash of the release.")
@click.option("--stable-hash", metavar="HASH", help="Pod-template hash of the version before.")
@click.option(
    "--simulate", metavar="TEXT", help="good, drop=10%, rise=50%, or GUARD:drop=10%,GUARD:rise=50%."
)
@click.option(
    "--runs", type=click.IntRange(1, 100_000), default=200, show_default=True, help="Simulated releases."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Equal seeds simulate equal releases.")
@click.option(
    "--format", "fmt", type=click.Choice(_FORMATS), default="text", show_default=True, help="Output format."
)
@click.option("--output", type=_PATH, help="Write the result to a file.")
@root_option
def command(
    spec: str, environment: str | None, root: Path | None, output: Path | None, canary_hash: str | None,
    stable_hash: str | None, **options: Any,
) -> None:  # fmt: skip
    """Show what the guards would have decided on other traffic.

    SPEC is the spec, or TEAM/MODEL. The traffic comes from one of --data, --prometheus and --simulate. A CSV file has
    the columns time,guard,arm,requests,events: each guard's two counters at that time, for canary and stable. A guard
    on latency also needs the column pods: the number of pods. JSON is a list of objects with these keys. The picture of
    a simulation shows its first run. The exit code is 0 for every verdict.
    """
    chosen = ReplayOptions(hashes=(canary_hash, stable_hash), **options)
    if sum(source is not None for source in (chosen.data, chosen.prometheus, chosen.simulate)) != 1:
        raise click.UsageError("choose the source of the traffic: one of --data, --prometheus, --simulate")
    session = open_session(root, near=[spec])
    session.require_platform(environment)
    found = plans_of(session, select_one(session, spec), environment)
    if not found:
        raise CliError(f"{spec} has no plan; `sluice validate {spec}` shows why")
    text = _replay(found[-1].plan, chosen)
    if output is None:
        emit(text)
        return
    from generator.pipeline.atomic_write import write_file

    write_file(output, text.encode())
    note(f"wrote {output}")


def _replay(plan: Plan, options: ReplayOptions) -> str:
    from generator.report.replays.schedule import schedule_of

    schedule = schedule_of(plan)
    if not schedule.background:
        raise CliError("there is no guard to replay: add `guards` to the rollout")
    if options.simulate is not None:
        return _simulated(plan, schedule, options.simulate, options)
    if options.data is not None:
        return _from_file(plan, schedule, options.data, options)
    return _from_prometheus(plan, schedule, options)


def _from_file(plan: Plan, schedule: Schedule, path: Path, options: ReplayOptions) -> str:
    from generator.odds.replay.counters import query_results
    from generator.odds.replay.recording import read_recording

    schedule, skipped = _measured(schedule)
    loads = [guard.name for guard in plan.guards if plan.compares_loads(guard)]
    recording, findings = read_recording(path, path.as_posix(), schedule.guards, loads)
    if findings:
        raise FindingsError(findings, exit_code=2)
    start = _time("--start", options.start) if options.start else recording.start_s
    end = _time("--end", options.end) if options.end else recording.end_s
    if start is None or end is None:
        raise CliError(f"{path} has no sample of the canary; give the time of its first weight with --start")
    _check_order(start, end)
    course = walk(schedule, query_results(recording, start), end - start)
    exposed = recording.exposed(start, min(end, start + course.at_s + LATENCY_S))
    return _formatted(
        Replayed(plan, f"replayed over {path.name}", schedule, skipped, course, exposed), options.fmt
    )


def _from_prometheus(plan: Plan, schedule: Schedule, options: ReplayOptions) -> str:
    from generator.cluster.prometheus import Prometheus
    from generator.report.replays.live import Live, is_hash

    canary, stable = options.hashes
    if not (options.start and options.end and canary and stable):
        raise CliError("--prometheus needs --start, --end, --canary-hash and --stable-hash")
    if not (is_hash(canary) and is_hash(stable)):
        raise CliError("a hash holds letters, digits, `.`, `_` and `-` only")
    start, end = _time("--start", options.start), _time("--end", options.end)
    _check_order(start, end)
    live = Live(
        Prometheus.at(options.prometheus or "", plan.prometheus.plain_headers), canary, stable, start, end
    )
    course = walk(schedule, live, end - start)
    exposed = live.exposed(plan, course.at_s + LATENCY_S)
    return _formatted(Replayed(plan, "replayed over Prometheus", schedule, (), course, exposed), options.fmt)


def _simulated(plan: Plan, schedule: Schedule, text: str, options: ReplayOptions) -> str:
    from generator.odds.replay.expected import expected
    from generator.odds.replay.simulate import ScenarioError, scenario, simulate, simulated_guards
    from generator.report.replays.document import simulation_document
    from generator.report.replays.text import simulation_text

    if not plan.min_rps:
        raise CliError("a simulation needs traffic: declare `traffic.minRps`")
    guards = simulated_guards(plan, schedule)
    names = {guard.name for guard in guards}
    skipped = tuple(name for name in schedule.guards if name not in names)
    if all(share < EVERYBODY for share in plan.cohort_shares):
        names.add(COHORT_REQUESTS)
    else:
        skipped += (COHORT_REQUESTS,)
    schedule = schedule.only(lambda metric: metric.guard in (*names, SPLIT))
    if not guards:
        raise CliError(f"no guard can be simulated: declare the `baseline` of {', '.join(skipped)}")
    try:
        ratios = scenario(text, guards)
    except ScenarioError as error:
        raise CliError(str(error)) from error
    count = 1 if options.fmt == "svg" else options.runs
    with progress(range(count), count, "Simulating") as runs:
        found = simulate(plan, schedule, guards, ratios, runs, options.seed)
    if options.fmt == "svg":
        return _formatted(
            Replayed(plan, f"simulated with {text}", schedule, skipped, found.first, None), "svg"
        )
    odds = expected(plan, guards, ratios)
    if options.fmt == "json":
        return _json(simulation_document(plan, text, options.seed, found, odds, skipped))
    return _lines(simulation_text(plan, text, options.seed, found, odds, skipped))


def _formatted(replayed: Replayed, fmt: str) -> str:
    """Return one replayed release in its format."""
    if fmt == "svg":
        from generator.report.charts.replay import replay_picture

        return replay_picture(replayed.title, replayed.schedule, replayed.course)
    if fmt == "json":
        from generator.report.replays.document import replay_document

        return _json(replay_document(replayed))
    from generator.report.replays.text import replay_text

    return _lines(replay_text(replayed))


def _measured(schedule: Schedule) -> tuple[Schedule, tuple[str, ...]]:
    """Return the guards for which two counters are enough, and the names of the others."""
    kept = schedule.only(lambda metric: metric.statistic is not None)
    if not kept.background:
        raise CliError("none of the guards can be replayed from two counters; use --prometheus")
    return kept, tuple(name for name in schedule.guards if name not in kept.guards)


def _time(option: str, text: str) -> float:
    from generator.odds.replay.recording import parse_time

    time = parse_time(text)
    if time is None:
        raise CliError(
            f"{option} is not a time: `{text}`; for example 2026-11-23T10:00:00Z or seconds since 1970"
        )
    return time


def _check_order(start: float, end: float) -> None:
    if end <= start:
        raise CliError("the data ends before the first weight is set")


def _json(document: dict[str, object]) -> str:
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _lines(blocks: Iterable[Block]) -> str:
    from generator.report.tables import fit

    return "".join(f"{line}\n" for line in fit(blocks, line_width(sys.stdout)))
