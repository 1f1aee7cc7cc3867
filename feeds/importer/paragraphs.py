"""Paragraphs and line breaks in HTML whose lines are text, as the editor of WordPress saves it."""

import re

_TAG = re.compile(r"(</?[A-Za-z][^<>]*+>)")
_TAG_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)")
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
_BLOCKS = frozenset(
    "address area article aside blockquote caption center col colgroup dd details div dl dt fieldset"
    " figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main map math menu"
    " nav ol section summary table tbody td tfoot th thead tr ul".split()
)
_EMPTY = frozenset(("area", "col", "hr"))
# What is in these is not divided into lines.
_VERBATIM = frozenset(("pre", "script", "style", "svg", "textarea"))
# A text in these, or in no block, is a paragraph. In others, such as an item of a list, one
# that follows a blank line is.
_OUTER = frozenset(("", "article", "blockquote", "div", "main", "section"))


def with_paragraphs(html: str) -> str:
    """Return HTML in which blank lines separate paragraphs and other line ends are line breaks."""
    writer = _Writer()
    for number, part in enumerate(_TAG.split(html)):
        if number % 2:
            writer.add_tag(part)
        else:
            writer.add_text(part)
    writer.end_paragraph()
    return "".join(writer.done)


class _Writer:
    """Writes HTML tag by tag; a run is the text and the inline tags since the last block tag."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self._run: list[str] = []
        # The blocks that are open, and how many there are of each name.
        self._open = [""]
        self._count: dict[str, int] = {}
        self._verbatim = ""
        self._is_separate = False

    def add_text(self, text: str) -> None:
        if self._verbatim:
            self.done.append(text)
            return
        if self._run and self._run[-1] == "\n":
            text = text.lstrip(" \t").removeprefix("\n")
        for number, part in enumerate(_BLANK_LINES.split(text)):
            if number:
                self._begin_paragraph()
            if part:
                self._run.append(part)

    def add_tag(self, tag: str) -> None:
        found = _TAG_NAME.match(tag)
        name = found[1].lower() if found else ""
        is_end = tag.startswith("</")
        if self._verbatim:
            self.done.append(tag)
            if is_end and name == self._verbatim:
                self._verbatim = ""
        elif name == "br":
            self._break_line()
        elif name == "p":
            self._begin_paragraph()
        elif name in _VERBATIM and not is_end:
            self.end_paragraph()
            self.done.append(tag)
            self._verbatim = name
        elif name in _BLOCKS:
            self.end_paragraph()
            self.done.append(tag)
            self._track(name, is_end=is_end)
        else:
            self._run.append(" ".join(tag.split("\n")))

    def end_paragraph(self) -> None:
        """Write the run, if it has any text or tag."""
        lines = (line.strip(" \t") for line in "".join(self._run).split("\n"))
        text = "<br>".join(line for line in lines if line)
        self._run.clear()
        if text:
            is_paragraph = self._is_separate or self._open[-1] in _OUTER
            self.done.append(f"<p>{text}</p>" if is_paragraph else text)
        self._is_separate = False

    def _begin_paragraph(self) -> None:
        self.end_paragraph()
        self._is_separate = True

    def _break_line(self) -> None:
        if self._run and self._run[-1] == "\n":
            self._begin_paragraph()
        else:
            self._run.append("\n")

    def _track(self, name: str, *, is_end: bool) -> None:
        if not is_end and name not in _EMPTY:
            self._open.append(name)
            self._count[name] = self._count.get(name, 0) + 1
        elif is_end and self._count.get(name):
            while (closed := self._open.pop()) != name:
                self._count[closed] -= 1
            self._count[name] -= 1
