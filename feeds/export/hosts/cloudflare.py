"""Cloudflare Pages: `_headers` and `_redirects` in Netlify's form, within Cloudflare's limits."""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from feeds.errors import FeedsError
from feeds.export.hosts.netlify import headers, redirects, refuse_path, shapes
from feeds.export.hosts.serving import Kind, Serving
from feeds.urls import HOST_HEADERS, HOST_REDIRECTS

# https://developers.cloudflare.com/pages/configuration/headers/
_RULES = 100
# https://developers.cloudflare.com/pages/configuration/redirects/
_LINES = 2000
_WITH_SPLAT = 100


def files(serving: Serving) -> Mapping[str, bytes]:
    """Give both files; raises FeedsError for more than is taken, or a site whose URL has a path."""
    refuse_path(serving)
    rules = [*headers(serving, _addresses)]
    if sum(line.startswith("/") for line in rules) > _RULES:
        raise FeedsError(
            f"{HOST_HEADERS}: Cloudflare Pages takes {_RULES} rules; have pictures of one type end alike"
        )
    lines = [*redirects(serving, "301")]
    splats = sum("* " in line for line in lines)
    if splats > _WITH_SPLAT or len(lines) - splats > _LINES:
        raise FeedsError(
            f"{HOST_REDIRECTS}: Cloudflare Pages takes {_WITH_SPLAT} moved folders,"
            f" and {_LINES} moved paths; site.moved has more"
        )
    return {
        HOST_HEADERS: "\n".join([*rules, ""]).encode(),
        HOST_REDIRECTS: "\n".join([*lines, ""]).encode(),
    }


def _addresses(kind: Kind, serving: Serving) -> Iterator[str]:
    if not kind.ending.startswith("."):
        yield from shapes(kind, serving)
        return
    # What a star stands for has slashes, too.
    if kind.page:
        yield from ("/", "/*/")
    yield f"/*{quote(kind.ending)}"
