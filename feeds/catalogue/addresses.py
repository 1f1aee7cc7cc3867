"""Web addresses, tag URIs and e-mail addresses, as an editor writes them."""

import re
from datetime import UTC, datetime
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

from feeds.catalogue.address_mistakes import (
    check_beginning,
    check_characters,
    check_invisible,
    meant_address,
    proposal,
    quoted,
    unlikely_end,
)
from feeds.catalogue.reader import Fault, Remark
from feeds.paths import MEDIA
from feeds.uris import to_ascii_host, to_uri

_LONGEST = 2000
# What is an address already, letter for letter, as nearly all are. A colon, and some
# characters at the end, need a closer look.
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?"
_PATH = r"[A-Za-z0-9\-._~!$&'()*+,;=@/]"
_ORDINARY = re.compile(
    rf"https?://{_LABEL}(?:\.{_LABEL}){{1,8}}(?:/{_PATH}*(?:\?{_PATH}+)?)?(?<![.,;!'()*])"
)
# What YAML's blocks and quotes leave around a text.
_AROUND = " \t\r\n"
# What ends or encodes a path in an address.
_NO_NAME = "?#%\\"
_LONGEST_NAME = 500
_TAG = re.compile(
    r"tag:(?P<authority>(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)"
    r",(?P<date>\d{4}(?:-\d\d(?:-\d\d)?)?)"
    r":(?P<specific>(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})+)"
)
_EMAIL = re.compile(r"(?<!\w)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def web_address(text: str) -> str:
    """Read an http or https address with a host, as an ASCII URI (RFC 3986, RFC 3987 §3.1)."""
    if _ORDINARY.fullmatch(text) and len(text) <= _LONGEST:
        return text
    text = text.strip(_AROUND)
    uri = _uri(text)
    end = unlikely_end(text)
    if end:
        encoded = "".join(f"%{byte:02X}" for byte in end.encode())
        raise Remark(
            uri,
            f"ends in {quoted(end)}, which is probably not part of the address;"
            f" remove it, or write {encoded} instead",
        )
    return uri


def photo_address(text: str) -> str:
    """Read where a photo is: at a web address, or in `media/`, whose paths are in NFC."""
    if "://" in text or meant_address(text):
        return web_address(text)
    check_invisible(text)
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


def _uri(text: str) -> str:
    if len(text) > _LONGEST:
        raise Fault(f"is longer than {_LONGEST} characters")
    check_invisible(text)
    check_beginning(text)
    check_characters(text)
    try:
        uri = to_uri(text)
    except ValueError as error:
        raise Fault(f"{error}{proposal(text)}") from None
    if "@" in urlsplit(uri).netloc:
        raise Fault("must not carry a user's name or password: it will be published")
    return uri


def site_address(text: str) -> str:
    """Read the address under which the documents live: it ends in `/`."""
    address = _uri(text.strip(_AROUND))
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
    """Read an e-mail address, its host in ASCII."""
    text = text.strip(_AROUND)
    if _EMAIL.fullmatch(text):
        return text
    check_invisible(text)
    name, _, host = text.rpartition("@")
    try:
        address = f"{name}@{to_ascii_host(host)}"
    except ValueError:
        address = ""
    if not _EMAIL.fullmatch(address):
        within = _EMAIL.search(text)
        hint = f"; did you mean {within[0]}?" if within else ""
        raise Fault(f"is no e-mail address{hint}")
    return address
