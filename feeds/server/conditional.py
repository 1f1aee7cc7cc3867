"""What is known about HTTP's headers, as pure functions: RFC 9110 and RFC 9111."""

import re
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header, parse_date

from feeds.compression import CODINGS
from feeds.headers import CORS, FEED_POLICY, NOSNIFF, PAGE
from feeds.server.store import Record
from feeds.urls import surrogate_keys

Headers = list[tuple[str, str]]

IDENTITY = "identity"

# An entity tag, or what a careless client makes of one.
_TAG = re.compile(r'(?:[Ww]/)?"([^"]*)"|([^\s",]+)')
# Servers in front of this one name the coding that they put on in the tag.
_SUFFIX = re.compile(r"(?:[-:;]{1,2}(?:gzip|br|zstd|deflate))?")
# Of what clients send in earnest; only that is worth remembering.
_USUAL = 200
# Longer lists are treated as absent: no client needs them, and parsing them takes long.
MAX_LIST_LENGTH = 1000
# A list of so many characters has a hundred tags and more.
MAX_TAGS_LENGTH = 8000


def document_headers(
    path: str, media_type: str, address: str, *, hub: str = "", shown_as: str = ""
) -> Headers:
    """Return the headers of a document under every coding, without its validators.

    A browser shows a feed under the media type `shown_as`, and saves it, or shows
    its source, under the feed's own. The answer does not vary: it is the same
    document with the same validators, and every reader takes either type. A cache
    that mixes the two up costs somebody the sight of a style, where a `Vary`
    would have each cache keep the document once for every kind of request.
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
        *(PAGE if media_type.startswith("text/html") else ()),
        # As Fastly and Varnish call it, and as Cloudflare does.
        ("Surrogate-Key", " ".join(keys)),
        ("Cache-Tag", ",".join(keys)),
    ]


def validators(document: Record, coding: str) -> Headers:
    """Give what a 304 carries too: the validators, and whom the answer is for.

    A strong tag would have to differ from coding to coding (RFC 9110 §8.8.3.3);
    the weak one says that they are all the same document.
    """
    strong = f'"{document.etag}"'
    dated = (
        [("Last-Modified", format_datetime(document.modified, usegmt=True))]
        if document.modified
        else []
    )
    return [
        ("ETag", strong if coding == IDENTITY else f"W/{strong}"),
        *dated,
        ("Vary", "Accept-Encoding"),
        *CORS,
    ]


def preferred_coding(accepted: str) -> str:
    """Give the content coding that a client likes best, by its Accept-Encoding (RFC 9110 §12.5.3).

    Of codings it likes equally well the smallest is given; `identity` where it
    likes none, or likes that better, or where its list is too long.
    """
    if len(accepted) > MAX_LIST_LENGTH:
        return IDENTITY
    return _remembered(accepted) if len(accepted) <= _USUAL else _preferred(accepted)


def _preferred(accepted: str) -> str:
    weights = {name.lower(): weight for name, weight in parse_accept_header(accepted)}
    weights.setdefault("gzip", weights.get("x-gzip", weights.get("*", 0)))
    best = max(CODINGS, key=lambda coding: weights.get(coding, weights.get("*", 0)))
    weight = weights.get(best, weights.get("*", 0))
    return best if weight > 0 and weight >= weights.get(IDENTITY, 0) else IDENTITY


_remembered = lru_cache(maxsize=256)(_preferred)


def prefers_html(accepted: str) -> bool:
    """Return whether an Accept names HTML among what it likes best, as browsers do (RFC 9110 §12.5.1)."""
    if len(accepted) > MAX_LIST_LENGTH:
        return False
    types = parse_accept_header(accepted, MIMEAccept)
    return types["text/html"] > types["text/plain"]


def names_tag(if_none_match: str, etag: str) -> bool:
    """Tell whether an If-None-Match names a document (RFC 9110 §13.1.2), compared weakly.

    A tag that a server in front has marked with its coding is still the document's.
    A list that is too long names nothing.
    """
    if len(if_none_match) > MAX_TAGS_LENGTH:
        return False
    if if_none_match.strip() == "*":
        return True
    tags = (quoted or bare for quoted, bare in _TAG.findall(if_none_match))
    return any(tag.startswith(etag) and _SUFFIX.fullmatch(tag, len(etag)) for tag in tags)


def unmodified_since(if_modified_since: str, modified: datetime, now: datetime) -> bool:
    """Tell whether a document is no newer than an If-Modified-Since (RFC 9110 §13.1.3).

    A date in the future was not given by this server: what may change until
    then must not be hidden behind it.
    """
    if len(if_modified_since) > _USUAL:
        return False
    try:
        since = parse_date(if_modified_since.partition(";")[0])
    except OverflowError:  # of a year that no date has
        return False
    return since is not None and modified <= since <= now
