"""One HTTP request, bounded in time, size and redirects; what goes wrong is told without secrets."""

import time
import zlib
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, NamedTuple
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
from feeds.notify.dialing import Dialer, PrivateAddressError, reach_at
from feeds.notify.reach import reach_of

# For all of a request, from looking up its name to the last byte of its answer.
TIMEOUT_SECONDS = 30.0
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


class PrivateError(UnreachedError):
    """An address is in a more private network than the site, and was not asked."""


def ask(
    method: str,
    address: str,
    form: bytes | None = None,
    *,
    site: str = "",
    timeout: float = TIMEOUT_SECONDS,
) -> Answer:
    """Ask a web address once, and follow a few redirects to others; raises UnreachedError.

    `form` is the body, as `application/x-www-form-urlencoded`. No address is asked
    in a network that is more private than that of `site`, or else of the first
    address. All of it ends within `timeout` seconds, whatever comes back.
    """
    end = time.monotonic() + timeout
    own = site or address
    least = reach_at(own, end)
    for _ in range(_REDIRECTS + 1):
        if reach_of(address) < least:
            raise _private(address, own)
        dialer = Dialer(least, end)
        try:
            answer, location = _asked(method, address, form, dialer)
        except PrivateAddressError:
            raise _private(address, own) from None
        finally:
            dialer.close()
        follows = answer.status in _KEEPING or (answer.status in _MOVED and method == "GET")
        if not location or not follows:
            return answer
        address = _target(address, location)
    raise UnreachedError(f"{host_of(address)} redirects on and on")


def check_reach(address: str, site: str) -> None:
    """Raise PrivateError if an address is, by its name, in a more private network than a site."""
    if reach_of(address) < reach_at(site, time.monotonic() + TIMEOUT_SECONDS):
        raise _private(address, site)


def host_of(address: str) -> str:
    """Give the scheme and the host of a web address: what may be told of it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _private(address: str, site: str) -> PrivateError:
    return PrivateError(
        f"{host_of(address)} is in a more private network than {host_of(site)}, and is not asked;"
        " use an address that can be reached from everywhere"
    )


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


def _asked(method: str, address: str, form: bytes | None, dialer: Dialer) -> tuple[Answer, str]:
    request = Request(address, data=form, method=method)  # noqa: S310  # looked at by the caller
    request.add_header("User-Agent", f"feeds/{__version__}")
    try:
        with _opener(dialer).open(request) as response:
            found: HTTPResponse = response
            body = _read(found, dialer)
            # Of a store that has nothing else, though nobody asked for it.
            if found.headers.get("Content-Encoding", "").lower() == "gzip":
                body = zlib.decompressobj(_GZIP).decompress(body, _LARGEST)
            return Answer(found.status, body), found.headers.get("Location", "")
    except (OSError, HTTPException, ValueError, zlib.error) as error:
        if dialer.expired:
            raise UnreachedError(f"{host_of(address)}: the answer takes too long") from None
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, HTTPException) and not isinstance(reason, OSError):
            # Its text repeats what came.
            reason = "the answer is not valid HTTP"
        told = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        raise UnreachedError(f"{host_of(address)}: {told}") from None


def _read(response: HTTPResponse, dialer: Dialer) -> bytes:
    body = bytearray()
    while piece := response.read1(_PIECE):
        body += piece
        if len(body) > _LARGEST:
            raise ValueError("the answer is too large")
    # What was cut off may look like an end.
    if dialer.expired:
        raise TimeoutError
    return bytes(body)


def _opener(dialer: Dialer) -> OpenerDirector:
    """Give what opens http and https, by way of the environment's proxies, and takes any status."""

    def dialled(kind: type[HTTPConnection], request: Request) -> Any:  # noqa: ANN401  # urllib wants a class
        proxied = request.host != Request(request.full_url).host  # noqa: S310  # never opened

        def make(host: str, **settings: Any) -> HTTPConnection:  # noqa: ANN401  # urllib's own
            connection: Any = kind(host, **settings)
            # It has no public way to be given a socket before it begins with TLS.
            connection._create_connection = partial(dialer.connect, checked=not proxied)  # noqa: SLF001
            return connection  # type: ignore[no-any-return]

        return make

    class Http(HTTPHandler):
        def http_open(self, req: Request) -> HTTPResponse:
            return self.do_open(dialled(HTTPConnection, req), req)

    class Https(HTTPSHandler):
        def https_open(self, req: Request) -> HTTPResponse:
            return self.do_open(dialled(HTTPSConnection, req), req)

    opener = OpenerDirector()
    for handler in (ProxyHandler(), Http(), Https()):
        opener.add_handler(handler)
    return opener
