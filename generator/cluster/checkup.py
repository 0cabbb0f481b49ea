"""Compares what rendered objects require with a cluster: nothing is written, and of a Secret only its name is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from generator.cluster.controllers import CONTROLLERS, Controller, install_command, version_of
from generator.cluster.diagnosis import (
    CONTROLLER,
    GATEWAY,
    KIND,
    NOTIFICATIONS,
    PERMISSION,
    PLUGIN,
    REFERENCE,
    RESYNC,
    ROOT,
    Diagnosis,
    fine,
    lacks,
    unknown,
)
from generator.cluster.required import Reference, references
from generator.cluster.server import ApiAnswer, Server, path_of
from generator.dataclass import dataclass
from generator.lint import Object, as_map

_METADATA: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_PAGE: Final = 500
_RESYNC_S: Final = 60
_SECRETS: Final = {
    "Secret": "kubectl -n {namespace} create secret generic {name} --from-literal=KEY=VALUE",
    "ConfigMap": "kubectl -n {namespace} create configmap {name} --from-literal=KEY=VALUE",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one environment requires of its cluster.

    Args:
        environment: its name, or that of Argo CD's cluster.
        objects: the rendered ones that go there.
        versions: declared versions by the key of the platform, such as argo_rollouts.
        applications: names of Argo CD's Applications that must exist, with their namespace and the file to apply.
    """

    environment: str
    objects: Sequence[Object]
    versions: Mapping[str, str]
    applications: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True, slots=True)
