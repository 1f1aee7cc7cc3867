"""HTTP headers, conditional requests and content codings, for the server and for hosts."""

import gzip
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from feeds.urls import surrogate_keys

Header = tuple[str, str]
IDENTITY = "identity"

NOSNIFF: Header = ("X-Content-Type-Options", "nosniff")
# Needed by feed readers that run in a browser.
CORS: tuple[Header, ...] = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag, Link"),
)
# The answer to a preflight request (Fetch §3.2).
PREFLIGHT: tuple[Header, ...] = (
    ("Access-Control-Allow-Methods", "GET, HEAD"),
    ("Access-Control-Allow-Headers", "If-None-Match, If-Modified-Since"),
    ("Access-Control-Max-Age", "86400"),
)
# A page may load its own style sheet and fonts, and pictures from anywhere.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' https: http:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_POLICY: Header = ("Content-Security-Policy", _PAGE_POLICY)
# Other sites see the site that a reader comes from, but not the page.
REFERRER: Header = ("Referrer-Policy", "strict-origin-when-cross-origin")
# The headers of each page, in addition to those of every document.
PAGE: tuple[Header, ...] = (PAGE_POLICY, REFERRER)
# A feed that a browser displays may load its style sheet only.
FEED_POLICY: Header = ("Content-Security-Policy", "default-src 'none'; style-src 'self'")

# How long a stale copy may be served while a new one is fetched, or if that fails.
_STALE_WHILE_REVALIDATE_SECONDS = 60
_STALE_IF_ERROR_SECONDS = 86_400

# An entity tag, quoted or, by careless clients, bare.
_TAG = re.compile(r'(?:[Ww]/)?"([^"]*)"|([^\s",]+)')
# Servers in front of this one append the coding that they apply.
_CODING_SUFFIX = re.compile(r"(?:[-:;]{1,2}(?:gzip|br|zstd|deflate))?")
# Longer values are ignored: a list of this length has more than a hundred tags.
_MAX_TAGS_LENGTH = 8000
_MAX_DATE_LENGTH = 200

_BYTES = re.compile(r"bytes=(?:([0-9]{1,15})-([0-9]{0,15})|-([0-9]{1,15}))")

# Fewer bytes fit into one packet uncompressed.
MIN_COMPRESSED_BYTES = 1024

# Measured on feeds of 50 kB: Brotli's quality 5 takes 1 ms; 11 takes 20 times as long for
# a fifth fewer bytes.
_BROTLI_QUALITY = 5
_GZIP_LEVEL = 6


def cache_control(max_age: int, until: datetime | None = None, now: datetime | None = None) -> str:
    """Return a Cache-Control that allows keeping an answer for `max_age` seconds, but not past `until`."""
    spare = _STALE_WHILE_REVALIDATE_SECONDS
    if until is not None and now is not None:
        remaining = max(int((until - now).total_seconds()), 0)
        spare = min(max(remaining - max_age, 0), spare)
        max_age = min(max_age, remaining)
    return (
        f"public, max-age={max_age}, stale-while-revalidate={spare}"
        f", stale-if-error={_STALE_IF_ERROR_SECONDS}"
    )


def document_headers(
    path: str, media_type: str, address: str, *, hub: str = "", shown_as: str = ""
) -> list[Header]:
    """Return the headers of a document that are the same under every content coding.

    A browser displays a feed only under the media type `shown_as`. The answer has no
    `Vary` for that: it is the same document, and every feed reader accepts either type.
    If a cache mixes them up, a reader misses the style; with a `Vary`, each cache would
    keep a copy for every kind of request.
    """
    link = f'<{address}>; rel="self"'
    if hub:
        link += f', <{hub}>; rel="hub"'
    keys = surrogate_keys(path)
    return [
        ("Content-Type", shown_as or media_type),
        *([FEED_POLICY] if shown_as else []),
        NOSNIFF,
        ("Link", link),
        *(PAGE if is_page(media_type) else ()),
        # For Fastly and Varnish, and for Cloudflare.
        ("Surrogate-Key", " ".join(keys)),
        ("Cache-Tag", ",".join(keys)),
    ]


