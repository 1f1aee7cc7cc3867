"""What goes with a document over HTTP whoever serves it: this server, or another that is told."""

from datetime import datetime

Header = tuple[str, str]

NOSNIFF: Header = ("X-Content-Type-Options", "nosniff")
# Readers that live in a browser need it.
CORS: tuple[Header, ...] = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "ETag, Link"),
)
# What one of those asks leave for before it asks for a document (Fetch §3.2).
PREFLIGHT: tuple[Header, ...] = (
    ("Access-Control-Allow-Methods", "GET, HEAD"),
    ("Access-Control-Allow-Headers", "If-None-Match, If-Modified-Since"),
    ("Access-Control-Max-Age", "86400"),
)
# What a page may load: its own style sheet, and pictures from where editors found them.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' https: http:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_POLICY: Header = ("Content-Security-Policy", _PAGE_POLICY)
# Other sites learn which site sent somebody, and not from which of its pages.
REFERRER: Header = ("Referrer-Policy", "strict-origin-when-cross-origin")
# What goes with each page, beside what goes with every document.
PAGE: tuple[Header, ...] = (PAGE_POLICY, REFERRER)
# What a feed that a browser shows may do: it has a style, and nothing else.
FEED_POLICY: Header = ("Content-Security-Policy", "default-src 'none'; style-src 'self'")

# What may be served while a fresh copy is being fetched, or while none can be.
_WHILE_REVALIDATE = 60
_IF_ERROR = 86_400


def cache_control(max_age: int, until: datetime | None = None, now: datetime | None = None) -> str:
    """Tell for how many seconds an answer may be kept: `max_age`, but never past `until`."""
    spare = _WHILE_REVALIDATE
    if until is not None and now is not None:
        remaining = max(int((until - now).total_seconds()), 0)
        spare = min(max(remaining - max_age, 0), spare)
        max_age = min(max_age, remaining)
    return f"public, max-age={max_age}, stale-while-revalidate={spare}, stale-if-error={_IF_ERROR}"
