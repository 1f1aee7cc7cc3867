"""The HTTP behaviour that polling clients rely on, tested with real servers over real sockets.

Each test runs on the server of `feeds serve`, and on gunicorn with two workers.
"""

import gzip
import json
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import brotli
import pytest
from conftest import CATALOGUES, PATIENCE, SERVERS, Server, run_feeds, running, tree

from feeds import FORMATS, Format, load_catalogue

URL = "https://news.example.org/tests/"
CATALOGUE = CATALOGUES / "every-field.yaml"
MOVES = """
  moved:
    topics/former/: topics/older/
    topics/older/: topics/described/
    news.rss: rss.xml
    أخبار/: countries/tr/
    feed/: rss.xml
    blog/: ./
    home.html: ./
  retired: [topics/gone/, gone.xml, topics/described/gone/]
"""


class Answer(NamedTuple):
    """A response; `body` is as it was sent, still encoded."""

    status: int
    headers: HTTPMessage
    body: bytes


# The others differ in how they start, or count requests as well.
QUICK = ("feeds serve", "gunicorn")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(kind, marks=[] if kind in QUICK else pytest.mark.heavy) for kind in SERVERS
    ],
)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    catalogue = folder / "entries.yaml"
    head, colon, tail = CATALOGUE.read_text().partition("\n  items: 4")
    catalogue.write_text(head + MOVES.rstrip() + colon + tail)
    with running(request.param, catalogue, folder, url=URL) as found:
        yield found


def ask(
    server: Server, path: str, method: str = "GET", headers: dict[str, str] | None = None
) -> Answer:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        headers = headers or {}
        connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value.encode("utf-8"))
        connection.endheaders()
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def decoded(answer: Answer) -> bytes:
    coding = answer.headers["Content-Encoding"]
    decoders = {None: bytes, "gzip": gzip.decompress, "br": brotli.decompress}
    body: bytes = decoders[coding](answer.body)
    return body


def etag(body: bytes) -> str:
    return sha256(body).hexdigest()[:32]


def test_every_document_is_served_as_it_is_exported(server: Server, tmp_path: Path) -> None:
    """For every path and coding the bytes are the export's, and hash to their ETag."""
    catalogue = server.folder / "entries.yaml"
    state = server.folder / "state"
    done = run_feeds("export", "--catalogue", catalogue, "--url", URL, "--state", state, tmp_path)
    assert done.returncode == 0
    files = tree(tmp_path)
    assert len(files) > 40
    for name, body in files.items():
        path = f"/{quote(name)}"
        for accepted in ("", "gzip", "br"):
            answer = ask(server, path, headers={"Accept-Encoding": accepted})
            assert answer.status == 200
            assert decoded(answer) == body, path
            assert answer.headers["ETag"].removeprefix("W/") == f'"{etag(body)}"'
            assert answer.headers["Content-Length"] == str(len(answer.body))
            modified = parsedate_to_datetime(answer.headers["Last-Modified"])
            assert modified.timestamp() == (tmp_path / name).stat().st_mtime
            assert modified <= parsedate_to_datetime(answer.headers["Date"])


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_feed_has_the_headers_of_the_contract(server: Server, form: object) -> None:
    """Every feed has a media type, validators, freshness, links, and CORS headers."""
    filename, media_type = form.filename, form.media_type  # type: ignore[attr-defined]
    answer = ask(server, f"/topics/plain/{filename}", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Type"] == media_type
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == (
        "public, max-age=900, stale-while-revalidate=60, stale-if-error=86400"
    )
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Link"] == (
        f'<{URL}topics/plain/{filename}>; rel="self", <https://hub.example.org/>; rel="hub"'
    )
    assert re.fullmatch(r'W/"[0-9a-f]{32}"', answer.headers["ETag"])
    assert "Expires" not in answer.headers
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("accepted", ["", "gzip", "br"])
@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_browser_gets_the_same_feed_as_xml(server: Server, form: Format, accepted: str) -> None:
    """A browser that navigates to a feed gets the same bytes and validators, as XML."""
    path = f"/{form.filename}"
    coding = {"Accept-Encoding": accepted} if accepted else {}
    plain = ask(server, path, headers=coding)
    shown = ask(server, path, headers={"Sec-Fetch-Dest": "document", **coding})
    assert shown.body == plain.body
    for name in ("ETag", "Last-Modified", "Cache-Control", "Vary", "Content-Encoding", "Link"):
        assert shown.headers[name] == plain.headers[name], name
    assert shown.headers["Vary"] == "Accept-Encoding", "a cache may mix the two up"
    assert plain.headers["Content-Type"] == form.media_type
    assert shown.headers["Content-Type"] == (form.shown_as or form.media_type)
    policy = "default-src 'none'; style-src 'self'" if form.shown_as else None
    assert shown.headers["Content-Security-Policy"] == policy
    known = {"Sec-Fetch-Dest": "document", "If-None-Match": plain.headers["ETag"], **coding}
    assert ask(server, path, headers=known).status == 304


