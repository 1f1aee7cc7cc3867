"""A site whose address has a path is served under that path, and without it."""

from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import quote, urlsplit

import pytest
from conftest import PATIENCE, Server, running, shortened

TEXT = shortened("global-accelerator-jobs-social-protection")
MOVES = "\n  moved: {old/: topics/financing/}\n  retired: [gone/]\n  language:"
URLS = [
    "https://news.example.org/news/",
    "https://news.example.org/n%C3%A9ws/t%2Btoday/",
    "https://news.example.org/topics/",
]


# One address is enough for the other server.
SITES = [("gunicorn", URLS[0]), *(("feeds serve", url) for url in URLS)]


@pytest.fixture(scope="module", params=SITES, ids=" ".join)
def site(request: pytest.FixtureRequest) -> tuple[str, str]:
    found: tuple[str, str] = request.param
    return found


@pytest.fixture(scope="module")
def url(site: tuple[str, str]) -> str:
    return site[1]


@pytest.fixture(scope="module")
def server(site: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    kind, url = site
    folder = tmp_path_factory.mktemp("server")
    file = folder / "entries.yaml"
    file.write_text(TEXT.replace("\n  language:", MOVES, 1))
    with running(kind, file, folder, url=url) as found:
        yield found


def ask(server: Server, path: str, method: str = "GET", **headers: str) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    connection.close()
    return answer


def answered(answer: HTTPResponse) -> tuple[object, ...]:
    """Return what must be the same under each address."""
    names = ("Location", "ETag", "Last-Modified", "Content-Type", "Link", "Allow")
    return answer.status, answer.body, *map(answer.getheader, names)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("", 200),
        ("index.html", 200),
        ("atom.xml", 200),
        ("topics/financing/", 200),
        ("topics/financing/rss.xml", 200),
        ("style.css", 200),
        ("robots.txt", 200),
        ("topics/financing", 301),
        ("old/atom.xml", 301),
        ("old", 301),
        ("gone/", 410),
        ("nowhere", 404),
        ("nowhere/", 404),
    ],
)
def test_each_address_is_answered_under_the_path_and_without(
    server: Server, url: str, path: str, status: int
) -> None:
    """Documents, redirects and errors are the same, whether or not a proxy removes the path."""
    prefix = urlsplit(url).path
    for method in ("GET", "HEAD"):
        under, without = (ask(server, top + path, method) for top in (prefix, "/"))
        assert under.status == status
        assert answered(under) == answered(without)
        if status == 301:
            assert str(under.getheader("Location")).startswith(f"{url}topics/financing/")
    assert ask(server, prefix + path, "POST").status == 405
    page = ask(server, prefix + path, Accept="text/html")
    assert answered(page) == answered(ask(server, "/" + path, Accept="text/html"))


def test_the_path_without_its_slash_leads_to_the_site(server: Server, url: str) -> None:
    """`/news` is a 301 to `/news/`, as for any folder."""
    if url == URLS[2]:
        return  # It is a folder of the site, too.
    answer = ask(server, urlsplit(url).path.rstrip("/"))
    assert (answer.status, answer.getheader("Location")) == (301, url)


def test_health_answers_under_the_path(server: Server, url: str) -> None:
    """`/healthz` also answers below the site's path."""
    answer = ask(server, f"{urlsplit(url).path}healthz")
    assert answer.status == 200
    assert answer.getheader("Content-Type") == "application/json"
    assert answer.getheader("Cache-Control") == "no-store"


def test_the_path_may_be_encoded_as_clients_like(server: Server, url: str) -> None:
    """Any percent-encoding of the same path is the same path; another path is not."""
    prefix = urlsplit(url).path
    whole = "".join(c if c == "/" else f"%{ord(c):02X}" for c in "/news/")
    if url == URLS[0]:
        assert ask(server, f"{whole}atom.xml").status == 200
        for other in ("/NEWS/", "/news", "/new/", "/news/news/", "/news%2F..%2F", "/news//"):
            assert ask(server, f"{other}atom.xml").status == 404, other
    assert ask(server, f"{prefix}{quote('atom.xml')}").status == 200
