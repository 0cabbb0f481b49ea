"""The files of a repository's CI: workflows, the scripts that they run, and the packages that these install."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator import __version__
from generator.dataclass import dataclass
from generator.pipeline.bundles import BENTOS
from generator.source.errors import CliError
from generator.source.files import text_of
from generator.source.shipped import builtin_folder
from generator.spec.indexes import Index, login_variables

if TYPE_CHECKING:
    from generator.pipeline.session import Session
    from generator.plan.bento import Bento
    from generator.render.environment import Templates
    from generator.spec.platform import Images, PlatformSpec

_SCRIPTS: Final = (
    "build-image",
    "fetch-model",
    "fetch-source",
    "install-sluice",
    "propose",
    "propose-digests",
    "propose-promotions",
    "propose-revert",
    "push-image",
    "record",
)
_PROGRAMS: Final = ("ci/fetch-packages.py", "ci/sbom.py")
_COMMON: Final = {
    **{f"ci/{name}.sh": f"ci/{name}.sh" for name in _SCRIPTS},
    **{path: path for path in _PROGRAMS},
}
CI_FILES: Final[Mapping[str, Mapping[str, str]]] = {
    "github": {
        ".github/workflows/sluice.yml": "ci/github/check.yaml",
        ".github/workflows/sluice-images.yml": "ci/github/images.yaml",
        ".github/workflows/sluice-image.yml": "ci/github/image.yaml",
        ".github/workflows/sluice-promote.yml": "ci/github/promote.yaml",
        ".github/workflows/sluice-revert.yml": "ci/github/revert.yaml",
        **_COMMON,
    },
    "gitlab": {
        ".gitlab-ci.yml": "ci/gitlab/gitlab-ci.yaml",
        "ci/gitlab-archive.py": "ci/gitlab/archive.py",
        "ci/gitlab-note.py": "ci/gitlab/note.py",
        **_COMMON,
    },
}
"""The template of each file, by host and path; `pin_files` has the others, which need no template."""
_SLUICE_PYTHON: Final = "3.13"
PYTHON_IMAGE: Final = "docker.io/library/python:{}-slim"
DOCKER_IMAGE: Final = "docker.io/library/docker:28-dind"
"""The images that jobs of GitLab run in."""
SLUICEGATE: Final = "ci/pins/sluicegate.txt"
"""The hashes of Sluice itself, which its own package can't contain; `sluice pin --tools` writes the file."""
_GITLAB_IMAGES: Final = "ci/gitlab/images.yaml.j2"
_PINS: Final = "ci/pins"
TRIAL: Final = "try"
"""The folder of the program that tries a service, below our templates and below `ci/`."""
_CORE: Final = Path(__file__).resolve().parent.parent / "pins" / "core.txt"
_SEAL: Final = re.compile(r"# As `sluice ci` wrote it: ([0-9a-f]{16})\n")


def workflow_files(
    host: str,
    templates: Templates,
    branch: str,
    registry: str,
    images: Images | None = None,
    root: str = "",
    indexes: Mapping[str, Index] | None = None,
) -> dict[str, str]:
    """Return the text of every file of CI on a host, by path below the top of the git repository.

    Each file contains its own digest, to distinguish an edited file from an old one.

    Args:
        host: github or gitlab.
        templates: the templates.
        branch: the branch that changes are merged into.
        registry: where images are pushed, with the path below the host.
        images: has the digests of the images that jobs run in.
        root: the folder with specs/ below the top of the git repository.
        indexes: the package indexes of the platform, by name.

    Raises:
        CliError: the host reads no pipeline of a folder.
    """
    if root and host == "gitlab":
        raise CliError(
            "GitLab has one pipeline for a whole project, and this repository is only a folder of one",
            "use a project for it, or write the jobs yourself after those that `sluice ci gitlab` writes there",
        )
    logins = [name for name, index in (indexes or {}).items() if index.login]
    context = {
        "root": root,
        "logins": [variable for name in sorted(logins) for variable in login_variables(name)],
        "version": __version__,
        "python_image": _by_digest(images, PYTHON_IMAGE.format(_SLUICE_PYTHON)),
        "branch": branch,
        "registry": registry,
        "registry_host": registry.partition("/")[0],
    }
    found = {path: templates.render(f"{name}.j2", context) for path, name in CI_FILES[host].items()}
    every = {**found, **pin_files(), **trial_files()}
    return {_from_top(path, root): _sealed(text) for path, text in sorted(every.items())}


def _from_top(path: str, root: str) -> str:
    """Return where a file of CI is: workflows at the top, where the host looks for them, all others next to specs/."""
    return f"{root}/{path}" if root and not path.startswith(".github/") else path


def paths_on(host: str, root: str = "") -> set[str]:
    """Return the paths of the files of CI on a host, below the top of the git repository."""
    return {_from_top(path, root) for path in (*CI_FILES[host], *pin_files(), *trial_files())}


