"""A feed becomes a catalogue: of any version, with all of its pages, however bad it is."""

import gzip
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from conftest import run
from feed_server import Answer, FeedServer, serving
from hostile import hostile
from hypothesis import given, settings
from hypothesis import strategies as st
from import_cases import Imported, feeds

from feeds import Catalogue, load_catalogue
from feeds.model import Attachment, Person, Photo
from feeds.notify.http import is_same_site

ITEM = """<item>
<title>Title {0}</title>
<link>https://example.org/news/{0}/</link>
<guid isPermaLink="false">id-{0}</guid>
<pubDate>{0:02} May 2022 09:00:00 +0200</pubDate>
<description>Summary {0}.</description>
</item>
"""


def rss(*items: str | int, head: str = "") -> bytes:
    """Return RSS with items; a number is that of a usual one, of that day in May."""
    texts = (ITEM.format(item) if isinstance(item, int) else item for item in items)
    return (
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>\n'
        f"<title>News</title><link>https://example.org/</link>{head}\n{''.join(texts)}"
        "</channel></rss>\n"
    ).encode()


def item(**fields: str) -> str:
    """Return an item of RSS with elements of these names, on one line."""
    return f"<item>{''.join(f'<{name}>{text}</{name}>' for name, text in fields.items())}</item>\n"


def imported(folder: Path, data: bytes, *options: str, name: str = "feed.xml") -> Imported:
    """Import a document into the catalogue in a folder."""
    (folder / name).write_bytes(data)
    return feeds(folder, "import", name, *options)


def catalogue_of(folder: Path) -> Catalogue:
    return load_catalogue(folder / "entries.yaml")


def ids_of(folder: Path) -> list[str]:
    """Return the ids that the entries have in RSS, in the order of the catalogue."""
    catalogue = catalogue_of(folder)
    return [catalogue.site.entry_id(entry, "rss") for entry in catalogue.entries]


@pytest.fixture
def pages() -> dict[str, bytes | Answer]:
    """Return what `server` sends, by path, to be filled."""
    return {}


@pytest.fixture
def server(pages: dict[str, bytes | Answer]) -> Iterator[FeedServer]:
    with serving(pages) as found:
        yield found


VERSIONS = {
    "RSS 0.91": '<rss version="0.91"><channel><title>N</title><link>https://example.org/</link>'
    "<description>D</description><item><title>T</title><link>https://example.org/t</link>"
    "<description>S</description><pubDate>24 May 2022 10:00:00 GMT</pubDate></item></channel></rss>",
    "RSS 1.0": '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    ' xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    '<channel rdf:about="https://example.org/f"><title>N</title><link>https://example.org/</link>'
    "<description>D</description></channel>"
    '<item rdf:about="https://example.org/t"><title>T</title><link>https://example.org/t</link>'
    "<description>S</description><dc:date>2022-05-24T10:00:00Z</dc:date></item></rdf:RDF>",
    "RSS 2.0": '<rss version="2.0"><channel><title>N</title><link>https://example.org/</link>'
    "<description>D</description><item><title>T</title><guid>https://example.org/t</guid>"
    "<description>S</description><pubDate>Tue, 24 May 2022 12:00:00 +0200</pubDate></item>"
    "</channel></rss>",
    "Atom 0.3": '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>N</title>'
    '<link rel="alternate" type="text/html" href="https://example.org/"/><tagline>D</tagline>'
    "<modified>2022-05-24T10:00:00Z</modified><entry><title>T</title>"
    '<link rel="alternate" type="text/html" href="https://example.org/t"/>'
    "<id>https://example.org/t</id><issued>2022-05-24T10:00:00Z</issued>"
    "<modified>2022-05-24T10:00:00Z</modified><summary>S</summary></entry></feed>",
    "Atom 1.0": '<feed xmlns="http://www.w3.org/2005/Atom"><title>N</title><id>urn:x:f</id>'
    '<link href="https://example.org/"/><subtitle>D</subtitle>'
    "<updated>2022-05-24T10:00:00Z</updated><entry><title>T</title><id>https://example.org/t</id>"
    '<link href="https://example.org/t"/><updated>2022-05-24T10:00:00Z</updated>'
    "<summary>S</summary></entry></feed>",
    "JSON Feed 1": '{"version": "https://jsonfeed.org/version/1", "title": "N",'
    ' "home_page_url": "https://example.org/", "description": "D", "author": {"name": "A"},'
    ' "items": [{"id": "https://example.org/t", "url": "https://example.org/t", "title": "T",'
    ' "content_text": "S", "date_published": "2022-05-24T10:00:00Z"}]}',
    "JSON Feed 1.1": '{"version": "https://jsonfeed.org/version/1.1", "title": "N",'
    ' "home_page_url": "https://example.org/", "description": "D", "authors": [{"name": "A"}],'
    ' "items": [{"id": "https://example.org/t", "url": "https://example.org/t", "title": "T",'
    ' "summary": "S", "date_published": "2022-05-24T12:00:00+02:00"}]}',
}


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_is_read(version: str, tmp_path: Path) -> None:
    """Title, date, summary, link and id arrive from each version of the three formats."""
    name = "feed.json" if version.startswith("JSON") else "feed.xml"
    done = imported(tmp_path, VERSIONS[version].encode(), name=name)
    assert done == Imported("entries.yaml: 1 entry written\n", 0)
    catalogue = catalogue_of(tmp_path)
    [entry] = catalogue.entries
    assert (catalogue.site.title, catalogue.site.description) == ("N", "D")
    assert catalogue.site.url == "https://example.org/"
    assert (entry.id, entry.title, entry.summary) == ("t", "T", "S")
    assert entry.published.timestamp() == 1653386400
    assert {catalogue.site.entry_id(entry, form) for form in ("atom", "rss", "json")} == {
        "https://example.org/t"
    }
    assert entry.link == "https://example.org/t"


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252", "utf-16", "utf-8", "utf-8-sig"])
def test_each_encoding_is_read(encoding: str, tmp_path: Path) -> None:
    """A text arrives from each encoding that the document declares, or has a mark of."""
    head = "" if encoding.startswith("utf-8") else f'<?xml version="1.0" encoding="{encoding}"?>\n'
    text = head + rss(1).decode().replace("Summary 1", "Café ½")
    done = imported(tmp_path, text.encode(encoding))
    assert done == Imported("entries.yaml: 1 entry written\n", 0)
    assert catalogue_of(tmp_path).entries[0].summary == "Café ½."


