"""`sluice promote`: let a proven release into an environment that requires others."""

from __future__ import annotations

from pathlib import Path

import click

from generator.cli.options import root_option
from generator.pipeline.selection import select
from generator.pipeline.session import open_session
from generator.pipeline.terminal import emit
from generator.source.errors import CliError


@click.command("promote")
@click.argument("model", nargs=-1, type=click.Path())
@click.option("--to", "environment", metavar="ENVIRONMENT", help="The environment; it is required.")
@click.option("--reason", metavar="TEXT", help="Why; it is recorded in the lock.")
@click.option("--hotfix", is_flag=True, help="Without proof, for a day, as far as the tier allows it.")
@click.option("--adopt", is_flag=True, help="Record the release that is in git from before there were locks.")
@click.option("--by", metavar="NAME", help="Who promotes it; default: the author that git would name.")
@root_option
def command(
    model: tuple[str, ...], environment: str | None, reason: str | None, by: str | None, root: Path | None, *,
    hotfix: bool, adopt: bool,
) -> None:  # fmt: skip
    """Let a proven release into an environment that requires others.

    MODEL is a spec, or TEAM/MODEL; with --adopt, several or none for all. The records of the required environments
    must prove the release of the spec: the same release key, a verdict and a power as required, and the soak over.
    Only the lock of the environment is written, `<model>.<environment>.lock.yaml`; `sluice render` then lets the
    release in. To point a spec at another version of its model, use `sluice pin MODEL --version VERSION`.
    """
    from generator.pipeline.promote import PromotionRequest, author, promote

    session = open_session(root)
    known = session.require_platform().environments
    if environment is None or environment not in known:
        raise _unclear(model, environment, list(known))
    if not model and not adopt:
        raise CliError("name the model to promote", f"`sluice promote TEAM/MODEL --to {environment}`")
    request = PromotionRequest(environment, by or author(session.root), reason, hotfix, adopt)
    names = []
    for entry in select(session, model).entries:
        done = promote(session, entry, request)
        if done.changed:
            names.append(entry.name)
            emit(f"{done.file}: version {done.version} ({done.key[:19]}) may enter {environment}\n")
        else:
            emit(f"{done.file} lets version {done.version} in already\n")
    if names and not adopt:
        emit(f"next: sluice render {' '.join(names)}, and commit both\n")


def _unclear(model: tuple[str, ...], environment: str | None, known: list[str]) -> CliError:
    """Return the error about a missing or unknown environment, which may be a version of the model."""
    name, *others = (*model, "TEAM/MODEL")[:2] if len(model) < 2 else model
    version = environment or (others[0] if len(model) > 1 else "")
    pin = f"`sluice pin {name} --version {version or 'VERSION'}` points its spec at another version"
    if environment is None:
        hint = f"write `sluice promote {name} --to {' or '.join(known)}`; {pin}"
        return CliError("the environment is missing", hint)
    return CliError(f"no such environment: `{environment}`", f"environments: {', '.join(known)}; {pin}")
