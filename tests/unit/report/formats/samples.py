"""Findings to write: a report a person could get, and hypothesis strategies for hostile ones."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from generator.source.finding import Finding, Fix, Place

SPEC = "specs/shop/recommender.yaml"
UNKNOWN_KEY = Finding(
    code="SPEC101",
    severity="error",
    message="`stratgy` is not a key of a rollout",
    hint="did you mean `strategy`?",
    place=Place(SPEC, 13, 5, 12),
    path="spec.rollout.stratgy",
    excerpt="    stratgy: canary",
    fix=Fix(("spec", "rollout", "strategy"), "canary"),
)
CEILING = Finding(
    code="SPEC301",
    severity="error",
    message="the first step takes 10% of the traffic, the tier high-traffic allows 5%",
    hint="start with 5% or less, or ask the platform team for another tier",
    place=Place(SPEC, 14, 22, 25),
    path="spec.rollout.steps[0].weight",
    excerpt="    steps: [{weight: 10%, hold: 60m}, {weight: 50%, hold: 20m}]",
    related=(
        ("the ceiling of the tier", Place("specs/platform.yaml", 22, 44, 46)),
        ("the tier of this model", Place(SPEC, 5, 3)),
    ),
)
POWER = Finding(
    code="PLAN210",
    severity="warning",
    message="the guard ctr sees a 10% drop with a power of 61%, and 80% is required",
    hint="hold the step at 5% for 95m or longer",
    place=Place(SPEC, 17, 0),
    path="spec.rollout.guards[0]",
    excerpt="      - {outcome: ctr, detect: {drop: 10%}}",
)
ENCODING = Finding(
    code="SRC101",
    severity="error",
    message="the file isn't UTF-8",
    hint="save it as UTF-8",
    place=Place("specs/risk/fraud.yaml"),
)
REMARK = Finding(
    code="OWN001",
    severity="info",
    message="the owner 推薦チーム has no address \x1b[31mhere\x1b[0m",
    hint="",
    place=Place("specs/risk/fraud.yaml", 3, 19, 25),
    excerpt='metadata:\t{owner: "推薦チーム"}',
)
REPORT = (CEILING, ENCODING, REMARK, POWER, UNKNOWN_KEY)

EXAMPLES = settings(deadline=None, max_examples=60)
_TRAPS = (
    "%0A", "%250A", "::error file=x::y", "::", ",", ":", "=", "\r\n", "\n", "\t", "]]>", "<!--", "&amp;", "<",
    '"', "'", "\x1b[31m", "\x1b]8;;x\x07", "\x00", "\x85", "\u2028", "\u202e", "\ufffe", "\U0010ffff", "\\",
    "\\](", "[a](1)", "{0}", "{{", "}}", "{", "}", "[", "]", "(", ")", " ", "名", "e\u0301", "./", "/",
)  # fmt: skip
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.lists(st.sampled_from(_TRAPS), max_size=6).map("".join),
)
NON_EMPTY = TEXTS.filter(bool)
PLACES = st.builds(
    Place,
    file=NON_EMPTY,
    line=st.integers(0, 9),
    column=st.integers(0, 30),
    end_column=st.integers(0, 30),
)
FIXES = st.builds(
    Fix,
    path=st.lists(st.one_of(TEXTS, st.integers(0, 9)), max_size=3).map(tuple),
    value=st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.dates(), st.lists(TEXTS, max_size=2)
    ),
)
FINDINGS = st.builds(
    Finding,
    code=st.from_regex(r"\A[A-Z]{2,5}[0-9]{3}\Z"),
    severity=st.sampled_from(["error", "warning", "info"]),
    message=NON_EMPTY,
    hint=TEXTS,
    place=PLACES,
    path=TEXTS,
    excerpt=TEXTS,
    related=st.lists(st.tuples(TEXTS, PLACES), max_size=3).map(tuple),
    fix=st.one_of(st.none(), FIXES),
)
REPORTS = st.lists(FINDINGS, max_size=5)
