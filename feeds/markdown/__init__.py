"""An entry's Markdown → safe and valid HTML whose links are absolute, and what that leaves out."""

import re
from collections.abc import Sequence

import nh3

from feeds.markdown.autolinks import with_links
from feeds.markdown.commonmark import html_of, losses_to_markdown
from feeds.markdown.content_model import ContentModel, Element, is_visible, to_html
from feeds.markdown.elements import KEPT, LEAVES
from feeds.markdown.html_tree import parse
from feeds.markdown.links import SCHEMES
from feeds.markdown.losses import BodyNote, Loss, line_of, notes_of
from feeds.markdown.sanitizer import Base, Sanitiser, written
from feeds.model import Entry, Site

__all__ = ["line_of_link", "links_in", "notes_on", "render_body", "shows_nothing"]

# What nh3 lets through: nothing that the sanitiser would not have left.
_TAGS = set(KEPT)
_SCHEMES = set(SCHEMES)
_ATTRIBUTES = {
    "*": {"dir", "id", "lang", "title"},
    "a": {"aria-label", "href", "hreflang", "role"},
    "blockquote": {"cite"},
    "del": {"cite", "datetime"},
    "div": {"role"},
    "img": {"alt", "height", "src", "width"},
    "ins": {"cite", "datetime"},
    "li": {"value"},
    "ol": {"reversed", "start", "type"},
    "q": {"cite"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
# Only a body with raw HTML, or with anything but plain elements and ordinary addresses in
# the HTML that cmark makes of it, goes through a tree: that takes four times as long.
_RAW = re.compile(r"<(?!https?://)[A-Za-z/!?]")
_ODD = re.compile(
    r"<(?!/?(?:p|em|strong|del|ul|ol|li|blockquote|code|pre|a)>|/h[1-6]>|[bh]r />|h[1-6]>\w"
    r'|(?:a href|img src)="https?://[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/(?:[A-Za-z0-9\-._~!$*+,;=:@/?&]'
    r'|%[0-9A-F]{2})*)?(?<!%[0-9A-F][0-9A-F])"(?: alt="[^"]*")?(?: title="[^"]+")?(?: /)?>)'
)
_ANY = Base("https://example.org/", "https://example.org/entries/x/", "x-")


def render_body(entry: Entry, site: Site) -> str:
    """Return an entry's body as sanitised HTML; '' for an entry without one.

    A relative link is resolved against the site, and a fragment alone against the
    entry's own page. Each `id` in it begins with the entry's, so that no two of a
    document are the same.
    """
    if not entry.body:
        return ""
    html = html_of(entry.body)
    if _RAW.search(entry.body) or _ODD.search(html):
        base = Base(site.url, site.address(entry.path), f"{entry.id}-", site.language)
        sanitiser = Sanitiser(base)
        tree = parse(html, LEAVES)
        html = to_html(ContentModel().flow(sanitiser.sanitised(tree.children)))
    elif "://" in html:
        html = with_links(html)
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel=None,
    ).strip()


def _sanitised(body: str) -> tuple[Element, Sanitiser, str]:
    html = html_of(body)
    sanitiser = Sanitiser(_ANY)
    left = Element("body", {}, sanitiser.sanitised(parse(html, LEAVES).children))
    return left, sanitiser, html


def shows_nothing(body: str) -> bool:
    """Return whether neither text nor a picture is left of a body once it is safe."""
    return not is_visible([_sanitised(body)[0]])


def links_in(body: str) -> list[str]:
    """Return the addresses of a body's links and pictures that are published, as written."""
    return list(dict.fromkeys(_sanitised(body)[1].links))


def line_of_link(body: str, link: str) -> int:
    """Return the line of a body, from 0, on which one of the `links_in` it is."""

    def losses(part: str) -> list[Loss]:
        return [Loss("", found, ()) for found in links_in(part)]

    return line_of(body, Loss("", link, written(link)), losses)


def notes_on(body: str) -> list[BodyNote]:
    """Return a note on each thing in a body that is not published as it is written."""
    return notes_of(body, _losses(body), _losses)


def _losses(body: str) -> Sequence[Loss]:
    _, sanitiser, html = _sanitised(body)
    return sanitiser.losses + losses_to_markdown(body, html, sanitiser.footnotes)
