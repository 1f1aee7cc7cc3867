"""Which feeds a hub is told of."""

from collections.abc import Mapping

from feeds.model import Site
from feeds.notify.reach import reach_of
from feeds.paths import FEEDS

_FILES = {*FEEDS.values()}


def announced(site: Site, etags: Mapping[str, str]) -> dict[str, str]:
    """Give the ETags of a site's feeds by public address, of all its documents' by path.

    A hub is told of no address that means another machine, or none, where the hub is.
    """
    if not site.hub or reach_of(site.url) < reach_of(site.hub):
        return {}
    return {
        site.address(path): etag
        for path, etag in etags.items()
        if path.rpartition("/")[2] in _FILES
    }