@pytest.mark.parametrize("destination", ["empty", "image", "style", "iframe", "", "documents"])
def test_only_a_navigation_is_shown_a_feed(server: Server, destination: str) -> None:
    """Scripts, readers and other clients get the feed's own media type."""
    answer = ask(server, "/atom.xml", headers={"Sec-Fetch-Dest": destination})
    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"


def test_a_page_names_no_hub(server: Server) -> None:
    """A page links to its public address, and to no hub."""
    for path in ("/topics/plain/", "/topics/plain/index.html"):
        answer = ask(server, path)
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Link"] == f'<{URL}topics/plain/>; rel="self"'


NOT_MODIFIED, WHOLE = 304, 200


@pytest.mark.parametrize(
    ("spelling", "status"),
    [
        ('"{h}"', NOT_MODIFIED),
        ('W/"{h}"', NOT_MODIFIED),
        ('w/"{h}"', NOT_MODIFIED),
        ('"{h}-gzip"', NOT_MODIFIED),
        ('"{h}--gzip"', NOT_MODIFIED),
        ('"{h}:gzip"', NOT_MODIFIED),
        ('"{h};gzip"', NOT_MODIFIED),
        ('"{h}-br"', NOT_MODIFIED),
        ('"{h}-zstd"', NOT_MODIFIED),
        ('W/"{h}-gzip"', NOT_MODIFIED),
        ("{h}", NOT_MODIFIED),
        ("{h}-gzip", NOT_MODIFIED),
        ("*", NOT_MODIFIED),
        (" * ", NOT_MODIFIED),
        ('"other", "{h}"', NOT_MODIFIED),
        ('"other","{h}"', NOT_MODIFIED),
        ('"{h}", "other"', NOT_MODIFIED),
        ('W/"other", W/"{h}", "third"', NOT_MODIFIED),
        (' "{h}" ', NOT_MODIFIED),
        ('"{h}",', NOT_MODIFIED),
        (',, "{h}"', NOT_MODIFIED),
        ('"a, b", "{h}"', NOT_MODIFIED),
        ("", WHOLE),
        ('""', WHOLE),
        ('"other"', WHOLE),
        ('"*"', WHOLE),
        ('"{h}x"', WHOLE),
        ('"x{h}"', WHOLE),
        ('"{h}-gzip-old"', WHOLE),
        ('"{h} old"', WHOLE),
        ('"{H}"', WHOLE),
        ('"{half}"', WHOLE),
        ('W/"', WHOLE),
        ('"é{h}"', WHOLE),
        ('"' + "x" * 7000 + '"', WHOLE),
    ],
)
@pytest.mark.parametrize("accepted", ["", "gzip", "br"])
def test_if_none_match(server: Server, spelling: str, status: int, accepted: str) -> None:
    """If-None-Match with the current tag, in any valid form and coding, gets a 304; anything else does not."""
    headers = {"Accept-Encoding": accepted}
    whole = ask(server, "/atom.xml", headers=headers)
    digest = etag(decoded(whole))
    sent = (
        spelling.replace("{h}", digest)
        .replace("{H}", digest.upper())
        .replace("{half}", digest[:16])
    )
    answer = ask(server, "/atom.xml", headers=headers | {"If-None-Match": sent})
    assert answer.status == status
    assert answer.body == (b"" if status == NOT_MODIFIED else whole.body)
    later = {"If-Modified-Since": "Fri, 31 Dec 2100 00:00:00 GMT"}
    assert ask(server, "/atom.xml", headers=headers | later | {"If-None-Match": sent}).status == (
        status
    )


