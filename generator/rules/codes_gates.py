"""Codes of `gates`, which may not import the engine: evidence."""

from __future__ import annotations

from typing import Final

from generator.lint.engine import Code, declare

_AGAIN: Final = "Run the gates again: `sluice gates run`."
_IN_GIT: Final = "# specs/platform.yaml\nspec: {tiers: {standard: {evidence: [git]}}}\n"
_PASSED: Final = (
    _IN_GIT
    + '# reports/junit.xml\n<testsuite tests="1"><testcase name="ranks"/></testsuite>\n$ sluice gates run shop/ranker\n'
)

declare(
    Code(
        "EVID101",
        "error",
        "the evidence can't be read",
        "Unreadable evidence proves nothing, and missing evidence never counts as a pass.",
        _AGAIN,
        example=_IN_GIT + '# specs/shop/ranker.evidence.json\n{"_type": "https://in-toto.io/Statement/v1"',
    ),
    Code(
        "EVID102",
        "error",
        "the evidence was changed after it was written",
        "Its digest no longer matches: its content is not what the gates wrote.",
        _AGAIN,
        example=_PASSED
        + '$ perl -pi -e \'s/"value": 1/"value": 100/\' specs/shop/ranker.evidence.json\n$ sluice validate',
    ),
    Code(
        "EVID103",
        "error",
        "the evidence contradicts itself",
        "A verdict that does not follow from the measures next to it can't be trusted.",
        _AGAIN,
        example=_IN_GIT + "# specs/shop/ranker.evidence.json\n"
        '{"predicate": {"gates": [{"name": "unit-tests", "verdict": "pass", "measures": [{"verdict": "fail"}]}]}}',
    ),
    Code(
        "EVID104",
        "error",
        "the evidence is missing",
        "No gate has run, so none has passed.",
        _AGAIN,
        example=_IN_GIT,
        instead=_PASSED + "$ sluice validate",
    ),
    Code(
        "EVID105",
        "error",
        "the evidence is about another model version",
        "It was created for other bytes than the locked ones.",
        _AGAIN,
        example=_PASSED + "$ perl -pi -e s/aaaa/bbbb/ specs/shop/ranker.lock.yaml\n$ sluice validate",
    ),
    Code(
        "EVID106",
        "error",
        "the evidence is about other data",
        "A locked data set is not the one that the gates read.",
        _AGAIN,
        example=_PASSED + "$ printf 'data:\\n  a.csv: {digest: sha256:%064d, resolved: a.csv}\\n' 0 >> "
        "specs/shop/ranker.lock.yaml\n$ sluice validate",
    ),
    Code(
        "EVID107",
        "error",
        "a gate has not run with its current configuration",
        "A threshold or a window has changed since, so the old verdict no longer applies.",
        _AGAIN,
        example=_PASSED
        + "$ perl -pi -e 's/junit:/atLeast: 20\\n    junit:/' specs/shop/ranker.yaml\n$ sluice validate",
    ),
    Code(
        "EVID108",
        "error",
        "a gate failed",
        "The model does not meet its team's requirements.",
        "Train a better model, or change the gate in a review.",
        example='# reports/junit.xml\n<testsuite tests="1" failures="1"><testcase name="ranks"><failure/></testcase>'
        "</testsuite>\n$ sluice gates run shop/ranker",
    ),
    Code(
        "EVID109",
        "error",
        "a gate is inconclusive",
        "There was too little data to decide, which never counts as a pass.",
        "Supply what the reason names: more rows, a file, a complete report.",
        example="$ sluice gates run shop/ranker",
    ),
    Code(
        "EVID110",
        "error",
        "the evidence is too old",
        "The data may have changed since.",
        _AGAIN,
        example=_PASSED.replace("[git]", "[git], requires: {evidenceAge: 30d}")
        + "$ export SOURCE_DATE_EPOCH=1800000000\n$ sluice validate",
    ),
    Code(
        "TIER342",
        "error",
        "the tier requires gate images by digest, and the platform has none for a tag",
        "A tag can be moved to another image, whose verdicts would count. This also holds for the base image.",
        "Push the image that `rendered/gates/` describes, then run `sluice pin --platform`.",
        example="# specs/platform.yaml\nspec: {tiers: {standard: {requires: {gateImageDigest: true}}}}",
    ),
    Code(
        "EVID111",
        "info",
        "a gate is waived",
        "The platform team accepts this gate's verdict until a date, for a reason.",
        "Nothing to do until the waiver ends.",
        example="""
# specs/platform.yaml
spec:
  tiers: {standard: {evidence: [git]}}
  waivers:
    - model: shop/ranker
      gate: unit-tests
      kind: tests
      digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      reason: moved
      approvedBy: ml-platform
      until: 2026-12-01
""",
    ),
    Code(
        "EVID112",
        "error",
        "a report changed after the gate read it",
        "The evidence has the digest of the report that the gate read, and the report changed since.",
        _AGAIN,
        example=_PASSED + "$ perl -pi -e s/ranks/sorts/ reports/junit.xml\n$ sluice gates check",
    ),
    Code(
        "EVID113",
        "info",
        "a gate passed",
        "The measured value meets its threshold, with its whole interval if it has one.",
        "Commit the evidence.",
        example=_PASSED,
    ),
    Code(
        "EVID114",
        "error",
        "the evidence contradicts the spec, the lock or the platform",
        "Anyone can write a document and its digests. What spec, lock, platform and the document's own numbers "
        "determine is computed again: thresholds, attributes, features, tools, sources, times and intervals.",
        _AGAIN,
        example=_IN_GIT + "# specs/shop/ranker.evidence.json\n"
        '{"predicate": {"gates": [{"name": "unit-tests", "tool": "my-tests"}]}}',
    ),
)
