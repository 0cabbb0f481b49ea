"""A package index (PEP 503) on this machine, with wheels that are made for it, behind a password if one is given."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.references.standin import Reply, Request, StandIn, standing_in


@dataclass(frozen=True)
class Wheel:
    """A wheel: its module says which index it is from."""

    name: str
    version: str
    needs: tuple[str, ...] = ()
    says: str = ""
    tag: str = "py3-none-any"

    @property
    def module(self) -> str:
        return self.name.replace("-", "_")

    @property
    def file(self) -> str:
        return f"{self.module}-{self.version}-{self.tag}.whl"

    @property
    def content(self) -> bytes:
        head = f"Metadata-Version: 2.1\nName: {self.name}\nVersion: {self.version}\n"
        files = {
            f"{self.module}.py": f"SAYS = {self.says!r}\n",
            f"{self.module}-{self.version}.dist-info/METADATA": head
            + "".join(f"Requires-Dist: {need}\n" for need in self.needs),
            f"{self.module}-{self.version}.dist-info/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {self.tag}\n",
        }
        record = f"{self.module}-{self.version}.dist-info/RECORD"
        lines = [*(f"{path},," for path in files), f"{record},,"]
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for path, text in {**files, record: "\n".join(lines) + "\n"}.items():
                archive.writestr(zipfile.ZipInfo(path), text)
        return buffer.getvalue()

    @property
    def hash(self) -> str:
        return f"--hash=sha256:{hashlib.sha256(self.content).hexdigest()}"


@contextmanager
def package_index(wheels: Sequence[Wheel], login: tuple[str, str] | None = None) -> Iterator[StandIn]:
    """Serve wheels under `/simple/`; other packages do not exist."""
    files = {wheel.file: wheel.content for wheel in wheels}
    pages = _pages(wheels)
    expected = login and "Basic " + base64.b64encode(":".join(login).encode()).decode()

    def play(request: Request) -> Reply:
        if expected and request.authorization != expected:
            return Reply(401, headers={"WWW-Authenticate": 'Basic realm="packages"'})
        folder, _, name = request.path.strip("/").partition("/")
        if folder == "files" and name in files:
            return Reply(body=files[name], headers={"Content-Type": "application/octet-stream"})
        if folder == "simple" and name in pages:
            return Reply(body=pages[name], headers={"Content-Type": "text/html"})
        return Reply(404)

    with standing_in(play) as server:
        yield server


def _pages(wheels: Sequence[Wheel]) -> Mapping[str, bytes]:
    pages: dict[str, str] = {}
    for wheel in wheels:
        digest = hashlib.sha256(wheel.content).hexdigest()
        link = f'<a href="/files/{wheel.file}#sha256={digest}">{wheel.file}</a>\n'
        pages[wheel.name] = pages.get(wheel.name, "") + link
    return {
        name: f"<!DOCTYPE html>\n<html><body>\n{links}</body></html>".encode()
        for name, links in pages.items()
    }