def spelled(moment: datetime, spelling: str) -> str:
    return {
        "exact": format_datetime(moment, usegmt=True),
        "now": format_datetime(datetime.now(UTC), usegmt=True),
        "RFC 850": moment.strftime("%A, %d-%b-%y %H:%M:%S GMT"),
        "asctime": moment.strftime("%a %b %e %H:%M:%S %Y"),
        "offset": moment.strftime("%a, %d %b %Y %H:%M:%S +0000"),
        "length": f"{format_datetime(moment, usegmt=True)}; length=1234",
        "earlier": format_datetime(moment - timedelta(seconds=1), usegmt=True),
        "long ago": "Thu, 01 Jan 1970 00:00:00 GMT",
        "future": format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True),
        "ISO": moment.isoformat(),
        "number": str(int(moment.timestamp())),
        "empty": "",
        "words": "yesterday",
        "impossible": "Tue, 99 Nov 2026 99:99:99 GMT",
        "huge": "Tue, 24 Nov 99999999999 10:00:00 GMT",
        "long": "x" * 7000,
    }[spelling]


@pytest.mark.parametrize(
    ("spelling", "status"),
    [
        *[(name, NOT_MODIFIED) for name in ("exact", "now", "RFC 850", "asctime")],
        *[(name, NOT_MODIFIED) for name in ("offset", "length")],
        *[(name, WHOLE) for name in ("earlier", "long ago", "future", "number", "empty")],
        *[(name, WHOLE) for name in ("words", "impossible", "huge", "long")],
    ],
)
def test_if_modified_since(server: Server, spelling: str, status: int) -> None:
    """If-Modified-Since gets a 304 only if the document has not changed since."""
    modified = parsedate_to_datetime(ask(server, "/rss.xml").headers["Last-Modified"])
    sent = spelled(modified, spelling)
    answer = ask(server, "/rss.xml", headers={"If-Modified-Since": sent})
    assert answer.status == status


def test_a_304_carries_what_the_client_must_keep(server: Server) -> None:
    """A 304 has the validators, freshness and CORS headers of the 200, and no headers of its body."""
    for accepted in ("", "gzip"):
        headers = {"Accept-Encoding": accepted}
        whole = ask(server, "/atom.xml", headers=headers)
        known = {"If-None-Match": whole.headers["ETag"]}
        answer = ask(server, "/atom.xml", headers=headers | known)
        assert (answer.status, answer.body) == (304, b"")
        for name in (
            *("ETag", "Last-Modified", "Cache-Control", "Vary"),
            *("Access-Control-Allow-Origin", "Access-Control-Expose-Headers"),
        ):
            assert answer.headers[name] == whole.headers[name], name
        assert "Content-Encoding" not in answer.headers
        assert "Content-Type" not in answer.headers
        assert answer.headers["Content-Length"] in {None, "0"}


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, None),
        ("", None),
        ("identity", None),
        ("gzip", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("br", "br"),
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("*", "br"),
        ("gzip;q=0.5", "gzip"),
        ("gzip;q=0.8, br;q=0.5", "gzip"),
        ("gzip;q=0.5,br;q=0.8", "br"),
        ("gzip;q=0, br;q=0", None),
        ("br;q=0, *", "gzip"),
        ("*;q=0", None),
        ("identity, gzip;q=0.5", None),
        ("identity;q=0.5, gzip", "gzip"),
        ("identity;q=0, *;q=0", None),
        ("gzip; q=1.0", "gzip"),
        ("gzip;q=0.001", "gzip"),
        ("gzip;q=nonsense", None),
        ("deflate, zstd, compress", None),
        (", ,;;", None),
        ("é", None),
        ("gzip, " * 10, "gzip"),
        # No client needs a longer list: it is treated as absent.
        ("gzip, " * 1000, None),
        ("a;q=0.5, " * 800 + "gzip", None),
        ("gzip" + ", " * 600, None),
    ],
)
def test_accept_encoding(server: Server, accepted: str | None, coding: str | None) -> None:
    """The coding that the client prefers is used, and decodes to the same document."""
    plain = ask(server, "/atom.xml")
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    answer = ask(server, "/atom.xml", headers=headers)
    assert answer.headers["Content-Encoding"] == coding
    assert decoded(answer) == plain.body
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["ETag"].removeprefix("W/") == plain.headers["ETag"]
    assert answer.headers["Last-Modified"] == plain.headers["Last-Modified"]


