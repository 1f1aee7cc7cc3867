"""The content of feed documents, and corrections of feedgen's mistakes."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import feedgen.feed
import feedparser
import pytest
from conftest import AS_OF, CATALOGUES, ROOT
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from feeds import (
    FORMATS,
    Attachment,
    Catalogue,
    CatalogueError,
    Country,
    Entry,
    Feed,
    Guid,
    Person,
    Photo,
    Release,
    Site,
    Topic,
    build_release,
    load_catalogue,
)
from feeds.catalogue import read_catalogue
from feeds.formats import sampling
from feeds.markdown import render_body

NS = {
    "atom": "http://www.w3.org/2005/Atom",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "media": "http://search.yahoo.com/mrss/",
    "content": "http://purl.org/rss/1.0/modules/content/",
}
# What XML can carry (XML 1.0 §2.2).
XML_CHARACTERS = st.characters(
    exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff", include_characters="\t\n\r"
)
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")


# The formats that feedgen writes.
XML = FORMATS[:2]


def documents(release: Release, name: str) -> dict[str, etree._Element]:
    return {
        path: etree.fromstring(document.body)
        for path, document in release.items()
        if path.endswith(name)
    }


@pytest.fixture
def every_field() -> Release:
    return build_release(load_catalogue(CATALOGUES / "every-field.yaml"), as_of=AS_OF)


def find(element: etree._Element, path: str) -> etree._Element:
    found = element.find(path, NS)
    assert found is not None, path
    return found


def texts(element: etree._Element, path: str) -> list[str | None]:
    return [found.text for found in element.findall(path, NS)]


def as_a_whole(document: bytes) -> bytes:
    """Return a document as feedgen writes it: parsed, and printed by lxml as a whole."""
    root = etree.fromstring(document, etree.XMLParser(remove_blank_text=True))
    return etree.tostring(
        root.getroottree(), pretty_print=True, encoding="UTF-8", xml_declaration=True
    )


def test_spliced_feeds_are_what_feedgen_writes_by_itself(release: Release) -> None:
    """A feed joined from its entries' elements is printed as one document, byte for byte."""
    for feed in release.feeds:
        for form in XML:
            path = feed.path + form.filename
            assert as_a_whole(release[path].body) == release[path].body, path


# Many of them contain characters that are escaped.
TEXTS = st.text(
    st.sampled_from("a&<>\"'%\r\n\té") | XML_CHARACTERS,
    min_size=1,
    max_size=12,
)
FIELD = st.just("") | TEXTS
ENTRIES = st.builds(
    Entry,
    id=st.from_regex("[a-z0-9é]{1,9}", fullmatch=True),
    title=TEXTS,
    published=st.datetimes(datetime(1800, 1, 2), timezones=st.just(UTC)),  # noqa: DTZ001  # as Hypothesis asks
    updated=st.datetimes(datetime(1800, 1, 2), timezones=st.just(UTC)),  # noqa: DTZ001
    summary=FIELD,
    body=FIELD,
    link=st.sampled_from(["", "https://sample-link.invalid/", "https://x.org/?a=1&b=%22"]),
    topics=st.lists(st.builds(Topic, slug=st.just("t"), name=TEXTS, scheme=TEXTS)).map(tuple),
    countries=st.lists(st.builds(Country, code=st.just("VN"), name=TEXTS)).map(tuple),
    photo=st.none()
    | st.builds(
        *(Photo, FIELD, FIELD, FIELD, st.sampled_from(["", "image/png"])),
        *[st.integers(0, 99)] * 3,
    ),
    authors=st.lists(st.builds(Person, name=TEXTS, email=FIELD, uri=FIELD), max_size=2).map(tuple),
    guid=st.builds(Guid, FIELD, FIELD, FIELD, st.booleans()),
    documents=st.lists(
        st.builds(
            Attachment,
            *(TEXTS, TEXTS, st.sampled_from(["", "ar", "fr-CH"])),
            *(st.sampled_from(["", "application/pdf", "audio/mpeg", "image/png"]),),
            *[st.integers(0, 99)] * 2,
        ),
        max_size=2,
    ).map(tuple),
    language=st.sampled_from(["", "ar", "en"]),
    license=st.sampled_from(["", "https://license.invalid/?a&b"]),
)


ARABIC = load_catalogue(CATALOGUES / "arabic.yaml").site


