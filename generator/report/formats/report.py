"""The input of every format: findings in order, and the figures that sum them up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from generator import DOCUMENTATION
from generator.dataclass import dataclass
from generator.report.tables import Screen
from generator.source.finding import Finding, Place, Severity

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Report:
    """Findings ready to be written.

    Args:
        findings: ordered by place, then code; no file starts with `./`; every text can be encoded as UTF-8.
        checked: how many inputs were checked; 0 if that is unknown.
        noun: what an input is.
        screen: where text is shown.
        unchecked: how many things could not be checked; without findings they are not called fine.
    """

    findings: tuple[Finding, ...]
    checked: int
    noun: str
    screen: Screen
    unchecked: int = 0

    @classmethod
    def of(
        cls,
        findings: Iterable[Finding],
        *,
        checked: int,
        noun: str,
        screen: Screen,
        unchecked: int = 0,
        below: str = "",
    ) -> Report:
        """Put findings in order; those that agree in place, code and message are ordered by all the rest.

        Args:
            findings: what was found.
            checked: see the class.
            noun: see the class.
            screen: see the class.
            unchecked: see the class.
            below: the folder that relative paths are in, where the reader has another one.
        """
        normal = (_normal(finding, below) for finding in findings)
        ordered = sorted(normal, key=lambda finding: (finding.sort_key(), _rest(finding)))
        return cls(tuple(ordered), checked, noun, screen, unchecked)

    def folded(self) -> list[list[Finding]]:
        """Return the findings with those of one code and message together, whatever object they name."""
        alike: dict[tuple[str, str, str], list[Finding]] = {}
        for finding in self.findings:
            name = finding.object.rpartition(" ")[2]
            message = finding.message.replace(name, "…") if name else finding.message
            alike.setdefault((finding.code, finding.severity, message), []).append(finding)
        return list(alike.values())

    def count(self, severity: Severity) -> int:
        """Return how many findings have a severity."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def files(self) -> int:
        """The number of files with findings."""
        return len({finding.place.file for finding in self.findings})

    @property
    def fixable(self) -> int:
        """The number of findings that `--fix` repairs without a question."""
        return sum(
            bool(finding.replacement) or (finding.fix is not None and not finding.fix.asks)
            for finding in self.findings
        )

    def summary(self) -> str:
        """Return one line for people, such as `3 errors, 1 warning in 2 files`."""
        if not self.findings:
            return _fine(self)
        counts = [_counted(self.count(severity), severity) for severity in SEVERITIES if self.count(severity)]
        if self.count("info") == len(self.findings) and self.checked:
            return f"{_fine(self)}; {counts[0]}"
        line = f"{', '.join(counts)} in {_counted(self.files, 'file')}"
        asked = sum(finding.fix is not None and finding.fix.asks for finding in self.findings)
        skipped = f"; {self.unchecked:,} not checked" if self.unchecked else ""
        repairs = f"; --fix repairs {self.fixable} of them" if self.fixable else ""
        asks = f"; --fix asks about {asked}" if asked else ""
        return f"{line}{repairs}{asks}{skipped}"


def page(code: str) -> str:
    """Return the address of the page about a code."""
    from urllib.parse import quote

    return f"{DOCUMENTATION}/codes/{quote(code, safe='')}.html"


def advice(finding: Finding) -> str:
    """Return what is wrong and what to do about it, for formats with room for one text."""
    if not finding.hint:
        return finding.message
    stop = "" if finding.message.endswith((".", "!", "?")) else "."
    return f"{finding.message}{stop} Hint: {finding.hint}"


def fingerprints(findings: Iterable[Finding]) -> list[str]:
    """Return an identity of each finding that survives edits elsewhere in the file.

    The line is not part of it. Findings with the same message at the same key differ by their order.

    Returns:
        As many strings of 32 hexadecimal digits, all different.
    """
    import json
    from hashlib import sha256

    seen: Counter[tuple[str, ...]] = Counter()
    out = []
    for finding in findings:
        what = (finding.code, finding.place.file, finding.path, finding.message)
        seen[what] += 1
        out.append(sha256(json.dumps([*what, seen[what]]).encode()).hexdigest()[:32])
    return out


def _fine(report: Report) -> str:
    checked, noun = report.checked, report.noun
    if not checked:
        return "no findings"
    if report.unchecked:
        things = "thing" if report.unchecked == 1 else "things"
        return f"{_counted(checked, noun)}: nothing found, {report.unchecked:,} {things} not checked"
    return f"1 {noun} is fine" if checked == 1 else f"{checked} {noun}s are fine"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 or noun == "info" else f"{number} {noun}s"


def _rest(finding: Finding) -> str:
    """Return all but the source line, which many findings on one long line share."""
    return repr(replace(finding, excerpt=""))


def _normal(finding: Finding, below: str) -> Finding:
    related = tuple((_utf8(why), _place(place, below)) for why, place in finding.related)
    return replace(
        finding,
        code=_utf8(finding.code),
        message=_utf8(finding.message),
        hint=_utf8(finding.hint),
        place=_place(finding.place, below),
        path=_utf8(finding.path),
        excerpt=_utf8(finding.excerpt),
        related=related,
    )


def _place(place: Place, below: str) -> Place:
    """The place with its path as code hosts expect it: without a leading `./`."""
    file = _utf8(place.file)
    while file.startswith("./"):
        file = file[2:].lstrip("/")
    inside = below and file and not file.startswith(("/", "../"))
    return replace(place, file=f"{below}/{file}" if inside else file)


@lru_cache(maxsize=1024)  # many findings share a source line, which may be long
def _utf8(text: str) -> str:
    """The text with lone surrogates spelled out: YAML escapes and file names can hold them, UTF-8 can't."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
