"""`sluice render`: specs to the files that Argo CD syncs."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import click

from generator.output.diff import diff
from generator.output.errors import OutputError
from generator.output.prune import prune
from generator.output.report import CheckReport
from generator.output.stamp import Stamp
from generator.pipeline.session import Session, open_session, root_option, select
from generator.pipeline.work import Request, Work, platform_inputs, survey
from generator.pipeline.written import SHOWN, VERBS, Written
from generator.plan.entries import SPECS
from generator.plan.inputs import PlatformInputs
from generator.render.environment import TemplateError
from generator.render.identity import code_digest
from generator.source.errors import CliError
from generator.source.finding import Finding


@click.command("render")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--env", "environment", default="", metavar="NAME", help="Only this environment.")
@click.option(
    "--output", type=click.Path(path_type=Path), help="Folder to write to; default: the platform's git.path."
)
@click.option(
    "--check", "only_check", is_flag=True, help="Write nothing; exit 1 when anything is out of date."
)
@click.option("--diff", "only_diff", is_flag=True, help="Write nothing; show what would change.")
@click.option(
    "--bentos",
    is_flag=True,
    help="Only what images are built from; a lock without an image's digest is right then.",
)
@root_option
@click.pass_context
def command(
    context: click.Context,
    paths: tuple[str, ...],
    environment: str,
    output: Path | None,
    only_check: bool,  # noqa: FBT001 - click hands flags over
    only_diff: bool,  # noqa: FBT001 - click hands flags over
    bentos: bool,  # noqa: FBT001 - click hands flags over
    root: Path | None,
) -> None:
    """Write the bundles that Argo CD syncs.

    What images are built from is written with them. Of a model whose tier wants its image by digest that alone is
    written until the lock holds the digest; the exit code is 1 until then, but with --bentos.
    """
    session = open_session(root)
    platform = platform_inputs(session.root)
    known = platform.names("environments")
    if environment and known and environment not in known:
        raise CliError(f"the environment `{environment}` is not known; known: {', '.join(known)}")
    selection = select(session, paths)
    request = Request(
        root=session.root,
        output=_target(session, session.root / platform.folder if output is None else output),
        environment=environment,
        entries=session.entries,
        selected=None if selection.everything else frozenset(selection.entries),
        today=session.today,
    )
    try:
        context.exit(
            _run(session, request, platform, only_check=only_check, only_diff=only_diff, bentos=bentos)
        )
    except (OutputError, TemplateError) as error:
        raise CliError(str(error)) from error


def _target(session: Session, output: Path) -> Path:
    """The folder to write to: one of its own, for what nothing renders any more is deleted there.

    Raises:
        CliError: the repository or what it is rendered from lies in it, or it lies among that.
    """
    real, root = output.resolve(), session.root.resolve()
    inputs = [root / SPECS, root / "templates"]
    if root.is_relative_to(real) or any(real.is_relative_to(folder) for folder in inputs):
        said = str(output) if output.parts else "an empty name"
        raise CliError(f"{said} is no folder of rendered files: specs live there; name a folder of its own")
    return output


def _run(
    session: Session,
    request: Request,
    platform: PlatformInputs,
    *,
    only_check: bool,
    only_diff: bool,
    bentos: bool,
) -> int:
    stamp = Stamp.read(request.output, code_digest(session.templates))
    if not only_check:  # a check trusts nothing that an earlier run noted
        request = replace(request, known=stamp.keys)
    work = survey(request, platform)
    if work.nothing and not session.discovered[1] and work.fresh:
        _say_fresh(request.output, len(work.fresh), sum(found.files for found in work.fresh))
        return 0
    from generator.pipeline.produce import produce

    product = produce(session, request, work)
    product = product.bentos() if bentos else product
    _tell(product.findings)
    orphaned = product.work.orphaned if product.knows_all else ()
    if only_diff:
        for line in diff(request.output, product.bundles(), orphaned=orphaned):
            sys.stdout.write(line)
    elif only_check:
        report = product.check(request.output)
        _note(stamp, request, work, report.keys)
        return max(product.exit_code, _say_check(report, request, refused=product.exit_code > 0))
    else:
        gone = Written()
        if orphaned:
            gone.add([prune(request.output, request.environment, work.expected, _notice)])
        _say_written(gone, request.output)
        written = product.write(request.output, _notice)
        _note(stamp, request, work, written.keys)
        _say_written(written, request.output)
        files = written.identical + sum(found.files for found in work.fresh)
        if gone.said or written.said:
            click.echo(f"{files} {'file' if files == 1 else 'files'} unchanged")
        elif product.exit_code == 0:
            _say_fresh(request.output, len(written.keys) + len(work.fresh), files)
    return product.exit_code


def _note(stamp: Stamp, request: Request, work: Work, keys: Collection[bytes]) -> None:
    """Keep what is known to be right now; what a run did not look at stays known."""
    everything = request.selected is None and not request.environment
    seen = {found.key for found in work.fresh}.union(keys)
    stamp.save(seen if everything else seen | stamp.keys)


def _notice(sentence: str) -> None:
    click.echo(sentence, err=True)


def _tell(findings: list[Finding]) -> None:
    """Errors in full; warnings are what `validate` is for."""
    from generator.report.formats import render

    errors = [finding for finding in findings if finding.severity == "error"]
    warnings = sum(1 for finding in findings if finding.severity == "warning")
    if errors:
        click.echo(render(errors, "text", color=sys.stderr.isatty()), err=True, nl=False)
    if warnings:
        click.echo(
            f"{warnings} {'warning' if warnings == 1 else 'warnings'}: `sluice validate` shows them", err=True
        )


def _say_fresh(target: Path, bundles: int, files: int) -> None:
    click.echo(f"{_relative(target)} is up to date: {bundles} bundles, {files} files, nothing changed")


def _say_written(written: Written, target: Path) -> None:
    for kind, words in VERBS.items():
        _list(words, written.counts[kind], written.first[kind], target)
    _tell(written.findings)


def _list(verb: str, count: int, paths: Sequence[str], target: Path) -> None:
    """How many files, and the first names of them."""
    if not count:
        return
    click.echo(f"{verb} {count}:")
    for path in paths[:SHOWN]:
        click.echo(f"  {_relative(target)}/{path}")
    if count > SHOWN:
        click.echo(f"  … and {count - SHOWN} more")


def _say_foreign(paths: Sequence[str]) -> None:
    if paths:
        more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
        click.echo(f"not managed by Sluice, skipped: {', '.join(paths[:SHOWN])}{more}")


def _say_check(report: CheckReport, request: Request, *, refused: bool) -> int:
    for verb in ("missing", "stale", "edited", "orphaned"):
        paths = getattr(report, verb)
        _list(verb, len(paths), paths, request.output)
    _tell(list(report.findings))
    _say_foreign(report.foreign)
    if report.clean and refused:
        return 1
    if report.clean:
        counts = f"{len(report.keys)} bundles, {report.files} files"
        click.echo(f"{_relative(request.output)} is up to date: {counts} rendered and compared")
        return 0
    click.echo(f"out of date: run `{_fixing()}` and commit what it changes", err=True)
    return 1


def _fixing() -> str:
    """The command that writes what was checked: the one that was given, without its --check."""
    given = click.get_current_context().params
    output, root = given["output"], given["root"]
    words = [*(["--root", str(root)] if root else []), *(["--output", str(output)] if output else [])]
    return shlex.join(["sluice", "render", *words])


def _relative(target: Path) -> str:
    try:
        return target.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return target.as_posix()
