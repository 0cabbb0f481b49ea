"""`sluice ci`: the workflows of a repository's CI, and what they ask for."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import click

from generator import __version__
from generator.cli.options import root_option
from generator.pipeline.session import Session, open_session
from generator.pipeline.terminal import emit
from generator.render.environment import Templates
from generator.source.errors import CliError

_UV = "0.13.9"
_SCRIPTS = ("fetch-model", "build-image", "propose", "propose-digests", "propose-revert")
_COMMON = {f"ci/{name}.sh": f"ci/{name}.sh" for name in _SCRIPTS}
FILES: dict[str, dict[str, str]] = {
    "github": {
        ".github/workflows/sluice.yml": "ci/github/check.yaml",
        ".github/workflows/sluice-images.yml": "ci/github/images.yaml",
        ".github/workflows/sluice-revert.yml": "ci/github/revert.yaml",
        **_COMMON,
    },
    "gitlab": {
        ".gitlab-ci.yml": "ci/gitlab/gitlab-ci.yaml",
        "ci/gitlab-note.py": "ci/gitlab/note.py",
        **_COMMON,
    },
}
"""Template of each file, by host and path."""

_SEAL = re.compile(r"# As `sluice ci` wrote it: ([0-9a-f]{16})\n")


@click.group("ci")
def command() -> None:
    """Write CI workflows: checks, comments, images and reverts."""


@command.command("github")
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 1 when anything is not as it would be written."
)
@click.option("--force", is_flag=True, help="Replace files that were edited since, or that are not Sluice's.")
@root_option
def github(root: Path | None, *, check: bool, force: bool) -> None:
    """Write workflows for GitHub Actions."""
    _write(open_session(root), "github", check=check, force=force)


@command.command("gitlab")
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 1 when anything is not as it would be written."
)
@click.option("--force", is_flag=True, help="Replace files that were edited since, or that are not Sluice's.")
@root_option
def gitlab(root: Path | None, *, check: bool, force: bool) -> None:
    """Write the pipeline for GitLab CI/CD."""
    _write(open_session(root), "gitlab", check=check, force=force)


@command.command("images")
@click.option(
    "--format", "fmt", type=click.Choice(("text", "json")), default="text", show_default=True, help="Form."
)
@root_option
def images(fmt: str, root: Path | None) -> None:
    """List the models whose image is not in their lock yet.

    Each with what its lock says of the model: TEAM/MODEL and the resolved reference, one a line; as JSON for a matrix.
    """
    found = _missing(open_session(root))
    if fmt == "json":
        emit(json.dumps(found) + "\n")
    else:
        emit("".join(f"{item['model']}\t{item['resolved']}\n" for item in found))


def workflow_files(host: str, templates: Templates, branch: str, registry: str) -> dict[str, str]:
    """Text of every file of a host, by path.

    Each carries a digest of itself, by which an edited file is told from an old one.

    Args:
        host: github or gitlab.
        templates: what is rendered with.
        branch: what changes are merged into.
        registry: where images are pushed, with the path below the host.
    """
    context = {"version": __version__, "branch": branch, "registry": registry.partition("/")[0], "uv": _UV}
    return {
        path: _sealed(templates.render(f"{name}.j2", context)) for path, name in sorted(FILES[host].items())
    }


def _sealed(text: str) -> str:
    seal = f"# As `sluice ci` wrote it: {hashlib.sha256(text.encode()).hexdigest()[:16]}\n"
    first, end, rest = text.partition("\n")
    return f"{first}{end}{seal}{rest}" if first.startswith("#!") else seal + text


def is_ours(text: str) -> bool:
    """Whether a file is, to the byte, what some version of Sluice wrote."""
    found = _SEAL.search(text[:200])
    if found is None:
        return False
    body = text[: found.start()] + text[found.end() :]
    return hashlib.sha256(body.encode()).hexdigest().startswith(found[1])


def _write(session: Session, host: str, *, check: bool, force: bool) -> None:
    platform = session.repository.platform
    if platform is None:
        raise CliError("the platform can't be used; `sluice validate` says why")
    wanted = workflow_files(host, session.templates, platform.git.revision, platform.registry)
    stale = {path: text for path, text in wanted.items() if _text(session.root / path) != text}
    if check:
        emit("".join(f"out of date: {path}\n" for path in stale) or f"the {host} files are up to date\n")
        click.get_current_context().exit(int(bool(stale)))
    foreign = [path for path in stale if not _replaceable(session.root / path)]
    if foreign and not force:
        listed = "\n".join(f"  {path}" for path in foreign)
        raise CliError(
            f"nothing was written: these were edited, or are not Sluice's:\n{listed}\n"
            "compare with `sluice templates --show`, then --force replaces them"
        )
    from generator.pipeline.atomic_write import write_files

    write_files(session.root, {path: text.encode() for path, text in stale.items()})
    emit("".join(f"wrote {path}\n" for path in stale) or f"the {host} files are up to date\n")


def _replaceable(path: Path) -> bool:
    text = _text(path)
    return not path.exists() if text is None else is_ours(text)


def _text(path: Path) -> str | None:
    """Text of a file; None when there is none that can be read."""
    from generator.source.files import raw

    content = raw(path)
    return None if content is None else content.decode("utf-8", "replace")


def _missing(session: Session) -> list[dict[str, str]]:
    """Models without an image, of those that can be planned.

    Raises:
        CliError: a bento is not rendered, or not as the specs say.
    """
    platform = session.repository.platform
    if platform is None:
        raise CliError("the platform can't be used; `sluice validate` says why")
    found = []
    for entry in session.entries:
        plans = session.resolve(entry).plans
        if not plans or plans[0].plan.image.digest:
            continue
        image = plans[0].plan.image.reference
        if (_text(session.root / platform.git.path / "bentos" / entry.name / "IMAGE") or "").strip() != image:
            raise CliError(f"the bento of {entry.name} is not rendered as the specs say; run `sluice render`")
        found.append({"model": entry.name, "resolved": plans[0].plan.version.resolved, "image": image})
    return found
