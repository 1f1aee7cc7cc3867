"""Feed readers that are subscribed to an earlier site see no entry again, once it is taken over."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from conftest import free_port, run_feeds, running, wait_until
from earlier_sites import EARLIER, POSTS, WITHOUT_IDS
from feed_server import serving
from subscribers import newsboat, reader_library, rss2email

from feeds import load_catalogue

READERS = (newsboat, reader_library, rss2email)

pytestmark = pytest.mark.heavy


class Subscriptions:
    """Readers of a feed. `news` has the titles that each shows as new since the last time."""

    def __init__(self, folder: Path, url: str) -> None:
        self._news = {}
        # newsboat 2.21 and rss2email do not read JSON Feed.
        for subscribe in [reader_library] if url.endswith("json") else READERS:
            own = folder / subscribe.__name__
            own.mkdir(parents=True)
            self._news[subscribe.__name__] = subscribe(own, url)

    def news(self) -> dict[str, list[str]]:
        return {name: news() for name, news in self._news.items()}

    def each(self, titles: list[str]) -> dict[str, list[str]]:
        return dict.fromkeys(self._news, titles)


@pytest.fixture
def port() -> int:
    """Return the port of the earlier site and of ours, which have the same address."""
    return free_port()


@pytest.fixture
def taken_over(tmp_path: Path, port: int) -> Callable[[str], tuple[Subscriptions, Path]]:
    """Subscribe to an earlier site's feed, read all, and import it; return its readers and catalogue."""

    def import_site(name: str) -> tuple[Subscriptions, Path]:
        url = f"http://127.0.0.1:{port}/"
        make, path = EARLIER[name]
        (tmp_path / "earlier").mkdir()
        feeds = make(tmp_path / "earlier", url)
        with serving(feeds, port):
            readers = Subscriptions(tmp_path / "readers", url + path)
            assert shown(readers) == len(POSTS)
            catalogue = tmp_path / "entries.yaml"
            import_again(url + path, catalogue, url)
        assert run_feeds("check", catalogue).returncode == 0
        return readers, catalogue

    return import_site


def import_again(feed: str, catalogue: Path, url: str) -> None:
    done = run_feeds("import", feed, "--catalogue", catalogue, "--url", url)
    assert (done.returncode, done.stderr) == (0, "")


def shown(readers: Subscriptions) -> int:
    """Return how many entries each reader shows as new; it is the same number."""
    [number] = {len(titles) for titles in readers.news().values()}
    return number


def served(url: str, text: str) -> None:
    """Wait until the feed of all entries contains a text."""

    def is_there() -> bool:
        with urlopen(f"{url}atom.xml") as answer:
            return text.encode() in answer.read()

    wait_until(is_there)


@pytest.mark.parametrize("name", sorted(EARLIER.keys() - {WITHOUT_IDS}))
def test_no_reader_shows_an_entry_again(
    name: str,
    taken_over: Callable[[str], tuple[Subscriptions, Path]],
    port: int,
    tmp_path: Path,
) -> None:
    """After one `feeds import`, each reader shows a new entry alone; without `guid`, also the old."""
    url = f"http://127.0.0.1:{port}/"
    readers, catalogue = taken_over(name)
    imported = catalogue.read_bytes()
    with running("feeds serve", catalogue, tmp_path / "server", url=url, port=port):
        assert readers.news() == readers.each([])
        import_again(url + EARLIER[name][1], catalogue, url)
        assert catalogue.read_bytes() == imported
        for old, new in load_catalogue(catalogue, url=url).site.moved.items():
            with urlopen(url + quote(old)) as answer:
                assert answer.url == url + new
        words = ("new", "Bridges", "--summary", "They hold.", "--catalogue", catalogue)
        assert run_feeds(*words).returncode == 0
        served(url, "They hold.")
        assert readers.news() == readers.each(["Bridges"])
        without_guids = re.sub("^  guid:.*\n", "", catalogue.read_text("utf-8"), flags=re.MULTILINE)
        catalogue.write_text(without_guids.replace("They hold.", "They held."), "utf-8")
        served(url, "They held.")
        assert shown(readers) == len(POSTS)


def test_an_entry_without_an_id_keeps_its_link(
    taken_over: Callable[[str], tuple[Subscriptions, Path]], port: int, tmp_path: Path
) -> None:
    """Without ids, readers that know entries by their links show none again; the guide names others."""
    url = f"http://127.0.0.1:{port}/"
    readers, catalogue = taken_over(WITHOUT_IDS)
    with running("feeds serve", catalogue, tmp_path / "server", url=url, port=port):
        again = {name: len(titles) for name, titles in readers.news().items()}
    # newsboat knows them by link and date, rss2email by text.
    assert again == {"reader_library": 0, "newsboat": len(POSTS), "rss2email": len(POSTS)}
