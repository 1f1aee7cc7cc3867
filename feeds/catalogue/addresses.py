"""Web addresses, tag URIs and e-mail addresses, as an editor writes them."""

import re
from datetime import UTC, datetime
from unicodedata import normalize
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from feeds.catalogue.reading import Fault
from feeds.paths import MEDIA

_LONGEST = 2000
# Everything that RFC 3986 allows in an address; what lies beyond ASCII is encoded.
_ADDRESS = re.compile(r"(?:[!#$&'()*+,\-./0-9:;=?@A-Z_a-z~\[\]]|%[0-9A-Fa-f]{2}|[^\x00-\x9f])+")
_SAFE = "!#$%&'()*+,-./:;=?@_~[]"
# What is an address already, letter for letter, as nearly all are.
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?"
_PATH = r"[A-Za-z0-9\-._~!$&'()*+,;=:@/]"
_ORDINARY = re.compile(rf"https?://{_LABEL}(?:\.{_LABEL}){{1,8}}(?:/{_PATH}*(?:\?{_PATH}+)?)?")
_HOST = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z._-]*[0-9A-Za-z])?")
# What ends or encodes a path in an address.
_NO_NAME = "?#%\\"
_LONGEST_NAME = 500
_TAG = re.compile(
    r"tag:(?P<authority>(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)"
    r",(?P<date>\d{4}(?:-\d\d(?:-\d\d)?)?)"
    r":(?P<specific>(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})+)"
)
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def web_address(text: str) -> str:
    """Read an http or https address with a host, as an ASCII URI (RFC 3986, RFC 3987 §3.1)."""
    if len(text) > _LONGEST:
        raise Fault(f"is longer than {_LONGEST} characters")
    if _ORDINARY.fullmatch(text):
        return text
    bad = next((part for part in text if not _ADDRESS.fullmatch(part) and part != "%"), None)
    if bad is not None:
        raise Fault(f"an address has no {bad!r}; write it as {quote(bad)}")
    if not _ADDRESS.fullmatch(text):
        raise Fault("in an address, '%' stands before two hexadecimal digits")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Fault("is not a web address") from None
    if parts.scheme not in {"http", "https"}:
        raise Fault("is not a web address: it begins with https:// or http://")
    if parts.username is not None or parts.password is not None:
        raise Fault("must not carry a user's name or password: it will be published")
    return urlunsplit(
        (
            parts.scheme,
            _ascii_host(host) + (f":{port}" if port is not None else ""),
            *(quote(part, safe=_SAFE) for part in (parts.path, parts.query, parts.fragment)),
        )
    )


def photo_address(text: str) -> str:
    """Read where a photo is: at a web address, or in `media/`, whose paths are in NFC."""
    if "://" in text:
        return web_address(text)
    if not text.startswith(MEDIA):
        raise Fault(
            f"is no web address: it begins with https:// or http://;"
            f" a picture beside the catalogue is written like {MEDIA}market.jpg"
        )
    bad = next((letter for letter in text if letter in _NO_NAME or not letter.isprintable()), None)
    if bad is not None:
        raise Fault(f"the name of a picture has no {bad!r}")
    if len(text) > _LONGEST_NAME or any(part in {"", ".", ".."} for part in text.split("/")):
        raise Fault(f"has parts that are empty, '.' or '..', or over {_LONGEST_NAME} characters")
    return normalize("NFC", text)


def _ascii_host(host: str | None) -> str:
    if not host:
        raise Fault("names no host")
    if ":" in host:
        return f"[{host}]"
    try:
        name = host.encode("idna").decode()
    except UnicodeError:
        raise Fault(f"the host {host!r} is not a valid name") from None
    if not _HOST.fullmatch(name):
        raise Fault(f"the host {host!r} is not a valid name")
    return name


def site_address(text: str) -> str:
    """Read the address under which the documents live: it ends in `/`."""
    address = web_address(text)
    if "?" in address or "#" in address:
        raise Fault("is where the documents live: it has no '?' and no '#'")
    if not address.endswith("/"):
        raise Fault(f"ends in '/': write {address}/")
    if {".", ".."} & {*unquote(urlsplit(address).path).split("/")}:
        raise Fault("has '.' or '..' between two '/': write where that leads to")
    return address


def tag_uri(text: str) -> str:
    """Read a permanent id: a tag URI with a date (RFC 4151)."""
    found = _TAG.fullmatch(text)
    if not found:
        raise Fault("is no tag URI; write it like tag:news.example.org,2021:name")
    tag_date(text)
    return text


def tag_date(text: str) -> datetime:
    """Give the instant that the date in a tag URI stands for (RFC 4151 §2.1)."""
    found = _TAG.fullmatch(text)
    year, month, day = [*(found["date"] if found else "1970").split("-"), "01", "01"][:3]
    try:
        return datetime(int(year), int(month), int(day), tzinfo=UTC)
    except ValueError:
        raise Fault(f"there is no day {year}-{month}-{day}") from None


def email(text: str) -> str:
    """Read an e-mail address."""
    if not _EMAIL.fullmatch(text):
        raise Fault("is no e-mail address")
    return text
