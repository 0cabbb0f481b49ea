"""Programs that the tests run as separate processes; not a test.

`kill`: for every line `ROOT STEP` on standard input, fork a child that prunes and writes the new tree into
ROOT and dies at its STEP-th call that changes the file system: half of the data written for a write, nothing
done for another call. Answers `died`, or `done` when the child came to its end.

`loop`: write one text into every file of a bundle again and again, with or without locks.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from generator.output.bundle import Bundle
from generator.output.errors import OutputError
from generator.output.write import prune, write

KEPT = "production/shop/kept"
OLD = {
    KEPT: {
        "same": "s\n",
        "changed": "old\n",
        "gone": "g\n",
        "deep/gone": "g\n",
        "edited": "e\n",
        "x": "x\n",
        "y/z": "y\n",
    },
    "production/shop/orphan": {"a": "a\n", "deep/b": "b\n"},
    "staging/other/orphan": {"a": "a\n"},
}
NEW = {
    KEPT: {
        "same": "s\n",
        "changed": "new\n",
        "added": "n\n",
        "deep/er/added": "n\n",
        "x/y": "x\n",
        "y": "y\n",
    },
    "production/team/cold": {"a": "cold\n", "deep/b": "cold\n"},
}
DIED = 77


def bundles(tree: dict[str, dict[str, str]], spec: str) -> list[Bundle]:
    return [Bundle(path, files, {"spec": spec * 64}) for path, files in tree.items()]


def render(root: str, tree: dict[str, dict[str, str]], spec: str) -> None:
    prune(root, "", tree.keys())
    write(root, bundles(tree, spec))


class Killer:
    """Counts the calls that change the file system, and dies at one of them."""

    def __init__(self, step: int) -> None:
        self.left = step
        self.write = os.write
        for name in ("mkdir", "replace", "unlink", "rmdir", "open", "write"):
            setattr(os, name, self.watched(getattr(os, name), name))

    def watched(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def wrapper(*args: Any, **options: Any) -> Any:
            if name != "open" or args[1] & os.O_CREAT:
                self.left -= 1
                if self.left == 0:
                    if name == "write":
                        self.write(args[0], args[1][: len(args[1]) // 2])
                    os._exit(DIED)
            return call(*args, **options)

        return wrapper


def child(root: str, step: int) -> NoReturn:
    try:
        Killer(step)
        render(root, NEW, "2")
    except BaseException as error:  # noqa: BLE001 - the parent gets the error, and nothing else may run
        os.write(2, f"{error!r}\n".encode())
        os._exit(1)
    os._exit(0)


def kill() -> None:
    for line in sys.stdin:
        root, step = line.rsplit(" ", 1)
        process = os.fork()
        if process == 0:
            child(root, int(step))
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        print({DIED: "died", 0: "done"}.get(status, f"failed with {status}"), flush=True)


def loop_bundle(text: str) -> Bundle:
    return Bundle("p", {f"deep/{name}": f"{text}\n" * 5000 for name in "abcdefgh"}, {"spec": text * 64})


def loop(root: str, text: str, times: str, locks: str) -> None:
    if locks == "without-locks":
        fcntl.flock = unsupported
    try:
        for _ in range(int(times)):
            write(root, [loop_bundle(text)])
    except OutputError as error:
        sys.exit(error.message)


def unsupported(*_: object) -> NoReturn:
    raise OSError(errno.ENOLCK, "no locks available")


if __name__ == "__main__":
    if sys.argv[1] == "kill":
        kill()
    else:
        loop(*sys.argv[2:6])
