"""From how far an address can be read: what is private is never asked for a public site."""

import socket
from collections.abc import Iterator
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

# Names that mean something else on each network (RFC 6762, RFC 8375; .internal by ICANN).
_LOCAL = (".local", ".internal", ".home.arpa")
# These carry an IPv4 address in their last four bytes (RFC 6052, RFC 8215, RFC 4291 §2.5.5.1).
_TRANSLATED = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))


class Reach(IntEnum):
    """From how far an address can be read."""

    MACHINE = 0
    # Of the same cable; cloud providers give a machine its credentials there.
    LINK = 1
    NETWORK = 2
    INTERNET = 3


def reach_of(address: str) -> Reach:
    """Return from how far a web address can be read, by its host alone: no name is looked up."""
    # Other scripts have dots and digits of their own, which are the same in a name (RFC 3490 §3.1).
    host = (
        normalize("NFKC", unquote(urlsplit(address).hostname or "")).replace("。", ".").rstrip(".")
    )
    try:
        return reach_of_number(host)
    except ValueError:
        pass
    try:
        # As C libraries read what looks like a number: `127.1`, `0x7f.1`, `2130706433`.
        return reach_of_number(str(IPv4Address(socket.inet_aton(host))))
    except (OSError, UnicodeError):
        return _reach_of_name(host)


def reach_of_number(text: str) -> Reach:
    """Return from how far an IP address can be read; raises ValueError if it is not one."""
    return min(map(_reach, _numbers(ip_address(text))))


def _numbers(number: IPv4Address | IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    """Return an address, and the IPv4 address where packets to it may end."""
    if isinstance(number, IPv6Address):
        if number.ipv4_mapped:
            yield number.ipv4_mapped
            return
        if number.sixtofour:
            yield number.sixtofour
        if number.teredo:
            yield from number.teredo
        if not number.is_loopback and any(number in network for network in _TRANSLATED):
            yield IPv4Address(number.packed[-4:])
    yield number


def _reach(number: IPv4Address | IPv6Address) -> Reach:
    if number.is_loopback or number.is_unspecified:
        return Reach.MACHINE
    if number.is_link_local:
        return Reach.LINK
    if any(number in network for network in _TRANSLATED[:1]):
        # What counts is the address that it carries.
        return Reach.INTERNET
    local = isinstance(number, IPv6Address) and number.is_site_local
    public = number.is_global and not (local or number.is_multicast or number.is_reserved)
    return Reach.INTERNET if public else Reach.NETWORK


def _reach_of_name(host: str) -> Reach:
    if host == "localhost" or host.endswith(".localhost"):
        return Reach.MACHINE
    return Reach.NETWORK if "." not in host or host.endswith(_LOCAL) else Reach.INTERNET
