"""`sluice init`: a GitOps repository that renders, made without any network."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from generator import __version__
from generator.pipeline.atomic_write import existing, write_files
from generator.pipeline.example import example_lock
from generator.pipeline.terminal import emit
from generator.render.environment import Templates
from generator.source.errors import CliError

_REPO = "https://git.example.com/acme/models.git"
_BRANCH, _REGISTRY = "main", "registry.example.com/models"
_ENVIRONMENTS = ("staging", "production")
_SCHEMAS = ("model", "platform", "lock")
_MODELS = {
    "shop/recommender": ("canary", "mlflow:recommender@champion"),
    "support/ticket-classifier": ("blue-green", "bentoml:ticket_classifier:7"),
}
_FILES = {
    "specs/platform.yaml": "platform.yaml",
    ".pre-commit-config.yaml": "pre-commit-config.yaml",
    ".gitattributes": "gitattributes.txt",
    "README.md": "README.md",
    "bootstrap/project.yaml": "project.yaml",
}


@click.command("init")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path, file_okay=False))
def command(folder: Path) -> None:
    """Create a GitOps repository that renders.

    DIR is made if it is missing; default: the current folder. Nothing that exists is overwritten: if any file is
    already there, nothing is written at all.
    """
    files = repository_files()
    taken = existing(folder, list(files))
    if taken:
        listed = "\n".join(f"  {name}" for name in taken)
        raise CliError(f"nothing was written, for these exist already:\n{listed}")
    write_files(folder, {name: text.encode() for name, text in files.items()})
    emit(_told(folder, list(files)))


def repository_files() -> dict[str, str]:
    """Text of every file of a new repository, by path."""
    from generator.cli.ci import FILES as HOSTS
    from generator.cli.ci import workflow_files
    from generator.cli.schema import text as schema

    templates = Templates()
    context = {"version": __version__, "repo": _REPO, "branch": _BRANCH, "registry": _REGISTRY}
    files = {path: templates.render(f"init/{name}.j2", context) for path, name in _FILES.items()}
    for host in HOSTS:
        files.update(workflow_files(host, templates, _BRANCH, _REGISTRY))
    for environment in _ENVIRONMENTS:
        given = {**context, "environment": environment}
        files[f"bootstrap/{environment}.yaml"] = templates.render("init/application.yaml.j2", given)
    for model, (strategy, ref) in _MODELS.items():
        files[f"specs/{model}.yaml"] = templates.render(f"init/{strategy}.yaml.j2", {"ref": ref})
        files[f"specs/{model}.lock.yaml"] = example_lock(templates, model, ref)
    files["CODEOWNERS"] = _code_owners(files["specs/platform.yaml"])
    files.update({f"docs/schema/{name}.json": schema(name) for name in _SCHEMAS})
    return dict(sorted(files.items()))


def _code_owners(platform: str) -> str:
    import ryaml

    from generator.cli.codeowners import merged
    from generator.spec.platform import PlatformFile

    return merged("", PlatformFile.model_validate(ryaml.loads(platform)).spec)


def _told(folder: Path, names: list[str]) -> str:
    listed = "".join(f"  {name}\n" for name in names)
    enter = "" if str(folder) == "." else f"cd {shlex.quote(str(folder))} && "
    return f"wrote {len(names)} files to {folder}:\n{listed}next: {enter}sluice render; README.md tells the rest\n"
