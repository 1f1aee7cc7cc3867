"""An HTTP client for hubs, caches and feeds: bounded in time, size and redirects, and no way into private networks.

Error messages name the host alone: a path or a query may hold a secret.
"""

import socket
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from enum import IntEnum
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple
from unicodedata import normalize
from urllib.error import URLError
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import HTTPSHandler, OpenerDirector, ProxyHandler, Request

from feeds import __version__
from feeds.urls import web_host

# For a whole request, from the DNS lookup to the last byte of the response.
REQUEST_TIMEOUT_SECONDS = 30.0
_DNS_TIMEOUT_SECONDS = 5.0
# For connecting, and for each read or write.
_SOCKET_TIMEOUT_SECONDS = 10.0
_MIN_TIMEOUT_SECONDS = 0.001
_MAX_REDIRECTS = 3
_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_RESPONSE_BYTES = 64_000_000
# zlib's number for the gzip format.
_GZIP = 31
# These keep the method and the body (RFC 9110 §15.4); the others are followed for GET alone.
_METHOD_PRESERVING_REDIRECTS = {307, 308}
_OTHER_REDIRECTS = {301, 302, 303}
# Names that mean something else on each network (RFC 6762, RFC 8375; .internal by ICANN).
_LOCAL_SUFFIXES = (".local", ".internal", ".home.arpa")
# These carry an IPv4 address in their last four bytes (RFC 6052, RFC 8215, RFC 4291 §2.5.5.1).
_IPV4_CARRIERS = tuple(map(IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))


class Response(NamedTuple):
    """The status and the decoded body of a response, and the URL after redirects."""

    status: int
    body: bytes
    url: str = ""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004  # RFC 9110 §15.3


class RequestError(Exception):
    """There is no valid response, or not in time."""


class PrivateNetworkError(RequestError):
    """The URL is in a more private network than the site, so no request is sent."""


class Reach(IntEnum):
    """From how far an address can be reached; a smaller value is more private."""

    MACHINE = 0
    # Link-local; cloud providers hand out a machine's credentials there.
    LINK = 1
    NETWORK = 2
    INTERNET = 3


def request(  # noqa: PLR0913  # what a request consists of, each with a default
    method: str,
    url: str,
    form: bytes | None = None,
    *,
    site: str = "",
    timeout: float = REQUEST_TIMEOUT_SECONDS,
    stay: bool = False,
) -> Response:
    """Send a request, and follow a few redirects; raises RequestError without a response.

    `form` is the body, as `application/x-www-form-urlencoded`. No request goes to a
    network that is more private than that of the URL `site`, or of `url` if that is
    empty. `timeout` is for everything together, in seconds. With `stay`, a redirect to
    another site is an error.
    """
    deadline = time.monotonic() + timeout
    site = site or url
    least = _resolved_reach(site, deadline)
    for _ in range(_MAX_REDIRECTS + 1):
        if reach_of(url) < least:
            raise _private(url, site)
        exchange = _Exchange(url, site, least, deadline)
        try:
            response, location = exchange.send(method, form)
        finally:
            exchange.close()
        follows = response.status in _METHOD_PRESERVING_REDIRECTS or (
            response.status in _OTHER_REDIRECTS and method == "GET"
        )
        if not location or not follows:
            return response
        target = _redirect_target(url, location)
        if stay and not is_same_site(target, url):
            raise RequestError(
                f"{origin_of(url)} redirects to another site, {origin_of(target)};"
                " if that is right, use its address"
            )
        url = target
    raise RequestError(f"{origin_of(url)} redirects too often")


def check_not_private(url: str, site: str) -> None:
    """Raise PrivateNetworkError if a URL's host name is in a more private network than a site."""
    if reach_of(url) < _resolved_reach(site, time.monotonic() + REQUEST_TIMEOUT_SECONDS):
        raise _private(url, site)