class Checkup:
    """The cluster of one environment.

    Args:
        server: its API server.
        wanted: what is required of it.
    """

    server: Server
    wanted: Wanted

    def diagnoses(self) -> Iterator[Diagnosis]:
        """Yield everything that was looked at.

        Raises:
            ClusterError: the server can't be queried.
        """
        yield from self._kubernetes()
        missing = {kind for kind in self._kinds() if self.server.kind(*kind) is None}
        yield from self._unserved(missing)
        yield from self._controllers()
        yield from self._permissions()
        yield from self._references()
        yield from self._applications()
        yield from self._notifications()

    def _kinds(self) -> list[tuple[str, str]]:
        return sorted({(str(item.body["apiVersion"]), item.kind) for item in self.wanted.objects})

    def _kubernetes(self) -> Iterator[Diagnosis]:
        answer, declared = self.server.request("GET", "/version"), self.wanted.versions["kubernetes"]
        found = version_of(str(answer.body.get("gitVersion", ""))) if answer.ok else ""
        yield self._compared("Kubernetes", found, declared, answer, "kubectl version", "kubernetes")

    def _compared(
        self, name: str, found: str, declared: str, answer: ApiAnswer, command: str, key: str
    ) -> Diagnosis:
        scope = self.wanted.environment
        if not found:
            return unknown(scope, f"the version of {name}: {answer.message}", command)
        if not declared or found == declared:
            return fine(scope, f"{name} {found}")
        message = f"{name} is {found}, and the platform file declares {declared}"
        hint = f'controllers: {{{key.replace("_", "-")}: "{found}"}}'
        return lacks(
            scope, CONTROLLER, f"{message}; `{hint}` declares what is there", command, "specs/platform.yaml"
        )

    def _unserved(self, missing: set[tuple[str, str]]) -> Iterator[Diagnosis]:
        for api_version, kind in sorted(missing):
            item = next(one for one in self.wanted.objects if one.kind == kind)
            message = f"the cluster does not serve {api_version} {kind}"
            yield lacks(
                self.wanted.environment,
                KIND,
                message,
                install_command(item, self.wanted.versions),
                item.file.name,
            )
        if not missing:
            yield fine(self.wanted.environment, f"all {len(self._kinds())} kinds of objects are served")

    def _controllers(self) -> Iterator[Diagnosis]:
        """Yield the controllers whose objects are rendered, by the images of Deployments and StatefulSets."""
        needed = [one for one in CONTROLLERS if any(one.reads(item) for item in self.wanted.objects)]
        containers, refusal = self._containers()
        for controller in needed:
            image, args = controller.container(containers)
            if refusal is not None:
                command = "kubectl get deployments,statefulsets --all-namespaces -o wide"
                message = f"which {controller.name} is installed: {refusal.message}"
                yield unknown(self.wanted.environment, message, command)
            else:
                yield from self._controller(controller, image, args)
            if controller.key == "argo_rollouts":
                yield from self._plugin()

    def _controller(self, controller: Controller, image: str, args: Sequence[str]) -> Iterator[Diagnosis]:
        declared = self.wanted.versions.get(controller.key, "")
        install, scope = controller.install.format(declared), self.wanted.environment
        if not image:
            message = f"no Deployment or StatefulSet of {controller.name} was found"
            yield lacks(scope, CONTROLLER, message, install)
            return
        found = version_of(image.rpartition(":")[2])
        if not found:
            yield unknown(
                scope, f"the version of {controller.name}: its image {image} has no version", install
            )
        else:
            yield self._compared(
                controller.name, found, declared, ApiAnswer(200, {}), install, controller.key
            )
        if controller.key == "argo_rollouts":
            yield self._resync(args)

    def _resync(self, args: Sequence[str]) -> Diagnosis:
        text = " ".join(args)
        found = re.search(r"--rollout-resync[= ](\d{1,9})", text)
        seconds = int(found[1]) if found else 15 * 60
        if seconds <= _RESYNC_S:
            return fine(self.wanted.environment, f"the Rollouts controller resyncs every {seconds} s")
        patch = (
            '[{"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"--rollout-resync=30"}]'
        )
        command = f"kubectl -n argo-rollouts patch deployment argo-rollouts --type=json -p '{patch}'"
        message = f"the Rollouts controller resyncs every {seconds} s"
        return lacks(self.wanted.environment, RESYNC, message, command)

    def _containers(self) -> tuple[list[Mapping[str, Any]], ApiAnswer | None]:
        """Return the containers of all Deployments and StatefulSets, and the refusal if they can't be listed."""
        found: list[Mapping[str, Any]] = []
        for plural in ("deployments", "statefulsets"):
            more = ""
            while True:
                query = {"limit": str(_PAGE), **({"continue": more} if more else {})}
                answer = self.server.request("GET", f"/apis/apps/v1/{plural}", query)
                if not answer.ok:
                    return [], answer
                for item in answer.body.get("items") or ():
                    found += item["spec"]["template"]["spec"].get("containers") or ()
                more = str(as_map(answer.body.get("metadata")).get("continue") or "")
                if not more:
                    break
        return found, None

    def _plugin(self) -> Iterator[Diagnosis]:
        """Yield whether the plugin that Rollouts name is in the controller's ConfigMap."""
        used = {name for item in self.wanted.objects if item.kind == "Rollout" for name in _plugins(item)}
        scope, declared = self.wanted.environment, self.wanted.versions["gateway_api_plugin"]
        edit = "kubectl -n argo-rollouts edit configmap argo-rollouts-config"
        for name in sorted(used):
            path = "/api/v1/namespaces/argo-rollouts/configmaps/argo-rollouts-config"
            answer = self.server.request("GET", path)
            if not answer.ok and answer.status != 404:
                yield unknown(scope, f"whether the plugin {name} is installed: {answer.message}", edit)
                continue
            text = str(as_map(answer.body.get("data")).get("trafficRouterPlugins", ""))
            location = _location(text, name)
            found = version_of(location.rpartition("/download/")[2]) if "/download/" in location else ""
            if not location:
                yield lacks(
                    scope, PLUGIN, f"the plugin {name} is not in the ConfigMap argo-rollouts-config", edit
                )
            elif found and found != declared:
                message = f"the plugin {name} is {found}, and the platform file declares {declared}"
                yield lacks(scope, PLUGIN, message, edit, "specs/platform.yaml")
            else:
                yield fine(scope, f"plugin {name} {found or location}")

    def _permissions(self) -> Iterator[Diagnosis]:
        namespaces = sorted({item.namespace for item in self.wanted.objects if item.kind == "Rollout"})
        needed = [
            *(("argoproj.io", "rollouts", "get", space) for space in namespaces),
            *(("argoproj.io", "analysisruns", "list", space) for space in namespaces),
            *(("apps", "replicasets", "list", space) for space in namespaces),
            *(("argoproj.io", "applications", "get", space) for _, space, _ in self.wanted.applications[:1]),
        ]
        refused = 0
        for group, resource, verb, namespace in needed:
            attributes = {"group": group, "resource": resource, "verb": verb, "namespace": namespace}
            body = {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            }
            path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
            answer = self.server.request("POST", path, None, body)
            command = f"kubectl auth can-i {verb} {resource}.{group} -n {namespace}"
            allowed = as_map(answer.body.get("status")).get("allowed")
            if not answer.ok or allowed is None:
                yield unknown(self.wanted.environment, f"permissions: {answer.message}", command)
                return
            if not allowed:
                refused += 1
                message = f"you may not {verb} {resource} in {namespace}"
                yield lacks(self.wanted.environment, PERMISSION, message, command)
        if needed and not refused:
            yield fine(self.wanted.environment, f"you may read releases in {', '.join(namespaces)}")

    def _references(self) -> Iterator[Diagnosis]:
        found, there = references(self.wanted.objects), 0
        for reference, item in found.items():
            problem = self._reference(reference, item)
            there += problem is None
            if problem is not None:
                yield problem
        if there:
            yield fine(
                self.wanted.environment, f"{there} of {len(found)} objects that others create are there"
            )

    def _reference(self, reference: Reference, item: Object) -> Diagnosis | None:
        scope, file = self.wanted.environment, item.file.name
        show = f"kubectl get {reference.kind.lower()} {reference.name}"
        show += f" -n {reference.namespace}" if reference.namespace else ""
        served = self.server.kind(reference.api_version, reference.kind)
        if served is None:
            message = f"{reference}: the cluster does not serve its kind"
            return lacks(scope, REFERENCE, message, show, file)
        path = path_of(reference.api_version, served, reference.namespace, reference.name)
        accept = _METADATA if reference.kind == "Secret" else "application/json"
        answer = self.server.request("GET", path, accept=accept)
        if answer.status == 404:
            command = _SECRETS.get(reference.kind, show).format(
                namespace=quote(reference.namespace), name=quote(reference.name)
            )
            if reference.kind == "Secret" and _is_pulled(item, reference.name):
                command = command.replace("generic", "docker-registry").partition(" --from")[0]
                command += " --docker-server=REGISTRY --docker-username=USER --docker-password=PASSWORD"
            return lacks(scope, REFERENCE, f"{reference} is missing; {item} names it", command, file)
        if not answer.ok:
            return unknown(scope, f"whether {reference} is there: {answer.message}", show)
        if reference.kind == "Gateway":
            return self._gateway(reference, answer.body, show, file)
        return None

    def _gateway(
        self, reference: Reference, body: Mapping[str, Any], show: str, file: str
    ) -> Diagnosis | None:
        listeners = [as_map(one).get("name") for one in as_map(body.get("spec")).get("listeners") or ()]
        conditions = as_map(body.get("status")).get("conditions") or ()
        refused = [one for one in conditions if one.get("status") == "False" and one.get("type") in _READY]
        scope = self.wanted.environment
        if reference.section and reference.section not in listeners:
            known = ", ".join(map(str, listeners)) or "none"
            message = f"{reference} has no listener {reference.section}; it has: {known}"
            return lacks(scope, GATEWAY, message, f"{show} -o yaml", file)
        if refused:
            message = (
                f"{reference} is not {refused[0]['type']}: {refused[0].get('message') or 'no reason given'}"
            )
            return lacks(scope, GATEWAY, message, show.replace(" get ", " describe ", 1), file)
        return None

    def _applications(self) -> Iterator[Diagnosis]:
        for name, namespace, file in self.wanted.applications:
            path = f"/apis/argoproj.io/v1alpha1/namespaces/{quote(namespace)}/applications/{quote(name)}"
            answer = self.server.request("GET", path)
            if answer.status == 404:
                message = f"Argo CD has no Application {name} in {namespace}"
                yield lacks(self.wanted.environment, ROOT, message, f"kubectl apply -f {file}", file)
            elif not answer.ok:
                command = f"kubectl -n {namespace} get application.argoproj.io {name}"
                yield unknown(self.wanted.environment, f"the Application {name}: {answer.message}", command)
            else:
                yield fine(self.wanted.environment, f"Argo CD has the Application {name}")

    def _notifications(self) -> Iterator[Diagnosis]:
        for item in self.wanted.objects:
            if item.kind != "ConfigMap" or "notification" not in item.name:
                continue
            path = f"/api/v1/namespaces/{quote(item.namespace)}/configmaps/{quote(item.name)}"
            answer = self.server.request("GET", path)
            show = f"kubectl -n {item.namespace} get configmap {item.name} -o yaml"
            if answer.status == 404:
                continue  # the first sync creates it
            if not answer.ok:
                yield unknown(self.wanted.environment, f"the ConfigMap {item.name}: {answer.message}", show)
            elif Object.read(answer.body).labels.get("app.kubernetes.io/managed-by") != "sluice":
                message = f"the ConfigMap {item.name} in {item.namespace} is not Sluice's; a sync replaces it"
                yield lacks(self.wanted.environment, NOTIFICATIONS, message, show, item.file.name)
            else:
                yield fine(self.wanted.environment, f"the ConfigMap {item.name} is Sluice's")


_READY: Final = ("Accepted", "Programmed")


def _plugins(rollout: Object) -> Iterator[str]:
    canary = as_map(as_map(rollout.spec.get("strategy")).get("canary"))
    yield from as_map(as_map(canary.get("trafficRouting")).get("plugins"))


def _location(text: str, name: str) -> str:
    """Return where the controller gets a plugin from, by the YAML list in its ConfigMap; empty if it is not there."""
    import yaml

    try:
        plugins = yaml.safe_load(text)
    except yaml.YAMLError:
        return ""
    named = [one for one in plugins if isinstance(one, dict)] if isinstance(plugins, list) else []
    return next((str(one.get("location")) for one in named if one.get("name") == name), "")


def _is_pulled(item: Object, name: str) -> bool:
    """Return whether an object names a Secret for pulling images."""
    pods = as_map(as_map(item.spec.get("template")).get("spec"))
    lists = (
        item.body.get("imagePullSecrets"),
        pods.get("imagePullSecrets"),
        item.spec.get("imagePullSecrets"),
    )
    return any(as_map(one).get("name") == name for found in lists for one in found or ())
