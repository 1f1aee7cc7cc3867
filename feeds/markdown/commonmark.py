"""Markdown → HTML by cmark, and which words of the Markdown that leaves out."""

import re
from collections import Counter
from collections.abc import Iterable
from html import unescape
from urllib.parse import unquote

import cmarkgfm
from cmarkgfm.cmark import Options

from feeds.markdown.losses import Loss

_OPTIONS = (
    # Raw HTML passes, because it is sanitised later.
    Options.CMARK_OPT_UNSAFE
    | Options.CMARK_OPT_FOOTNOTES
    | Options.CMARK_OPT_STRIKETHROUGH_DOUBLE_TILDE
)
_EXTENSIONS = ("table", "strikethrough", "tasklist")
# Feed readers remove form controls.
_TASKS = {
    '<input type="checkbox" checked="" disabled="" />': "☑",
    '<input type="checkbox" disabled="" />': "☐",
}
_WORD = re.compile(r"[^\W_]+")
_FOOTNOTE_LABEL = re.compile(r"\[\^([^\]\s\[^]+)\]")
_FOOTNOTE_ITEM = re.compile(r'<li id="fn-([^"]*)">')
_DEFINITION = re.compile(r"\[((?:[^\[\]\\]|\\.)+)\]:")
# Signs at a line's beginning, which are not text: of lists, quotes and tasks, and all of a fence.
_MARKERS = re.compile(
    r"^(?:[ \t>]|(?:[-*+]|[0-9]{1,9}[.)])(?=\s)|\[[ xX]\](?=\s))*(?:(?:```|~~~).*$)?", re.MULTILINE
)
# Where labels are that the HTML has not; `[//]: # (a comment)` is published nowhere.
_LABELS = re.compile(
    r"^[ \t>]*\[[^\]]+\]:\s*(?:#|<>)\s.*$|\[(?:[^\[\]\\]|\\.)+\]:|\]\[[^\]]*\]", re.MULTILINE
)
_SHOWN = 60


def html_of(body: str) -> str:
    """Return CommonMark with tables, footnotes, tasks and `~~struck~~` text as HTML, unsafe yet."""
    html: str = cmarkgfm.cmark.markdown_to_html_with_extensions(
        body, options=_OPTIONS, extensions=_EXTENSIONS
    )
    if "<input " in html:
        for control, sign in _TASKS.items():
            html = html.replace(control, sign)
    return html


def losses_to_markdown(body: str, html: str, printed: Iterable[str]) -> list[Loss]:
    """Return what of a body is not in its HTML at all, and references that lead nowhere.

    `printed` are the texts in the HTML that look like a reference to a footnote.
    """
    losses = []
    references = dict.fromkeys(printed)
    if references:
        texts = "".join(f"{reference}: x\n\n" for reference in references)
        for label in _new_footnotes(html, html_of(texts + body)):
            message = f"there is no text for the footnote [^{label}]; add a line '[^{label}]: …'"
            losses.append(Loss("footnote without a text", message, (f"[^{label}]",)))
    labels = dict.fromkeys(_FOOTNOTE_LABEL.findall(body))
    if labels:
        whole = html_of("".join(f"[^{label}]\n\n" for label in labels) + body)
        for label in _new_footnotes(html, whole):
            message = f"the footnote [^{label}] is not published: write [^{label}] in the text, too"
            losses.append(Loss("footnote not referred to", message, (f"[^{label}]:",)))
        html = whole
    return losses + _lost_words(body, html)


def _new_footnotes(before: str, after: str) -> list[str]:
    """Return the labels of the footnotes that only the second of two HTML texts has."""
    known = {unquote(label).casefold() for label in _FOOTNOTE_ITEM.findall(before)}
    labels = map(unescape, map(unquote, _FOOTNOTE_ITEM.findall(after)))
    return [label for label in labels if label.casefold() not in known]


def _lost_words(body: str, html: str) -> list[Loss]:
    """Return the lines of a body of which some words are not in its HTML."""
    if not ("]:" in body or "|" in body):
        return []
    source = _LABELS.sub(" ", _MARKERS.sub("", body))
    kept = _words(unescape(unquote(html)))
    # A text is read in both ways: in code, references are no characters.
    lost = (_words(source) - kept) & (_words(unescape(unquote(source))) - kept)
    if not lost:
        return []
    losses = []
    lines = [*enumerate(body.split("\n"))]
    # A line of which more is lost is more likely the one.
    for number, line in sorted(lines, key=lambda pair: -len(_lost_end(pair[1], lost))):
        words = _lost_end(line, lost)
        if words:
            lost -= Counter(words)
            losses.append((number, _lost_line(line, words)))
    return [loss for _, loss in sorted(losses)]


def _words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text))


def _lost_end(line: str, lost: Counter[str]) -> list[str]:
    """Return the words at a line's end that are lost."""
    taken: Counter[str] = Counter()
    for word in reversed(_WORD.findall(line)):
        if taken[word] >= lost[word]:
            break
        taken[word] += 1
    return _WORD.findall(line)[-taken.total() :] if taken else []


def _lost_line(line: str, words: list[str]) -> Loss:
    text = " ".join(words)
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    definition = _DEFINITION.search(line)
    if definition:
        label = definition[1]
        remedy = f"no link has the label [{label}]; write [text][{label}], or the address itself"
    elif "|" in line:
        remedy = "the row has more cells than the first row of its table; add cells to that"
    else:
        remedy = "Markdown leaves it out; write it in a paragraph of its own"
    return Loss("lost words", f"'{text}' is not published: {remedy}", (line.strip(),))
