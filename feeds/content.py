"""An entry's Markdown → safe HTML whose links are absolute."""

from functools import partial
from html import unescape
from urllib.parse import urljoin

import cmarkgfm
import nh3
from cmarkgfm.cmark import Options

from feeds.model import Entry, Site

# Raw HTML passes through CommonMark, because nh3 comes after it.
_OPTIONS = Options.CMARK_OPT_UNSAFE
_SCHEMES = {"http", "https", "mailto", "tel"}


def render_body(entry: Entry, site: Site) -> str:
    """Give an entry's body as sanitised HTML; '' for an entry without one.

    The body is CommonMark with tables. A relative link is resolved against the
    site, and a fragment alone against the entry's own page.
    """
    if not entry.body:
        return ""
    absolute = partial(_absolute, site.url, site.address(entry.path))
    return nh3.clean(
        _html(entry.body), url_schemes=_SCHEMES, url_relative=absolute, link_rel=None
    ).strip()


def shows_nothing(body: str) -> bool:
    """Tell whether neither text nor a picture is left of a body once it is safe."""
    left = nh3.clean(_html(body), tags={"img"}, attributes={"img": {"src"}}, url_schemes=_SCHEMES)
    text = unescape(left.replace("<img>", ""))
    return not any(sign.isprintable() and not sign.isspace() for sign in text)


def _html(body: str) -> str:
    html: str = cmarkgfm.cmark.markdown_to_html_with_extensions(
        body, options=_OPTIONS, extensions=["table"]
    )
    return html


def _absolute(site_url: str, page: str, link: str) -> str | None:
    try:
        return urljoin(page if link.startswith("#") else site_url, link)
    except ValueError:
        return None
