"""Codes of `source`, which may not import the engine: files, and YAML."""

from __future__ import annotations

from generator.lint.engine import Code, declare

_REFUSED = "A file that is refused has no plan, and nothing is rendered from it."

declare(
    Code(
        "SRC101",
        "error",
        "a file or folder can't be read",
        f"What can't be read can't be checked. {_REFUSED}",
        "Check the path and its permissions; a link must lead to a file.",
        example="$ ln -sf missing.yaml specs/shop/ranker.yaml",
    ),
    Code(
        "SRC102",
        "error",
        "a spec is not a regular file",
        "A folder, a pipe or a device is where a file should be.",
        "Write the YAML into a plain file of that name.",
        example="$ rm specs/shop/ranker.yaml\n$ mkdir specs/shop/ranker.yaml",
    ),
    Code(
        "SRC103",
        "error",
        "a file is too large",
        "A spec is a page long: megabytes are data that ended up in the wrong place, or an attack.",
        "Split it, or remove what is not a spec.",
        example="$ yes '# filler' | head -c 3000000 >> specs/shop/ranker.yaml",
    ),
    Code(
        "SRC104",
        "error",
        "a file is not UTF-8 text",
        "Tools read other encodings differently, or not at all.",
        "Save it as UTF-8.",
        example=r"$ printf '# caf\351\n' >> specs/shop/ranker.yaml",
    ),
    Code(
        "SRC105",
        "error",
        "a file is not valid YAML",
        _REFUSED,
        "Fix the line; the message shows what it should be.",
        example="metadata: {name: ranker, team: shop",
        instead="metadata: {name: ranker, team: shop}",
    ),
    Code(
        "SRC106",
        "error",
        "a file contains several documents",
        "One file is one spec, so that its name identifies the model.",
        "Split the file at its `---`.",
        example="""
metadata: {name: ranker}
---
metadata: {name: sorter}
""",
        instead="""
# specs/shop/ranker.yaml
metadata: {name: ranker}
# specs/shop/sorter.yaml
metadata: {name: sorter}
""",
    ),
    Code(
        "SRC107",
        "error",
        "a file has anchors, aliases or too many levels",
        "A few lines of them expand to gigabytes, and a reviewer does not see a value where it applies.",
        "Write the value out, or move it to a tier's defaults.",
        example="spec:\n  service: &defaults {timeout: 2s}",
        instead="spec:\n  service: {timeout: 2s}",
    ),
    Code(
        "SRC108",
        "error",
        "a link leaves the repository",
        "Its target was not reviewed, and differs between machines.",
        "Copy the file into the repository.",
        example="$ ln -sf /etc/hostname specs/shop/ranker.yaml",
    ),
    Code(
        "SRC109",
        "error",
        "a key is repeated",
        "Some readers take the first value, some the last.",
        "Keep one of them.",
        example="""
spec:
  replicas: 2
  replicas: 4
""",
        instead="spec:\n  replicas: 4",
    ),
    Code(
        "SRC110",
        "error",
        "a key is not text",
        "All keys of specs are text; a number, a date or a boolean is not.",
        "Quote it.",
        example="spec: {service: {attributes: {1: [female, male]}}}",
        instead="spec: {service: {attributes: {gender: [female, male]}}}",
    ),
    Code(
        "SRC111",
        "error",
        "YAML readers disagree on a value",
        "`no` is a country to one reader and false to another; 012, 1:30 and 1e3 have the same problem.",
        "Write true or false, a plain number, or quote the text.",
        example="spec: {service: {env: [{name: COUNTRY, value: no}]}}",
        instead="spec: {service: {env: [{name: COUNTRY, value: 'no'}]}}",
        source="YAML 1.1, type repository (bool, int, float); YAML 1.2.2, section 10.3",
    ),
    Code(
        "SRC112",
        "error",
        "a value has a YAML tag",
        "Tags make readers build objects; specs contain plain values only.",
        "Write the plain value.",
        example="spec: {tier: !!str standard}",
        instead="spec: {tier: standard}",
    ),
    Code(
        "SRC113",
        "error",
        "a file has leftovers of a merge, a template or a shell",
        "Specs are not templates: merge conflicts are not resolved, and `{{ … }}` or `${…}` are not filled in.",
        "Write the value itself; what differs between environments goes into `environments:`.",
        example="metadata: {name: ${MODEL}, team: shop}",
        instead="metadata: {name: ranker, team: shop}",
    ),
    Code(
        "SRC114",
        "error",
        "a text makes Argo CD skip a file",
        "Argo CD leaves out every file that contains `+argocd:skip-file-rendering`, also within other text. The guard "
        "or policy that the text is rendered into would be removed from the cluster.",
        "Remove the text.",
        example="metadata: {owner: '+argocd:skip-file-rendering'}",
        instead="metadata: {owner: 'search@example.com'}",
    ),
    Code(
        "SRC115",
        "error",
        "a value or key has more than 16,384 characters",
        "Sluice checks the text of every value. The limit keeps one value from slowing down every command.",
        "Shorten the value, or keep the text in a file that the service or the gate reads.",
        example="$ yes rules | tr '\\n' ' ' | head -c 20000 | sed 's/^/rules: /' >> specs/shop/ranker.yaml",
        instead="spec: {service: {env: [{name: RULES_FILE, value: rules.json}]}}",
    ),
    Code(
        "SRC116",
        "error",
        "a character changes the order in which text is shown",
        "A reviewer would see another text than Sluice reads: a comment could look like a value, and 05% like 50%.",
        "Remove the character; text in a language that is written from right to left needs none.",
        example="$ printf '# \\342\\200\\256 weight: 5%%\\n' >> specs/shop/ranker.yaml",
        instead="spec: {tier: standard}  # weight: 5%",
    ),
)
