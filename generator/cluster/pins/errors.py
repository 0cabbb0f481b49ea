"""Errors of references and locks: the codes PIN101 to PIN204."""

from __future__ import annotations

from typing import Final

from generator.cluster.http_client import HttpError
from generator.history.git_call import GitError
from generator.lint import Code, declare
from generator.source.content import ContentError
from generator.source.errors import UserError

MALFORMED = "PIN101"
NOT_CONFIGURED = "PIN102"
UNREACHABLE = "PIN103"
UNKNOWN = "PIN104"
FORBIDDEN = "PIN105"
MISMATCH = "PIN106"
OVERWRITTEN = "PIN107"
UNEXPECTED = "PIN108"
NO_CONTENT = "PIN109"
UNCOMMITTED = "PIN110"
AMBIGUOUS = "PIN111"
MOVED = "PIN201"
NOT_LOCKED = "PIN202"
UNVERIFIED = "PIN203"
QUARANTINED = "PIN204"

_CODES: Final = {
    "malformed": MALFORMED,
    "not-installed": NOT_CONFIGURED,
    "no-repository": NOT_CONFIGURED,
    "unreachable": UNREACHABLE,
    "broken": UNREACHABLE,
    "unknown": UNKNOWN,
    "forbidden": FORBIDDEN,
    "unexpected": UNEXPECTED,
    "failed": UNKNOWN,
    "unreadable": NO_CONTENT,
    "name": AMBIGUOUS,
}


class PinError(UserError):
    """A reference can't be resolved, for a reason outside of Sluice.

    Args:
        code: stable code of the finding that it becomes.
        message: one sentence on what is wrong; it contains no secret.
        hint: one sentence on what to do.
    """

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.code = code

    @staticmethod
    def of(error: GitError | HttpError | ContentError) -> PinError:
        """Return the error for what git or a server refused, or for content without a digest."""
        reason = error.trouble if isinstance(error, ContentError) else error.reason
        return PinError(_CODES[reason], error.message, error.hint)


class CredentialError(PinError):
    """A reference carries a credential: the line that holds it is not shown."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(MALFORMED, message, hint)


_NO_LOCK: Final = "Without an answer no lock is written, and nothing is rendered from the new reference."
_STORE: Final = """
$ mkdir -p store/models/ranker/7
$ echo 'name: ranker' > store/models/ranker/7/model.yaml
$ export BENTOML_HOME=store
"""
_DVC: Final = """
# specs/shop/ranker.yaml
spec:
  gates: [{name: drift, drift: {reference: "dvc:a.csv", current: "dvc:a.csv", features: [x]}, tool: ks, atMost: 0.1}]
# a.csv.dvc
outs:
- {md5: 9dd4e461268c8034f5c8564e155c67a6, size: 1, hash: md5, path: a.csv}
$ git init -q
$ git add a.csv.dvc
$ git -c user.name=me -c user.email=me@example.com commit -qm data
"""

declare(
    Code(
        "PIN101",
        "error",
        "a reference can't be resolved as it is written",
        "It names no version, leads out of the repository, or contains a credential that would end up in the lock.",
        "Write it as in the message's example.",
        example='spec: {model: {ref: "mlflow:ranker"}}\n$ sluice pin',
    ),
    Code(
        "PIN102",
        "error",
        "a server or store is not configured",
        "References name models, not servers: the addresses of servers come from the environment.",
        "Set the variable that the message names, such as MLFLOW_TRACKING_URI or BENTOML_HOME.",
        example='spec: {model: {ref: "mlflow:ranker@champion"}}\n$ sluice pin',
    ),
    Code(
        "PIN103",
        "error",
        "a server can't be reached",
        _NO_LOCK,
        "Check the address, the network and the proxy; `--timeout` waits longer.",
        example="""
spec: {model: {ref: "mlflow:ranker@champion"}}
$ export MLFLOW_TRACKING_URI=http://127.0.0.1:9
$ sluice pin
""",
    ),
    Code(
        "PIN104",
        "error",
        "an alias, a version, a tag, a revision or a path does not exist",
        _NO_LOCK,
        "Check the name; it may have been deleted, or not pushed yet.",
        example="""
$ mkdir -p store/models/ranker/6
$ export BENTOML_HOME=store
$ sluice pin --verify
""",
        instead=f"{_STORE}$ sluice pin --verify",
    ),
    Code(
        "PIN105",
        "error",
        "a server denies access",
        _NO_LOCK,
        "Set the credentials of that server in the environment; they appear neither in the lock nor in a message.",
        example="""
