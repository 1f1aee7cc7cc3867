"""Requests to hubs and caches end in time, and never go to a more private network than the site's."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from conftest import PATIENCE, SHIPPED, free_port, guarded, run_feeds
from hostile import hostile
from hub import listening

from feeds.notify.http import PrivateNetworkError, Reach, RequestError, reach_of, request

PUBLIC = "https://93.184.216.34/"
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def each(text: bytes) -> Iterator[bytes]:
    """Return a text's bytes one by one."""
    return (text[place : place + 1] for place in range(len(text)))


ANSWERS: dict[str, Callable[[], Iterator[bytes]]] = {
    "silence": lambda: iter(()),
    "a status line byte by byte": lambda: each(b"HTTP/1.1 200 " + b"O" * 9000),
    "one header byte by byte": lambda: each(HEAD + b"X-Long: " + b"a" * 9000),
    "headers byte by byte": lambda: each(HEAD + b"A: b\r\n" * 90),
    "endless 100 Continue": lambda: repeat(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "endless 100 Continue with headers": lambda: repeat(b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\n"),
    "a body byte by byte": lambda: each(HEAD + b"Content-Length: 90000\r\n\r\n" + b"a" * 9000),
    "a body until the end": lambda: each(HEAD + b"\r\n" + b"a" * 9000),
    "a chunk byte by byte": lambda: each(CHUNKED + b"ffff\r\n" + b"a" * 9000),
    "chunks of one byte": lambda: iter([CHUNKED, *repeat(b"1\r\na\r\n", 9000)]),
    "the length of a chunk byte by byte": lambda: each(CHUNKED + b"1;" + b"a" * 9000),
    "endless trailers": lambda: iter([CHUNKED, b"0\r\n", *repeat(b"A: b\r\n", 9000)]),
    "an answer that never begins its body": lambda: iter([HEAD + b"Content-Length: 9\r\n\r\n"]),
    "a redirect whose body never ends": lambda: each(
        b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 9000\r\n\r\n" + b"a" * 9000
    ),
}


@pytest.mark.parametrize("method", ["GET", pytest.param("POST", marks=pytest.mark.heavy)])
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_request_ends_in_time_whatever_comes_back(answer: str, method: str) -> None:
    """A response that sends single bytes, each just in time, still ends at the deadline of the request."""
    form = b"hub.mode=publish" if method == "POST" else None
    with (
        hostile(ANSWERS[answer]) as server,
        guarded(),
        pytest.raises(RequestError, match=rf"{server.url[:-1]}: the response takes too long"),
    ):
        request(method, server.url, form, timeout=0.2)


def test_a_redirect_starts_no_new_time() -> None:
    """A chain of slow redirects has one deadline."""
    late = [b"HTTP/1.1 302 Found\r\nX: ", *repeat(b"a", 15), b"\r\nLocation: /\r\n"]
    with hostile(
        lambda: iter([*late, b"Content-Length: 0\r\nConnection: close\r\n\r\n"])
    ) as server:
        with pytest.raises(RequestError, match=r"too long"):
            request("GET", server.url, timeout=0.7)
        assert len(server.requests) < 4


def test_a_handshake_ends_in_time() -> None:
    """A TLS handshake with a silent or an endless server ends in time."""
    for answer in (lambda: iter(()), lambda: each(b"\x16\x03\x01\x40\x00" + b"a" * 9000)):
        with (
            hostile(answer) as server,
            guarded(),
            pytest.raises(RequestError, match=r"^https://127\.0\.0\.1"),
        ):
            request("GET", server.url.replace("http:", "https:"), timeout=0.3)


def test_a_request_that_is_not_read_ends_in_time() -> None:
    """Sending a large form to a server that does not read ends in time."""
    with (
        hostile(lambda: iter(()), reads=False) as server,
        guarded(),
        pytest.raises(RequestError, match=r"too long"),
    ):
        request("POST", server.url, b"a" * 50_000_000, timeout=0.3)


def test_a_name_that_is_not_looked_up_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A DNS lookup without an answer ends in time, whatever the system's own limit is."""
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(2 * PATIENCE) and [])
    with guarded(), pytest.raises(RequestError, match=r"takes too long"):
        request("GET", "http://hub.example.org/", timeout=0.3)
    over.set()


def test_an_answer_without_end_is_bounded_in_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A response that exceeds the size limit is refused."""
    monkeypatch.setattr("hostile.PAUSE", 0)
    pieces = [HEAD + b"\r\n", *repeat(b"a" * 1_000_000, 100)]
    with hostile(lambda: iter(pieces)) as server, pytest.raises(RequestError, match=r"too large"):
        request("GET", server.url)


MACHINE = [
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "2130706433",
    "017700000001",
    "0.0.0.0",  # noqa: S104  # asked, and never bound to
    "0",
    "LOCALHOST",
]
MACHINE += ["[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]"]
MACHINE += [
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "localhost.",
    "a.localhost",
]
MACHINE += ["%31%32%37.0.0.1", "127.0.0.1."]
LINK = ["169.254.169.254", "0xa9fea9fe", "169.16689662", "[fe80::1]", "[::ffff:169.254.169.254]"]
LINK += ["[64:ff9b::a9fe:a9fe]"]
NETWORK = ["10.0.0.1", "10.1", "192.168.1.7", "172.16.0.1", "100.64.0.1", "[fd00:ec2::254]"]
NETWORK += ["[fec0::1]", "[64:ff9b::10.0.0.1]", "[64:ff9b:1::1]", "224.0.0.1", "255.255.255.255"]
NETWORK += ["hub", "hub.local", "hub.internal", "192.0.2.1", "[2001:db8::1]"]
INTERNET = [
    "93.184.216.34",
    "1.1",
    "[2606:2800:220:1::1]",
    "[64:ff9b::5db8:d822]",
    "hub.example.org",
]


@pytest.mark.parametrize(
    ("host", "reach"),
    [
        *((host, Reach.MACHINE) for host in [*MACHINE, "①②⑦.⓪.⓪.①", "127。0。0。1"]),
        *((host, Reach.LINK) for host in LINK),
        *((host, Reach.NETWORK) for host in NETWORK),
        *((host, Reach.INTERNET) for host in INTERNET),
    ],
)
def test_each_spelling_of_an_address_is_known(host: str, reach: Reach) -> None:
    """Each spelling of an IP address, and each IPv6 form that contains one, has the right reach."""
    assert reach_of(f"http://{host}:8080/hub") is reach


@pytest.mark.parametrize("host", [*MACHINE, *LINK, *NETWORK])
def test_a_public_site_asks_no_private_hub(host: str) -> None:
    """For a private hub of a public site, no connection is made, and the message has a remedy."""
    with (
        hostile(lambda: iter([HEAD + b"\r\n"])) as server,
        pytest.raises(PrivateNetworkError, match=r"is in a more private network than https://93"),
    ):
        request("POST", f"http://{host}:{server.port}/", b"", site=PUBLIC)
    assert not server.requests


@pytest.mark.parametrize(
    ("site", "hub"),
    [
        ("http://10.0.0.1/", "127.0.0.1"),
        ("http://10.0.0.1/", "169.254.169.254"),
        ("http://[fe80::1]/", "127.0.0.1"),
        ("http://news/", "[::1]"),
    ],
)
def test_a_site_in_a_network_asks_nothing_more_private(site: str, hub: str) -> None:
    """A site in a network requests neither loopback nor link-local addresses."""
    with hostile(lambda: iter([HEAD + b"\r\n"])) as server, pytest.raises(PrivateNetworkError):
        request("POST", f"http://{hub}:{server.port}/", b"", site=site)
    assert not server.requests


def test_a_site_on_this_machine_asks_its_own_hub() -> None:
    """A site on this machine may notify a hub on this machine."""
    with listening() as hub:
        for host in ("127.0.0.1", "localhost", "127.1"):
            answer = request(
                "POST",
                f"http://{host}:{hub.port}/hub",
                b"hub.mode=x&hub.url=y&hub.topic=z",
                site="http://localhost:8000/",
            )
            assert answer.status == 400


def resolving(names: dict[str, list[str]]) -> Callable[..., Any]:
    """Return a look-up that finds these addresses, one list of them after the other."""
    real = socket.getaddrinfo

    def look_up(host: str, port: object, *rest: Any, **more: Any) -> Any:
        if host in names:
            numbers = names[host]
            host = numbers.pop(0) if len(numbers) > 1 else numbers[0]
        return real(host, port, *rest, **more)  # type: ignore[arg-type]

    return look_up


def test_a_name_with_a_private_address_gets_no_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name with a private address gets no request."""
    names = {"hub.example.org": ["127.0.0.1"], "news.example.org": ["93.184.216.34"]}
    monkeypatch.setattr(socket, "getaddrinfo", resolving(names))
    with hostile(lambda: iter([HEAD + b"\r\n"])) as server, pytest.raises(PrivateNetworkError):
        request(
            "POST", f"http://hub.example.org:{server.port}/", b"", site="https://news.example.org/"
        )
    assert not server.requests
    # In an office both may have such names.
    names["news.example.org"] = ["127.0.0.1"]
    with hostile(lambda: iter([HEAD + b"Content-Length: 0\r\n\r\n"])) as server:
        hub = f"http://hub.example.org:{server.port}/"
        assert request("POST", hub, b"", site="https://news.example.org/").is_success


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is looked up once, so that a second lookup cannot return another address."""
    names = {"hub.example.org": ["192.0.0.9", "127.0.0.1"]}
    monkeypatch.setattr(socket, "getaddrinfo", resolving(names))
    with hostile(lambda: iter([HEAD + b"Content-Length: 0\r\n\r\n"])) as server:
        with pytest.raises(RequestError):
            request("POST", f"http://hub.example.org:{server.port}/", b"", site=PUBLIC, timeout=0.3)
        assert not server.requests


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead connections to a public address to this machine."""
    real = socket.socket.connect

    def connect(connection: socket.socket, address: tuple[Any, ...]) -> None:
        here = "127.0.0.1" if address[0] == "93.184.216.34" else address[0]
        real(connection, (here, *address[1:]))

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "0x7f.1", "[::ffff:127.0.0.1]", "localhost", "10.0.0.1"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PURGE"])
def test_a_redirect_to_a_more_private_network_is_not_followed(host: str, method: str) -> None:
    """A redirect into a more private network is not followed."""
    with hostile(lambda: iter([HEAD + b"Content-Length: 0\r\n\r\n"])) as target:
        head = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://{host}:{target.port}/\r\n"
        with hostile(lambda: iter([head.encode() + b"Content-Length: 0\r\n\r\n"])) as server:
            for site in ("", PUBLIC):
                with pytest.raises(PrivateNetworkError):
                    request(method, f"http://93.184.216.34:{server.port}/", site=site)
            assert len(server.requests) == 2
        assert not target.requests


@pytest.mark.usefixtures("elsewhere")
def test_a_redirect_to_a_name_of_a_private_address_is_not_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A redirect to a name with a private address is not followed; one to an equally public address is."""
    names = {"a.example.org": ["93.184.216.34"], "b.example.org": ["127.0.0.1"]}
    monkeypatch.setattr(socket, "getaddrinfo", resolving(names))
    with hostile(lambda: iter([HEAD + b"Content-Length: 0\r\n\r\n"])) as target:
        head = f"HTTP/1.1 302 Found\r\nLocation: http://b.example.org:{target.port}/\r\n"
        with hostile(lambda: iter([head.encode() + b"Content-Length: 0\r\n\r\n"])) as server:
            address = f"http://a.example.org:{server.port}/"
            with pytest.raises(
                PrivateNetworkError, match=r"http://b\.example\.org:\d+ is in a more"
            ):
                request("GET", address)
            assert not target.requests
            names["b.example.org"] = ["93.184.216.34"]
            assert request("GET", address).is_success


def test_a_proxy_of_the_environment_may_be_private(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy from the environment may be private, but it gets requests for public addresses only."""
    with hostile(lambda: iter([HEAD + b"Content-Length: 0\r\n\r\n"])) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert request("POST", "http://hub.example.org/", b"", site=PUBLIC).is_success
        assert proxy.requests[0].startswith(b"POST http://hub.example.org/ HTTP/1.1\r\n")
        for host in ("127.1", "%31%32%37.0.0.1", "169.254.169.254"):
            with pytest.raises(PrivateNetworkError):
                request("POST", f"http://{host}:81/", b"", site=PUBLIC)
        assert len(proxy.requests) == 1


def test_a_private_hub_is_reported_at_once(tmp_path: Path) -> None:
    """`feeds ping` reports at once a hub that it may not notify."""
    file = tmp_path / "entries.yaml"
    hub = f"http://127.0.0.1:{free_port()}"
    head = f"\n  hub: {hub}/hub\n  language:"
    file.write_text(SHIPPED.read_text().replace("\n  language:", head, 1))
    options = ("--catalogue", file, "--url", PUBLIC, "--wait", "99999", "--state", tmp_path)
    done = run_feeds("ping", *options)
    assert done.returncode == 1
    assert f"{hub} is in a more private network than https://93.184.216.34, and" in done.stderr


def test_a_cache_that_does_not_answer_is_not_asked_again_and_again(tmp_path: Path) -> None:
    """After one request without an answer, the rest of a purge is left for the next try."""
    with hostile(lambda: iter([b"no HTTP\r\n"])) as server:
        template = f"PURGE http://127.0.0.1:{server.port}{{path}}"
        done = run_feeds("export", tmp_path / "out", "--purge", template, "--catalogue", SHIPPED)
        assert done.returncode == 1
        failed = re.search(r"(\d+) of (\d+) could not be purged, first /\S+: http://", done.stderr)
        assert failed
        assert int(failed[1]) == int(failed[2]) > 200
        assert len(server.requests) < 50