def test_each_item_that_cannot_be_imported_is_reported(tmp_path: Path) -> None:
    """Items without a date, a title or an id of their own are reported by line; the others arrive."""
    usual = {"title": "T", "pubDate": "24 May 2022 10:00:00 GMT"}
    done = imported(
        tmp_path,
        rss(
            1,
            item(title="No date", link="https://example.org/2"),
            item(title="Month", pubDate="May 2022"),
            item(title="Days", pubDate="10–12 May 2022"),
            item(title="Long ago", pubDate="2022"),
            item(**usual | {"title": "", "guid": "a"}),
            item(
                **usual | {"title": "", "guid": "b", "description": "The &lt;b&gt;text&lt;/b&gt;."}
            ),
            item(**usual | {"guid": "c"}),
            item(**usual | {"guid": "c", "title": "Again"}),
            item(title="Without an id", pubDate="23 May 2022 10:00:00 GMT"),
        ),
    )
    assert done.output == (
        "feed.xml: has ids without isPermaLink=\"false\" that are not addresses, such as 'a':"
        " readers that complete them, such as rss2email, show these items once more\n"
        "feed.xml:10: has no date; not imported\n"
        "feed.xml:11: date: 'May 2022': a date needs a day, a month and a year; write it like"
        " 24 May 2022 or 2022-05-24T09:00+02:00; not imported\n"
        "feed.xml:12: date: '10–12 May 2022': has more than one day; write only one; not imported\n"
        "feed.xml:13: date: '2022': a date needs a day, a month and a year; write it like"
        " 24 May 2022 or 2022-05-24T09:00+02:00; not imported\n"
        "feed.xml:14: has no title; not imported\n"
        "feed.xml:17: has the same id as the item at feed.xml:16: 'c'; not imported\n"
        "entries.yaml: 4 entries written, 6 items not imported, 1 remark\n"
    )
    assert (done.written, done.left_out) == (4, 6)
    titles = [entry.title for entry in catalogue_of(tmp_path).entries]
    assert titles == ["T", "The text.", "Without an id", "Title 1"]


def test_items_on_one_line_are_counted(tmp_path: Path) -> None:
    """In a document without line breaks, items are reported by number, and none is dropped."""
    data = rss(item(title="A"), item(title="B"), item(title="C", pubDate="24 May 2022"), 1)
    done = imported(tmp_path, data.replace(b"\n", b" "))
    assert done.output == (
        "feed.xml: item 1: has no date; not imported\n"
        "feed.xml: item 2: has no date; not imported\n"
        "entries.yaml: 2 entries written, 2 items not imported\n"
    )


PAGE = b"""<!doctype html><html>
<link rel="alternate" type="application/rss+xml" href="https://example.org/feed/">
<link type='application/feed+json' href='/feed.json'>"""
PAGE_MESSAGE = "feed.xml is not a feed, but a web page with the feeds"
TEXT_MESSAGE = (
    "feed.xml is neither a feed nor a data file that can be read, whose name ends in one of"
)
# A document, and what the message says of it.
REFUSED = [
    (b"", "feed.xml is empty"),
    (b" \n", "feed.xml is empty"),
    (rss(), "feed.xml has no items; nothing is written"),
    (b"<svg/>", "feed.xml is not a feed"),
    (b"<html><p>T", "feed.xml is not a feed, but a web page; name the address of its feed"),
    (PAGE, f"{PAGE_MESSAGE} https://example.org/feed/, /feed.json"),
    (
        b"hello",
        (
            f"{TEXT_MESSAGE} .yaml, .yml, .json, .csv, .tsv, .tab, .txt;"
            " convert its items to YAML, JSON or CSV"
        ),
    ),
]


