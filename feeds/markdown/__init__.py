"""An entry's Markdown → safe and valid HTML whose links are absolute, and notes on what is left out."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from html import unescape
from operator import itemgetter
from urllib.parse import unquote

import nh3
from cmarkgfm.cmark import Options, markdown_to_html_with_extensions

from feeds.markdown.content_model import ContentModel, Element, is_visible, to_html
from feeds.markdown.links import LINK, ORDINARY, possible_texts
from feeds.markdown.sanitizer import FOOTNOTE, PUBLISHED, Loss, Sanitizer
from feeds.model import Entry, Site

__all__ = ["line_of_link", "links_in", "notes_on", "render_body", "shows_nothing", "to_unsafe_html"]

_OPTIONS = (
    # Raw HTML passes, because it is sanitized later.
    Options.CMARK_OPT_UNSAFE
    | Options.CMARK_OPT_FOOTNOTES
    | Options.CMARK_OPT_STRIKETHROUGH_DOUBLE_TILDE
)
_EXTENSIONS = ("table", "strikethrough", "tasklist")
_TASK = re.compile(r'<input type="checkbox"( checked="")? disabled="" />')
# A second barrier; which of the attributes an element may have is up to the sanitizer.
_CLEANER = nh3.Cleaner(
    tags=set(PUBLISHED),
    attributes={
        "*": set(
            "align alt aria-label cite colspan datetime dir height href hreflang id lang reversed"
            " role rowspan scope src start title type value width".split()
        )
    },
    url_schemes=set(LINK.schemes),
    link_rel=None,
)
# Only a body with raw HTML, or with anything but plain elements, ordinary addresses and texts
# without one in the HTML that cmark makes of it, goes through a tree: that takes four times as long.
_RAW_HTML = re.compile(r"<(?!https?://)[A-Za-z/!?]")
_NEEDS_TREE = re.compile(
    r"<(?!/?(?:p|em|strong|del|ul|ol|li|blockquote|code|pre|a)>|/h[1-6]>|[bh]r />|h[1-6]>\w"
    rf'|(?:a href|img src)="{ORDINARY.pattern}"(?: alt="[^"]*")?(?: title="[^"]+")?(?: /)?>)'
    r"|>[^<]*://"
)

_WORD = re.compile(r"[^\W_]+")
_FOOTNOTE_ITEM = re.compile(r'<li id="fn-([^"]*)">')
_DEFINITION = re.compile(r"\[((?:[^\[\]\\]|\\.)+)\]:")
# Markers at the beginning of a line: of lists, quotes and tasks, and the whole line of a fence.
_MARKERS = re.compile(
    r"^(?:[ \t>]|(?:[-*+]|[0-9]{1,9}[.)])(?=\s)|\[[ xX]\](?=\s))*(?:(?:```|~~~).*$)?", re.MULTILINE
)
# Labels, which are not in the HTML; `[//]: # (a comment)` is published nowhere.
_LABELS = re.compile(
    r"^[ \t>]*\[[^\]]+\]:\s*(?:#|<>)\s.*$|\[(?:[^\[\]\\]|\\.)+\]:|\]\[[^\]]*\]", re.MULTILINE
)
_MAX_NOTES = 5  # on losses of one kind
_MAX_SHOWN = 60  # characters


def render_body(entry: Entry, site: Site) -> str:
    """Return an entry's body as sanitized HTML; '' for an entry without one.

    A relative link is resolved against the site, and a fragment alone against the
    entry's own page. Each `id` in it begins with the entry's, so that no two of a
    document are the same.
    """
    if not entry.body:
        return ""
    html = to_unsafe_html(entry.body)
    if _RAW_HTML.search(entry.body) or _NEEDS_TREE.search(html):
        page = site.address(entry.path)
        sanitizer = Sanitizer(site.url, page, f"{entry.id}-", site.language)
        html = to_html(ContentModel().flow(sanitizer.sanitize(html)))
    return _CLEANER.clean(html).strip()


def shows_nothing(body: str) -> bool:
    """Return whether neither text nor a picture is left of a body once it is safe."""
    return not is_visible(_sanitized(body)[0])


def links_in(body: str) -> list[str]:
    """Return the addresses of a body's links and pictures that are published, as written."""
    return list(dict.fromkeys(_sanitized(body)[1].links))


def line_of_link(body: str, link: str) -> int:
    """Return the line of a body, from 0, on which one of the `links_in` it is."""
    return _line_of(body, possible_texts(link), lambda part: link in links_in(part))


