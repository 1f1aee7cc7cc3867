"""Addresses in any script become URIs."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.urls import to_uri, web_host

# RFC 3986, except the rules for hosts in brackets.
URI = re.compile(
    r"https?://(?:[A-Za-z0-9\-._~!$&'()*+,;=:]|%[0-9A-F]{2})*@?"
    r"(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?"
    r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*"
    r"(?:#(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?"
)
PARTS = [
    "/",
    "?",
    "#",
    "[",
    "]",
    "%",
    "%25",
    "@",
    ":",
    "\\",
    " ",
    '"',
    "ä",
    "я.рф",
    "ß",
    "\u200c",
    "❤",
    "a",
]


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        (
            "https://я.рф/[a]?b[]=ü#[c]#d",
            "https://xn--41a.xn--p1ai/%5Ba%5D?b%5B%5D=%C3%BC#%5Bc%5D%23d",
        ),
        ("https://example.org/a b%zz%20", "https://example.org/a%20b%25zz%20"),
        ("https://ü@faß.de:80", "https://%C3%BC@xn--fa-hia.de:80"),
        ("https://[::1]/[a]", "https://[::1]/%5Ba%5D"),
        ("//я.рф/ä", "//xn--41a.xn--p1ai/%C3%A4"),
        ("../ä?a[]=1", "../%C3%A4?a%5B%5D=1"),
        ("#ä", "#%C3%A4"),
        ("mailto:press@example.org?subject=ä", "mailto:press@example.org?subject=%C3%A4"),
    ],
)
def test_address_becomes_a_uri(text: str, uri: str) -> None:
    """Each part of an address is encoded as that part allows."""
    assert to_uri(text) == uri


@pytest.mark.parametrize(
    "text", ["https:///a", "https:/example.org", "https://[::1", "https://i❤.ws/", "https://a..b/"]
)
def test_address_without_a_valid_host_is_refused(text: str) -> None:
    """An address without a valid host is never turned into an address of another host."""
    with pytest.raises(ValueError, match=r"host|not a web address"):
        to_uri(text)


@given(st.lists(st.sampled_from(PARTS) | st.text(max_size=5)).map("".join))
def test_any_address_becomes_a_uri_or_is_refused(rest: str) -> None:
    """The result is a URI, and converting it again does not change it."""
    try:
        uri = to_uri(f"https://example.org{rest}")
    except ValueError:
        return
    assert URI.fullmatch(uri)
    assert to_uri(uri) == uri


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://Example.org/a", "example.org"),
        ("http://user@example.org:8080", "example.org"),
        ("https://[::1]:1/", "::1"),
        ("ftp://example.org/", ""),
        ("https://example.org:0/", ""),
        ("https://example.org:port/", ""),
        ("https:///a", ""),
        ("https://[::1", ""),
        ("example.org", ""),
    ],
)
def test_host_to_ask(address: str, host: str) -> None:
    """Only an http or https address with a host and a usable port has a web host."""
    assert web_host(address) == host