@pytest.mark.parametrize(("data", "message"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_not_a_feed_is_described(data: bytes, message: str, tmp_path: Path) -> None:
    """What is not a feed, or has no items, ends with a message, and nothing is written."""
    assert imported(tmp_path, data) == Imported(f"feeds: {message}\n", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["feed.xml"]


def test_nothing_is_written_if_no_item_can_be_imported(tmp_path: Path) -> None:
    """If each item is left out, there is no catalogue."""
    done = imported(tmp_path, rss(item(title="A")))
    assert done == Imported(
        "feed.xml:3: has no date; not imported\n"
        "feeds: no item of feed.xml can be imported; nothing is written\n",
        1,
    )
    assert not (tmp_path / "entries.yaml").exists()


def test_what_is_not_well_formed_is_reported(tmp_path: Path) -> None:
    """A feed with an unescaped `&` is imported, and the place of the first one is reported."""
    done = imported(tmp_path, rss(1, 2).replace(b"Title 2", b"R & D"))
    assert done.output == (
        "feed.xml:11:10: is not well-formed XML (xmlParseEntityRef: no name); compare what is"
        " imported with it\nentries.yaml: 2 entries written, 1 remark\n"
    )
    assert [entry.title for entry in catalogue_of(tmp_path).entries] == ["R & D", "Title 1"]


def test_a_feed_that_is_cut_off_is_reported(tmp_path: Path) -> None:
    """Of a feed that ends too early, what is complete is imported, and the end is reported."""
    done = imported(tmp_path, rss(2, 1)[:-120])
    assert done.code == 0
    assert "is not well-formed XML (Premature end of data in tag " in done.output
    assert "id-2" in ids_of(tmp_path)


def test_json_that_is_not_valid_is_reported_by_line(tmp_path: Path) -> None:
    """An error in the syntax of JSON is reported with its line."""
    data = VERSIONS["JSON Feed 1.1"].replace(', "date', '\n "date').encode()
    done = imported(tmp_path, data, name="feed.json")
    assert done.code == 1
    assert done.output.startswith("feeds: feed.json:2: is not valid JSON")


NAMESPACES = """xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:cc="http://web.resource.org/cc/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:creativeCommons="http://backend.userland.com/creativeCommonsRssModule"
 xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:media="http://search.yahoo.com/mrss/"
"""
# The same item in three formats: a report, a picture, a recording; two authors; French; a licence.
DESCRIBED = {
    "feed.xml": rss(
        "<language>en</language>"
        "<creativeCommons:license>https://licences.example.org/a</creativeCommons:license>",
        """<item><title>T</title><guid isPermaLink="false">t</guid><description>S</description>
<pubDate>24 May 2022 10:00:00 GMT</pubDate><author>a@example.org (A)</author><dc:creator>A</dc:creator>
<itunes:author>B</itunes:author><dc:language>fr-ca</dc:language>
<cc:license rdf:resource="https://licences.example.org/b"/>
<enclosure url="https://example.org/b.mp3" type="audio/x-mpeg" length="0"/>
<media:content url="https://example.org/p.jpg" type="image/jpeg" fileSize="7"/>
<media:content url="https://example.org/a 1.pdf" type="application/pdf" fileSize="9" lang="de">
<media:title>R&amp;amp;D</media:title></media:content>
<media:content url="https://example.org/b.mp3" medium="audio"><media:title>Talk</media:title>
</media:content></item>""",
    ).replace(b"xmlns:atom", f"{NAMESPACES}xmlns:atom".encode()),
    "atom.xml": b"""<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"
 xml:base="https://example.org/"><title>N</title><id>urn:x</id>
<link href="https://example.org/"/><link rel="license" href="https://licences.example.org/a"/>
<updated>2022-05-24T10:00:00Z</updated><entry xml:lang="fr-ca"><title>T</title><id>urn:t</id>
<author><name>A</name><email>a@example.org</email></author><author><name>B</name></author>
<updated>2022-05-24T10:00:00Z</updated><summary>S</summary>
<link rel="license" href="https://licences.example.org/b"/>
<link rel="enclosure" href="/a%201.pdf" type="application/pdf" length="9" hreflang="de" title="R&amp;amp;D"/>
<link rel="enclosure" href="/p.jpg" type="image/jpeg" length="7"/>
<link rel="enclosure" href="/b.mp3" type="audio/x-mpeg" title="Talk"/></entry></feed>""",
    "feed.json": json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": "N",
            "home_page_url": "https://example.org/",
            "language": "en",
            "items": [
                {
                    "id": "t",
                    "title": "T",
                    "date_published": "2022-05-24T10:00:00Z",
                    "content_text": "S",
                    "language": "fr_CA",
                    "authors": [{"name": "A", "url": "mailto:a@example.org"}, {"name": "B"}, {}],
                    "image": "https://example.org/p.jpg",
                    "attachments": [
                        {
                            "url": "https://example.org/a%201.pdf",
                            "mime_type": "application/pdf",
                            "size_in_bytes": 9,
                            "title": "R&amp;D",
                            "_document": {"language": "de"},
                        },
                        {
                            "url": "https://example.org/p.jpg",
                            "mime_type": "image/jpeg",
                            "size_in_bytes": 7,
                        },
                        {
                            "url": "https://example.org/b.mp3",
                            "mime_type": "audio/x-mpeg",
                            "title": "Talk",
                        },
                    ],
                }
            ],
        }
    ).encode(),
}


@pytest.mark.parametrize("name", DESCRIBED)
def test_files_authors_language_and_licence_arrive(name: str, tmp_path: Path) -> None:
    """Each file is a document, once, and the picture the photo; all authors arrive, once."""
    done = imported(tmp_path, DESCRIBED[name], "--url", "https://example.org/", name=name)
    assert (done.written, done.code) == (1, 0), done.output
    catalogue = catalogue_of(tmp_path)
    [entry] = catalogue.entries
    report, recording = (
        Attachment("https://example.org/a%201.pdf", "R&amp;D", "de", "application/pdf", 9),
        Attachment("https://example.org/b.mp3", "Talk", media_type="audio/x-mpeg"),
    )
    assert entry.documents == (report, recording)
    assert entry.photo == Photo("https://example.org/p.jpg", media_type="image/jpeg", length=7)
    assert entry.authors == (Person(name="A", email="a@example.org"), Person(name="B"))
    assert entry.language == "fr-CA"
    if name != "feed.json":
        assert catalogue.site.license == "https://licences.example.org/a"
        assert entry.license == "https://licences.example.org/b"


def test_what_a_catalogue_derives_is_not_written(tmp_path: Path) -> None:
    """Not written: a type that follows from the name, a language and a licence that are the site's."""
    enclosed = (
        '<enclosure url="https://example.org/a.pdf" type="application/pdf" length="0"/>'
        "<language>EN-gb</language></item>"
    )
    licensed = "<creativeCommons:license>http://a.example.org/</creativeCommons:license>"
    data = rss(
        f"<language>en-GB</language>{licensed}",
        ITEM.format(1).replace("</item>", f"{licensed}{enclosed}"),
    )
    imported(tmp_path, data.replace(b"xmlns:atom", f"{NAMESPACES}xmlns:atom".encode()))
    text = (tmp_path / "entries.yaml").read_text("utf-8")
    assert text.endswith("guid: id-1\n  documents: [https://example.org/a.pdf]\n")
    assert "  license: http://a.example.org/\n" in text


def test_a_document_that_is_refused_costs_no_entry(tmp_path: Path) -> None:
    """What the catalogue refuses of documents, language and licence is reported; the rest arrives."""
    refused = (
        '<enclosure url="ftp://example.org/a.pdf" type="application/pdf" length="5"/>'
        '<enclosure url="https://example.org/b.mp3" type="audio" length="1 MB"/>'
        "<dc:language>French</dc:language>"
        "<creativeCommons:license>MIT</creativeCommons:license></item>"
    )
    alone = '<enclosure url="ftp://example.org/a.pdf"/></item>'
    data = rss(ITEM.format(2).replace("</item>", refused), ITEM.format(1).replace("</item>", alone))
    done = imported(tmp_path, data.replace(b"xmlns:atom", f"{NAMESPACES}xmlns:atom".encode()))
    assert (done.written, done.left_out) == (2, 0)
    places = ["documents[0].url", "documents[1].length", "documents[1].type", "language", "license"]
    for place in places:
        assert re.search(rf"^feed.xml:\d+: {re.escape(place)}: ", done.output, re.MULTILINE)
    first, second = catalogue_of(tmp_path).entries
    assert first.documents == (Attachment("https://example.org/b.mp3", "b.mp3", "", "audio/mpeg"),)
    assert (first.language, first.license, second.documents) == ("", "", ())
    assert "documents: []" not in (tmp_path / "entries.yaml").read_text("utf-8")


LISTED = '<p>Documents</p>\n<ul>\n<li><a href="https://example.org/{}">A</a> (PDF)</li>\n</ul>'


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (f"<p>T</p>\n{LISTED.format('a.pdf')}", "T"),
        (
            f"<p>T</p>\n{LISTED.format('b.pdf')}",
            "T\n\nDocuments\n\n- [A](https://example.org/b.pdf) (PDF)",
        ),
        (
            f"{LISTED.format('a.pdf')}\n<p>T</p>",
            "Documents\n\n- [A](https://example.org/a.pdf) (PDF)\n\nT",
        ),
        (
            f"<p>T</p>\n{LISTED.format('a.pdf')}".replace("Documents", "Further reading"),
            "T\n\nFurther reading\n\n- [A](https://example.org/a.pdf) (PDF)",
        ),
    ],
    ids=["its documents", "another file", "at the beginning", "another heading"],
)
def test_only_the_list_of_its_documents_is_left_out(
    content: str, body: str, tmp_path: Path
) -> None:
    """The list that repeats the documents of an item is left out of its text; any other list stays."""
    enclosed = (
        '<enclosure url="https://example.org/a.pdf" type="application/pdf" length="5"/></item>'
    )
    text = ITEM.format(1).replace("Summary 1.", f"<![CDATA[{content}]]>")
    done = imported(tmp_path, rss(text.replace("</item>", enclosed)))
    assert done == Imported("entries.yaml: 1 entry written\n", 0)
    [entry] = catalogue_of(tmp_path).entries
    assert (entry.body, len(entry.documents)) == (body, 1)


