"""A feed that lies where it is to be put is taken from there, where it would be made the same."""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import AS_OF, MEDIA

from feeds import Release
from feeds.cache import Cache
from feeds.catalogue import read_catalogue
from feeds.formats import FORMATS
from feeds.workshop import Workshop

TEXT = """site:
  title: News
  url: https://news.example.org/
  id: tag:news.example.org,2021:t
  rights: © We
  items: 3
topics:
  a: Alpha
  b: Beta
countries:
  JO: Jordan
entries:
- id: one
  title: One
  date: 24 May 2022
  summary: The first.
  topics: [a]
- id: two
  title: Two
  date: 24 May 2022
  summary: The second.
  topics: [a, b]
  countries: [JO]
- id: three
  title: Three
  date: 2022-05-20T09:00+02:00
  updated: 2022-05-21
  body: A **long** text.
  topics: [b]
  photo: {url: media/market.jpg, credit: © X}
- id: four
  title: Four
  date: 2022-05-19
  updated: 2022-05-22
  summary: The fourth.
  countries: [VN]
"""
FEEDS = {form.filename for form in FORMATS}


class Site:
    """A folder's documents, and what is remembered beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.media = folder / "media"
        shutil.copytree(MEDIA, self.media)
        self.files: dict[str, bytes] = {}

    def publish(self, text: str = TEXT, days: int = 0) -> set[str]:
        """Put a catalogue's release there, and give the paths of the feeds that had to be made.

        It is what it would be if nothing were remembered, and nothing lay there.
        """
        files = [("entries.yaml", text.encode())]
        moment = AS_OF + timedelta(days=days)
        workshop = Workshop(cache=Cache(self.folder / "cache"), lying=self.files.get)
        catalogue = read_catalogue(files, media=self.media, workshop=workshop)
        release = Release(catalogue, as_of=moment, workshop=workshop)
        workshop.cache.save()
        cold = Release(read_catalogue(files, media=self.media), as_of=moment)
        assert dict(release) == dict(cold)
        found = {path: document.body for path, document in release.items()}
        made = {path for path, body in found.items() if self.files.get(path) is not body}
        self.files = found
        return {path for path in made if path.rpartition("/")[2] in FEEDS}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    found = Site(tmp_path)
    found.publish()
    return found


def everything(files: Mapping[str, bytes]) -> set[str]:
    return {path for path in files if path.rpartition("/")[2] in FEEDS}


def in_folders(*folders: str) -> set[str]:
    return {folder + name for folder in folders for name in FEEDS}


def test_an_unchanged_feed_is_not_made_again(site: Site) -> None:
    """Where nothing has changed, all feeds are taken from where they lie."""
    assert site.publish() == set()
    assert site.publish() == set()


@pytest.mark.parametrize(
    ("old", "new", "folders"),
    [
        ("The first.", "The very first.", ("", "topics/a/")),
        ("Two\n", "Zwei\n", ("", "topics/a/", "topics/b/", "countries/jo/", "topics/a/countries/jo/", "topics/b/countries/jo/")),
        ("**long**", "*long*", ("", "topics/b/")),
        ("credit: © X", "credit: © Y", ("", "topics/b/")),
        ("The fourth.", "The last.", ("countries/vn/",)),
        ("[VN]", "[VN, TG]", ("countries/vn/", "countries/tg/")),
        ("2022-05-22", "2022-05-22T12:00Z", ("countries/vn/",)),
        # Those of one day are a second after those below them.
        ("[VN]\n", "[VN]\n- {id: new, title: N, date: 2022-05-19, summary: N.}\n", ("countries/vn/",)),
        ("- id: two", "- id: new\n  title: New\n  date: 24 May 2022\n  summary: N.\n- id: two", ("", "topics/a/")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_an_edit_makes_the_feeds_that_it_reaches(
    site: Site, old: str, new: str, folders: tuple[str, ...]
) -> None:
    """After an edit of an entry, those feeds are made that carry it, and no others."""
    assert old in TEXT
    assert site.publish(TEXT.replace(old, new)) == in_folders(*folders)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: News", "title: Newer"),
        ("© We", "© You"),
        ("https://news.", "https://other.news."),
        ("tag:news.example.org,2021:t", "tag:news.example.org,2021:u"),
    ],
)
def test_an_edit_of_the_site_makes_all_feeds(site: Site, old: str, new: str) -> None:
    """What all feeds say of the site makes all of them anew."""
    assert site.publish(TEXT.replace(old, new)) == everything(site.files)


def test_a_feed_says_the_names_of_its_labels(site: Site) -> None:
    """Another name of a topic or a country is in all feeds that show it."""
    made = site.publish(TEXT.replace("Beta", "Bravo").replace("JO: Jordan", "JO: The Kingdom"))
    assert made >= in_folders("", "topics/b/", "countries/jo/")


def test_a_picture_that_changed_is_told(site: Site) -> None:
    """A feed that tells a picture's size is made when the file is another."""
    (site.media / "market.jpg").unlink()
    shutil.copy(MEDIA / "lying.jpg", site.media / "market.jpg")
    assert site.publish() == in_folders("", "topics/b/")


def test_what_comes_due_is_told(site: Site) -> None:
    """An update that was dated later makes its feeds anew in time, and not before."""
    later = TEXT.replace("2022-05-22", "2031-01-02").replace("2022-05-21", "2031-01-01")
    site.publish(later)
    days = (datetime(2031, 1, 1, tzinfo=UTC) - AS_OF).days
    assert site.publish(later, days - 1) == set()
    assert site.publish(later, days) == in_folders("", "topics/b/")
    assert site.publish(later, days + 1) == in_folders("countries/vn/")


@pytest.mark.parametrize("way", ["changed", "swapped", "lost"])
def test_what_was_spoilt_is_made_again(site: Site, way: str) -> None:
    """Bytes that are not what was put there are never taken for it."""
    if way == "lost":
        del site.files["atom.xml"]
    else:
        other = site.files["topics/a/atom.xml"]
        site.files["atom.xml"] = other if way == "swapped" else site.files["atom.xml"] + b" "
    assert site.publish() == {"atom.xml"}


def test_what_need_not_be_shown_again_is_not_forgotten(tmp_path: Path) -> None:
    """The bodies of entries in feeds that are reused are still known after other edits."""
    item = "- {{id: {0}{1}, title: T, date: 2021-0{1}-24, body: '{0}{1}', topics: [{0}]}}\n"
    newer = "".join(item.format("a", number) for number in range(9, 6, -1))
    older = "".join(item.format("b", number) for number in range(6, 1, -1))
    text = f"{TEXT.partition('entries:')[0]}entries:\n{newer}{older}"
    lying: dict[str, bytes] = {}
    for body in ("a9", "once more", "and again"):
        workshop = Workshop(cache=Cache(tmp_path), lying=lying.get)
        edited = text.replace("'a9'", f"'{body}'")
        catalogue = read_catalogue([("entries.yaml", edited.encode())], workshop=workshop)
        release = Release(catalogue, as_of=AS_OF, pages=False, workshop=workshop)
        lying = {path: document.body for path, document in release.items()}
        workshop.cache.save()
        assert len(Cache(tmp_path).shelf("bodies")) >= len("aaabbb")


def test_a_catalogue_that_cannot_be_cut_is_published_all_the_same(site: Site) -> None:
    """Where entries have no revisions, feeds are made."""
    assert site.publish(TEXT.replace("entries:", '"entries":')) == everything(site.files)