SEVERAL = st.lists(ENTRIES, min_size=1, max_size=6)
AUTHORS = st.sampled_from(["100 %s", "sample-title"])


@pytest.mark.parametrize("alt", ["<b>", "a & b", '">'])
@pytest.mark.parametrize(("summary", "body"), [("", ""), ("S", ""), ("", "<p>B</p>")])
@pytest.mark.parametrize("credit", ["", "C"])
def test_what_looks_like_markup_in_a_photo_stays_text(
    alt: str, credit: str, summary: str, body: str
) -> None:
    """A photo's text is escaped in the HTML of the content, though another entry's needs no escape."""
    now = datetime(2022, 5, 24, tzinfo=UTC)
    entries = [
        Entry(
            *("one", "T", now, now),
            photo=Photo("https://x.org/a.png", credit, text, "image/png", length=1),
            summary=summary,
            body=body,
        )
        for text in ("plain", alt)
    ]
    check_shown(entries, ARABIC)


@settings(max_examples=30)
@given(SEVERAL, AUTHORS)
def test_elements_are_what_feedgen_writes_of_each(entries: list[Entry], author: str) -> None:
    """For any fields and texts of entries, their elements are feedgen's own, byte for byte."""
    check_elements(entries, author)


@pytest.mark.heavy
@settings(max_examples=1000, derandomize=False)
@given(SEVERAL, AUTHORS)
def test_elements_are_what_feedgen_writes_for_long(entries: list[Entry], author: str) -> None:
    """The same with other entries at every run."""
    check_elements(entries, author)


def check_elements(entries: list[Entry], author: str) -> None:
    check_shown(entries, replace(ARABIC, author=Person(name=author)))


def check_shown(entries: list[Entry], site: Site) -> None:
    shown = [(entry, entry.body) for entry in entries]
    # Where something else has moved, the site is another one to what is cached.
    alone = replace(site, moved={"old/": ""})
    for form in XML:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sampling, "ENABLED", False)
            each = [form.render_entries([one], alone)[0] for one in shown]
        assert form.render_entries(shown, site) == each


SHOWN = st.sampled_from([(), (Entry(id="n", title="T", published=AS_OF, updated=AS_OF),)])
FEEDS = st.builds(
    Feed,
    id=TEXTS,
    path=st.sampled_from(["", "topics/a&b/", "topics/é/countries/vn/"]),
    title=TEXTS,
    description=FIELD,
    updated=st.datetimes(datetime(1800, 1, 2), timezones=st.just(UTC)),  # noqa: DTZ001
    entries=st.just(()),
    latest=SHOWN,
)


@settings(max_examples=40)
@given(st.lists(FEEDS, min_size=1, max_size=6), st.sampled_from(["100 %s", "sample-feed-title"]))
def test_documents_are_what_feedgen_writes_of_each(feeds: list[Feed], author: str) -> None:
    """For any texts of feeds, their documents are feedgen's own, byte for byte."""
    check_feeds(feeds, replace(ARABIC, author=Person(name=author)))


def check_feeds(feeds: list[Feed], site: Site) -> None:
    for feed in feeds:
        address = f"https://feed.example.org/{feed.path}?a=1&b"
        for form in XML:
            document = form.join(feed, [], site, address)
            assert as_a_whole(document) == document