def test_the_language_of_all_items_is_that_of_the_site(tmp_path: Path) -> None:
    """Where a feed has no language, and all items the same, it is the site's."""
    text = ITEM.format(1).replace("</item>", "<dc:language>fr</dc:language></item>")
    data = rss(text).replace(b"xmlns:atom", f"{NAMESPACES}xmlns:atom".encode())
    assert imported(tmp_path, data) == Imported("entries.yaml: 1 entry written\n", 0)
    catalogue = catalogue_of(tmp_path)
    assert (catalogue.site.language, catalogue.entries[0].language) == ("fr", "")


def test_a_further_picture_is_reported(tmp_path: Path) -> None:
    """A picture is the photo of an item; another one without a type is in the report."""
    pictures = "".join(f'<enclosure url="https://example.org/{name}.png"/>' for name in "ab")
    done = imported(tmp_path, rss(ITEM.format(1).replace("</item>", f"{pictures}</item>")))
    assert done == Imported(
        "feed.xml:3: the picture https://example.org/b.png is not imported; show it in the body\n"
        "entries.yaml: 1 entry written, 1 remark\n",
        0,
    )


# The path of a feed at https://example.org/, what it is, and where it moves.
MOVED = {
    "feed/": ("RSS 2.0", "rss.xml"),
    "index.xml": ("RSS 2.0", "rss.xml"),
    "rss.xml": ("RSS 2.0", None),
    "feed.xml": ("Atom 1.0", "atom.xml"),
    "feeds/all.atom.xml": ("Atom 1.0", "atom.xml"),
    "atom.xml": ("Atom 1.0", None),
    "feed/json": ("JSON Feed 1.1", "feed.json"),
    "backend.php3": ("RSS 1.0", "rss.xml"),
}


