"""Addresses inside pages: relative, so that a site can be shown under any host, port and prefix.

HTML that is rendered once stands in pages of different depth. So the addresses in
it begin with `ROOT`, which is replaced in each whole page.
"""

import re
from functools import lru_cache
from urllib.parse import quote, urlsplit

from markupsafe import escape

from feeds.model import Site

# The site's own folder, as seen from the page: no text has this character.
ROOT = "\x1c"
# An element's attributes, none of which has a quote in it.
_TAG = re.compile(r'<[a-z][a-z0-9]*(?: [a-z-]+="[^"]*")+ ?/?>')


@lru_cache(maxsize=10_000)
def relative_address(path: str) -> str:
    """Return the relative address of a path of the release, before its page is known."""
    return ROOT + quote(path)


def on_page(html: bytes, path: str) -> bytes:
    """Return the HTML of the page at a path, with addresses relative to that page."""
    return html.replace(ROOT.encode(), b"../" * path.count("/") or b"./")


def absolute(html: bytes, site: Site) -> bytes:
    """Return the HTML of a page that is shown at any path, with absolute addresses."""
    return html.replace(ROOT.encode(), escape(site.url).encode())


class SiteLinks:
    """Makes the addresses that are under a site's URL relative."""

    def __init__(self, site: Site) -> None:
        scheme, host, path, *_ = urlsplit(site.url)
        # Of the host, case means nothing. The site's own page has an address without a slash too.
        start = f"(?i:{re.escape(f'{scheme}://{host}')}){re.escape(path.removesuffix('/'))}"
        start = rf'{start}(?:/|(?=[?#"]|$))'
        self._start = re.compile(start)
        self._host = host.lower()
        in_html = start.replace("&", "&amp;")
        self._attribute = re.compile(rf'(?<= )(href|src)="{in_html}([^"]*)"')

    def relative(self, address: str) -> str:
        """Return an address, from `ROOT` if it is under the site's URL."""
        found = self._start.match(address)
        return ROOT + address[found.end() :] if found else address

    def relative_in(self, html: str, page: str) -> str:
        """Return the HTML of a body with relative links and pictures; `page` is the path of its page.

        A link to a part of that page is the fragment alone, which also works from disk.
        """
        if self._host not in html.lower():
            return html
        own = f"{quote(page)}#"

        def attribute(found: re.Match[str]) -> str:
            name, rest = found.groups()
            same_page = rest.startswith(own)
            address = f"#{rest.removeprefix(own)}" if same_page else ROOT + rest
            return f'{name}="{address}"'

        return _TAG.sub(lambda tag: self._attribute.sub(attribute, tag[0]), html)
