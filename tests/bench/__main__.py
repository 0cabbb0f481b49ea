"""Measure, and print a table with the bars. Nothing is asserted: a machine that is busy would fail any bar."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.bench import gates_scale
from tests.bench.measure import Call, Series, call, python, sluice
from tests.bench.organisation import generate, recommenders
from tests.bench.peers import PROGRAMS
from tests.tools.environment import environment

RAW = (sys.executable, "-m", "tests.bench.raw")
PEERS = Path(__file__).with_name("peers.py")
HELP = 10
Steps = dict[str, Callable[[], Call]]


def main() -> None:
    """Parse the arguments, measure in a folder of our own, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured (default 3)")
    parser.add_argument("--models", type=int, default=1000, help="models of the organisation (default 1000)")
    parser.add_argument(
        "--large", type=int, default=10_000, help="models of the large one; 0 leaves it out (default 10000)"
    )
    parser.add_argument(
        "--organisation", action="store_true", help="also 40 teams of 50 models in 3 environments"
    )
    parser.add_argument(
        "--gates",
        type=_sizes,
        default=[],
        metavar="MILLIONS",
        help="only gates on so many million rows, such as 1,10,100",
    )
    parser.add_argument("--folder", type=Path, help="where to work (default: the folder for temporary files)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sluice-bench-", dir=arguments.folder) as folder:
        if arguments.gates:
            gates_scale.bench(Path(folder), arguments.gates)
            return
        _peers(Path(folder), arguments.models, arguments.rounds)
        _small(Path(folder), arguments.models, arguments.rounds)
        if arguments.large:
            _linear(Path(folder), arguments.models, arguments.large)
        if arguments.organisation:
            _organisation(Path(folder))


def _sizes(text: str) -> list[int]:
    return [int(size) for size in text.split(",")]


def _measured(steps: Steps, rounds: int) -> dict[str, Series]:
    """Take the steps in turn, so that a machine that slows down slows down all of them."""
    found: defaultdict[str, list[Call]] = defaultdict(list)
    for _ in range(rounds):
        for name, step in steps.items():
            found[name].append(step())
    return {name: Series(calls) for name, calls in found.items()}


def _peers(folder: Path, models: int, rounds: int) -> None:
    """The same objects by Sluice, which validates and verifies, and by two peers, per line of what each writes."""
    root, programs, target = (
        recommenders(folder / "recommenders", models),
        folder / "peers",
        folder / "peered",
    )
    cache, interpreter = folder / "cache", str(environment("bench"))
    _cold(root, cache)
    call([sys.executable, "-m", "tests.bench.peers", "write", str(root), str(programs)], folder)
    files = [path for path in (root / "rendered").rglob("*") if path.is_file()]
    lines = {"sluice": sum(path.read_bytes().count(b"\n") for path in files)}

    def peer(name: str) -> Call:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        program = str(programs / PROGRAMS[name])
        done = call([interpreter, str(PEERS), "run", name, program, str(models), str(target)], folder)
        lines[name] = int(done.out)
        return done

    found = _measured(
        {
            "sluice": lambda: _cold(root, cache),
            "jsonnet": lambda: peer("jsonnet"),
            "kcl": lambda: peer("kcl"),
        },
        rounds,
    )
    print(
        f"{models} recommenders in 2 environments: {len(files)} files; medians of {rounds} rounds, alternately"
    )
    print(f"{'':<28}{'lines':>11}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'us/line':>9}")
    for name, series in found.items():
        cost = f"{series.wall_s:>9.3f}{series.cpu_s:>9.3f}{series.peak_mb:>9.1f}"
        print(f"{name:<28}{lines[name]:>11}{cost}{series.wall_s / lines[name] * 1e6:>9.2f}")
    own = found["sluice"].wall_s / lines["sluice"]
    for name, bar in (("jsonnet", 2), ("kcl", 4)):
        _at_least(f"{name} / sluice, per line", found[name].wall_s / lines[name] / own, bar)
        print(f"{'  the same, per model':<34}{found[name].wall_s / found['sluice'].wall_s:>9.2f}")
    shutil.rmtree(root)


