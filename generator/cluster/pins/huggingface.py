"""Models of the Hugging Face Hub: a branch or tag to its commit, and the digest of the commit's files.

The Hub lists the SHA-256 of large files; small ones (kept in git) are downloaded and checked against their git blob id.
So the digest is that of the whole folder, though no large file is downloaded.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from generator.cluster.pins.digest import listing_digest
from generator.cluster.pins.failure import MALFORMED, MISMATCH, NO_CONTENT, UNEXPECTED, UNKNOWN, PinError
from generator.cluster.pins.reference import SHORT, Content, Found, Reference, Surroundings
from generator.cluster.pins.web import Answer, Server, Web

_FORM = re.compile(r"hf:(?P<name>[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?)(?:@(?P<rev>[\w./+-]+))?")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_HUB: Final = "https://huggingface.co"
_OK: Final = 200


def find(reference: Reference, around: Surroundings) -> Found:
    """Ask the Hub (HF_ENDPOINT, with HF_TOKEN) which commit a revision means.

    A revision of 40 hex digits is a commit already: its form is all that can be checked without the Hub.

    Raises:
        PinError: the Hub can't be asked, or has no such revision.
    """
    form = _FORM.fullmatch(reference.text)
    if form is None:
        message = f"{reference.what} names no model of the Hub"
        raise PinError(MALFORMED, message, "write it like hf:org/name@main")
    token = around.variables.get("HF_TOKEN")
    server = Server.at(around.variables.get("HF_ENDPOINT") or _HUB, f"Bearer {token}" if token else None)
    hub = _Hub(server, around.web, form["name"], reference)
    revision = form["rev"] or "main"
    commit = revision if _COMMIT.fullmatch(revision) else hub.revision(revision)["sha"]
    return Found(f"hf:{form['name']}@{commit}", commit[:SHORT], lambda: hub.content(commit))


@dataclass(frozen=True, slots=True)
class _Hub:
    """One model of a Hub."""

    server: Server
    web: Web
    name: str
    reference: Reference

    def revision(self, revision: str) -> dict[str, Any]:
        """The commit of a revision (`sha`) and its files (`siblings`)."""
        path = f"api/models/{quote(self.name)}/revision/{quote(revision, safe='')}?blobs=true"
        found = self._ask(path).json()
        if not isinstance(found, dict) or not _COMMIT.fullmatch(str(found.get("sha"))):
            raise self._strange()
        return found

    def content(self, commit: str) -> Content:
        """Digest of the files of a commit."""
        found = self.revision(commit)
        if found["sha"] != commit:
            raise self._strange()
        siblings = found.get("siblings") or []
        try:
            files = {str(item["rfilename"]): self._sha256(commit, item) for item in siblings}
        except (KeyError, TypeError) as error:
            raise self._strange() from error
        if not files:
            raise PinError(NO_CONTENT, f"{self.reference.what} holds no file", "check the model on the Hub")
        return Content(listing_digest(files), f"the Hub at {self.server.address}")

    def _sha256(self, commit: str, item: dict[str, Any]) -> str:
        large = item.get("lfs")
        if large:
            listed = str(large["sha256"])
            if not _SHA256.fullmatch(listed):
                raise self._strange()
            return listed
        path = f"{quote(self.name)}/resolve/{commit}/{quote(str(item['rfilename']))}"
        body = self._ask(path).body
        blob = hashlib.sha1(b"blob %d\0" % len(body), usedforsecurity=False)
        blob.update(body)
        if blob.hexdigest() != item["blobId"]:
            message = f"`{item['rfilename']}` of {self.reference.what} is not what the Hub lists"
            raise PinError(MISMATCH, message, "try again; if it stays so, do not use this model")
        return hashlib.sha256(body).hexdigest()

    def _ask(self, path: str) -> Answer:
        answer = self.web.ask(f"{self.server.address}/{path}", authorization=self.server.authorization)
        # A repository that is missing and one that is private give the same answer, with this code in a header.
        if answer.headers.get("x-error-code") in {"RepoNotFound", "RevisionNotFound", "EntryNotFound"}:
            message = f"the Hub at {self.server.address} shows us no {self.reference.what}"
            raise PinError(UNKNOWN, message, "check name and revision; a private model needs HF_TOKEN")
        if answer.status != _OK:
            raise answer.failure(self.reference.what)
        return answer

    def _strange(self) -> PinError:
        return PinError(UNEXPECTED, f"{self.server.address} did not answer like the Hub", "check HF_ENDPOINT")