def is_page(media_type: str) -> bool:
    """Check whether a media type is that of HTML pages."""
    return media_type.startswith("text/html")


def validators(etag: str, modified: datetime | None, coding: str) -> list[Header]:
    """Return the headers that a 304 has too: the validators, and which requests share the answer.

    Strong tags would have to differ between codings (RFC 9110 §8.8.3.3); a weak one is
    the same for all.
    """
    strong = f'"{etag}"'
    dated = [("Last-Modified", format_datetime(modified, usegmt=True))] if modified else []
    return [
        ("ETag", strong if coding == IDENTITY else f"W/{strong}"),
        *dated,
        ("Vary", "Accept-Encoding"),
        *CORS,
    ]


def names_tag(if_none_match: str, etag: str) -> bool:
    """Check whether an If-None-Match names an ETag (RFC 9110 §13.1.2), by weak comparison.

    A tag with the suffix of a content coding matches too.
    """
    if len(if_none_match) > _MAX_TAGS_LENGTH:
        return False
    if if_none_match.strip() == "*":
        return True
    tags = (quoted or bare for quoted, bare in _TAG.findall(if_none_match))
    return any(tag.startswith(etag) and _CODING_SUFFIX.fullmatch(tag, len(etag)) for tag in tags)


def unmodified_since(if_modified_since: str, modified: datetime, now: datetime) -> bool:
    """Check whether a document is no newer than an If-Modified-Since (RFC 9110 §13.1.3).

    A date in the future is ignored: this server did not send it, and it would hide
    later changes.
    """
    if len(if_modified_since) > _MAX_DATE_LENGTH:
        return False
    try:
        since = parsedate_to_datetime(if_modified_since.partition(";")[0])
    except (ValueError, TypeError, OverflowError):
        return False
    return modified <= since.replace(tzinfo=since.tzinfo or UTC) <= now


def has_ranges(media_type: str) -> bool:
    """Check whether parts of documents of a media type can be requested: players do so of audio and video.

    Documents that are compressed are sent as a whole: they are small.
    """
    return not pays(media_type)


def byte_range(header: str, length: int) -> tuple[int, int] | None:
    """Return the first and the last byte that a Range asks for (RFC 9110 §14.1.2).

    The first is behind the last if there are no such bytes. Returns None for anything
    but one range of bytes, which a server may ignore.
    """
    found = _BYTES.fullmatch(header)
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        return max(length - int(suffix), 0) if int(suffix) else length, length - 1
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last or length), length - 1)


def is_same(if_range: str, etag: str, modified: datetime | None) -> bool:
    """Check whether an If-Range, which may be empty, names a document as it is (RFC 9110 §13.1.5)."""
    dated = format_datetime(modified, usegmt=True) if modified else ""
    return if_range in {"", f'"{etag}"', dated}


def _gzip(body: bytes) -> bytes:
    # Without the time of compression: the same bytes in every process.
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)


def _brotli(body: bytes) -> bytes:
    # An export that does not compress does not load it.
    import brotli  # noqa: PLC0415

    smaller: bytes = brotli.compress(body, quality=_BROTLI_QUALITY)
    return smaller


# In order of preference, for clients that have none.
CODINGS: Mapping[str, Callable[[bytes], bytes]] = {"br": _brotli, "gzip": _gzip}


def pays(media_type: str) -> bool:
    """Check whether documents of a media type become smaller; pictures are compressed already."""
    kind = media_type.partition(";")[0]
    return kind.startswith("text/") or kind.endswith(("xml", "json"))


def compress(body: bytes, coding: str) -> bytes | None:
    """Return the bytes under a coding of `CODINGS`; None if that would not make them fewer.

    The result is reproducible.
    """
    if len(body) < MIN_COMPRESSED_BYTES:
        return None
    smaller = CODINGS[coding](body)
    return smaller if len(smaller) < len(body) else None
