"""What the repository, this machine, the clusters and a Prometheus lack for what the specs need (`sluice doctor`)."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from generator.cluster.diagnosis import (
    CI,
    GIT,
    MACHINE,
    OWNERS,
    PLANS,
    RENDERED,
    Diagnosis,
    fine,
    lacks,
    unknown,
)
from generator.dataclass import dataclass
from generator.history.git import Git
from generator.history.git_call import GitError
from generator.pipeline.session import Session
from generator.plan.model_files import CODEOWNERS, PLATFORM, SPECS
from generator.source.line import argument
from generator.spec.environment import normal_server

if TYPE_CHECKING:
    from generator.cluster.checkup import Wanted
    from generator.lint import Object
    from generator.pipeline.status import Servers
    from generator.plan.values import Plan
    from generator.spec.platform import PlatformSpec

REPOSITORY: Final = "repository"
MACHINE_SCOPE: Final = "machine"
_HERE: Final = normal_server("https://kubernetes.default.svc")
_TRANSPORT: Final = re.compile(r"^(?:[a-z+]+://)?(?:[^@/]*@)?|\.git/?$|/$")
_ARGOCD: Final = "/argocd/"


@dataclass(frozen=True, slots=True)
class DoctorRequest:
    """What `sluice doctor` looks at.

    Args:
        environments: names of the environments.
        servers: their clusters; None to query none.
        prometheus: address of a Prometheus; None to query none.
    """

    environments: Sequence[str]
    servers: Servers | None = None
    prometheus: str | None = None


def diagnoses(session: Session, request: DoctorRequest) -> Iterator[Diagnosis]:
    """Yield everything that was looked at: the repository, the machine, then each environment.

    Raises:
        FindingsError: the platform is invalid.
    """
    platform = session.require_platform()
    plans: list[Plan] = []
    for entry in session.entries:
        found = session.resolve(entry).plans
        plans += [planned.plan for planned in found]
        if not found:
            shown = f"{SPECS}/{entry.name}.yaml"
            yield lacks(
                REPOSITORY,
                PLANS,
                f"{entry.name} can't be planned",
                f"sluice validate {argument(entry.name)}",
                shown,
            )
    yield from _repository(session, platform)
    yield from _machine(platform, plans, request)
    if request.servers is not None:
        yield from _clusters(session, platform, request, request.servers)
    if request.prometheus is not None:
        yield from _scrapes(session, platform, plans, request, request.prometheus)


# The repository


def _repository(session: Session, platform: PlatformSpec) -> Iterator[Diagnosis]:
    from generator.pipeline.rendered_state import rendered_state

    state, folder = rendered_state(session), session.platform_inputs.folder
    if state.agrees and state.line:
        yield fine(REPOSITORY, state.line)
    else:
        yield lacks(REPOSITORY, RENDERED, state.line or f"{folder}/ was never rendered", "sluice render")
    yield from _git(session, platform)
    yield from _around(session, platform)


def _git(session: Session, platform: PlatformSpec) -> Iterator[Diagnosis]:
    """Yield whether git has the remote and the branch that Argo CD reads."""
    repo, branch = platform.git.repo, platform.git.revision
    try:
        git = Git.at(session.root)
        remotes = dict(
            line.split("\t")[:2] for line in git.ask("remote", "-v").splitlines() if line.endswith("(fetch)")
        )
    except GitError as error:
        yield lacks(REPOSITORY, GIT, error.message, "git init && git add --all && git commit")
        return
    named = {name: _without_transport(url.partition(" (")[0]) for name, url in remotes.items()}
    own = next((name for name, url in named.items() if url == _without_transport(repo)), None)
    if own is None:
        command = f"git remote {'set-url' if 'origin' in named else 'add'} origin {argument(repo)}"
        yield lacks(
            REPOSITORY, GIT, f"no remote is {repo}, which `git.repo` names", command, f"{SPECS}/{PLATFORM}"
        )
    else:
        yield fine(REPOSITORY, f"the remote {own} is {repo}")
    if git.commit(branch) is None and git.commit(f"{own or 'origin'}/{branch}") is None:
        message = f"the branch {branch}, which `git.revision` names, is not here"
        yield lacks(
            REPOSITORY,
            GIT,
            message,
            f"git fetch {argument(own or 'origin')} {argument(branch)}",
            f"{SPECS}/{PLATFORM}",
        )
    else:
        yield fine(REPOSITORY, f"the branch {branch} is here")


def _without_transport(url: str) -> str:
    """Return host and path of an address of a repository, which may be written as `git@host:path`."""
    return _TRANSPORT.sub("", url).replace(":", "/", 1).lower()


def _around(session: Session, platform: PlatformSpec) -> Iterator[Diagnosis]:
    """Yield whether CODEOWNERS and the files of CI are there, and as the platform gives them."""
    from generator.pipeline.ci_files import CI_FILES, is_unedited
    from generator.pipeline.owner_rows import BEGIN
    from generator.pipeline.repository_state import repository_state
    from generator.source.files import text_of

    stale = repository_state(session).differing
    top = session.top
    if not any(BEGIN in (text_of(top / place) or "") for place in CODEOWNERS):
        message = "CODEOWNERS has no rows of Sluice: git gives every reviewer every file"
        yield lacks(REPOSITORY, OWNERS, message, "sluice codeowners")
    elif set(CODEOWNERS) & set(stale):
        yield lacks(REPOSITORY, OWNERS, "CODEOWNERS is out of date", "sluice codeowners")
    else:
        yield fine(REPOSITORY, "CODEOWNERS is what the platform gives")
    hosts = [
        host
        for host, files in CI_FILES.items()
        if is_unedited(text_of((top if host == "github" else session.root) / next(iter(files))) or "")
    ]
    old = [path for path in stale if path not in CODEOWNERS]
    if not hosts:
        host = "gitlab" if "gitlab" in platform.git.repo else "github"
        yield lacks(REPOSITORY, CI, "no CI of Sluice is here", f"sluice ci {host}")
    elif old:
        named = f"{', '.join(old[:3])}{', …' if len(old) > 3 else ''}"
        yield lacks(REPOSITORY, CI, f"out of date or edited: {named}", f"sluice ci {hosts[0]}")
    else:
        yield fine(REPOSITORY, f"the files of {' and '.join(hosts)} are what the platform gives")


# The machine


def _machine(platform: PlatformSpec, plans: Sequence[Plan], request: DoctorRequest) -> Iterator[Diagnosis]:
    """Yield the programs and extras that the specs need here."""
    from generator.gates.environments import uv_command

    references = [plan.version.ref for plan in plans]
    extras = {
        "kubernetes": (request.servers is not None, "kubernetes"),
        "workflows": (any("cluster" in plan.enforcement for plan in plans), "argo_workflows"),
        "sigstore": (any(signer.oidc for signer in platform.signers), "sigstore"),
        "bento": (any(ref.startswith("bentoml:") for ref in references), "bentoml"),
    }
    for extra, (needed, module) in extras.items():
        if not needed:
            continue
        if find_spec(module) is None:
            command = f"pip install 'sluicegate[{extra}]'"
            yield lacks(MACHINE_SCOPE, MACHINE, f"the extra `{extra}` is not installed", command)
        else:
            yield fine(MACHINE_SCOPE, f"the extra `{extra}` is installed")
    if uv_command():
        yield fine(MACHINE_SCOPE, "uv is installed")
    else:
        message = "uv is not installed: `sluice gates run`, `try` and `pin` need it"
        yield lacks(MACHINE_SCOPE, MACHINE, message, "pip install uv")
    builds = any(plan.bento is not None and plan.image.digest is None for plan in plans)
    if builds and shutil.which("docker") is None:
        message = "docker is not installed: ci/build-image.sh, which CI runs, needs it"
        command = "https://docs.docker.com/engine/install"
        yield lacks(MACHINE_SCOPE, MACHINE, message, command)
    elif builds:
        yield fine(MACHINE_SCOPE, "docker is installed")


# Clusters


def _clusters(
    session: Session, platform: PlatformSpec, request: DoctorRequest, servers: Servers
) -> Iterator[Diagnosis]:
    from generator.cluster.checkup import Checkup
    from generator.cluster.server import ClusterError

    try:
        declared = {name: platform.environments[name].address for name in request.environments}
        elsewhere = servers.elsewhere(declared)
    except ClusterError as error:
        yield from (unknown(name, str(error), "kubectl config get-contexts") for name in request.environments)
        return
    for name in request.environments:
        if name in elsewhere:
            yield unknown(name, elsewhere[name], "kubectl config get-contexts")
            continue
        wanted, others = _wanted(session, platform, name)
        yield from others
        try:
            yield from Checkup(servers.of_environment(name), wanted).diagnoses()
        except ClusterError as error:
            yield unknown(name, str(error), "kubectl config get-contexts")


def _objects(session: Session, environment: str) -> list[Object]:
    """Return the rendered objects of an environment; the paths of their files begin at the repository."""
    from generator.lint import read_tree

    folder = session.rendered / environment
    objects = list(read_tree(folder).objects) if folder.is_dir() else []
    for file in {id(item.file): item.file for item in objects}.values():
        file.name = f"{session.platform_inputs.folder}/{environment}/{file.name}"
    return objects


def _wanted(session: Session, platform: PlatformSpec, name: str) -> tuple[Wanted, list[Diagnosis]]:
    """Return what an environment requires of its cluster, and what another cluster must answer."""
    from generator.cluster.checkup import Wanted
    from generator.render.root import ROOT_FILES, root_projects

    own, objects = platform.at(name), _objects(session, name)
    here = platform.environments[name].cluster == _HERE
    root, bootstrap = root_projects(name).applications, f"bootstrap/{name}.yaml"
    names = [
        root,
        *(f"{root}-{file.removeprefix('application-').removesuffix('.yaml')}" for file in ROOT_FILES),
    ]
    applications = [(one, own.argocd_namespace, bootstrap) for one in names]
    versions = {key: str(value) for key, value in own.controllers.model_dump().items()}
    if here:
        return Wanted(name, objects, versions, applications), []
    message = "Argo CD runs in another cluster than these models: its Applications and its version"
    command = f"kubectl --context CONTEXT -n {own.argocd_namespace} get application.argoproj.io {root}"
    rest = [item for item in objects if _ARGOCD not in item.file.name]
    return Wanted(name, rest, versions), [unknown(name, message, command)]


# Prometheus


def _scrapes(
    session: Session, platform: PlatformSpec, plans: Sequence[Plan], request: DoctorRequest, address: str
) -> Iterator[Diagnosis]:
    from generator.cluster.http_client import HttpError
    from generator.cluster.prometheus import Prometheus
    from generator.cluster.scrape_checkup import ScrapeCheckup
    from generator.cluster.scraped import headers_of

    for name in request.environments:
        own = tuple(plan for plan in plans if plan.identity.environment == name)
        headers: Mapping[str, str] = headers_of(_objects(session, name))
        try:
            server = Prometheus.at(address, headers)
            yield from ScrapeCheckup(server, name, platform.at(name), own).diagnoses()
        except HttpError as error:
            command = f"curl {argument(f'{address}/api/v1/query?query=up')}"
            yield unknown(name, f"Prometheus: {error}", command)
