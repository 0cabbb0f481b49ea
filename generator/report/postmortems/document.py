"""A postmortem as sections of text, lists, tables and code; written as Markdown, or by a template as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from generator.dataclass import dataclass
from generator.render.environment import Templates
from generator.report.markdown import cell, row
from generator.source.line import visible

TEMPLATE = "pages/postmortem.html.j2"


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a section; exactly one of its fields is filled.

    Args:
        text: a paragraph.
        items: a list.
        head: the headings of a table.
        rows: its rows.
        code: code or a diff.
    """

    text: str = ""
    items: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    code: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A section with its blocks."""

    title: str
    blocks: tuple[Block, ...]

    @property
    def anchor(self) -> str:
        """Its name in links."""
        return self.title.lower().replace(" ", "-")


def as_markdown(title: str, sections: Sequence[Section]) -> str:
    """Return Markdown in which no text from git is markup."""
    return "\n".join([f"# {cell(title)}", "", *(line for section in sections for line in _section(section))])


def _section(section: Section) -> Iterator[str]:
    yield from (f"## {cell(section.title)}", "")
    for block in section.blocks:
        if block.text:
            yield cell(block.text)
        yield from (f"- {cell(item)}" for item in block.items)
        if block.head:
            yield row(block.head)
            yield row(["---"] * len(block.head), raw=True)
            yield from map(row, block.rows)
        if block.code:
            yield from _fenced(block.code)
        yield ""


def _fenced(text: str) -> Iterator[str]:
    fence = "```"
    while fence in text:
        fence += "`"
    yield f"{fence}diff"
    yield from (visible(line) for line in text.splitlines())
    yield fence


def as_html(title: str, sections: Sequence[Section], templates: Templates) -> str:
    """Return one page that needs nothing else."""
    return templates.render(TEMPLATE, {"title": title, "sections": [_plain(one) for one in sections]})


def _plain(section: Section) -> dict[str, object]:
    blocks = [
        {
            "text": visible(block.text),
            "items": [visible(item) for item in block.items],
            "head": list(block.head),
            "rows": [[visible(text) for text in line] for line in block.rows],
            "code": "\n".join(map(visible, block.code.splitlines())),
        }
        for block in section.blocks
    ]
    return {"title": section.title, "anchor": section.anchor, "blocks": blocks}
