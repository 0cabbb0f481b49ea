"""`sluice import`: specs from a tree that others wrote."""  # noqa: N999

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli.options import json_option, usual_values
from generator.pipeline.atomic_write import existing, write_files
from generator.pipeline.terminal import emit, note
from generator.report.tables import Screen
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.pipeline.imports.tree import TreeImport

_SPECS = "specs"


@click.command("import")
@click.argument("tree", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "target",
    default=_SPECS,
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of specs to write, or the repository that has it.",
)
@click.option("--namespace", default="models", show_default=True, help="Namespace of objects that have none.")
@click.option("--env", "environment", help="The environment of all releases; default: by their namespaces.")
@click.option("--tier", help="The tier of all models; default: one that the tree fits, or the team's first.")
@click.option("--rps", type=click.FloatRange(min=0, min_open=True), help="Requests per second, off-peak.")
@click.option(
    "--baseline",
    metavar="NAME=VALUE,…",
    default="",
    help="What is usual with the stable version, by event or name of a metric: error=0.5%,slow=2%.",
)
@click.option(
    "--example-lock", is_flag=True, help="Write made-up digests for images without one, to preview plans."
)
@click.option("--build", is_flag=True, help="Read what kustomize and helm, on the path, make of the tree.")
@click.option("--diff", is_flag=True, help="Print the files, and write nothing.")
@click.option(
    "--full", is_flag=True, help="Also show what only Sluice writes, and every value that is left over."
)
@json_option
def command(
    tree: Path,
    target: Path,
    namespace: str,
    environment: str | None,
    tier: str | None,
    rps: float | None,
    baseline: str,
    fmt: str,
    *,
    example_lock: bool,
    build: bool,
    diff: bool,
    full: bool,
) -> None:
    """Write specs from Rollouts, Canaries and InferenceServices that others wrote.

    TREE is a folder or a file with Rollouts of Argo, Canaries of Flagger or InferenceServices of KServe, and their
    Services, routes, autoscalers and AnalysisTemplates. Each release becomes a spec with the same steps, hosts,
    resources and pods, and metrics whose queries are recognized become guards. Without a platform file it writes one,
    with a tier that the specs fit. Every value of every object is imported, a default, or left over: leftovers are
    listed with what to do, and the files that have them are copied to leftovers/. The output shows what the first sync
    would change, and the odds of both. Nothing is overwritten. Exit code 1 means that a release is not imported, or
    that a spec has errors.
    """
    from generator.odds.trees.values import Known, Span
    from generator.pipeline.imports.tree import Settings, import_tree, repository_at
    from generator.report.imports import document, text

    if not tree.exists():
        raise CliError(f"{tree} does not exist")
    root = target.parent if target.name == _SPECS else target
    values, ranges = usual_values(baseline)
    known = Known(rps, values, {name: Span(*ends) for name, ends in ranges.items()})
    settings = Settings(namespace, environment, tier, known, example_lock=example_lock, build=build)
    found = import_tree(tree, repository_at(root), settings)
    taken = existing(root, sorted(found.files))
    if taken and not diff:
        hint = "`--to` names another folder, `--diff` shows what it would write"
        raise CliError(f"nothing was written, because {taken[0]} exists", hint)
    shown = document(found) if fmt == "json" else text(found, Screen.of(sys.stdout), full=full)
    if diff and fmt == "text":
        emit("".join(_as_diff(found)))
    emit(shown)
    if not diff:
        write_files(root, {name: content.encode() for name, content in found.files.items()})
        if fmt == "text":
            emit(_next_steps(found, root, locked=example_lock))
    if found.refused or any(one.severity == "error" for one in found.findings):
        click.get_current_context().exit(1)


def _as_diff(found: TreeImport) -> list[str]:
    """Return the files as a diff against nothing; copies are named only."""
    from difflib import unified_diff

    parts: list[str] = []
    for name, content in sorted(found.files.items()):
        if name.startswith(_SPECS):
            parts += unified_diff([], content.splitlines(keepends=True), "/dev/null", f"b/{name}")
        else:
            note(f"would copy {name}")
    return parts


def _next_steps(found: TreeImport, root: Path, *, locked: bool) -> str:
    from generator.source.line import visible

    enter = "" if str(root) in {".", ""} else f"cd {visible(str(root))} && "
    names = [name for name in sorted(found.files) if name.startswith(_SPECS)]
    copies = len(found.files) - len(names)
    copied = f", and {copies} in leftovers/" if copies else ""
    if not names:
        return f"wrote no spec{copied}\n"
    unlocked = any(f"{model.path}.lock.yaml" not in found.files for model in found.models)
    steps = ["sluice pin"] if unlocked and not locked else []
    steps += ["sluice validate", "sluice plan", "sluice render", "sluice verify rendered"]
    lines = "".join(f"  {enter}{step}\n" for step in steps)
    return f"wrote {', '.join(names)}{copied}\nnext:\n{lines}"