def origin_of(url: str) -> str:
    """Return the scheme and the host of a URL, without user name and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def is_same_site(url: str, other: str) -> bool:
    """Check whether a URL has the host of another one, with or without `www.`, and its scheme or https."""
    try:
        found, known = urlsplit(url), urlsplit(other)
        ports = [part.port or _DEFAULT_PORTS.get(part.scheme) for part in (found, known)]
    except ValueError:
        return False
    hosts = {(part.hostname or "").removeprefix("www.") for part in (found, known)}
    is_upgrade = [known.scheme, *ports] == ["http", _DEFAULT_PORTS["https"], 80]
    return len(hosts) == 1 and (
        (found.scheme == known.scheme and ports[0] == ports[1])
        or (is_upgrade and found.scheme == "https")
    )


def reach_of(url: str) -> Reach:
    """Return from how far a URL can be reached, by its host alone, without a DNS lookup."""
    # Other scripts have dots and digits of their own, which are the same in a name (RFC 3490 §3.1).
    host = normalize("NFKC", unquote(urlsplit(url).hostname or "")).replace("。", ".").rstrip(".")
    with suppress(ValueError):
        return _reach_of_ip(host)
    # C libraries also accept `127.1`, `0x7f.1` and `2130706433`.
    with suppress(OSError, UnicodeError):
        return _reach_of_ip(str(IPv4Address(socket.inet_aton(host))))
    if host == "localhost" or host.endswith(".localhost"):
        return Reach.MACHINE
    return Reach.NETWORK if "." not in host or host.endswith(_LOCAL_SUFFIXES) else Reach.INTERNET


def _private(url: str, site: str) -> PrivateNetworkError:
    return PrivateNetworkError(
        f"{origin_of(url)} is in a more private network than {origin_of(site)}, and is not"
        " requested; use a URL that can be reached from everywhere"
    )


def _redirect_target(url: str, location: str) -> str:
    """Return the URL of a redirect; raises RequestError if it is not a web address."""
    try:
        target = urljoin(url, location)
    except ValueError:
        target = ""
    if not web_host(target):
        raise RequestError(f"{origin_of(url)} redirects to an invalid URL")
    return target


class _Exchange(HTTPSHandler):
    """A request to one URL and its response, shut down at the deadline.

    The host name is looked up once, and the connection is made to the addresses
    that were checked: a second lookup might return others.
    """

    def __init__(self, url: str, site: str, least: Reach, deadline: float) -> None:
        super().__init__()
        self._url = url
        self._site = site
        self._least = least
        self._deadline = deadline
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(max(deadline - time.monotonic(), 0), self._shut_down)
        self._timer.daemon = True

    def send(self, method: str, form: bytes | None) -> tuple[Response, str]:
        """Return the response and its Location; raises RequestError."""
        wanted = Request(self._url, data=form, method=method)  # noqa: S310  # http or https
        wanted.add_header("User-Agent", f"feeds/{__version__}")
        # A proxy changes that of the request.
        self._host = wanted.host
        # Takes any status as a response, and has no redirects of its own.
        opener = OpenerDirector()
        opener.add_handler(ProxyHandler())
        opener.add_handler(self)
        try:
            with opener.open(wanted) as found:
                body = self._read(found)
                # Some stores send what they have, though no coding is accepted.
                if found.headers.get("Content-Encoding", "").lower() == "gzip":
                    body = zlib.decompressobj(_GZIP).decompress(body, _MAX_RESPONSE_BYTES)
                return Response(found.status, body, self._url), found.headers.get("Location", "")
        except (OSError, HTTPException, ValueError, zlib.error) as error:
            reason = error.reason if isinstance(error, URLError) else error
            text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
            if time.monotonic() >= self._deadline:
                text = "the response takes too long"
            elif isinstance(reason, HTTPException) and not isinstance(reason, OSError):
                # Its text repeats what was received.
                text = "the response is not valid HTTP"
            raise RequestError(f"{origin_of(self._url)}: {text}") from None

    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(partial(self._connection, HTTPConnection, req), req)

    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(partial(self._connection, HTTPSConnection, req), req)

    http_request = HTTPSHandler.https_request

    def close(self) -> None:
        """Stop watching the connection."""
        self._timer.cancel()
        for connection in self._sockets:
            connection.close()

    def _connection(
        self,
        kind: type[HTTPConnection],
        wanted: Request,
        host: str,
        **settings: Any,  # noqa: ANN401  # urllib's own
    ) -> HTTPConnection:
        connection: Any = kind(host, **settings)
        is_proxied = wanted.host != self._host
        # There is no public way to pass a socket before the TLS handshake.
        connection._create_connection = partial(self._connect, is_proxied=is_proxied)  # noqa: SLF001
        return connection  # type: ignore[no-any-return]

    def _connect(self, where: tuple[str, int], *_unused: object, is_proxied: bool) -> socket.socket:
        """Return a connection; raises OSError, or PrivateNetworkError unless it is to a proxy."""
        found = _look_up(*where, self._deadline)
        if not is_proxied:
            found = [info for info in found if _reach_of_ip(str(info[4][0])) >= self._least]
            if not found:
                raise _private(self._url, self._site)
        failure: OSError = OSError("no address")
        for family, kind, protocol, _, address in found:
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(_until(self._deadline, _SOCKET_TIMEOUT_SECONDS))
                connection.connect(address)
            except OSError as error:
                connection.close()
                failure = error
            else:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                # Each read has a timeout of its own, so there is no end as long as bytes arrive.
                # TLS takes over the connection, and leaves this duplicate alone.
                self._sockets.append(connection.dup())
                self._timer.start()
                return connection
        raise failure

    def _shut_down(self) -> None:
        for connection in self._sockets:
            # The other side may have closed it.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _read(self, response: HTTPResponse) -> bytes:
        body = response.read(_MAX_RESPONSE_BYTES + 1)
        if len(body) > _MAX_RESPONSE_BYTES:
            raise ValueError("the response is too large")
        # A connection that was shut down may look like the end of the body.
        if time.monotonic() >= self._deadline:
            raise TimeoutError
        return body


def _look_up(host: str, port: int, deadline: float) -> list[Any]:
    """Return what getaddrinfo returns; raises OSError, also after a timeout."""
    results: SimpleQueue[list[Any] | OSError] = SimpleQueue()

    def run() -> None:
        try:
            results.put([*socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)])
        except OSError as error:
            results.put(error)
        except UnicodeError:
            results.put(OSError("is not a host name"))

    # The system's lookup cannot be interrupted.
    threading.Thread(target=run, daemon=True).start()
    try:
        found = results.get(timeout=_until(deadline, _DNS_TIMEOUT_SECONDS))
    except Empty:
        raise TimeoutError("the DNS lookup takes too long") from None
    if isinstance(found, OSError):
        raise found
    return found


def _until(deadline: float, limit: float) -> float:
    """Return the seconds until a deadline, at most a limit, and more than 0."""
    return max(min(limit, deadline - time.monotonic()), _MIN_TIMEOUT_SECONDS)


def _resolved_reach(url: str, deadline: float) -> Reach:
    """Return from how far a URL can be reached, by its host name and all its addresses."""
    by_name = reach_of(url)
    try:
        found = _look_up(urlsplit(url).hostname or "", 0, deadline)
    except OSError:
        return by_name
    return min([by_name, *(_reach_of_ip(str(info[4][0])) for info in found)])


def _reach_of_ip(text: str) -> Reach:
    """Return from how far an IP address can be reached; raises ValueError if it is not one."""
    return min(map(_reach_of_single, _carried_addresses(ip_address(text))))


def _carried_addresses(
    address: IPv4Address | IPv6Address,
) -> Iterator[IPv4Address | IPv6Address]:
    """Yield an address, and the IPv4 addresses where packets to it may end."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            yield address.ipv4_mapped
            return
        if address.sixtofour:
            yield address.sixtofour
        if address.teredo:
            yield from address.teredo
        if not address.is_loopback and any(address in network for network in _IPV4_CARRIERS):
            yield IPv4Address(address.packed[-4:])
    yield address


def _reach_of_single(address: IPv4Address | IPv6Address) -> Reach:
    if address.is_loopback or address.is_unspecified:
        return Reach.MACHINE
    if address.is_link_local:
        return Reach.LINK
    if address in _IPV4_CARRIERS[0]:
        # The address that it carries counts.
        return Reach.INTERNET
    is_site_local = isinstance(address, IPv6Address) and address.is_site_local
    is_special = is_site_local or address.is_multicast or address.is_reserved
    return Reach.INTERNET if address.is_global and not is_special else Reach.NETWORK