@pytest.mark.parametrize("path", MOVED)
def test_the_address_of_a_feed_is_redirected(
    path: str, pages: dict[str, bytes | Answer], server: FeedServer, tmp_path: Path
) -> None:
    """The address that a feed is imported from leads to the new feed of its format."""
    version, target = MOVED[path]
    pages[path] = VERSIONS[version].encode()
    done = feeds(tmp_path, "import", server.url + path, "--url", server.url)
    assert done.code == 0, done.output
    moved = load_catalogue(tmp_path / "entries.yaml", url=server.url).site.moved
    assert moved.get(path) == target


def test_a_feed_elsewhere_is_to_be_redirected_by_hand(
    pages: dict[str, bytes | Answer], server: FeedServer, tmp_path: Path
) -> None:
    """An address that the site cannot redirect is in the report."""
    pages["feed"] = rss(1)
    done = feeds(tmp_path, "import", f"{server.url}feed")
    assert done.output == (
        f"{server.url}feed: redirect the feed's address {server.url}feed yourself\n"
        "entries.yaml: 1 entry written, 1 remark\n"
    )


def next_link(url: str, rel: str = "next") -> str:
    return f'<atom:link rel="{rel}" href="{url}"/>'


def test_all_pages_are_read(
    pages: dict[str, bytes | Answer], server: FeedServer, tmp_path: Path
) -> None:
    """`next` and `prev-archive` are followed to the end; the feed keeps the length of the first page."""
    pages["feed"] = rss(9, 8, head=next_link("feed?page=2"))
    pages["feed?page=2"] = rss(8, 7, head=next_link(f"{server.url}2021", "prev-archive"))
    pages["2021"] = rss(6, head=next_link("/feed"))
    done = feeds(tmp_path, "import", f"{server.url}feed", "--url", server.url)
    assert done == Imported("entries.yaml: 4 entries written\n", 0)
    assert ids_of(tmp_path) == ["id-9", "id-8", "id-7", "id-6"]
    assert server.requested == ["feed", "feed?page=2", "2021"]
    assert load_catalogue(tmp_path / "entries.yaml", url=server.url).site.items == 2


def json_feed(day: int, more: str) -> bytes:
    """Return a JSON Feed with an item, and the address of the next page."""
    entry = {"id": f"id-{day}", "title": "T", "date_published": f"2022-05-{day:02}"}
    head = {"version": "https://jsonfeed.org/version/1.1", "title": "News"}
    return json.dumps(head | {"next_url": more, "items": [entry]}).encode()


def test_all_pages_of_a_json_feed_are_read(
    pages: dict[str, bytes | Answer], server: FeedServer, tmp_path: Path
) -> None:
    """`next_url` is followed, and a loop ends."""
    pages["1.json"] = json_feed(2, f"{server.url}2.json")
    pages["2.json"] = json_feed(1, f"{server.url}1.json")
    done = feeds(tmp_path, "import", f"{server.url}1.json")
    assert done == Imported("entries.yaml: 2 entries written\n", 0)
    assert server.requested == ["1.json", "2.json"]


@pytest.mark.parametrize(
    "link", ["http://example.com/2", "http://10.0.0.1/2", "file:///etc/passwd", "http://[x/2"]
)
def test_a_page_elsewhere_is_not_read(
    link: str, pages: dict[str, bytes | Answer], server: FeedServer, tmp_path: Path
) -> None:
    """A next page at another site is reported, and not requested."""
    pages["feed"] = json_feed(1, link)
    done = feeds(tmp_path, "import", f"{server.url}feed", "--url", server.url)
    assert done.output == (
        f"{server.url}feed: links to more items at {link}, which is not fetched; import that"
        " address, too, with --all\nentries.yaml: 1 entry written, 1 remark\n"
    )


