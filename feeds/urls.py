"""The paths of all documents under the site's URL, and what follows from a path.

The path of a folder ends in `/`; the empty path is the site's own folder. A feed's
folder has a document of each format. Every folder has a page, except `archive/`.

Also: URLs with any characters (IRIs, RFC 3987) as ASCII URIs (RFC 3986).
"""

import re
from collections.abc import Collection, Mapping
from unicodedata import category
from urllib.parse import quote, urlsplit, urlunsplit

INDEX = "index.html"
STYLE = "style.css"
# How a browser shows a feed.
FEED_STYLE = "feed.css"
# Folders beside the catalogue. Pictures have the same path under the site.
MEDIA = "media/"
STATIC = "static"
TEMPLATES = "templates"
ENTRIES = "entries/"
# Not documents: the server reports its own state there.
HEALTH = "healthz"
METRICS = "metrics"
SUBSCRIBE = "subscribe/"
ARCHIVE = "archive/"
# Shows the address of the feed of the chosen topic and country.
CHOICE_STYLE = SUBSCRIBE + "choice.css"
# Lists of feeds to import: of all feeds, and of each kind, by its name in `site.feeds`.
ALL_OPML = "feeds.opml"
OPML = {"topics": "topics.opml", "countries": "countries.opml"}
SITEMAP = "sitemap.xml"
# The limit of sitemaps.org for one document.
SITEMAP_PAGES = 50_000
ROBOTS = "robots.txt"
NOT_FOUND_PAGE = "404.html"
GONE_PAGE = "410.html"
ERROR_PAGES = {404: NOT_FOUND_PAGE, 410: GONE_PAGE}
# Netlify and Cloudflare Pages read these files and do not serve them.
HOST_HEADERS = "_headers"
HOST_REDIRECTS = "_redirects"
# By the names of the formats in `site.formats`.
FEEDS = {"atom": "atom.xml", "rss": "rss.xml", "json": "feed.json"}
# The names in `site.feeds`; the feed of all entries is always published.
FEED_KINDS = ("topics", "countries", "topics-in-countries")

# Longer redirect chains are treated as loops.
_MAX_REDIRECTS = 20

# The surrogate key of all documents, and that of documents outside the folders below.
EVERYTHING = "everything"
FRONT = "front"
_KEY_PREFIXES = {"topics": "topic", "countries": "country", "entries": "entry"}

# In a URI, everything else is percent-encoded: brackets are allowed in a host only.
_SAFE = "!$%&'()*+,-./:;=?@_~"
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"(?=[0-9a-z])[0-9a-z_-]{1,63}(?:\.[0-9a-z_-]{1,63})*(?<=[0-9a-z])")
WEB_SCHEMES = frozenset(("http", "https"))


def feed_folder(topic: str = "", country: str = "") -> str:
    """Return the folder of a feed, by the slugs of its topic and its country."""
    return (f"topics/{topic}/" if topic else "") + (f"countries/{country}/" if country else "")


def entry_folder(entry: str) -> str:
    """Return the folder of an entry's page, by the entry's id."""
    return f"{ENTRIES}{entry}/"


def archive_folder(feed: str, year: int, month: int = 0, part: int = 0) -> str:
    """Return the folder of a year of a feed's archive, or of a month or numbered part of it."""
    months = f"{month:02}/" if month else ""
    return f"{feed}{ARCHIVE}{year:04}/{months}" + (f"{part}/" if part else "")


def sitemap_parts(pages: int) -> list[str]:
    """Return the paths of the parts of a sitemap; none if all pages fit in one document."""
    if pages <= SITEMAP_PAGES:
        return []
    return [f"sitemap-{number}.xml" for number in range(1, -(-pages // SITEMAP_PAGES) + 1)]


def is_for_hosts(path: str) -> bool:
    """Check whether a path is hidden or configures a host, which no document's path does."""
    return path.startswith(".") or "/." in path or path in {HOST_HEADERS, HOST_REDIRECTS}


def is_folder(path: str) -> bool:
    """Check whether a path is that of a folder."""
    return not path or path.endswith("/")


def covering_rule(path: str, given_up: Collection[str]) -> str | None:
    """Return the given-up path that applies to a path: the path itself or its nearest folder."""
    here = path if given_up else ""
    while here and here not in given_up:
        here = here[: here.rfind("/", 0, -1) + 1]
    return here or None


def moved_to(path: str, moved: Mapping[str, str]) -> str | None:
    """Return where a path leads after all its moves; None if it did not move, or in a loop.

    The content of a moved folder keeps its path inside the new folder. If the new
    path is a document, everything in the folder leads to it.
    """
    here = path
    for _ in range(_MAX_REDIRECTS):
        old = covering_rule(here, moved)
        if old is None:
            return here if here != path else None
        new = moved[old]
        here = new + here.removeprefix(old) if is_folder(new) else new
    return None


def surrogate_keys(path: str) -> tuple[str, ...]:
    """Return the keys by which a cache can be purged of a document.

    `topics/x/countries/ke/atom.xml` has the keys `everything`, `topic-x` and
    `country-ke`. A key consists of ASCII letters, digits and `_.-~` and needs no
    escaping in a header, a URL or a command: each byte of any other character is
    written in hexadecimal after a `~`.
    """
    parts = path.split("/")
    keys = [
        f"{_KEY_PREFIXES[kind]}-{quote(name, safe='').replace('~', '%7E').replace('%', '~')}"
        for kind, name in zip(parts[:-1:2], parts[1:-1:2], strict=False)
        if kind in _KEY_PREFIXES
    ]
    return EVERYTHING, *(keys or [FRONT])


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
    if parts.scheme in WEB_SCHEMES and not host:
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
        is_valid = parts.scheme in WEB_SCHEMES and parts.port != 0
    except ValueError:
        return ""
    return (parts.hostname or "") if is_valid else ""
