"""The Applications that Argo CD's root takes: each lists the files that it takes by name, one for each kind of object.

Argo CD 3.6, reposerver/repository/repository.go: `directory.include` is matched with the path below the Application's
folder, so alternatives without wildcards are a list of files. pkg/apis/application/v1alpha1/app_project_types.go: a
project restricts namespaced objects by kind and not by name, so projects and Applications come from two Applications,
of which each may write its kind only, and ConfigMaps and Secrets from none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from generator.render.argocd import file_list
from generator.render.bundle import render_object
from generator.render.environment import Templates
from generator.render.output import PLATFORM_ORIGIN, Output
from generator.spec.platform import PlatformSpec

ROOT_FILES: Final = ("application-projects.yaml", "application-applications.yaml")
_TEMPLATE: Final = "argocd/application-root.yaml.j2"
# Names of models come from names of files, which may be wildcards; such a file is an error.
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9-]*")


class RootProjects(NamedTuple):
    """Names of two AppProjects: one may write Applications in Argo CD's namespace, the other AppProjects."""

    applications: str
    projects: str


def root_projects(environment: str) -> RootProjects:
    """Return the names of the projects of an environment's root."""
    return RootProjects(f"sluice-{environment}", f"sluice-{environment}-projects")


def render_root(
    platform: PlatformSpec, environment: str, models: Iterable[str], templates: Templates
) -> dict[str, str]:
    """Return the two Applications below the root of one environment.

    Args:
        platform: the platform.
        environment: its environment.
        models: `team/model` of every model of the repository.
        templates: the templates.

    Returns:
        Text by file name.
    """
    projects = [f"projects/{team}/appproject.yaml" for team in sorted(platform.teams)]
    applications = [
        f"applications/{name}/application.yaml" for name in sorted(models) if _NAME.fullmatch(name)
    ]
    own = root_projects(environment)
    listed = (
        (own.projects, "0", ["platform/appproject.yaml", *projects]),
        (own.applications, "1", ["platform/application.yaml", *applications]),
    )
    found = {}
    for file, (project, wave, paths) in zip(ROOT_FILES, listed, strict=True):
        role = file.removeprefix("application-").removesuffix(".yaml")
        context = {
            "application": f"sluice-{environment}-{role}",
            "argocd_namespace": platform.argocd_namespace,
            "environment": environment,
            "include": file_list(paths),
            "path": platform.git.from_top(f"{platform.git.path}/{environment}/argocd"),
            "project": project,
            "repo": platform.git.repo,
            "revision": platform.git.revision,
            "wave": wave,
        }
        found[file] = render_object(Output(file, _TEMPLATE), context, templates, PLATFORM_ORIGIN)
    return found
