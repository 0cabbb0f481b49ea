"""Runs scenarios in the cluster around: two at a time those that leave each other alone, the others one by one.

python -m tests.cluster.phases FILE...
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
_TOGETHER = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "-m", "not alone"]
_ALONE = ["-m", "alone"]
_NONE_FOUND = 5
# The longest first, so that nothing is left running alone at the end.
_LONGEST = ("scenario_03", "scenario_04")


def main(files: Sequence[str]) -> int:
    """Run them; the worst exit code."""
    if len(files) == 1:
        return subprocess.run([*_PYTEST, "-s", *files]).returncode
    ordered = sorted(files, key=lambda file: (not Path(file).name.startswith(_LONGEST), file))
    codes = [subprocess.run([*_PYTEST, "-v", *phase, *ordered]).returncode for phase in (_TOGETHER, _ALONE)]
    return max(0 if code == _NONE_FOUND else code for code in codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
