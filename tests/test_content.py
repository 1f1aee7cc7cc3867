"""The content of entries in feeds: text, photo and credit, as readers show it."""

import json
import shutil
import unicodedata
from pathlib import Path
from typing import Literal

import feedparser
import pytest
from conftest import AS_OF, MEDIA
from lxml import etree

from feeds import Release, build_release, load_catalogue
from feeds.catalogue import read_catalogue

HEAD = """site: {title: T, url: https://news.example.org/, id: 'tag:news.example.org,2021:t'}
entries:
- {id: a, title: A & B, date: 2022-05-24"""


def built(fields: str) -> Release:
    return build_release(
        read_catalogue([("f", f"{HEAD}, {fields}}}\n".encode())], media=MEDIA), as_of=AS_OF
    )


def contents(release: Release) -> list[str]:
    """Return the content of the entry in Atom, RSS and JSON Feed; '' if it has none.

    RSS has that of an entry without a summary as its description.
    """
    atom = etree.fromstring(release["atom.xml"].body)
    rss = etree.fromstring(release["rss.xml"].body)
    item = json.loads(release["feed.json"].body)["items"][0]
    encoded = rss.findtext(".//{http://purl.org/rss/1.0/modules/content/}encoded")
    return [
        atom.findtext(".//{http://www.w3.org/2005/Atom}content") or "",
        encoded or ("" if item.get("summary") else rss.findtext(".//item/description") or ""),
        item.get("content_html", ""),
    ]


URL = "https://example.org/a.jpg?x=1&y=2"
PHOTO = (
    f"photo: {{url: '{URL}', credit: '© A & B', alt: 'A \"quoted\" <alt>', width: 30, height: 20}}"
)
FIGURE = (
    '<figure><img src="https://example.org/a.jpg?x=1&amp;y=2"'
    ' alt="A &quot;quoted&quot; &lt;alt&gt;" width="30" height="20">'
    "<figcaption>© A &amp; B</figcaption></figure>"
)
CREDIT = "<p><small>© A &amp; B</small></p>"


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        (f"summary: 'S < T', {PHOTO}", f"{FIGURE}\n<p>S &lt; T</p>"),
        (f"body: '*B*', {PHOTO}", f"{FIGURE}\n<p><em>B</em></p>"),
        (f"summary: S, body: B, {PHOTO}", f"{FIGURE}\n<p>B</p>"),
        (f"link: https://e.org/, {PHOTO}", FIGURE),
        ("summary: S, photo: {credit: © A & B}", f"<p>S</p>\n{CREDIT}"),
        ("body: B, photo: {credit: © A & B}", f"<p>B</p>\n{CREDIT}"),
        ("link: https://e.org/, photo: {credit: © A & B}", CREDIT),
        ("summary: S, photo: {url: 'https://e.org/a.png'}",
         '<figure><img src="https://e.org/a.png" alt=""></figure>\n<p>S</p>'),
    ],
)  # fmt: skip
def test_content_shows_the_photo_and_its_credit(fields: str, content: str) -> None:
    """In each format the content begins with the photo, or ends with a credit without a picture."""
    assert contents(built(fields)) == [content] * 3


@pytest.mark.parametrize("credit", ["", ", credit: © A & B"])
def test_a_picture_that_the_body_shows_is_not_shown_twice(credit: str) -> None:
    """A body that shows the photo's picture has no figure; a credit that it does not give follows."""
    shown = '<p><img src="https://example.org/a.jpg?x=1&amp;y=2" alt="x"></p>'
    fields = f"body: '![x]({URL})', photo: {{url: '{URL}'{credit}}}"
    assert contents(built(fields))[2] == (f"{shown}\n{CREDIT}" if credit else shown)
    given = f"body: '![x]({URL}) © A & B', photo: {{url: '{URL}'{credit}}}"
    assert contents(built(given))[2].count("©") == 1


def test_the_figure_has_the_address_of_media_content() -> None:
    """Readers that show both can recognise that the two are one picture."""
    release = built("summary: S, photo: {url: media/market.jpg, credit: x}")
    for name in ("atom.xml", "rss.xml"):
        entry = feedparser.parse(release[name].body).entries[0]
        [media] = entry.media_content
        assert f'src="{media["url"]}"' in entry.content[0].value
        assert f'width="{media["width"]}"' in entry.content[0].value


def test_an_entry_without_a_photo_is_as_before() -> None:
    """An entry with only a summary has no content; a body is the content."""
    assert contents(built("summary: S")) == ["", "", ""]
    assert contents(built("summary: S, body: B")) == ["<p>B</p>"] * 3


def test_a_headline_alone_is_an_entry() -> None:
    """Without summary and body, Atom's summary and JSON Feed's text are the title."""
    release = built("link: https://e.org/")
    item = json.loads(release["feed.json"].body)["items"][0]
    assert (item["content_text"], "summary" in item) == ("A & B", False)
    entry = feedparser.parse(release["atom.xml"].body).entries[0]
    assert (entry.title, entry.summary) == ("A & B", "A & B")
    assert b"dcterms" not in release["atom.xml"].body
    [rss] = feedparser.parse(release["rss.xml"].body).entries
    assert rss.title == "A & B"


@pytest.mark.parametrize(("written", "stored"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_a_file_is_found_in_either_normal_form(
    written: Literal["NFC", "NFD"], stored: Literal["NFC", "NFD"], tmp_path: Path
) -> None:
    """A name in the catalogue and on disk is the same in NFC and NFD; it is published in NFC."""
    name = "Genève.jpg"
    (tmp_path / "media").mkdir()
    shutil.copy(MEDIA / "market.jpg", tmp_path / "media" / unicodedata.normalize(stored, name))
    text = f"{HEAD}, photo: {{url: media/{unicodedata.normalize(written, name)}}}}}\n"
    file = tmp_path / "entries.yaml"
    file.write_text(text)
    release = build_release(load_catalogue(file), as_of=AS_OF)
    path = f"media/{unicodedata.normalize('NFC', name)}"
    assert release[path].body == (MEDIA / "market.jpg").read_bytes()
    assert 'src="https://news.example.org/media/Gen%C3%A8ve.jpg"' in contents(release)[2]