def test_feedgen_is_asked_once_for_each_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hundred entries with the same fields, feedgen writes the first."""
    asked = []
    site = replace(ARABIC, moved={"old/": ""})

    def write(entry: Entry, body: str) -> str:
        asked.append(entry.id)
        return FORMATS[0].render_entries([(entry, body)], site)[0].decode()

    render = sampling.sampled(write, site.language)
    monkeypatch.setattr(sampling, "ENABLED", False)
    for number in range(100):
        entry = Entry(id=f"n{number}", title="T", published=AS_OF, updated=AS_OF, summary="S")
        render(entry, "")
    # Of each sample its label first, in an entry of its own.
    assert asked == ["x", "sample-id", "x", "other-id", "n0"]


WORDS = "id title summary slug name topic scheme body url credit alt email uri feed-id".split()
SAMPLES = [f"{sample}-{word}" for sample in ("sample", "other") for word in WORDS]


@pytest.mark.parametrize(
    "text", [*SAMPLES, "1801-02-03T04:05:06+01:23", "18010004", "18011801", "sample"]
)
def test_a_site_may_have_the_texts_of_samples(text: str) -> None:
    """Entries keep their own ids and texts, also if the site's texts contain those of a sample."""
    tag = f"tag:example.org,2021:{text}"
    people = Person(name=text, email=f"{text}@example.org", uri=f"https://{text}.example.org/")
    site = replace(ARABIC, id=tag, title=text, rights=text, author=people)
    entries = [
        Entry(id=name, title=name, published=AS_OF, updated=AS_OF, summary=name)
        for name in (text, "b", "c")
    ]
    check_shown(entries, site)
    feeds = [
        Feed(
            id=name,
            path=f"topics/{name}/",
            title=name,
            description=name,
            updated=AS_OF,
            entries=(),
            latest=(),
        )
        for name in (tag, text, "b")
    ]
    check_feeds(feeds, site)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("One<br>two *three*, <p>four</p><p>five</p>", "One two three, four five"),
        ("| a | b |\n|---|---|\n| c | d |", "a b c d"),
        ("1 < 2 & *R&amp;D*", "1 < 2 & R&D"),
        ("word " * 100, "word " * 59 + "word…"),
        ("字" * 400, "字" * 300 + "…"),
        ("![alone](x.png)", "A title"),
        ("- " * 99 + "<b>" * 99 + "too deep", "A title"),
    ],
)
def test_a_body_alone_has_an_excerpt_to_show(body: str, shown: str) -> None:
    """An entry with a body and no summary has the body's beginning as plain text, or else its title."""
    source = CATALOGUE.format("A title").replace(
        "  summary: A title\n", f"  body: {json.dumps(body)}\n"
    )
    release = build_release(read_catalogue([("f", source.encode())]), as_of=AS_OF)
    for name in ("atom.xml", "rss.xml"):
        [found] = etree.fromstring(release[name].body).iter(f"{{{NS['dcterms']}}}abstract")
        assert found.text == shown


def test_plain_text_is_beside_html_only(every_field: Release) -> None:
    """A text that is the same as plain text and as HTML appears once."""
    channel = documents(every_field, "rss.xml")["rss.xml"][0]
    whole, unmeasured, *_ = channel.findall("item")
    summary = "A summary in two lines, with <angle brackets> & ampersands."
    assert find(whole, "dcterms:abstract").text == summary
    assert whole.find("dcterms:alternative", NS) is None
    assert not unmeasured.findall("dcterms:*", NS)
    assert not channel.findall("dcterms:*", NS)


def test_atom_follows_the_grammar_of_rfc_4287(release: Release) -> None:
    """Every Atom document is accepted by the RFC's own grammar."""
    grammar = etree.RelaxNG(etree.parse(ROOT / "tests" / "atom.rng"))
    for path, feed in documents(release, "atom.xml").items():
        assert grammar.validate(feed), (path, grammar.error_log)


def test_the_grammar_refuses_what_is_not_atom(every_field: Release) -> None:
    """The grammar refuses documents that are not valid Atom."""
    grammar = etree.RelaxNG(etree.parse(ROOT / "tests" / "atom.rng"))
    body = every_field["atom.xml"].body.decode()
    for old, new in (
        ("<id>https://old.example.org/feed/atom/</id>", ""),
        ("</updated>", " yesterday</updated>"),
        ("<generator>", "<generator/><generator>"),
        ('href="https://hub.example.org/"', ""),
        ('term="plain"', 'term="plain" colour="red"'),
        ("<icon>", "<ikon/><icon>"),
        ("<name>Jane Doe</name>", ""),
    ):
        assert old in body
        assert not grammar.validate(etree.fromstring(body.replace(old, new, 1).encode())), new


def test_lint_finds_nothing_in_atom(release: Release) -> None:
    """No Atom document has anything that validators report as an error or a warning."""
    for path, feed in documents(release, "atom.xml").items():
        entries = feed.findall("atom:entry", NS)
        ids = texts(feed, "atom:entry/atom:id")
        assert len(ids) == len(set(ids))
        stamps = texts(feed, "atom:entry/atom:updated")
        assert len(stamps) == len(set(stamps)), "several entries of one instant"
        assert find(feed, "atom:author/atom:name").text
        assert find(feed, "atom:link[@rel='self']").get("href") == release.site.address(path)
        for stamp in [*stamps, *texts(feed, ".//atom:published"), find(feed, "atom:updated").text]:
            assert RFC3339.fullmatch(stamp or "")
        for entry in entries:
            assert len(entry.findall("atom:link[@rel='alternate']", NS)) == 1
            for enclosure in entry.findall("atom:link[@rel='enclosure']", NS):
                assert int(enclosure.get("length") or 0) > 0
                assert "/" in (enclosure.get("type") or "")
            assert (
                entry.find("atom:content", NS) is not None
                or entry.find("atom:summary", NS) is not None
            )


