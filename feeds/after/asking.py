"""One HTTP request, bounded in time, size and redirects; what goes wrong is told without secrets."""

import time
import zlib
from http.client import HTTPException, HTTPResponse
from typing import NamedTuple
from urllib.error import URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import (
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from feeds import __version__

# In seconds, for each step of a request and for all of it.
_STEP = 10.0
_WHOLE = 30.0
_REDIRECTS = 3
# In bytes; no feed is so large.
_LARGEST = 64_000_000
_PIECE = 65_536
# zlib's word for what has gzip's head and tail.
_GZIP = 31
# These keep the method and the body (RFC 9110 §15.4); the others are for reading alone.
_KEEPING = {307, 308}
_MOVED = {301, 302, 303}
_SCHEMES = {"http", "https"}


class Answer(NamedTuple):
    """What a server said."""

    status: int
    body: bytes

    @property
    def good(self) -> bool:
        """Whether it did as it was asked."""
        return 200 <= self.status < 300  # noqa: PLR2004  # RFC 9110 §15.3


class UnreachedError(Exception):
    """Nobody answered, or not in time; the text names the host, and none of its secrets."""


def ask(method: str, address: str, form: bytes | None = None) -> Answer:
    """Ask a web address once, and follow a few redirects to others; raises UnreachedError.

    `form` is the body, as `application/x-www-form-urlencoded`.
    """
    end = time.monotonic() + _WHOLE
    for _ in range(_REDIRECTS + 1):
        answer, location = _asked(method, address, form, end)
        follows = answer.status in _KEEPING or (answer.status in _MOVED and method == "GET")
        if not location or not follows:
            return answer
        address = _target(address, location)
    raise UnreachedError(f"{host_of(address)} redirects on and on")


def host_of(address: str) -> str:
    """Give the scheme and the host of a web address: what may be told of it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _target(address: str, location: str) -> str:
    """Give where an address redirects to; raises UnreachedError where that is none to ask."""
    try:
        target = urljoin(address, location)
        parts = urlsplit(target)
        if parts.hostname and parts.port != 0 and parts.scheme in _SCHEMES:
            return target
    except ValueError:
        pass
    raise UnreachedError(f"{host_of(address)} redirects to what is no web address")


def _asked(method: str, address: str, form: bytes | None, end: float) -> tuple[Answer, str]:
    request = Request(address, data=form, method=method)  # noqa: S310  # looked at by the caller
    request.add_header("User-Agent", f"feeds/{__version__}")
    try:
        with _opener().open(request, timeout=_STEP) as response:
            found: HTTPResponse = response
            body = _read(found, end)
            # Of a store that has nothing else, though nobody asked for it.
            if found.headers.get("Content-Encoding", "").lower() == "gzip":
                body = zlib.decompressobj(_GZIP).decompress(body, _LARGEST)
            return Answer(found.status, body), found.headers.get("Location", "")
    except (OSError, HTTPException, ValueError, zlib.error) as error:
        reason = error.reason if isinstance(error, URLError) else error
        told = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        raise UnreachedError(f"{host_of(address)}: {told}") from None


def _read(response: HTTPResponse, end: float) -> bytes:
    body = bytearray()
    while piece := response.read1(_PIECE):
        body += piece
        if len(body) > _LARGEST:
            raise ValueError("the answer is too large")
        if time.monotonic() > end:
            raise TimeoutError("the answer takes too long")
    return bytes(body)


def _opener() -> OpenerDirector:
    """Give what opens http and https, by way of the environment's proxies, and takes any status."""
    opener = OpenerDirector()
    for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)
    return opener