def test_pages_of_a_file_are_not_read(tmp_path: Path) -> None:
    """From a file nothing is fetched, and the next page is reported."""
    done = imported(tmp_path, rss(1, head=next_link("https://example.org/feed?page=2")))
    assert "links to more items at https://example.org/feed?page=2, which is not" in done.output
    assert (done.written, done.code) == (1, 0)


@pytest.mark.parametrize("answer", [Answer(b"", 404), Answer(b"<svg/>"), Answer(b"")])
def test_nothing_is_written_until_all_is_read(
    answer: Answer, pages: dict[str, bytes | Answer], server: FeedServer, tmp_path: Path
) -> None:
    """If a later page fails, there is no catalogue, and one that was there is unchanged."""
    pages["feed"] = rss(2, head=next_link("2"))
    pages["2"] = answer
    done = feeds(tmp_path, "import", f"{server.url}feed")
    assert (done.code, [*tmp_path.iterdir()]) == (1, [])
    assert done.output.startswith(f"feeds: {server.url}2 ")
    imported(tmp_path, rss(1))
    before = (tmp_path / "entries.yaml").read_bytes()
    assert feeds(tmp_path, "import", f"{server.url}feed").code == 1
    assert (tmp_path / "entries.yaml").read_bytes() == before


REDIRECTED = {
    "feed": None,
    "/feed": None,
    "file:///etc/passwd": "redirects to an invalid URL",
    "http://example.com/feed": "redirects to another site, http://example.com; if that is right,"
    " use its address",
    "http://127.0.0.1:1/feed": "redirects to another site, http://127.0.0.1:1; if that is right,"
    " use its address",
    "http://169.254.169.254/latest/": "redirects to another site, http://169.254.169.254;"
    " if that is right, use its address",
    "//10.0.0.1/": "redirects to another site, http://10.0.0.1; if that is right, use its address",
    "start": "redirects too often",
}


@pytest.mark.parametrize("location", REDIRECTED)
def test_a_redirect_stays_at_the_site(
    location: str, pages: dict[str, bytes | Answer], server: FeedServer, tmp_path: Path
) -> None:
    """A redirect within the site is followed; any other ends with a message, without a request."""
    pages["start"] = Answer(status=302, headers=(("Location", location),))
    pages["feed"] = rss(1)
    done = feeds(tmp_path, "import", f"{server.url}start", "--url", server.url)
    if message := REDIRECTED[location]:
        assert done == Imported(f"feeds: {server.url[:-1]} {message}\n", 1)
        assert not (tmp_path / "entries.yaml").exists()
    else:
        assert done == Imported("entries.yaml: 1 entry written\n", 0)


def test_the_forms_of_a_site() -> None:
    """`www.` and https belong to a site; other ports, hosts and schemes do not."""
    for other in (
        *("http://example.org/b", "https://example.org/b", "http://www.example.org/"),
        *("https://www.example.org/", "http://example.org:80/", "http://a:b@example.org/"),
    ):
        assert is_same_site(other, "http://example.org/a")
    for other in (
        *("http://example.org:8080/", "https://example.org:8443/", "http://news.example.org/"),
        *("http://example.com/", "http://example.org.example.com/", "ftp://example.org/"),
        *("http://example.org@example.com/", "http://[x/", "https://example.org:80/"),
    ):
        assert not is_same_site(other, "http://example.org/a")
    assert not is_same_site("http://example.org/", "https://example.org/")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(b"x", 404), "feed answers with the status 404"),
        (Answer(b"x", 500), "feed answers with the status 500"),
        (Answer(b""), "feed is empty"),
        (Answer(bytes(50_000_000)), "feed has more than 32,000,000 bytes"),
        (
            Answer(gzip.compress(bytes(100_000_000), 1), headers=(("Content-Encoding", "gzip"),)),
            "feed has more than 32,000,000 bytes",
        ),
    ],
    ids=["not found", "error", "empty", "large", "gzip bomb"],
)
def test_a_bad_answer_is_described(
    answer: Answer,
    message: str,
    pages: dict[str, bytes | Answer],
    server: FeedServer,
    tmp_path: Path,
) -> None:
    """An error, and an answer that is too large, end with a message."""
    pages["feed"] = answer
    done = feeds(tmp_path, "import", f"{server.url}feed")
    assert done == Imported(f"feeds: {server.url}{message}\n", 1)


def test_gzip_is_decoded(
    pages: dict[str, bytes | Answer], server: FeedServer, tmp_path: Path
) -> None:
    """A feed that is sent as gzip is read."""
    pages["feed"] = Answer(gzip.compress(rss(1)), headers=(("Content-Encoding", "gzip"),))
    done = feeds(tmp_path, "import", f"{server.url}feed", "--url", server.url)
    assert done == Imported("entries.yaml: 1 entry written\n", 0)