def test_lint_finds_nothing_in_rss(release: Release) -> None:
    """No RSS document has anything that validators report as an error or a warning."""
    for path, document in documents(release, "rss.xml").items():
        channel = document[0]
        for name in ("title", "link", "description", "lastBuildDate", "language"):
            assert len(channel.findall(name)) == 1
        assert find(channel, "link").text == release.site.address(path.removesuffix("rss.xml"))
        assert find(channel, "atom:link[@rel='self']").get("href") == release.site.address(path)
        for item in channel.findall("item"):
            guid = find(item, "guid")
            is_permalink = guid.get("isPermaLink") == "true"
            assert is_permalink == (guid.text == "https://old.example.org/?p=1&b=2")
            assert not item.findall("author"), "RSS's own author needs an e-mail address"
            assert item.findall("dc:creator", NS)
            assert parsedate_to_datetime(find(item, "pubDate").text or "").tzinfo
            assert len(item.findall("enclosure")) <= 1
            assert all(texts(item, "category"))
            assert not item.findall(".//media:group", NS)


def test_links_keep_their_attributes(every_field: Release) -> None:
    """Links of an Atom entry have rel, type and length, which feedgen omits."""
    entry = find(documents(every_field, "atom.xml")["atom.xml"], "atom:entry")
    assert [dict(link.attrib) for link in entry.findall("atom:link", NS)] == [
        {
            "href": "https://news.example.org/media/everything.jpg",
            "rel": "enclosure",
            "type": "image/jpeg",
            "length": "123456",
        },
        {"href": "https://example.org/everything?a=1&b=2#top", "rel": "alternate"},
    ]


def test_photos_are_media_rss(every_field: Release) -> None:
    """A photo contains its credit; a credit alone is in the entry; without a length there is no enclosure."""
    for name, item in (("atom.xml", "atom:entry"), ("rss.xml", "channel/item")):
        found = documents(every_field, name)[name].findall(item, NS)
        whole, unmeasured, credit_alone, none = found
        assert find(whole, "media:content").get("width") == "1200"
        assert find(whole, "media:content/media:credit").text == "© BWI 2022 / “A & B”"
        assert find(whole, "media:content/media:description").text == "Workers outside a “factory”"
        assert find(unmeasured, "media:content/media:credit").text == "A. Latief"
        assert not unmeasured.findall("enclosure")
        assert not unmeasured.findall("atom:link[@rel='enclosure']", NS)
        assert find(credit_alone, "media:credit").text == "© (c) ILO/F. Latief 2022"
        assert not none.findall(".//media:credit", NS)


def test_categories_carry_both_vocabularies(every_field: Release) -> None:
    """A topic is slug, scheme and name; a country its ISO code under ISO's scheme, and its name."""
    entry = find(documents(every_field, "atom.xml")["atom.xml"], "atom:entry")
    iso = "urn:iso:std:iso:3166:-1"
    own = "tag:news.example.org,2021-03:tests:topics"
    assert [
        (found.get("term"), found.get("scheme"), found.get("label"))
        for found in entry.findall("atom:category", NS)
    ] == [
        ("plain", own, "Plain topic"),
        ("described", "https://vocabulary.example.org/subjects/", "Described & “quoted” topic"),
        ("VN", iso, "Viet Nam"),
        ("CI", iso, "Côte d’Ivoire"),
        ("TR", iso, "Türkiye"),
    ]
    item = find(documents(every_field, "rss.xml")["rss.xml"], "channel/item")
    assert [(found.get("domain"), found.text) for found in item.findall("category")][2:4] == [
        (iso, "Viet Nam"),
        (iso, "Côte d’Ivoire"),
    ]


def test_namespaces_only_where_needed(every_field: Release) -> None:
    """A document declares Media RSS only if it has a photo."""
    assert b"mrss" in every_field["atom.xml"].body
    assert b"mrss" not in every_field["topics/empty/atom.xml"].body
    assert b"mrss" not in every_field["topics/empty/rss.xml"].body