def notes_on(body: str) -> list[tuple[int, str]]:
    """Return a note on each thing in a body that is not published as it is written.

    Each comes with the line of the body that it is about, from 0, and they are in the
    order of lines.
    """
    counts = Counter(_losses(body))
    kinds: dict[str, list[Loss]] = {}
    for loss in counts:
        kinds.setdefault(loss.kind, []).append(loss)
    notes = []
    for found in kinds.values():
        shown, more = found[:_MAX_NOTES], sum(counts[loss] for loss in found[_MAX_NOTES:])
        for loss in shown:
            times = f" ({counts[loss]} times)" if counts[loss] > 1 else ""
            rest = f" (and {more} more like it)" if more and loss is shown[-1] else ""
            line = _line_of(body, loss.texts, partial(_has_loss, loss))
            notes.append((line, f"{loss.message}{times}{rest}"))
    return sorted(notes, key=itemgetter(0))


def to_unsafe_html(body: str) -> str:
    """Return CommonMark with tables, footnotes, tasks and `~~struck~~` text as HTML, as it is."""
    html: str = markdown_to_html_with_extensions(body, options=_OPTIONS, extensions=_EXTENSIONS)
    # Feed readers remove form controls.
    return _TASK.sub(lambda box: "☑" if box[1] else "☐", html)


def _sanitized(body: str) -> tuple[list[Element | str], Sanitizer, str]:
    """Return what is published of a body of any site, its sanitizer, and the HTML before it."""
    html = to_unsafe_html(body)
    sanitizer = Sanitizer("https://example.org/", "https://example.org/entries/x/", "x-")
    return sanitizer.sanitize(html), sanitizer, html


def _has_loss(loss: Loss, body: str) -> bool:
    return any(found[:2] == loss[:2] for found in _losses(body))


def _line_of(body: str, texts: Iterable[str], is_in: Callable[[str], bool]) -> int:
    """Return the line where something begins that may be written as one of some texts.

    Where its text is in the body more than once, or not at all, the shortest
    beginning of the body that it is in decides.
    """
    places = sorted(
        found.start()
        for text in filter(None, dict.fromkeys(texts))
        for found in re.finditer(re.escape(text), body, re.IGNORECASE)
    )
    if len(set(places)) == 1:
        return body.count("\n", 0, places[0])
    for place in places[:_MAX_NOTES]:
        # A tag may go on for some lines.
        line_end, tag_end = body.find("\n", place), body.find(">", place) + 1
        end = max(line_end, tag_end) if line_end > 0 and tag_end > 0 else len(body)
        if is_in(body[:end]):
            return body.count("\n", 0, place)
    ends = [match.end() for match in re.finditer(r"\n|\Z", body)]
    return bisect_left(ends[:-1], True, key=lambda end: is_in(body[:end]))  # noqa: FBT003


def _losses(body: str) -> list[Loss]:
    """Return what of a body is not published as it is written."""
    _, sanitizer, html = _sanitized(body)
    losses = sanitizer.losses
    references = dict.fromkeys(sanitizer.footnotes)
    if references:
        texts = [f"{reference}: x" for reference in references]
        for label in _new_footnotes(html, to_unsafe_html("\n\n".join([*texts, body]))):
            message = f"there is no text for the footnote [^{label}]; add a line '[^{label}]: …'"
            losses.append(Loss("footnote without a text", message, (f"[^{label}]",)))
    written = dict.fromkeys(FOOTNOTE.findall(body))
    if written:
        whole = to_unsafe_html("\n\n".join([*written, body]))
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
    # A text is read in both ways: in code, character references are not characters.
    kept, plain, decoded = (
        Counter(_WORD.findall(text))
        for text in (unescape(unquote(html)), source, unescape(unquote(source)))
    )
    lost = (plain - kept) & (decoded - kept)
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


def _lost_end(line: str, lost: Counter[str]) -> list[str]:
    """Return the words at a line's end that are lost."""
    words = _WORD.findall(line)
    taken: Counter[str] = Counter()
    for word in reversed(words):
        if taken[word] >= lost[word]:
            break
        taken[word] += 1
    return words[len(words) - taken.total() :]


def _lost_line(line: str, words: list[str]) -> Loss:
    text = " ".join(words)
    text = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
    definition = _DEFINITION.search(line)
    if definition:
        label = definition[1]
        remedy = f"no link has the label [{label}]; write [text][{label}], or the address itself"
    elif "|" in line:
        remedy = (
            "the row has more cells than the first row of its table; add cells to the first row"
        )
    else:
        remedy = "Markdown leaves it out; write it in a paragraph of its own"
    return Loss("lost words", f"'{text}' is not published: {remedy}", (line.strip(),))
