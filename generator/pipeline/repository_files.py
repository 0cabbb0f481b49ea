"""Files of a repository other than specs and bundles: CI workflows, CODEOWNERS, and the files of `init`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from generator import __version__
from generator.pipeline.bundles import BENTOS
from generator.plan.locks import immutable_form, version_of
from generator.source.errors import CliError
from generator.source.files import text_of

if TYPE_CHECKING:
    from generator.pipeline.session import Session
    from generator.render.environment import Templates
    from generator.spec.platform import PlatformSpec

UV: Final = "0.13.9"
"""The version of uv with which the workflows install Sluice."""
_SCRIPTS: Final = ("fetch-model", "build-image", "propose", "propose-digests", "propose-revert")
_COMMON: Final = {f"ci/{name}.sh": f"ci/{name}.sh" for name in _SCRIPTS}
CI_FILES: Final[Mapping[str, Mapping[str, str]]] = {
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
"""The template of each file, by host and path."""
_SEAL: Final = re.compile(r"# As `sluice ci` wrote it: ([0-9a-f]{16})\n")

OWNERS_PLACES: Final = ("CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS")
"""The places where GitHub and GitLab look, the usual one first."""
_BEGIN: Final = "# Written by `sluice codeowners` from specs/platform.yaml: edit that file, not these lines."
_END: Final = "# End of what Sluice writes."

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
    "README.md": "README.md",
    "bootstrap/project.yaml": "project.yaml",
}


def workflow_files(host: str, templates: Templates, branch: str, registry: str) -> dict[str, str]:
    """Return the text of every file of CI on a host, by path.

    Each file contains its own digest, to distinguish an edited file from an old one.

    Args:
        host: github or gitlab.
        templates: the templates.
        branch: the branch that changes are merged into.
        registry: where images are pushed, with the path below the host.
    """
    context = {"version": __version__, "branch": branch, "registry": registry.partition("/")[0], "uv": UV}
    return {
        path: _sealed(templates.render(f"{name}.j2", context))
        for path, name in sorted(CI_FILES[host].items())
    }


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


def missing_images(session: Session) -> list[dict[str, str]]:
    """Return the models that can be planned and whose image is not in their lock.

    Raises:
        CliError: a bento is missing or out of date.
    """
    bentos = session.root / session.platform.git.path / BENTOS
    found = []
    for entry in session.entries:
        plans = session.resolve(entry).plans
        if not plans or plans[0].plan.image.digest:
            continue
        image = plans[0].plan.image.reference
        if (text_of(bentos / entry.name / "IMAGE") or "").strip() != image:
            raise CliError(f"the bento of {entry.name} is missing or out of date", "run `sluice render`")
        found.append({"model": entry.name, "resolved": plans[0].plan.version.resolved, "image": image})
    return found


def code_owners(before: str, platform: PlatformSpec) -> str:
    """Return a CODEOWNERS file with Sluice's lines replaced, or appended.

    Raises:
        CliError: only one of the two comments around Sluice's lines is there.
    """
    from generator.plan.people import codeowners

    own = "\n".join([_BEGIN, *codeowners(platform), _END, ""])
    if (_BEGIN in before) != (_END in before) or before.find(_END) < before.find(_BEGIN):
        raise CliError(
            "CODEOWNERS has only one of the two comments around Sluice's lines",
            "remove the remaining comment and Sluice's lines",
        )
    if _BEGIN not in before:
        return before + ("" if not before or before.endswith("\n") else "\n") + own
    head, _, rest = before.partition(_BEGIN)
    return head + own + rest.partition(_END)[2].removeprefix("\n")


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


def new_repository(templates: Templates) -> dict[str, str]:
    """Return the text of every file of a new repository, by path."""
    context = {"version": __version__, "repo": _REPO, "branch": _BRANCH, "registry": _REGISTRY}
    files = {path: templates.render(f"init/{name}.j2", context) for path, name in _INIT_FILES.items()}
    for host in CI_FILES:
        files.update(workflow_files(host, templates, _BRANCH, _REGISTRY))
    for environment in _ENVIRONMENTS:
        application = templates.render("init/application.yaml.j2", {**context, "environment": environment})
        files[f"bootstrap/{environment}.yaml"] = application
    for model, (strategy, ref) in _MODELS.items():
        files[f"specs/{model}.yaml"] = templates.render(f"init/{strategy}.yaml.j2", {"ref": ref})
        files[f"specs/{model}.lock.yaml"] = example_lock(templates, model, ref)
    files["CODEOWNERS"] = code_owners("", _platform_of(files["specs/platform.yaml"]))
    return dict(sorted(files.items()))


def _platform_of(text: str) -> PlatformSpec:
    import ryaml

    from generator.spec.platform import PlatformFile

    return PlatformFile.model_validate(ryaml.loads(text)).spec
