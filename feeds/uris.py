"""Addresses with any characters (IRIs, RFC 3987) → ASCII URIs (RFC 3986)."""

import re
from unicodedata import category
from urllib.parse import quote, urlsplit, urlunsplit

# Everything else is percent-encoded: brackets are allowed in a host only.
_SAFE = "!$%&'()*+,-./:;=?@_~"
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"(?=[0-9a-z])[0-9a-z_-]{1,63}(?:\.[0-9a-z_-]{1,63})*(?<=[0-9a-z])")
_WEB_SCHEMES = frozenset(("http", "https"))


def to_uri(text: str) -> str:
    """Return an address, absolute or relative, as an ASCII URI (RFC 3987 §3.1).

    A host outside ASCII becomes punycode, by UTS 46 without its transitional
    rules: `faß.de` is another host than `fass.de`. An ASCII host is only put in
    lower case. In every other part, what RFC 3986 does not allow is
    percent-encoded; what is percent-encoded stays so.

    Raises ValueError, with a message for the editor, for an address that cannot
    be parsed, and for an http or https address without a valid host.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is not a web address") from None
    if parts.scheme in _WEB_SCHEMES and not host:
        raise ValueError("has no host")
    authority = _authority(parts.netloc, host, port) if host else ""
    return urlunsplit((parts.scheme, authority, *map(_encoded, parts[2:])))


def to_ascii_host(host: str) -> str:
    """Return a host's name in ASCII (UTS 46, IDNA 2008); raises ValueError."""
    name = host.lower()
    if not name.isascii():
        # Few hosts need it, and its tables take long to load.
        import idna  # noqa: PLC0415

        try:
            labels = idna.uts46_remap(host, std3_rules=False).split(".")
            # `foo_bar` is allowed beside such a label as it is among others.
            name = ".".join(
                label if label.isascii() else idna.alabel(label).decode() for label in labels
            )
        except idna.IDNAError:
            name = ""
    if not _HOST.fullmatch(name):
        raise ValueError(_refusal(host))
    return name


def _authority(written: str, host: str, port: int | None) -> str:
    user, at, place = written.rpartition("@")
    name = f"[{host}]" if place.startswith("[") else to_ascii_host(host)
    return _encoded(user) + at + name + (f":{port}" if port is not None else "")


def _encoded(part: str) -> str:
    return quote(_STRAY_PERCENT.sub("%25", part), safe=_SAFE)


def _refusal(host: str) -> str:
    if host.endswith("."):
        return f"the host {host!r} ends in '.'; remove it"
    # Letters, marks and digits are refused only because of their neighbours.
    refused = next((c for c in host if not c.isascii() and category(c)[0] in "PSZ"), "")
    if refused:
        return (
            f"{refused!r} is not allowed in a host; remove it,"
            " or write the host as it is registered, with xn--"
        )
    return f"the host {host!r} is not a valid name"


def web_host(address: str) -> str:
    """Return the host of an http or https address that a request can be sent to, or ''."""
    try:
        parts = urlsplit(address)
        can_be_asked = parts.scheme in _WEB_SCHEMES and parts.port != 0
    except ValueError:
        return ""
    return (parts.hostname or "") if can_be_asked else ""
