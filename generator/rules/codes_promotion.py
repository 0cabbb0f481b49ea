"""Codes of releases that gated environments keep, which `pipeline` reads."""

from __future__ import annotations

from typing import Final

from generator.lint.engine import Code, declare

_GATED: Final = """\
# specs/platform.yaml
spec:
  environments:
    staging: {server: "https://staging.example.com", router: {kind: traefik}}
    production: {requires: [staging]}
# specs/shop/ranker.yaml
spec: {environments: {staging: {traffic: {minRps: 200}}}}
"""
_PROMOTED: Final = f"""{_GATED}\
$ sluice promote shop/ranker --to production --hotfix --reason "prices are wrong"
$ sluice render
"""
_NEXT: Final = (
    "$ sed 's/timeout: 2s/timeout: 3s/' specs/shop/ranker.yaml > new && mv new specs/shop/ranker.yaml\n"
)
_COMMIT: Final = (
    "$ git init -q -b main && git add -A && git -c user.name=a -c user.email=a@b.example commit -qm main\n"
)
# A public key for the examples only.
_APPROVED: Final = _GATED.replace(
    "spec:\n",
    """\
spec:
  tiers: {standard: {promotions: {signedBy: [risk]}}}
  signers: [{name: ada, role: risk, ed25519: "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="}]
""",
    1,
)
_CHECK: Final = "$ sluice promote --check --against main"

declare(
    Code(
        "PROM101",
        "error",
        "a gated environment has a release in git, and no lock says which one was promoted",
        "The environment requires others, so only a promotion changes what it runs, and the lock of a promotion is the "
        "only proof of what that is. The bundle was rendered before the environment required anything.",
        "Record what runs there with `sluice promote MODEL --to ENVIRONMENT --adopt`, and commit the lock.",
        example=f"{_PROMOTED}$ rm specs/shop/ranker.production.lock.yaml\n$ sluice validate",
    ),
    Code(
        "PROM102",
        "error",
        "the release in a gated environment is not the promoted one",
        "While another release waits for its proof, the promoted one stays byte for byte as the lock has it. A bundle "
        "that was edited or deleted by hand would go out without any proof. Resources of the environment that change "
        "between `promote` and `render` make another release, too.",
        "Restore the bundle from the protected branch with git, or promote again.",
        example=f"{_PROMOTED}{_NEXT}$ rm rendered/production/shop/ranker/rollout-main.yaml\n$ sluice validate",
    ),
    Code(
        "PROM103",
        "info",
        "nothing was promoted to a gated environment yet",
        "The environment requires others, and no release has proven itself there: nothing is rendered for it.",
        "Release the model in the required environments, record it, and run `sluice promote`.",
        example=_GATED,
    ),
    Code(
        "PROM104",
        "info",
        "a gated environment keeps another release",
        "The release of the spec is not the promoted one: pods, configuration and gates stay as they are, and steps, "
        "guards, routes and alerts follow the spec.",
        "Nothing to do until the release has proven itself; then run `sluice promote`.",
        example=f"{_PROMOTED}{_NEXT}$ sluice validate",
    ),
    Code(
        "PROM105",
        "error",
        "a promoted hot fix has ended",
        "It was promoted without the proof that the environment requires, for a limited time.",
        "Promote the release with its record, or take it back with `sluice revert`.",
        example=f"{_PROMOTED}$ export SOURCE_DATE_EPOCH=1795824000\n$ sluice validate",
    ),
    Code(
        "PROM106",
        "error",
        "a promotion may not be merged now",
        "The environment is frozen, the release is in quarantine, or its records no longer prove it. Only the check of "
        "a change reads the clock, so this is found before a merge and never while files are rendered.",
        "Wait until the freeze or the soak is over, or promote a release that is proven; a revert may always go out.",
        example=f"{_GATED}{_COMMIT}"
        '$ sluice promote shop/ranker --to production --hotfix --reason "prices are wrong"\n'
        f"$ export SOURCE_DATE_EPOCH=1795824000\n{_CHECK}",
    ),
    Code(
        "PROM107",
        "error",
        "a change would replace a release that has not finished",
        "The environment has `order: finish-first`: a release that soaks is promoted before the next one starts, so "
        "that frequent merges do not keep all of them from production.",
        "Merge this when the release is promoted, aborted or taken back; `order: newest` lets newer releases win.",
        example=f"{_GATED.replace('[staging]', '{staging: {order: finish-first}}')}{_COMMIT}{_NEXT}{_CHECK}",
    ),
    Code(
        "PROM108",
        "warning",
        "the lock of an environment is not read",
        "Only an environment that requires others has separate locks. This one was renamed or removed, or no longer "
        "requires anything, so it runs what the spec says.",
        "Remove the lock, or restore `requires`.",
        example="# specs/shop/ranker.production.lock.yaml\nschema: sluice/promotion/v1",
    ),
    Code(
        "PROM109",
        "error",
        "a promotion is not signed by an approver of the tier",
        "The tier has `promotions: {signedBy: […]}`: a person with one of these roles signs the lock, which names the "
        "release, its record and the environment. Signers are those of the branch that the change goes to. A revert "
        "needs no signature.",
        "Let such a person run `sluice gates sign MODEL --document promotion --env ENVIRONMENT --key KEY` there.",
        example=f"{_APPROVED}{_COMMIT}"
        '$ sluice promote shop/ranker --to production --hotfix --reason "prices are wrong"\n'
        f"{_CHECK}",
    ),
    Code(
        "PROM110",
        "error",
        "a change takes away what speaks against a release",
        "An entry of the quarantine is only ever released by name, and a newer record says more than an older one: "
        "without them a release that was aborted or taken back would be proven again.",
        "Restore the entry, and add `released: {by, reason, at}` to it; run `sluice record` again.",
        example=f"{_GATED}# specs/shop/ranker.quarantine.yaml\nschema: sluice/quarantine/v1\nreleases:\n"
        f"  - {{key: 'sha256:{'a' * 64}', version: '7', environment: production, reason: worse, since: 2026-11-20}}\n"
        f"{_COMMIT}$ rm specs/shop/ranker.quarantine.yaml\n{_CHECK}",
    ),
)
