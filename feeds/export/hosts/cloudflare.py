"""Cloudflare Pages: `_headers` and `_redirects` in Netlify's form, within Cloudflare's limits."""

from collections.abc import Mapping

from feeds.errors import FeedsError
from feeds.export.hosts.netlify import (
    HEADERS,
    REDIRECTS,
    headers,
    redirects,
    shapes,
)
from feeds.export.hosts.serving import Serving

# https://developers.cloudflare.com/pages/configuration/redirects/
_LINES = 2000
_WITH_SPLAT = 100


def files(serving: Serving) -> Mapping[str, bytes]:
    """Give both files; raises FeedsError for more moves than are taken."""
    rules = [*headers(serving, shapes)]
    lines = [*redirects(serving, "301")]
    splats = sum(":splat" in line for line in lines)
    if splats > _WITH_SPLAT or len(lines) - splats > _LINES:
        raise FeedsError(
            f"{REDIRECTS}: Cloudflare Pages takes {_WITH_SPLAT} moved folders,"
            f" and {_LINES} moved paths; site.moved has more"
        )
    return {
        HEADERS: "\n".join([*rules, ""]).encode(),
        REDIRECTS: "\n".join([*lines, ""]).encode(),
    }
