"""The three example models: trained, evaluated, and their gates run by the command line, all with the real tools."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from click.testing import CliRunner, Result

from generator.cli.main import cli
from generator.gates.environments import Environments
from generator.gates.inputs import file_digest, tree_digest
from generator.gates.tools import Tool
from tests.bento.serving import TRAIN, surroundings
from tests.tools.environment import environment

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "templates" / "gates"
WHEN = 1795392000  # 2026-11-23: evidence made again is the same, byte for byte
MADE = "2026-11-23T00:00:00Z"
# One thread and one set of kernels: sums and exponentials come out the same on any x86 of the last ten years.
SAME = {
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENBLAS_CORETYPE": "Haswell",
}
# A stand-in: no repository has the data of the example.
COMMIT = hashlib.sha1(b"stand-in for the commit of the data", usedforsecurity=False).hexdigest()
REFS = ("dvc:data/train.parquet", "dvc:data/prod-30d.parquet")
# LONG1, six bytes: what pickle writes for an address.
_ADDRESS = re.compile(rb"(_stop_words_id\x94\x8a\x06).{6}", re.DOTALL)


@dataclass(frozen=True)
class Example:
    """A model: where its spec is, and its name in `tests/bento/train.py`."""

    spec: str
    trained: str


EXAMPLES = {
    "ticket": Example("support/ticket-classifier", "ticket"),
    "recommender": Example("shop/recommender", "recommender"),
    "fraud": Example("risk/fraud", "fraud"),
}


def artifact(name: str, folder: Path) -> Path:
    """A freshly trained model, the same bytes every time.

    Hashes are fixed, for pickles follow the order of sets; what BentoML exports is made timeless.
    """
    python = environment("bento")
    folder.mkdir(parents=True)
    fixed = {**surroundings(python, folder / "home"), **SAME}
    command = [str(python), str(TRAIN), EXAMPLES[name].trained, str(folder)]
    done = subprocess.run(command, env=fixed, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = next(folder.glob("artifact*"))
    if made.suffix == ".bentomodel":
        made.write_bytes(timeless(made.read_bytes()))
    return made


def timeless(raw: bytes) -> bytes:
    """The same archive with one time everywhere, without user names and memory addresses.

    Scikit-learn keeps `id(stop_words)` in a vectorizer, as a cache of what it has checked; 0 makes it check again.
    """
    out = BytesIO()
    with tarfile.open(fileobj=BytesIO(raw)) as old, tarfile.open(fileobj=out, mode="w") as new:
        for member in sorted((item for item in old if item.isfile()), key=lambda item: item.name):
            content = old.extractfile(member).read()
            if member.name.endswith("model.yaml"):
                content = re.sub(rb"(creation_time: ).*", rb"\g<1>'" + MADE.encode() + b"'", content)
            content = _ADDRESS.sub(rb"\g<1>" + bytes(6), content)
            plain = tarfile.TarInfo(member.name)
            plain.size = len(content)
            new.addfile(plain, BytesIO(content))
    return out.getvalue()


def evaluate(name: str, model: Path, folder: Path, variant: str = "") -> None:
    """Leave what the gates read; the model's own tests too, where it has some."""
    python = Environments(print).python(Tool(SCRIPTS, "shap", "run"))
    digest = f"sha256:{tree_digest(model)}"
    script = Path(__file__).with_name("measure.py")
    command = [
        str(python),
        str(script),
        name,
        str(model),
        digest,
        str(folder),
        *([variant] if variant else []),
    ]
    done = subprocess.run(command, env={**os.environ, **SAME}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if name == "ticket":
        _behaviour(digest, folder)


def _behaviour(digest: str, folder: Path) -> None:
    """Run the team's tests by pytest, and take times and the host out of the report."""
    report = folder / "reports" / "junit.xml"
    script = Path(__file__).with_name("behaviour.py")
    arguments = [
        "-q",
        "-p",
        "no:cacheprovider",
        f"--junitxml={report}",
        f"--rootdir={folder}",
        "-c",
        os.devnull,
    ]
    surroundings = {**os.environ, "ANSWERS": str(folder / "answers.json"), "MODEL": digest}
    surroundings.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, str(script)],
        env=surroundings,
        capture_output=True,
        text=True,
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    text = re.sub(r' time="[^"]*"', ' time="0"', report.read_text())
    text = re.sub(r' timestamp="[^"]*"', f' timestamp="{MADE}"', text)
    text = text.replace(str(script.parent), "")
    report.write_text(re.sub(r' hostname="[^"]*"', "", text))


def relock(lock: Path, model: Path, folder: Path) -> None:
    """Write what was really made into a lock: the model's digest, and those of the data sets."""
    text = re.sub(r"(  version: .*\n  digest: ).*", rf"\g<1>sha256:{tree_digest(model)}", lock.read_text())
    for ref in REFS:
        path = folder / ref.removeprefix("dvc:")
        if path.is_file():
            md5 = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
            text = re.sub(rf'("{ref}".*resolved: ")[^"]*', rf"\g<1>{ref}@{COMMIT}#md5={md5}", text)
            text = re.sub(rf'("{ref}".*digest: ")[^"]*', rf"\g<1>sha256:{file_digest(path)}", text)
    lock.write_text(text)


def gates_run(root: Path, name: str, model: Path, folder: Path, *more: str) -> Result:
    """`sluice gates run`, at a time that stands still."""
    arguments = [
        "run",
        EXAMPLES[name].spec,
        "--root",
        str(root),
        "--from",
        str(folder),
        "--model",
        str(model),
    ]
    return CliRunner().invoke(cli, ["gates", *arguments, *more], env={"SOURCE_DATE_EPOCH": str(WHEN)})