def test_a_server_that_trickles_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that sends a byte at a time is read until the time limit."""
    monkeypatch.setattr("feeds.importer.fetch._MAX_SECONDS", 0.5)

    def trickle() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n"
        while True:
            yield b" "

    with hostile(trickle) as server:
        done = feeds(tmp_path, "import", server.url)
    assert done == Imported(f"feeds: {server.url[:-1]}: the response takes too long\n", 1)


def test_no_server(tmp_path: Path) -> None:
    """An address without a server ends with a message."""
    done = feeds(tmp_path, "import", "http://127.0.0.1:1/feed")
    assert done == Imported("feeds: http://127.0.0.1:1: Connection refused\n", 1)


BOMB = "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">'
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
DOCTYPE = f'<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa">{BOMB}]>'
ENTITIES = "declares XML entities, which no feed needs; remove them"
# Documents of an allowed size that would take long, or much memory; and what the message says.
HOSTILE = {
    "entities": (DOCTYPE.encode() + rss(1).replace(b"Title 1", b"&i;"), ENTITIES),
    "entities in UTF-16": (
        (DOCTYPE + rss(1).decode().replace("Title 1", "&i;")).encode("utf-16"),
        ENTITIES,
    ),
    "a file": (
        b'<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        + rss(1).replace(b"Title 1", b"&a;"),
        ENTITIES,
    ),
    "items": (rss("<item/>" * 150_000), "has more than 100,000 items; divide it"),
    "tags": (b"<a>" * 2_500_000, "has more than 2,000,000 tags; divide it"),
    "not well-formed": (b"<rss>" + b"<a>" * 600_000, "has more than 500,000 tags; divide it"),
    "attributes": (
        b"<rss " + b" ".join(b'a%d=""' % number for number in range(200_000)) + b"/>",
        "has a tag with more than a thousand attributes",
    ),
    "size": (bytes(50_000_000), "has more than 32,000,000 bytes; divide it, and import each part"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_are_refused(name: str, tmp_path: Path) -> None:
    """Entities, and too many bytes, tags, attributes or items, end with a message."""
    data, message = HOSTILE[name]
    assert imported(tmp_path, data) == Imported(f"feeds: feed.xml {message}\n", 1)
    assert not (tmp_path / "entries.yaml").exists()


def test_the_number_of_topics_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source with too many categories ends with a message: each would have feeds and pages."""
    monkeypatch.setattr("feeds.importer.conversion._MAX_TOPICS", 100)
    categories = "".join(f"<category>c{number}</category>" for number in range(101))
    done = imported(tmp_path, rss(ITEM.format(1).replace("</item>", f"{categories}</item>")))
    assert done == Imported("feeds: there are more than 100 topics\n", 1)


def test_long_texts_of_a_source_are_not_repeated(tmp_path: Path) -> None:
    """A remark that quotes the source has a limited length."""
    done = imported(tmp_path, rss(1, item(title="T", pubDate="1 " * 100_000)))
    assert (done.written, done.left_out) == (1, 1)
    assert len(done.output) < 1200