def test_dates_are_the_catalogues_own(every_field: Release) -> None:
    """No document has the time of its creation, and each date keeps its offset."""
    feed = documents(every_field, "atom.xml")["atom.xml"]
    assert find(feed, "atom:updated").text == "2022-06-03T10:00:00+00:00"
    assert find(feed, "atom:entry/atom:published").text == "2022-06-01T08:30:00+09:00"
    channel = documents(every_field, "rss.xml")["rss.xml"][0]
    assert find(channel, "lastBuildDate").text == "Fri, 03 Jun 2022 10:00:00 +0000"
    assert find(channel, "item/pubDate").text == "Wed, 01 Jun 2022 08:30:00 +0900"
    assert find(channel, "item/atom:updated").text == "2022-06-03T10:00:00+00:00"


def test_rss_link_is_the_page_and_not_the_feed(every_field: Release) -> None:
    """The link of an RSS channel is the page, though feedgen uses the last link added."""
    channel = documents(every_field, "rss.xml")["rss.xml"][0]
    assert find(channel, "link").text == "https://news.example.org/tests/"
    assert find(channel, "atom:link[@rel='hub']").get("href") == "https://hub.example.org/"


def test_json_feed_is_valid(release: Release) -> None:
    """Every JSON Feed has what version 1.1 requires, and no empty member."""
    for path, document in release.items():
        if not path.endswith("feed.json"):
            continue
        feed = json.loads(document.body)
        assert feed["version"] == "https://jsonfeed.org/version/1.1"
        assert feed["title"]
        assert feed["feed_url"] == release.site.address(path)
        for item in feed["items"]:
            assert item["id"]
            assert ("content_html" in item) != ("content_text" in item)
            assert RFC3339.fullmatch(item["date_published"])
            assert "" not in item.values()


CATALOGUE = """
site: {{title: T, url: 'https://news.example.org/', id: 'tag:news.example.org,2021:t'}}
entries:
- id: a
  title: {0}
  date: 2022-05-24
  summary: {0}
  topics: [{0}]
  author: {0}
  photo: {{credit: {0}}}
"""


def catalogue_of(text: str) -> Catalogue | None:
    quoted = json.dumps(text, ensure_ascii=True)
    # JSON writes a character outside the BMP as two surrogates, which YAML refuses.
    quoted = re.sub(
        r"\\u(d[89ab]..)\\u(d[c-f]..)",
        lambda pair: f"\\U{ord(bytes.fromhex(pair[1] + pair[2]).decode('utf-16-be')):08x}",
        quoted,
    )
    try:
        return read_catalogue([("f", CATALOGUE.format(quoted).encode())])
    except CatalogueError:
        return None


def shown(entry: Any, name: str) -> str:
    """Return a field as text, from HTML if feedparser reports that it is HTML."""
    detail = entry[f"{name}_detail"]
    value: str = entry[name]
    if detail["type"] != "text/html":
        return value
    return "".join(map(str, etree.HTML(f"<p>{value}</p>").itertext()))


def folded(text: str) -> str:
    return " ".join(text.split())


def is_changed_by_feedparser(text: str) -> bool:
    """Check whether feedparser takes a text for UTF-8 read as Latin-1, and changes it: 'Â¡' to '¡'."""
    try:
        return not text.isascii() and bool(text.strip().encode("latin-1").decode())
    except UnicodeError:
        return False


TEXT = st.text(min_size=1, max_size=40).map(lambda text: "x" + text)
# As it is written, and as it is published: spaces are folded, and 'Â' may be before one.
TEXT = TEXT.filter(
    lambda text: not (is_changed_by_feedparser(text) or is_changed_by_feedparser(folded(text)))
)


@pytest.mark.heavy
@settings(max_examples=4000, derandomize=False)
@given(TEXT)
def test_any_text_comes_back_unchanged_for_long(text: str) -> None:
    """The same with other texts at every run, for minutes."""
    check_round_trip(text)


@settings(max_examples=30)
@given(TEXT)
@example("x<>")
@example("x &lt")
@example("x</")
@example('xÀ &amp; <b>bold</b> &#65; </a> "quotes" 🎉 العربية')
@example("x<script>alert(1)</script>")
@example("x]]> <![CDATA[ <!-- -->")
@example("x&copy2022 &nosuch; &#xZZ; AT&T R&D 1 < 2 > 0")
@example("x\u00a0NBSP\u200b\u202e\U0001f468\u200d\U0001f469")
def test_any_text_comes_back_unchanged(text: str) -> None:
    """Any text that the catalogue accepts is returned by feedparser (Atom, RSS) and a JSON parser."""
    check_round_trip(text)


