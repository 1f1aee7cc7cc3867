"""Which feeds a hub is told of."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from feeds.model import Site
from feeds.paths import FEEDS

_FILES = {*FEEDS.values()}
_HERE = {"localhost", "127.0.0.1", "::1"}


def announced(site: Site, etags: Mapping[str, str]) -> dict[str, str]:
    """Give the ETags of a site's feeds by public address, of all its documents' by path.

    A hub elsewhere is told of no address of this machine alone.
    """
    if not site.hub or (_is_here(site.url) and not _is_here(site.hub)):
        return {}
    return {
        site.address(path): etag
        for path, etag in etags.items()
        if path.rpartition("/")[2] in _FILES
    }


def _is_here(address: str) -> bool:
    return urlsplit(address).hostname in _HERE