def _small(folder: Path, models: int, rounds: int) -> None:
    many = generate(folder / "many", models, 2)
    one = generate(folder / "one", 1, 2)
    contexts, copied, raw = folder / "contexts", folder / "copied", folder / "raw"
    call([*RAW, "record", str(many), str(contexts)], folder)
    cache = folder / "cache"
    sluice(one, "render", cache=cache)
    held = _held(folder / "held", models, cache)
    steps: Steps = {
        "cold": lambda: _cold(many),
        "cold, templates cached": lambda: _cold(many, cache),
        "raw loop": lambda: _raw(raw, contexts),
        "unchanged": lambda: sluice(many, "render", cache=cache),
        "check": lambda: sluice(many, "render", "--check", cache=cache),
        "check, an environment held": lambda: sluice(held, "render", "--check", cache=cache),
        "cp -r": lambda: _copy(many / "rendered", copied),
        "one, cold": lambda: _cold(one, cache),
        "one, unchanged": lambda: sluice(one, "render", cache=cache),
        "one, plan": lambda: sluice(one, "plan", "team-000/model-00000", cache=cache),
    }
    found = _measured(steps, rounds)
    quick: Steps = {
        "--help": lambda: sluice(one, "--help", cache=cache),
        "python -c pass": lambda: python(one),
    }
    found |= _measured(quick, rounds * HELP)
    files = sum(1 for path in (many / "rendered").rglob("*") if path.is_file())
    print(f"\n{models} models in 2 environments: {files} files; medians of {rounds} rounds, alternately")
    print(f"{'':<28}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}")
    for name, series in found.items():
        print(f"{name:<28}{series.wall_s:>9.3f}{series.cpu_s:>9.3f}{series.peak_mb:>9.1f}")
    print()
    wall = {name: series.wall_s for name, series in found.items()}
    own = set(found) - {"raw loop", "cp -r", "python -c pass"}
    _bar(f"{models} cold / raw loop", wall["cold"] / wall["raw loop"], 4)
    _bar(f"{models} check / cold, templates cached", wall["check"] / wall["cold, templates cached"], 1)
    _bar(
        f"{models} check with a held environment / check",
        wall["check, an environment held"] / wall["check"],
        1.1,
    )
    _bar(f"{models} unchanged / cp -r", wall["unchanged"] / wall["cp -r"], 1)
    _bar("--help / python -c pass", wall["--help"] / wall["python -c pass"], 4)
    _bar("peak MB of a process", max(found[name].peak_mb for name in own), 100)
    _bar("one model, plan: CPU s", found["one, plan"].cpu_s, 0.25)
    shutil.rmtree(many / "rendered")


def _held(root: Path, models: int, cache: Path) -> Path:
    """Two environments, of which the second keeps its releases while each model has another one."""
    generate(root, models, 2)
    platform = root / "specs/platform.yaml"
    sluice(root, "render", cache=cache)
    domain = "      domain: env1.models.example.com\n"
    platform.write_text(platform.read_text().replace(domain, f"{domain}      requires: [env0]\n"))
    sluice(root, "promote", "--to", "env1", "--adopt", "--by", "bench", cache=cache)
    platform.write_text(platform.read_text().replace("cpu: 500m", "cpu: 600m"))
    sluice(root, "render", cache=cache)
    return root


def _cold(root: Path, cache: Path | None = None) -> Call:
    shutil.rmtree(root / "rendered", ignore_errors=True)
    return sluice(root, "render", cache=cache)


def _raw(target: Path, contexts: Path) -> Call:
    """Only the loop counts, not the loading of the contexts."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    done = call([*RAW, "render", str(target), str(contexts)], target, XDG_CACHE_HOME=str(target / ".cache"))
    return replace(done, wall_s=float(done.out))


def _copy(source: Path, target: Path) -> Call:
    shutil.rmtree(target, ignore_errors=True)
    return call(["cp", "-r", str(source), str(target)], target.parent)


def _bar(what: str, value: float, most: float) -> None:
    print(f"{what:<34}{value:>9.2f}   bar {most:g}{'' if value <= most else '   MISSED'}", flush=True)


def _at_least(what: str, value: float, least: float) -> None:
    print(f"{what:<34}{value:>9.2f}   bar {least:g}{'' if value >= least else '   MISSED'}", flush=True)


def _linear(folder: Path, models: int, large: int) -> None:
    """A tenth of a large organisation and the whole of it, one environment each: the files of two would fill disks."""
    shutil.rmtree(folder / "many", ignore_errors=True)
    small, huge = generate(folder / "tenth", models, 1), generate(folder / "large", large, 1)
    cache = folder / "cache"
    tenths = [_cold(small, cache)]
    whole = _cold(huge, cache)
    again = sluice(huge, "render", cache=cache)
    shutil.rmtree(huge / "rendered")
    tenth = Series([*tenths, _cold(small, cache)])
    print(f"\n{models} models, 1 environment: {tenth.wall_s:.1f} s, {tenth.peak_mb:.1f} MB")
    print(
        f"{large} models, 1 environment: {whole.wall_s:.1f} s, {whole.peak_mb:.1f} MB; unchanged {again.wall_s:.1f} s, {again.peak_mb:.1f} MB"
    )
    _bar(f"{large} / {models}", whole.wall_s / tenth.wall_s, 1.1 * large / models)
    _bar(f"peak MB of a process, {large}", max(whole.peak_mb, again.peak_mb), 100)


def _organisation(folder: Path) -> None:
    """The organisation of the platform's promise: rendered, validated, checked, each once."""
    root = generate(folder / "organisation", 40 * 50, 3, team_size=50)
    cache = folder / "cache"
    commands = {
        "render": ("render",),
        "validate": ("validate", "--format", "json"),
        "render again": ("render",),
        "check": ("render", "--check"),
    }
    found = {name: Series([sluice(root, *arguments, cache=cache)]) for name, arguments in commands.items()}
    files = sum(1 for path in (root / "rendered").rglob("*") if path.is_file())
    print(f"\n40 teams x 50 models x 3 environments: {files} files")
    for name, series in found.items():
        print(f"{name:<28}{series.wall_s:>9.3f}{series.cpu_s:>9.3f}{series.peak_mb:>9.1f}")
    _bar("peak MB of a process, organisation", max(series.peak_mb for series in found.values()), 100)


if __name__ == "__main__":
    main()