def check_round_trip(text: str) -> None:
    catalogue = catalogue_of(text)
    if catalogue is None:
        return
    release = build_release(catalogue, as_of=AS_OF, pages=False)
    expected = folded(text)
    for name in ("atom.xml", "rss.xml"):
        parsed = feedparser.parse(release[name].body)
        assert not parsed.bozo
        [entry] = parsed.entries
        assert folded(shown(entry, "title")) == expected
        assert folded(shown(entry, "summary")) == expected
        assert folded(entry.author) == expected
        assert folded(entry.tags[0].label or entry.tags[0].term) == expected
        document = etree.fromstring(release[name].body)
        assert folded(find(document, ".//media:credit").text or "") == expected
    item = find(etree.fromstring(release["rss.xml"].body), "channel/item")
    for name, plain in (("title", "alternative"), ("description", "abstract")):
        found = item.find(f"dcterms:{plain}", NS)
        seen = find(item, name) if found is None else found
        assert folded(seen.text or "") == expected, "what a browser shows"
    [item] = json.loads(release["feed.json"].body)["items"]
    for found in (item["title"], item["summary"], item["tags"][0], item["_photo"]["credit"]):
        assert folded(found) == expected


def test_links_within_a_body_lead_there(every_field: Release) -> None:
    """A fragment in a body leads to its target in the same body, on the entry's page."""
    [entry] = [entry for entry in every_field.feeds[0].entries if entry.id == "everything"]
    text = '<h3 id="a">A</h3>\n\n[to A](#a) [to the top](#) [elsewhere](b/#a)'
    html = etree.HTML(render_body(entry._replace(body=text), every_field.site))
    page = every_field.site.address(entry.path)
    heading = html.find(".//h3")
    assert heading is not None
    assert heading.get("id") == "everything-a"
    assert [link.get("href") for link in html.iter("a")] == [
        f"{page}#everything-a",
        page,
        f"{every_field.site.url}b/#a",
    ]


@settings(max_examples=40)
@given(st.text(max_size=200))
@example("<script>alert(1)</script><a href='javascript:x'>y</a><img src=x onerror=alert(1)>")
@example("[a](//[) ![b](http://[::1)")
def test_any_body_renders_to_inert_html(text: str) -> None:
    """Any accepted body becomes well-formed documents without script or event handlers."""
    source = f"{CATALOGUE.format('x')}  body: {json.dumps(text)}\n".encode()
    try:
        release = build_release(read_catalogue([("f", source)]), as_of=AS_OF, pages=False)
    except CatalogueError:
        return
    etree.fromstring(release["atom.xml"].body)
    [item] = json.loads(release["feed.json"].body)["items"]
    html = etree.HTML(f"<div>{item.get('content_html', '')}</div>")
    for element in html.iter():
        assert element.tag not in {"script", "style", "iframe", "object"}
        assert not [name for name in element.attrib if str(name).startswith("on")]
        assert not str(element.get("href", "")).startswith("javascript")


@given(st.datetimes(datetime(1800, 1, 2), datetime(2199, 12, 30)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001  # Hypothesis asks for naive bounds
def test_rss_dates_are_those_of_rfc_2822(moment: datetime, minutes: int) -> None:
    """The replacement of feedgen's function for dates has the same output."""
    aware = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    written = feedgen.feed.formatRFC2822(aware)
    assert parsedate_to_datetime(written) == aware
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", written)
    assert parsedate_to_datetime(feedgen.feed.formatRFC2822(aware.astimezone(UTC))) == aware


@pytest.mark.parametrize(("seconds", "minutes"), [(60, "1"), (90, "1"), (900, "15"), (3600, "60")])
def test_ttl_is_max_age_in_minutes(seconds: int, minutes: str) -> None:
    """RSS's `ttl`, in minutes, is how long HTTP allows clients to cache the document."""
    catalogue = load_catalogue(CATALOGUES / "arabic.yaml")
    site = replace(catalogue.site, max_age=seconds)
    release = build_release(replace(catalogue, site=site), as_of=AS_OF)
    for document in documents(release, "rss.xml").values():
        assert texts(document, "channel/ttl") == [minutes]
