"""Files of a repository other than specs and bundles: CODEOWNERS, and the files of `init`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from generator import __version__
from generator.pipeline.ci_files import CI_FILES, workflow_files
from generator.pipeline.owner_rows import BEGIN, END
from generator.plan.locks import immutable_form, version_of
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.render.environment import Templates
    from generator.spec.platform import PlatformSpec

"""The places where GitHub and GitLab look, the usual one first."""

_REPO: Final = "https://git.example.com/acme/models.git"
_BRANCH: Final = "main"
_REGISTRY: Final = "registry.example.com/models"
_ENVIRONMENTS: Final = ("staging", "production")
_MODELS: Final = {
    "shop/recommender": ("canary", "mlflow:recommender@champion"),
    "support/ticket-classifier": ("blue-green", "bentoml:ticket_classifier:7"),
}
_INIT_FILES: Final = {
    "specs/platform.yaml": "platform.yaml",
    ".pre-commit-config.yaml": "pre-commit-config.yaml",
    ".gitattributes": "gitattributes.txt",
    ".gitignore": "gitignore.txt",
    "README.md": "README.md",
}


def code_owners(before: str, platform: PlatformSpec) -> str:
    """Return a CODEOWNERS file with Sluice's lines replaced, or appended.

    Raises:
        CliError: only one of the two comments around Sluice's lines is there.
    """
    from generator.plan.people import codeowners

    own = "\n".join([BEGIN, *codeowners(platform), END, ""])
    if (BEGIN in before) != (END in before) or before.find(END) < before.find(BEGIN):
        raise CliError(
            "CODEOWNERS has only one of the two comments around Sluice's lines",
            "remove the remaining comment and Sluice's lines",
        )
    if BEGIN not in before:
        return before + ("" if not before or before.endswith("\n") else "\n") + own
    head, _, rest = before.partition(BEGIN)
    return head + own + rest.partition(END)[2].removeprefix("\n")


def example_lock(templates: Templates, name: str, ref: str, data: Sequence[str] = ()) -> str:
    """Return a lock with made-up digests and a comment about that, to preview plans before there is a model.

    Args:
        templates: the templates.
        name: `team/model`; the digests are computed from it.
        ref: the model reference of the spec.
        data: references of data sets that gates read.
    """
    digest = _example_digest(name)
    resolved = immutable_form(ref, digest).example
    context = {
        "ref": ref,
        "resolved": resolved,
        "version": version_of(ref, resolved),
        "digest": f"sha256:{digest}",
        "data": [_example_data(each, _example_digest(f"{name} {each}")) for each in data],
    }
    return templates.render("new/lock.yaml.j2", context)


def _example_digest(name: str) -> str:
    return hashlib.sha256(f"example of {name}".encode()).hexdigest()


def _example_data(ref: str, digest: str) -> dict[str, str]:
    return {"ref": ref, "digest": f"sha256:{digest}", "resolved": immutable_form(ref, digest).example}


def bootstrap(templates: Templates, environment: str, repo: str, branch: str) -> str:
    """Return the objects that are applied once by hand: the root Application of an environment and its projects.

    Args:
        templates: the templates.
        environment: name of the environment.
        repo: URL of the git repository.
        branch: the branch that Argo CD follows.
    """
    from generator.render.argocd import file_list
    from generator.render.root import ROOT_FILES, root_projects

    projects = root_projects(environment)
    context = {
        "applications": projects.applications,
        "branch": branch,
        "environment": environment,
        "include": file_list(ROOT_FILES),
        "projects": projects.projects,
        "repo": repo,
    }
    return templates.render("init/bootstrap.yaml.j2", context)


def new_repository(templates: Templates) -> dict[str, str]:
    """Return the text of every file of a new repository, by path."""
    context = {"version": __version__, "repo": _REPO, "branch": _BRANCH, "registry": _REGISTRY}
    files = {path: templates.render(f"init/{name}.j2", context) for path, name in _INIT_FILES.items()}
    for host in CI_FILES:
        files.update(workflow_files(host, templates, _BRANCH, _REGISTRY))
    for environment in _ENVIRONMENTS:
        files[f"bootstrap/{environment}.yaml"] = bootstrap(templates, environment, _REPO, _BRANCH)
    for model, (strategy, ref) in _MODELS.items():
        files[f"specs/{model}.yaml"] = templates.render(f"init/{strategy}.yaml.j2", {"ref": ref})
        files[f"specs/{model}.lock.yaml"] = example_lock(templates, model, ref)
    files["CODEOWNERS"] = code_owners("", _platform_of(files["specs/platform.yaml"]))
    return dict(sorted(files.items()))


def _platform_of(text: str) -> PlatformSpec:
    import ryaml

    from generator.spec.platform import PlatformFile

    return PlatformFile.model_validate(ryaml.loads(text)).spec