def test_compression_is_worth_it_or_left_alone(server: Server) -> None:
    """A feed becomes several times smaller; a document under a kilobyte is not compressed."""
    plain = ask(server, "/atom.xml")
    for coding in ("gzip", "br"):
        assert len(ask(server, "/atom.xml", headers={"Accept-Encoding": coding}).body) < 0.5 * len(
            plain.body
        )
    small = ask(server, "/topics/empty/feed.json", headers={"Accept-Encoding": "gzip, br"})
    assert len(small.body) < 1024
    assert "Content-Encoding" not in small.headers
    assert small.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("path", ["/atom.xml", "/", "/countries/tr/rss.xml", "/style.css"])
@pytest.mark.parametrize("accepted", ["", "gzip"])
def test_head_is_get_without_the_body(server: Server, path: str, accepted: str) -> None:
    """HEAD has GET's status and headers, including the length, and so does its 304."""
    headers = {"Accept-Encoding": accepted}
    get, head = (ask(server, path, method, headers) for method in ("GET", "HEAD"))
    assert (head.status, head.body) == (get.status, b"")
    assert without_date(head) == without_date(get)
    known = headers | {"If-None-Match": get.headers["ETag"]}
    get, head = (ask(server, path, method, known) for method in ("GET", "HEAD"))
    assert head.status == get.status == 304
    assert without_date(head) == without_date(get)


def without_date(answer: Answer) -> list[tuple[str, str]]:
    return sorted(
        (name.lower(), value) for name, value in answer.headers.items() if name.lower() != "date"
    )


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"])
@pytest.mark.parametrize("path", ["/atom.xml", "/", "/nowhere", "/healthz"])
def test_other_methods_are_refused(server: Server, method: str, path: str) -> None:
    """Methods other than GET, HEAD and OPTIONS get 405 with Allow."""
    answer = ask(server, path, method, {"Content-Length": "0"})
    assert answer.status == 405
    assert {"GET", "HEAD"} <= set(answer.headers["Allow"].split(", "))
    assert answer.body == b"405 Method Not Allowed\n"


@pytest.mark.parametrize(
    "method", ["get", "Get", "geT", "head", "post", "options", "G", "FOO", "TRACE"]
)
@pytest.mark.parametrize("path", ["/atom.xml", "/topics/plain", "/healthz"])
def test_methods_are_case_sensitive(server: Server, method: str, path: str) -> None:
    """A method in another case is refused, never redirected, and not cached."""
    answer = ask(server, path, method)
    if "gunicorn" in server.process.args and method != "TRACE":  # type: ignore[operator]  # a list
        # It refuses methods that are not registered by itself.
        assert answer.status in {400, 405}
        return
    assert answer.status == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Methods" not in answer.headers


def test_long_headers_are_treated_as_absent(server: Server) -> None:
    """Headers with thousands of members are ignored."""
    etag = ask(server, "/atom.xml").headers["ETag"]
    tags = {"If-None-Match": f'{etag}, "a"'}
    assert ask(server, "/atom.xml", headers=tags).status == 304
    tags = {"If-None-Match": f"{etag}, " + '"a", ' * 1600}
    assert ask(server, "/atom.xml", headers=tags).status == 200
    date = ask(server, "/atom.xml").headers["Last-Modified"]
    since = {"If-Modified-Since": date + " " * 1000 + "x"}
    assert ask(server, "/atom.xml", headers=since).status == 200
    for accepted, media_type in (
        ("text/html", "text/html"),
        ("text/html, a/b" * 100, "text/plain"),
    ):
        answer = ask(server, "/nowhere", headers={"Accept": accepted})
        assert answer.headers["Content-Type"] == f"{media_type}; charset=utf-8"


def test_a_browser_may_ask_with_validators(server: Server) -> None:
    """A preflight request allows conditional requests."""
    asked = {
        "Origin": "https://reader.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "if-none-match",
    }
    answer = ask(server, "/atom.xml", "OPTIONS", asked)
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "If-None-Match" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher"},
        {"X-Forwarded-For": "evil", "X-Forwarded-Prefix": "/evil", "X-Forwarded-Port": "1"},
        {"Forwarded": "host=evil.example;proto=gopher"},
        {"X-Original-URL": "/evil", "X-Rewrite-URL": "/evil"},
        {"Accept": "application/xml;q=0"},
        {"Range": "bytes=0-9"},
        {"Cookie": "session=evil"},
        {"Authorization": "Basic ZXZpbDpldmls"},
        {"User-Agent": "evil'\"<script>"},
        {"Cache-Control": "no-cache", "Pragma": "no-cache"},
        {"Accept-Language": "ar"},
    ],
    ids=lambda headers: next(iter(headers)),
)
@pytest.mark.parametrize("path", ["/atom.xml", "/topics/plain", "/nowhere"])
def test_no_other_header_changes_the_answer(
    server: Server, headers: dict[str, str], path: str
) -> None:
    """No other header changes bytes, status or headers of the answer."""
    plain, answer = ask(server, path), ask(server, path, headers=headers)
    assert (answer.status, answer.body) == (plain.status, plain.body)
    assert without_date(answer) == without_date(plain)