def files_on(host: str, session: Session) -> dict[str, str]:
    """Return the files of a repository's CI on a host; see `workflow_files`."""
    platform = session.platform
    git, root = platform.git, platform.git.root or ""
    templates, registry = session.templates, platform.registry
    return workflow_files(host, templates, git.revision, registry, platform.images, root, platform.indexes)


def pin_files() -> dict[str, str]:
    """Return the lists of packages that CI installs, each with the hashes of its files, by path."""
    folder = builtin_folder() / _PINS
    found = {f"{_PINS}/{path.name}": path.read_text(encoding="utf-8") for path in folder.glob("*.txt")}
    return found | {f"{_PINS}/sluice.txt": _CORE.read_text(encoding="utf-8")}


def trial_files() -> dict[str, str]:
    """Return the program that tries a service before its image is built, by path."""
    folder = builtin_folder() / TRIAL
    return {f"ci/{TRIAL}/{path.name}": path.read_text(encoding="utf-8") for path in folder.glob("*.py")}


def ci_images(pythons: Iterable[str]) -> list[str]:
    """Return the images that jobs of GitLab run in, for services with these versions of Python."""
    return [*(PYTHON_IMAGE.format(python) for python in sorted({*pythons, _SLUICE_PYTHON})), DOCKER_IMAGE]


def _by_digest(images: Images | None, reference: str) -> str:
    return images.by_digest(reference) if images else reference


def is_unedited(text: str) -> bool:
    """Check whether some version of Sluice wrote this CI file, and it was not edited since."""
    found = _SEAL.search(text[:200])
    if found is None:
        return False
    body = text[: found.start()] + text[found.end() :]
    return hashlib.sha256(body.encode()).hexdigest().startswith(found[1])


def _sealed(text: str) -> str:
    seal = f"# As `sluice ci` wrote it: {hashlib.sha256(text.encode()).hexdigest()[:16]}\n"
    first, end, rest = text.partition("\n")
    return f"{first}{end}{seal}{rest}" if first.startswith("#!") else seal + text


@dataclass(frozen=True, slots=True)
class MissingImage:
    """An image that CI has to build.

    Args:
        model: team/model.
        key: the model as part of a file name.
        resolved: the model's reference in the lock; after it NAME=REFERENCE of each further model.
        digest: the model's digest in the lock.
        image: the computed name and tag.
        python: Python of the image, such as "3.11".
        indexes: NAME=PACKAGE,PACKAGE=URL of each index of the platform that packages come from; empty for none.
    """

    model: str
    key: str
    resolved: str
    digest: str
    image: str
    python: str
    indexes: str = ""


def missing_images(session: Session) -> list[MissingImage]:
    """Return the models that can be planned and whose image is not in their lock.

    Raises:
        CliError: a bento is missing or out of date.
    """
    bentos = session.root / session.platform.git.path / BENTOS
    found = []
    for entry in session.entries:
        plans = session.resolve(entry).plans
        bento = plans[0].plan.bento if plans else None
        if bento is None or plans[0].plan.image.digest:
            continue
        plan = plans[0].plan
        image = plan.pushed.reference
        if (text_of(bentos / entry.name / "IMAGE") or "").strip() != image:
            raise CliError(f"the bento of {entry.name} is missing or out of date", "run `sluice render`")
        key = f"{entry.team}.{entry.model}"
        version = plan.version
        resolved = " ".join([version.resolved, *(f"{name}={ref}" for name, ref in bento.references)])
        indexes = _indexes(bento, session.platform)
        python = bento.python_version
        found.append(MissingImage(entry.name, key, resolved, version.digest, image, python, indexes))
    return found


def _indexes(bento: Bento, platform: PlatformSpec) -> str:
    """Return the indexes that packages of a service come from, as `ci/fetch-packages.py` takes them."""
    pairs = bento.packages.indexes if bento.packages else ()
    return " ".join(f"{name}={','.join(packages)}={platform.indexes[name].url}" for name, packages in pairs)


def gitlab_images(images: Sequence[MissingImage], templates: Templates, platform: PlatformSpec) -> str:
    """Return a GitLab pipeline that builds and pushes images, with separate jobs for each.

    Args:
        images: the images.
        templates: the templates.
        platform: has the registry, and the digests of the images that jobs run in.
    """
    pythons = {
        image.python: _by_digest(platform.images, PYTHON_IMAGE.format(image.python)) for image in images
    }
    context = {
        "images": [
            {
                **asdict(image),
                "repository": image.image.rpartition(":")[0],
                "python_image": pythons[image.python],
            }
            for image in images
        ],
        "registry": platform.registry,
        "python_image": _by_digest(platform.images, PYTHON_IMAGE.format(_SLUICE_PYTHON)),
        "docker_image": _by_digest(platform.images, DOCKER_IMAGE),
    }
    return templates.render(_GITLAB_IMAGES, context)
