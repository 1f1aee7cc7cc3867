"""Which feeds a hub is told of."""

from collections.abc import Mapping
from enum import IntEnum
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from feeds.model import Site
from feeds.paths import FEEDS

_FILES = {*FEEDS.values()}
# Names that mean something else on each network (RFC 6762, RFC 8375; .internal by ICANN).
_LOCAL = (".local", ".internal", ".home.arpa")


class Reach(IntEnum):
    """From how far an address can be read."""

    MACHINE = 0
    NETWORK = 1
    INTERNET = 2


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


def reach_of(address: str) -> Reach:
    """Tell from how far a web address can be read, by its host alone: no name is looked up."""
    host = (urlsplit(address).hostname or "").rstrip(".")
    try:
        number = ip_address(host)
    except ValueError:
        return _reach_of_name(host)
    if isinstance(number, IPv6Address) and number.ipv4_mapped:
        number = number.ipv4_mapped
    if number.is_loopback or number.is_unspecified:
        return Reach.MACHINE
    return Reach.INTERNET if number.is_global else Reach.NETWORK


def _reach_of_name(host: str) -> Reach:
    if host == "localhost" or host.endswith(".localhost"):
        return Reach.MACHINE
    return Reach.NETWORK if "." not in host or host.endswith(_LOCAL) else Reach.INTERNET
