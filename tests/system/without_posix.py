"""Runs `sluice` in a Python without what only POSIX has: modules, flags, descriptors of folders, fork, signals.

What a Windows Python lacks is taken away before anything of Sluice is imported. The path separator stays: what joins
paths as text is looked for by other means (test_system_platforms.py).

Usage: python without_posix.py ARGUMENTS of sluice
"""

from __future__ import annotations

import errno
import importlib
import multiprocessing
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

# The standard library imports some of them where they are; it has done so by now, and works without them on Windows.
USED_BY_THE_LIBRARY = (errno, multiprocessing, signal, socket, stat, subprocess, tempfile, Path)
for name in ("random", "secrets", "concurrent.futures", "multiprocessing.connection", "logging", "asyncio"):
    importlib.import_module(name)

MODULES = ("fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty")
FLAGS = (
    "O_CLOEXEC",
    "O_DIRECTORY",
    "O_NOCTTY",
    "O_NOFOLLOW",
    "O_NONBLOCK",
    "O_SYNC",
    "O_DSYNC",
    "O_ASYNC",
    "O_PATH",
)
FUNCTIONS = (
    "chown", "chroot", "fchdir", "fchmod", "fchown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getgroups",
    "getloadavg", "getpgid", "getpriority", "getresuid", "getsid", "getuid", "initgroups", "killpg", "lchown", "lockf",
    "mkfifo", "mknod", "nice", "openpty", "pathconf", "pipe2", "posix_fallocate", "posix_spawn", "pread", "pwrite",
    "readv", "sched_getaffinity", "sched_setaffinity", "sched_yield", "sendfile", "setegid", "seteuid", "setgid",
    "setpgid", "setpriority", "setsid", "setuid", "statvfs", "sync", "sysconf", "tcgetpgrp", "uname", "wait3", "wait4",
    "writev",
)  # fmt: skip
SIGNALS = ("SIGALRM", "SIGCHLD", "SIGHUP", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGTSTP", "SIGUSR1", "SIGUSR2")
HANDLING = ("alarm", "pthread_kill", "pthread_sigmask", "setitimer", "siginterrupt", "sigpending", "sigwait")
BY_DESCRIPTOR = (
    "mkdir",
    "open",
    "readlink",
    "remove",
    "rename",
    "replace",
    "rmdir",
    "stat",
    "symlink",
    "unlink",
)


def take_away() -> None:
    """Leave what Windows has."""
    for module in MODULES:
        sys.modules[module] = None  # type: ignore[assignment]  # an import of it fails
    for flag in (*FLAGS, *FUNCTIONS):
        if hasattr(os, flag):
            delattr(os, flag)
    for name in (*SIGNALS, *HANDLING):
        if hasattr(signal, name):
            delattr(signal, name)
    for name in BY_DESCRIPTOR:
        setattr(os, name, _by_name_only(getattr(os, name)))
    os.supports_dir_fd = set()
    os.supports_fd = {os.stat, os.truncate}
    os.listdir, os.scandir = _by_path_only(os.listdir), _by_path_only(os.scandir)
    shutil._use_fd_functions = False
    # Windows has its own default encoding of files, so ours name one (checked with `-X warn_default_encoding`).
    warnings.filterwarnings("error", category=EncodingWarning, module=r"generator\.")
    os.symlink = _unprivileged
    multiprocessing.get_all_start_methods = lambda: ["spawn"]  # type: ignore[assignment]
    multiprocessing.get_context = _no_context  # type: ignore[assignment]


def _by_name_only(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        if any(named.get(name) is not None for name in ("dir_fd", "src_dir_fd", "dst_dir_fd")):
            raise NotImplementedError("dir_fd unavailable on this platform")
        if function.__name__ == "open" and Path(arguments[0]).is_dir():
            raise PermissionError(errno.EACCES, "Permission denied", arguments[0])
        return function(*arguments, **named)

    call.__name__ = function.__name__
    return call


def _by_path_only(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(path: Any = ".") -> Any:
        if isinstance(path, int):
            raise TypeError("path should be string, bytes, os.PathLike or None, not int")
        return function(path)

    return call


def _unprivileged(*_: Any, **named: Any) -> None:
    del named
    raise OSError(errno.EINVAL, "A required privilege is not held by the client")


def _no_context(method: str | None = None) -> Any:
    raise ValueError(f"cannot find context for {method!r}")


if __name__ == "__main__":
    take_away()
    from generator.cli.main import run

    sys.argv[0] = "sluice"
    run()
