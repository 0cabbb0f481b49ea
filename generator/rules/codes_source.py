"""Codes of `source`, which may not import the engine: files, and YAML."""

from __future__ import annotations

from generator.lint.engine import Code, declare

_NO_PLAN = "Without it there is no plan, and nothing is rendered."

declare(
    Code(
        "SRC101",
        "error",
        "a file or folder can't be read",
        "What can't be read can't be judged.",
        "Check the path and its permissions.",
    ),
    Code(
        "SRC102",
        "error",
        "not a regular file",
        "A folder or a device stands where a file belongs.",
        "Write the YAML into a plain file of that name.",
    ),
    Code(
        "SRC103",
        "error",
        "a file is too large",
        "A spec is a page; a file of megabytes is data that went astray, or an attack.",
        "Split it, or remove what is not a spec.",
    ),
    Code(
        "SRC104",
        "error",
        "a file is not UTF-8 text",
        "Other encodings are read differently by different tools.",
        "Save it as UTF-8.",
    ),
    Code(
        "SRC105",
        "error",
        "a file is not YAML",
        _NO_PLAN,
        "Fix the line; the message shows what it should be.",
    ),
    Code(
        "SRC106",
        "error",
        "several documents in one file",
        "One file is one spec, so that its name says which.",
        "Split the file at its `---`.",
    ),
    Code(
        "SRC107",
        "error",
        "anchors, aliases or too many levels",
        "A few lines of them unfold to gigabytes, and a reader does not see a value where it counts.",
        "Write the value out, or move it to a tier's defaults.",
    ),
    Code(
        "SRC108",
        "error",
        "a link leaves the tree",
        "What it points at is not what was reviewed.",
        "Copy the file into the tree.",
    ),
    Code(
        "SRC109",
        "error",
        "a key stands twice",
        "Readers differ in which of the two they take.",
        "Keep one of them.",
    ),
    Code("SRC110", "error", "a key is no text", "Keys of specs are words.", "Quote it."),
    Code(
        "SRC111",
        "error",
        "a value that YAML readers read differently",
        "`no` is a country to one reader and false to another; so are 012, 1:30 and 1e3.",
        "Write true or false, a plain number, or quote the text.",
    ),
    Code(
        "SRC112",
        "error",
        "a YAML tag",
        "Tags build objects; specs hold plain values.",
        "Write the plain value.",
    ),
    Code(
        "SRC113",
        "error",
        "a left-over of a merge, a template or a shell",
        "Specs are read as they are: nothing resolves a merge conflict or fills in `{{ … }}` or `${…}`.",
        "Write the value itself; what differs between environments goes into `environments:`.",
        example="metadata: {name: ${MODEL}, team: shop}\n",
        instead="metadata: {name: ranker, team: shop}\n",
    ),
)