@pytest.mark.parametrize("path", ["/atom.xml", "/topics/plain", "/topics/plain/"])
def test_who_likes_html_gets_the_same_document(server: Server, path: str) -> None:
    """Accept does not change the answer for a document; for errors see test_guides.py."""
    plain, answer = ask(server, path), ask(server, path, headers={"Accept": "text/html"})
    assert (answer.status, answer.body) == (plain.status, plain.body)
    assert without_date(answer) == without_date(plain)


@pytest.mark.parametrize("query", ["?", "?_=1732412345", "?url=http://evil.example/", "?%00&&=&a"])
def test_queries_are_ignored(server: Server, query: str) -> None:
    """A reader that adds a query gets the same answer, and the same 304."""
    plain, answer = ask(server, "/atom.xml"), ask(server, "/atom.xml" + query)
    assert answer.body == plain.body
    assert without_date(answer) == without_date(plain)
    known = {"If-None-Match": plain.headers["ETag"]}
    assert ask(server, "/atom.xml" + query, headers=known).status == 304


def raw(server: Server, request: bytes) -> Answer:
    """Send bytes as they are, and read one answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1]) if head else 0
    return Answer(status, HTTPMessage(), body)


def get(path: bytes, *headers: bytes, host: bytes = b"x", version: bytes = b"1.1") -> bytes:
    lines = [b"GET %s HTTP/%s" % (path, version), b"Host: " + host, b"Connection: close", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


@pytest.mark.parametrize(
    "host", [b"evil.example", b"", b"a b", b"[::", b"x/../y", b"x" * 3000, b"xn--" + b"a" * 300]
)
def test_a_hostile_host_changes_nothing(server: Server, host: bytes) -> None:
    """No byte of an answer comes from the Host header."""
    for path, status in ((b"/atom.xml", 200), (b"/topics/plain", 301), (b"/nowhere", 404)):
        plain, answer = raw(server, get(path)), raw(server, get(path, host=host))
        assert plain.status == status
        assert b"evil.example" not in answer.body
        # A server may refuse a Host that is none.
        assert answer.status == 400 or (answer.status, answer.body) == (status, plain.body)


HOSTILE = {
    "bad percent-encoding": get(b"/%zz%"),
    "bad UTF-8": get(b"/topics/%ff%fe/atom.xml"),
    "overlong UTF-8": get(b"/%c0%ae%c0%ae/atom.xml"),
    "surrogate": get(b"/%ed%a0%80"),
    "NUL": get(b"/atom.xml%00"),
    "raw NUL": get(b"/atom\x00.xml"),
    "dots": get(b"/../../etc/passwd"),
    "encoded dots": get(b"/..%2f..%2f..%2fetc%2fpasswd"),
    "dots inside": get(b"/topics/../entries.yaml"),
    "the catalogue": get(b"/entries.yaml"),
    "the history": get(b"/.feeds/history.tsv"),
    "backslashes": get(b"/..\\..\\windows"),
    "two slashes": get(b"//evil.example/"),
    "control characters": get(b"/%0d%0aSet-Cookie:%20a=b"),
    "long line": get(b"/" + b"a" * 10_000),
    "long header": get(b"/nowhere", b"X-Long: " + b"a" * 10_000),
    "200 headers": get(b"/nowhere", *(b"X-%d: a" % number for number in range(200))),
    "no version": b"GET /nowhere\r\n\r\n",
    "strange version": get(b"/nowhere", version=b"9.9"),
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "bad header": get(b"/nowhere", b"no colon"),
    "bad length": get(b"/nowhere", b"Content-Length: -1"),
    "two lengths": get(b"/nowhere", b"Content-Length: 1", b"Content-Length: 2"),
    "smuggling": get(b"/nowhere", b"Content-Length: 4", b"Transfer-Encoding: chunked")
    + b"0\r\n\r\n",
    "absolute address": get(b"http://evil.example/nowhere"),
    "a number": get(b"/" + b"9" * 400),
    "markup": get(b"/<script>alert(1)</script>"),
    "a template": get(b"/{{7*7}}%7B%7B7*7%7D%7D"),
    "many folders": get(b"/" + b"a/" * 30_000),
    "many slashes": get(b"/" * 2000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_requests_are_refused_plainly(server: Server, name: str) -> None:
    """A hostile request gets a 4xx or no answer, without a traceback, a file or an echo."""
    answer = raw(server, HOSTILE[name])
    assert answer.status == 0 or 400 <= answer.status < 500
    for leak in (b"Traceback", b'File "', b"site-packages", b"evil.example", b"<script>", b"49"):
        assert leak not in answer.body
    assert str(server.folder).encode() not in answer.body
    assert ask(server, "/atom.xml").status == 200


def test_many_headers_and_long_ones_do_no_harm(server: Server) -> None:
    """A request with too many headers is answered or refused."""
    headers = (b"X-%d: a" % number for number in range(200))
    answer = raw(server, get(b"/atom.xml", *headers))
    assert answer.status in {200, 400, 431}


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/topics/plain", "topics/plain/"),
        ("/topics/former/", "topics/described/"),
        ("/topics/former", "topics/described/"),
        ("/topics/former/atom.xml", "topics/described/atom.xml"),
        ("/topics/former/countries/vn/rss.xml", "topics/described/countries/vn/rss.xml"),
        ("/topics/older/feed.json", "topics/described/feed.json"),
        ("/news.rss", "rss.xml"),
        ("/" + quote("أخبار/atom.xml"), "countries/tr/atom.xml"),
        ("/feed/", "rss.xml"),
        ("/feed", "rss.xml"),
        ("/feed/rss2/", "rss.xml"),
        ("/blog/", ""),
        ("/blog", ""),
        ("/blog/atom.xml", "atom.xml"),
        ("/blog/topics/former/rss.xml", "topics/described/rss.xml"),
        ("/blog/feed/", "rss.xml"),
        ("/home.html", ""),
    ],
)
def test_moved_addresses_lead_on_in_one_step(server: Server, path: str, target: str) -> None:
    """A moved address is a 301 to the site's own URL, where there is a document."""
    for method in ("GET", "HEAD"):
        answer = ask(server, path, method, {"Host": "evil.example"})
        assert answer.status == 301
        assert answer.headers["Location"] == URL + target
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cache-Control"].startswith("public, max-age=900")
    assert ask(server, "/" + target).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/topics/gone/",
        "/topics/gone",
        "/topics/gone/x.xml",
        "/gone.xml",
        "/topics/former/gone/x.xml",
    ],
)
def test_retired_addresses_are_gone(server: Server, path: str) -> None:
    """A retired address is 410."""
    answer = ask(server, path)
    assert (answer.status, answer.body) == (410, b"410 Gone\n")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"].startswith("public, max-age=900")


