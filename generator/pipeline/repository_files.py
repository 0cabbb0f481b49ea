"""Files of a repository other than bundles: code owners, bootstrap, and locks of models that do not exist yet."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from generator.pipeline.owner_rows import BEGIN, END
from generator.plan.locks import immutable_form, version_of
from generator.source.errors import CliError

if TYPE_CHECKING:
    from generator.render.environment import Templates
    from generator.spec.platform import PlatformSpec


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


def bootstrap(templates: Templates, environment: str, platform: PlatformSpec) -> str:
    """Return the objects that are applied once by hand: the root Application of an environment and its projects.

    Args:
        templates: the templates.
        environment: name of the environment.
        platform: the platform.
    """
    from generator.render.argocd import file_list
    from generator.render.root import ROOT_FILES, root_projects

    projects = root_projects(environment)
    context = {
        "applications": projects.applications,
        "branch": platform.git.revision,
        "environment": environment,
        "include": file_list(ROOT_FILES),
        "namespace": platform.argocd_namespace,
        "path": platform.git.from_top(f"{platform.git.path}/{environment}/argocd/root"),
        "projects": projects.projects,
        "repo": platform.git.repo,
    }
    return templates.render("init/bootstrap.yaml.j2", context)