spec: {model: {ref: "mlflow:ranker@champion"}}
$ export MLFLOW_TRACKING_URI=https://mlflow.example.com
$ sluice pin
""",
    ),
    Code(
        "PIN106",
        "error",
        "bytes, or the labels of an image, do not match their digest",
        "They were changed, or the transfer or the store is damaged; the current content was never reviewed. An image "
        "whose labels name another model runs something that no gate has seen.",
        "Check with the producer which digest is right before you release these bytes.",
        example="""
spec:
  model:
    ref: "s3://models/ranker.onnx"
    sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    framework: onnx
$ export AWS_ENDPOINT_URL_S3=https://s3.example.com
$ sluice pin
""",
    ),
    Code(
        "PIN107",
        "error",
        "the content of an immutable version was overwritten",
        "A version should never change, but its store can be written to: the lock names the old bytes.",
        "Find out who changed them; to accept them, remove the entry from the lock and pin again.",
        example=f"{_STORE}$ sluice pin --check",
    ),
    Code(
        "PIN108",
        "error",
        "a server's response is not understood",
        "The address leads to another program, a login page, or a server with an error.",
        "Check the configured address, or contact the server's operator.",
        example="""
spec: {model: {ref: "mlflow:ranker@champion"}}
$ export MLFLOW_TRACKING_URI=https://mlflow.example.com
$ sluice pin
""",
    ),
    Code(
        "PIN109",
        "error",
        "the content of a reference can't be read here",
        "The digest is computed from the content, which is in no readable store or contains links.",
        "Fetch them (`dvc pull`), or let the server serve them (`mlflow server --serve-artifacts`).",
        example=f"{_DVC}{_STORE.lstrip()}$ sluice pin",
    ),
    Code(
        "PIN110",
        "error",
        "a DVC pointer is not committed",
        "A reference without a revision means the last commit, so the newer file in the work tree would be ignored.",
        "Commit the pointer, or name a revision.",
        example=f"{_DVC}$ perl -pi -e s/9dd4/0000/ a.csv.dvc{_STORE}$ sluice pin",
    ),
    Code(
        "PIN111",
        "error",
        "the content of a reference could stand for another model",
        "A folder's digest is that of a list of its files. A name with a line end could hold a second line of that "
        "list, and a file that is such a list would have the digest of a folder.",
        "Rename the file, or put it into a folder.",
        example=f"""
{_STORE}$ python3 -c "open('store/models/ranker/7/a\\tb', 'w')"
$ rm specs/shop/ranker.lock.yaml
$ sluice pin
""",
    ),
    Code(
        "PIN201",
        "error",
        "a reference has moved since it was locked",
        "The alias, branch, tag or file now means other bytes; the lock still has those that were reviewed.",
        "Run `sluice pin` to use the new bytes, and review the change.",
        example=f"""
spec:
  gates: [{{name: drift, drift: {{reference: a.csv, current: a.csv, features: [x]}}, tool: ks, atMost: 0.1}}]
# a.csv
x{_STORE}$ sluice pin
$ echo y > a.csv
$ sluice pin --check
""",
    ),
    Code(
        "PIN202",
        "error",
        "the lock and the spec name different references",
        "A reference is not locked, or the lock has data that no gate reads and that would count in the gate key.",
        "Run `sluice pin` and commit the lock.",
        example=f"""
spec:
  gates: [{{name: drift, drift: {{reference: a.csv, current: a.csv, features: [x]}}, tool: ks, atMost: 0.1}}]
# a.csv
x{_STORE}$ sluice pin
$ mv a.csv b.csv
$ perl -pi -e s/a.csv/b.csv/ specs/shop/ranker.yaml
$ sluice pin --check
""",
    ),
    Code(
        "PIN203",
        "warning",
        "a digest was not verified",
        "The address can't be read from here, so the lock has the digest that the spec gives.",
        "Pin again where the address can be read.",
        example="""
spec:
  model:
    ref: "s3://models/ranker.onnx"
    sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    framework: onnx
$ sluice pin
""",
    ),
    Code(
        "PIN204",
        "error",
        "the version is in quarantine",
        "Production rejected these bytes; an alias that points at them again does not make them better.",
        "Point the reference at another version. Only the owners of `platform.yaml` can release this one.",
        example=f"""
# specs/platform.yaml
spec:
  quarantine:
    - model: shop/ranker
      digest: sha256:2a46a88efdf0883326d3084cb60ed8013a750189a92f6e1cbf7b68bae5f0b561
      reason: clicks fell by a third
      since: 2026-11-20{_STORE}$ rm specs/shop/ranker.lock.yaml
$ sluice pin
""",
    ),
)
