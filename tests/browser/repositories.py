"""Repositories whose pages are looked at."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
TODAY = "1795392000"
"""2026-11-23, as SOURCE_DATE_EPOCH."""
HOSTILE = "</title></style></svg>\\\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}"
"""Text that tries to leave every place where a page may put it; as a quoted YAML scalar."""


def examples(root: Path) -> Path:
    """The examples, committed, with a shortened hold and a smaller effect on top."""
    shutil.copytree(CHECKOUT / "specs", root / "specs")
    commit(root)
    change(root, "shop/recommender.yaml", "{weight: 5%, hold: 60m}", "{weight: 5%, hold: 40m}")
    change(root, "shop/recommender.yaml", "{drop: 10%}", "{drop: 8%}")
    return root


def hostile(root: Path) -> Path:
    """The examples with hostile text wherever a spec or the platform may hold text, and a broken neighbour."""
    shutil.copytree(CHECKOUT / "specs", root / "specs")
    commit(root)
    change(
        root,
        "shop/recommender.yaml",
        "owner: shop-ml@example.com}",
        f'owner: "{HOSTILE}", description: "{HOSTILE}"}}',
    )
    text = f'spec:\n  service: {{env: [{{name: GREETING, value: "{HOSTILE}"}}]}}\n'
    change(root, "shop/recommender.yaml", "spec:\n", text)
    change(root, "platform.yaml", "reason: regulator-approved exception", f'reason: "{HOSTILE}"')
    change(root, "platform.yaml", "owners: [shop-ml@example.com]", f'owners: ["{HOSTILE}"]')
    change(root, "support/ticket-classifier.yaml", "tier: standard", f'tier: "{HOSTILE}"')
    return root


def commit(root: Path) -> None:
    """Commit everything."""
    for arguments in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-qm", "one"]):
        git(root, *arguments)


def git(root: Path, *arguments: str) -> None:
    """Run git, without what surrounds the tests."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    stamp = {"GIT_AUTHOR_DATE": f"{TODAY} +0000", "GIT_COMMITTER_DATE": f"{TODAY} +0000"}
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(
        ["git", *who, "-C", str(root), *arguments], env=kept | stamp, check=True, capture_output=True
    )


def change(root: Path, file: str, old: str, new: str) -> None:
    """Replace text of a spec."""
    path = root / "specs" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
