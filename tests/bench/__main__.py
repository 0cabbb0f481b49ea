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

from tests.bench.measure import Call, Series, call, python, sluice
from tests.bench.organisation import generate

RAW = (sys.executable, "-m", "tests.bench.raw")
HELP = 10


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
    parser.add_argument("--folder", type=Path, help="where to work (default: the folder for temporary files)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sluice-bench-", dir=arguments.folder) as folder:
        _table(arguments.models, _small(Path(folder), arguments.models, arguments.rounds))
        if arguments.large:
            _linear(Path(folder), arguments.models, arguments.large)
        if arguments.organisation:
            _organisation(Path(folder))


def _small(folder: Path, models: int, rounds: int) -> dict[str, Series]:
    """Everything but the large organisation, alternately."""
    many = generate(folder / "many", models, 2)
    one = generate(folder / "one", 1, 2)
    contexts, copied, raw = folder / "contexts", folder / "copied", folder / "raw"
    call([*RAW, "record", str(many), str(contexts)], folder)
    cache = folder / "cache"
    sluice(one, "render", cache=cache)
    steps: dict[str, Callable[[], Call]] = {
        "cold": lambda: _cold(many),
        "cold, templates cached": lambda: _cold(many, cache),
        "raw loop": lambda: _raw(raw, contexts),
        "unchanged": lambda: sluice(many, "render", cache=cache),
        "check": lambda: sluice(many, "render", "--check", cache=cache),
        "cp -r": lambda: _copy(many / "rendered", copied),
        "one, cold": lambda: _cold(one, cache),
        "one, unchanged": lambda: sluice(one, "render", cache=cache),
    }
    quick = {"--help": lambda: sluice(one, "--help", cache=cache), "python -c pass": lambda: python(one)}
    found: defaultdict[str, list[Call]] = defaultdict(list)
    for _ in range(rounds):
        for name, step in steps.items():
            found[name].append(step())
        for name, step in (item for _ in range(HELP) for item in quick.items()):
            found[name].append(step())
    files = sum(1 for path in (many / "rendered").rglob("*") if path.is_file())
    print(f"{models} models in 2 environments: {files} files; medians of {rounds} rounds, alternately")
    shutil.rmtree(many / "rendered")
    return {name: Series(calls) for name, calls in found.items()}


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


def _table(models: int, found: dict[str, Series]) -> None:
    print(f"{'':<28}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}")
    for name, series in found.items():
        print(f"{name:<28}{series.wall_s:>9.3f}{series.cpu_s:>9.3f}{series.peak_mb:>9.1f}")
    print()
    wall = {name: series.wall_s for name, series in found.items()}
    _bar(f"{models} cold / raw loop", wall["cold"] / wall["raw loop"], 4)
    _bar(f"{models} unchanged / cp -r", wall["unchanged"] / wall["cp -r"], 3)
    _bar("--help / python -c pass", wall["--help"] / wall["python -c pass"], 6)
    _bar("peak MB of a process", max(series.peak_mb for name, series in found.items() if name in _OURS), 100)
    _bar("one model, cold: CPU s", found["one, cold"].cpu_s, 0.1)


_OURS = {"cold", "cold, templates cached", "unchanged", "check", "one, cold", "one, unchanged", "--help"}


def _bar(what: str, value: float, bar: float) -> None:
    print(f"{what:<34}{value:>9.2f}   bar {bar:g}{'' if value <= bar else '   MISSED'}", flush=True)


def _linear(folder: Path, models: int, large: int) -> None:
    """A tenth of a large organisation and the whole of it, one environment each: the files of two would fill disks."""
    shutil.rmtree(folder / "many", ignore_errors=True)
    small, huge = generate(folder / "tenth", models, 1), generate(folder / "large", large, 1)
    tenths = []
    for _ in range(2):
        tenths.append(_cold(small))
        if len(tenths) == 1:
            whole = _cold(huge)
            again = sluice(huge, "render")
            shutil.rmtree(huge / "rendered")
    tenth = Series(tenths)
    print(f"\n{models} models, 1 environment: {tenth.wall_s:.1f} s, {tenth.peak_mb:.1f} MB")
    print(
        f"{large} models, 1 environment: {whole.wall_s:.1f} s, {whole.peak_mb:.1f} MB; unchanged {again.wall_s:.1f} s, {again.peak_mb:.1f} MB"
    )
    _bar(f"{large} / {models}", whole.wall_s / tenth.wall_s, 11)
    _bar(f"peak MB of a process, {large}", max(whole.peak_mb, again.peak_mb), 100)


def _organisation(folder: Path) -> None:
    """The organisation of the platform's promise: rendered, validated, checked, each once."""
    root = generate(folder / "organisation", 40 * 50, 3, team_size=50)
    commands = {
        "render": ("render",),
        "validate": ("validate", "--format", "json"),
        "render again": ("render",),
        "check": ("render", "--check"),
    }
    found = {name: Series([sluice(root, *arguments)]) for name, arguments in commands.items()}
    files = sum(1 for path in (root / "rendered").rglob("*") if path.is_file())
    print(f"\n40 teams x 50 models x 3 environments: {files} files")
    for name, series in found.items():
        print(f"{name:<28}{series.wall_s:>9.3f}{series.cpu_s:>9.3f}{series.peak_mb:>9.1f}")
    _bar("peak MB of a process, organisation", max(series.peak_mb for series in found.values()), 100)


if __name__ == "__main__":
    main()
