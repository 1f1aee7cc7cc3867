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
_ATTRIBUTES = nh3.ALLOWED_ATTRIBUTES | {"*": {"id"}}


def render_body(entry: Entry, site: Site) -> str:
    """Give an entry's body as sanitised HTML; '' for an entry without one.

    The body is CommonMark with tables. A relative link is resolved against the
    site, and a fragment alone against the entry's own page. What it names by an
    `id` has the entry's before it, so that no two of a document are the same.
    """
    if not entry.body:
        return ""
    prefix = f"{entry.id}-"
    absolute = partial(_absolute, site.url, site.address(entry.path), prefix)
    return nh3.clean(
        _html(entry.body),
        attributes=_ATTRIBUTES,
        id_prefix=prefix,
        url_schemes=_SCHEMES,
        url_relative=absolute,
        link_rel=None,
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


def _absolute(site_url: str, page: str, prefix: str, link: str) -> str | None:
    if link.startswith("#"):
        return f"{page}#{prefix}{link[1:]}" if link[1:] else page
    try:
        return urljoin(site_url, link)
    except ValueError:
        return None
