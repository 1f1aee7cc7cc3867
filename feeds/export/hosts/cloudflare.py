"""Cloudflare Pages: `_headers` and `_redirects` in Netlify's form, within Cloudflare's limits."""

from collections.abc import Mapping

from feeds.errors import FeedsError
from feeds.export.hosts.netlify import headers, redirects
from feeds.export.hosts.serving import Serving
from feeds.paths import HOST_HEADERS, HOST_REDIRECTS

# https://developers.cloudflare.com/pages/configuration/redirects/
_LINES = 2000
_WITH_SPLAT = 100


def files(serving: Serving) -> Mapping[str, bytes]:
    """Give both files; raises FeedsError for more moves than are taken."""
    lines = [*redirects(serving, "301")]
    # The plain ones come first, or are not looked at.
    lines.sort(key=_for_a_folder)
    splats = sum(map(_for_a_folder, lines))
    if splats > _WITH_SPLAT or len(lines) - splats > _LINES:
        raise FeedsError(
            f"{HOST_REDIRECTS}: Cloudflare Pages takes {_WITH_SPLAT} moved folders,"
            f" and {_LINES} moved paths; site.moved has more"
        )
    return {
        HOST_HEADERS: "\n".join([*headers(serving), ""]).encode(),
        HOST_REDIRECTS: "\n".join([*lines, ""]).encode(),
    }


def _for_a_folder(line: str) -> bool:
    return "* " in line