@pytest.mark.heavy
@pytest.mark.parametrize("name", HOSTILE)
def test_memory_is_bounded(name: str, tmp_path: Path) -> None:
    """With a limit of 700 MB of addresses, each hostile document ends with its message."""
    data, message = HOSTILE[name]
    (tmp_path / "feed.xml").write_bytes(data)
    limited = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (700_000_000,) * 2);"
        "from feeds.cli import main; main(['import', 'feed.xml'])"
    )
    done = run(sys.executable, "-c", limited, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"feeds: feed.xml {message}\n"


# A catalogue that was imported, and then edited: a title, the order, the comments.
EDITED = """# The news of our office.
site:   # edited by hand
  title: "Our news"
  url: https://example.org/
  id: tag:example.org,2021:news
topics:
  water: "Water"   # the first one

entries:
{0}# The newest first.
- id: 2022-05-03-title-3
  title: Title 3
  date: 2022-05-03T09:00:00+02:00
  summary: Summary 3.
  link: https://example.org/news/3/
  guid: id-3   # moved up

- id: five   # was 2022-05-05-title-5
  title: A better title
  date: 5 May 2022
  topics: [water]
  guid: id-5

# The end.
"""


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """Return the file of the edited catalogue."""
    path = tmp_path / "entries.yaml"
    path.write_text(EDITED.format(""), "utf-8")
    return path


def test_a_second_import_inserts_what_is_newer(edited: Path) -> None:
    """Newer items are inserted at the top; edited entries are recognised; all else is kept as it is."""
    news = rss(7, 6, 5, 3)
    done = imported(edited.parent, news)
    assert done == Imported("entries.yaml: 2 entries inserted, 2 already there\n", 0)
    inserted = "".join(
        f"- id: 2022-05-0{day}-title-{day}\n  title: Title {day}\n"
        f"  date: 2022-05-0{day}T09:00:00+02:00\n  summary: Summary {day}.\n"
        f"  link: https://example.org/news/{day}/\n  guid: id-{day}\n\n"
        for day in (7, 6)
    )
    assert edited.read_text("utf-8") == EDITED.format(inserted)
    done = imported(edited.parent, news)
    assert done == Imported("entries.yaml: 0 entries inserted, 4 already there\n", 0)
    assert edited.read_text("utf-8") == EDITED.format(inserted)


def test_older_items_are_listed_and_inserted_with_all(edited: Path) -> None:
    """Older items that are missing are listed with their place, and inserted only with `--all`."""
    done = imported(edited.parent, rss(5, 4, 3, 2))
    assert done == Imported(
        "entries.yaml: 0 entries inserted, 2 already there, 2 older items missing (--all inserts"
        " them)\nfeed.xml:10: missing: Title 4\nfeed.xml:24: missing: Title 2\n",
        0,
    )
    assert edited.read_text("utf-8") == EDITED.format("")
    done = imported(edited.parent, rss(5, 4, 3, 2), "--all")
    assert done == Imported("entries.yaml: 2 entries inserted, 2 already there\n", 0)
    assert ids_of(edited.parent) == ["id-4", "id-2", "id-3", "id-5"]


def test_a_new_topic_is_added(edited: Path) -> None:
    """A category that is not a topic yet is added to the topics; one that is there is used."""
    categories = "<category>Water</category><category>Relief</category></item>"
    done = imported(edited.parent, rss(ITEM.format(6).replace("</item>", categories), 5))
    assert done == Imported("entries.yaml: 1 entry inserted, 1 already there\n", 0)
    text = edited.read_text("utf-8")
    assert '  water: "Water"   # the first one\n  relief: Relief\n\nentries:\n' in text
    assert "  topics: [water, relief]\n" in text


def test_a_catalogue_of_other_news_is_kept(edited: Path) -> None:
    """If the catalogue has nothing of the source, nothing is written, and `--all` is named."""
    done = imported(edited.parent, rss(9, 8))
    assert done == Imported(
        "feeds: entries.yaml has none of the items of feed.xml; nothing is written."
        " With --all, they are all inserted\n",
        1,
    )
    assert edited.read_text("utf-8") == EDITED.format("")
    assert imported(edited.parent, rss(9, 8), "--all").written == 2


@pytest.mark.parametrize("data", [rss(), rss(item(title="No date")), b"<svg/>"])
def test_a_source_without_news_changes_nothing(data: bytes, edited: Path) -> None:
    """A second import of what has no items that can be imported leaves the catalogue as it is."""
    imported(edited.parent, data)
    assert edited.read_text("utf-8") == EDITED.format("")


@pytest.mark.parametrize("text", ["", "site: [", "news: about us\n"])
def test_what_is_not_a_catalogue_is_kept(text: str, tmp_path: Path) -> None:
    """A file that is not a valid catalogue is an error, and stays as it is."""
    path = tmp_path / "entries.yaml"
    path.write_text(text, "utf-8")
    for options in ([], ["--all"]):
        assert imported(tmp_path, rss(1), *options).code == 1
        assert path.read_text("utf-8") == text


def test_a_link_to_nothing_is_kept(tmp_path: Path) -> None:
    """A symbolic link that leads to no file is not written through."""
    path = tmp_path / "entries.yaml"
    path.symlink_to("elsewhere.yaml")
    assert imported(tmp_path, rss(1)).code == 1
    assert path.is_symlink()
    assert not path.exists()


def test_a_catalogue_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """The folder of a new catalogue is made."""
    done = imported(tmp_path, rss(1), "--catalogue", "news/entries.yaml")
    assert done == Imported("news/entries.yaml: 1 entry written\n", 0)


DOCUMENTS = [
    *(text.encode() for text in VERSIONS.values()),
    *DESCRIBED.values(),
    *(rss(1, 2), json_feed(1, "")),
]
# What a document may contain by mistake, or to do harm.
PIECES = [
    *(b"", b"<", b">", b"&", b'"', b"]]>", b"<!--", b"\0", b"\xff", b"\xed\xa0\x80", b"&#0;"),
    *(b"<item>", b"</item>", b"</entry>", b"<a href='http://[x/'>", b"http://[x", b"javascript:x"),
    *(b"{", b"[", b"null", b"[]", b"{}", b"3", b'"\\ud800"', b'""', b"1e999", b"&nbsp;", b"//"),
    *(b"9999-12-31T23:59:59+14:00", b"Mon, 31 Feb 2022 25:61:61 +9999", b"0001-01-01T00:00:00Z"),
    *("\u202e".encode(), "\u200b".encode(), b"x" * 300, b"&lt;b&gt;", b"tag:x", b"2022-05"),
]
mistakes = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 60), st.sampled_from(PIECES)), min_size=1, max_size=5
)


@pytest.mark.heavy
@settings(max_examples=600)
@given(st.sampled_from(DOCUMENTS), mistakes)
def test_damaged_feeds_have_no_traceback(
    data: bytes, damage: list[tuple[float, int, bytes]]
) -> None:
    """Whatever is in a feed, there is a message or a valid catalogue, to which it adds nothing."""
    for place, length, piece in damage:
        at = int(place * len(data))
        data = data[:at] + piece + data[at + length :]
    name = "feed.json" if data[:1] == b"{" else "feed.xml"
    with TemporaryDirectory() as folder:
        done = imported(Path(folder), data, name=name)
        if done.code == 0:
            assert feeds(Path(folder), "check", "--quiet", "entries.yaml") == Imported("", 0)
            again = imported(Path(folder), data, name=name)
            assert (again.code, again.written) == (0, 0)
        else:
            assert not Path(folder, "entries.yaml").exists()
