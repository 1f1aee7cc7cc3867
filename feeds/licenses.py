"""Licences: the address of one of Creative Commons by its name, and the name by its address."""

import re

from feeds.urls import web_host

_HOST = "creativecommons.org"
# `CC BY-NC-SA 3.0 IGO`, and as SPDX writes it: `CC-BY-NC-SA-3.0-IGO`.
_NAME = re.compile(
    r"CC[ -](?P<kind>BY(?:-NC)?(?:-ND|-SA)?)[ -](?P<version>[1-4]\.[05])"
    r"(?:[ -](?P<port>IGO|[A-Z]{2,3}))?",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    rf"https?://(?:www\.)?{re.escape(_HOST)}/licenses/(?P<kind>by(?:-nc)?(?:-nd|-sa)?)"
    r"/(?P<version>[1-4]\.[05])(?:/(?P<port>igo|[a-z]{2,3}))?(?:/(?:deed|legalcode).*)?/?"
)
_ZERO_NAME = re.compile(r"CC[ -]?0(?:[ -]1\.0)?", re.IGNORECASE)
_PUBLIC_DOMAIN = {"zero": "CC0 1.0", "mark": "Public Domain Mark 1.0"}
_PUBLIC_DOMAIN_ADDRESS = re.compile(
    rf"https?://(?:www\.)?{re.escape(_HOST)}/publicdomain/(zero|mark)/1\.0(?:/.*)?"
)


def license_address(name: str) -> str:
    """Return the address of a licence of Creative Commons by its name; '' for any other text."""
    if _ZERO_NAME.fullmatch(name):
        return f"https://{_HOST}/publicdomain/zero/1.0/"
    found = _NAME.fullmatch(name)
    if not found:
        return ""
    port = f"{found['port']}/" if found["port"] else ""
    return f"https://{_HOST}/licenses/{found['kind']}/{found['version']}/{port}".lower()


def license_name(address: str) -> str:
    """Return the name of a licence by its address: for an unknown one, the address's host."""
    if found := _PUBLIC_DOMAIN_ADDRESS.fullmatch(address):
        return _PUBLIC_DOMAIN[found[1]]
    found = _ADDRESS.fullmatch(address)
    if not found:
        return web_host(address).removeprefix("www.")
    return " ".join(
        filter(
            None,
            (
                "CC",
                found["kind"].upper(),
                found["version"],
                found["port"] and found["port"].upper(),
            ),
        )
    )