@pytest.mark.parametrize(
    "path",
    [
        *("/topics/nothing/", "/topics/former/nothing.xml", "/countries/TR/atom.xml"),
        *("/atom.xml/", "/ATOM.XML", "/gone.xml.html", "//atom.xml"),
        *("//evil.example", "////", "/topics/plain//", "/healthz/", "/healthz//"),
    ],
)
def test_what_is_not_there_is_a_short_404(server: Server, path: str) -> None:
    """An unknown address is a short plain 404 that is not cached."""
    answer = ask(server, path)
    assert (answer.status, answer.body) == (404, b"404 Not Found\n")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


def test_health_reports_the_release_and_its_age(server: Server) -> None:
    """`/healthz` is 200 with the release's id and age as JSON, and is not cached."""
    answer = ask(server, "/healthz")
    reported = json.loads(answer.body)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(reported) == {"status", "release", "age", "failure"}
    assert reported["status"] == "ok"
    assert re.fullmatch("[0-9a-f]{16}", reported["release"])
    assert reported["age"] >= 0
    assert reported["failure"] is None


def test_the_shipped_site_is_named_in_every_address(server: Server) -> None:
    """Addresses in documents are the site's, whatever host and port were requested."""
    assert load_catalogue(CATALOGUE).site.url == URL
    for path in ("/atom.xml", "/rss.xml", "/feed.json", "/index.html", "/topics/plain/"):
        assert b"127.0.0.1" not in ask(server, path).body
