"""Pages: their size, their content, and which of them an edit changes."""

import json
import re
import runpy
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from posixpath import dirname
from urllib.parse import quote, unquote, urljoin

import pytest
from conftest import AS_OF, CATALOGUES, ROOT
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from feeds import Catalogue, Release, build_release, load_catalogue
from feeds.catalogue import read_catalogue
from feeds.plans import plan_site
from feeds.urls import INDEX, STYLE, SUBSCRIBE

URL = "https://news.example.org/"
HEAD = """site:
  title: News
  url: https://news.example.org/
  id: tag:news.example.org,2021:t
  {site}
topics: {{a: Topic A, b: Topic B}}
entries:
"""
_HREF = re.compile(r'href="([^"]*)"')
_DATA = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)
LARGEST = 100_000


def item(name: str, day: str, *, topic: str = "a", more: str = "") -> str:
    """Return an entry's YAML."""
    return (
        f"- id: {name}\n  title: The title of {name}\n  date: {day}\n  summary: S.\n"
        f"  topics: [{topic}]\n  countries: [Jordan]\n{more}"
    )


def busy(*extra: str) -> list[str]:
    """Return a month of more than two pages, an earlier year with less, and `extra` on top."""
    may = [item(f"may-{n:03}", f"2022-05-{1 + n // 4:02}T{n % 4:02}:00Z") for n in range(100)]
    june = [item(f"june-{n:03}", f"2022-06-{1 + n // 4:02}T{n % 4:02}:00Z") for n in range(5)]
    old = [item(f"old-{n:03}", f"2021-03-{1 + n:02}", topic="b") for n in range(20)]
    return [*extra, *reversed(june), *reversed(may), *reversed(old)]


def release(items: list[str], *, site: str = "") -> Release:
    text = HEAD.format(site=site) + "".join(items)
    return build_release(read_catalogue([("f.yaml", text.encode())]), as_of=AS_OF)


def pages(found: Release) -> dict[str, str]:
    """Return each page's HTML, by its path."""
    return {
        path: document.body.decode() for path, document in found.items() if path.endswith(INDEX)
    }


def links(path: str, page: str, url: str = URL) -> Iterator[str]:
    """Return the paths under a site's URL that the page at a path leads to."""
    for address in _HREF.findall(page):
        found = urljoin(url + quote(path), unescape(address))
        if found.startswith(url):
            yield unquote(found.removeprefix(url).partition("#")[0].partition("?")[0])


def reached(found: Release, start: str, inside: str) -> set[str]:
    """Return the pages that are reached by links from a page, through pages below a folder."""
    texts, seen, todo = pages(found), set[str](), [start]
    while todo:
        path = todo.pop()
        for folder in links(path, texts[path + INDEX]):
            if folder + INDEX in texts and folder not in seen:
                seen.add(folder)
                if folder.startswith(inside):
                    todo.append(folder)
    return seen


def test_an_archive_is_by_year_month_and_part() -> None:
    """Years are pages; one that is too long is cut by months, and in a topic into parts."""
    folders = {dirname(path) for path in pages(release(busy())) if "archive/" in path}
    assert folders == {
        *("archive/2021", "archive/2022", "archive/2022/05", "archive/2022/06"),
        *("archive/2022/05/1", "archive/2022/05/2", "archive/2022/05/3"),
        *(f"topics/a/archive/2022{part}" for part in ("", "/1", "/2", "/3")),
        *(
            f"countries/jo/archive/{year}"
            for year in ("2021", "2022", "2022/1", "2022/2", "2022/3")
        ),
        *(f"topics/a/countries/jo/archive/2022{part}" for part in ("", "/1", "/2", "/3")),
    }


@pytest.mark.parametrize(
    ("start", "inside"),
    [
        ("", "archive/"),
        ("topics/a/", "topics/a/archive/"),
        ("countries/jo/", "countries/jo/archive/"),
    ],
)
def test_every_entry_is_reached(start: str, inside: str) -> None:
    """The archive of the news, of a topic or of a country leads to every entry."""
    found = release(busy())
    entries = {entry.path for feed in found.feeds if feed.path == start for entry in feed.entries}
    assert entries
    assert entries <= reached(found, start, inside)


def test_a_new_entry_reaches_no_page_that_does_not_show_it() -> None:
    """An entry added on top leaves older parts, months, years and topics byte for byte."""
    before = pages(release(busy()))
    after = pages(release(busy(item("newest", "2022-06-20"))))
    changed = {path for path in after if after[path] != before.get(path)}
    # It counts the entries of each feed.
    changed.remove(SUBSCRIBE + INDEX)
    assert changed == {
        *("index.html", "archive/2022/06/index.html", "entries/newest/index.html"),
        "entries/june-004/index.html",
        *("topics/a/index.html", "topics/a/archive/2022/3/index.html"),
        *("countries/jo/index.html", "countries/jo/archive/2022/3/index.html"),
        "topics/a/countries/jo/index.html",
        "topics/a/countries/jo/archive/2022/3/index.html",
    }
    assert all("The title of newest" in after[path] for path in changed)
    assert before.keys() == after.keys() - {"entries/newest/index.html"}


def test_an_edited_entry_reaches_only_pages_that_show_it() -> None:
    """A corrected summary of an old entry is rewritten where it is listed, and on its own page."""
    before = pages(release(busy()))
    after = pages(
        release([text.replace("S.", "Other.") if "old-003" in text else text for text in busy()])
    )
    assert {path for path in after if after[path] != before[path]} == {
        *("archive/2021/index.html", "countries/jo/archive/2021/index.html"),
        *("topics/b/index.html", "topics/b/countries/jo/index.html"),
        "entries/old-003/index.html",
    }


def test_pages_that_stay_the_same_are_not_made_again() -> None:
    """A new entry changes the inputs of only those pages whose bytes it changes."""

    def inputs(items: list[str]) -> dict[str, str]:
        text = HEAD.format(site="") + "".join(items)
        planned = plan_site(read_catalogue([("f.yaml", text.encode())]), as_of=AS_OF)
        return {plan.path: plan.inputs for plan in planned.plans if plan.path.endswith(INDEX)}

    old, new = busy(), busy(item("newest", "2022-06-20"))
    before, after = inputs(old), inputs(new)
    first, second = pages(release(old)), pages(release(new))
    made = {path for path in after if after[path] != before.get(path)}
    assert made == {path for path in second if second[path] != first.get(path)}
    assert 0 < len(made) < len(second) / 2


def test_every_link_leads_to_a_document(catalogue: Catalogue) -> None:
    """No page of any catalogue has a link under the site that leads nowhere."""
    found = build_release(catalogue, as_of=AS_OF)
    folders = {path.removesuffix(INDEX) for path in found}
    for path, text in pages(found).items():
        page = etree.HTML(text)
        # What editors write in a body is theirs.
        for body in page.iterfind('.//div[@class="body"]'):
            body.clear()
        ours = etree.tostring(page, encoding="unicode")
        led_to = list(links(path, ours, catalogue.site.url))
        assert led_to
        assert {*led_to} <= {*folders, *found}, path


def test_a_page_stays_small_whatever_is_written() -> None:
    """A list of forty entries with very long summaries and thirty countries each is below 100 kB."""
    long = "  summary: " + "网络 " * 3000 + "\n"
    codes = (
        "[AF, AL, DZ, AD, AO, AR, AM, AU, AT, AZ, BS, BH, BD, BB, BY, BE, BZ, BJ, BT, BO, BA, BW]"
    )
    text = [
        item(f"n{n:03}", f"2022-05-{1 + n // 4:02}T{n % 4:02}:00Z")
        .replace("  summary: S.\n", long)
        .replace("[Jordan]", codes)
        for n in range(90)
    ]
    for path, page in pages(release(text)).items():
        if "entries/" not in path:
            assert len(page.encode()) < LARGEST, path


@pytest.mark.heavy
def test_pages_stay_small_with_ten_thousand_entries() -> None:
    """A page of a very large catalogue is below 100 kB."""
    synthetic = runpy.run_path(str(ROOT / "benchmarks" / "catalogues.py"))["catalogue"]
    text = synthetic(10_000, bodies=True, site="")
    found = build_release(read_catalogue([("f.yaml", text.encode())]), as_of=AS_OF)
    sizes = {path: len(found[path].body) for path in found if path.endswith(INDEX)}
    assert len(sizes) > 15_000
    assert max(sizes.values()) < LARGEST


def test_an_entry_says_what_it_is_to_machines() -> None:
    """An entry's page is a NewsArticle of schema.org and an article of Open Graph."""
    found = build_release(load_catalogue(CATALOGUES / "every-field.yaml"), as_of=AS_OF)
    text = found["entries/everything/index.html"].body.decode()
    [data] = map(json.loads, _DATA.findall(text))
    assert data["@type"] == "NewsArticle"
    assert data["headline"] == "Everything at once – “quotes”, R&D, 1 < 2, and emoji 🎉"
    assert data["datePublished"] == "2022-06-01T08:30:00+09:00"
    assert data["dateModified"] == "2022-06-03T10:00:00+00:00"
    assert data["author"] == {
        "@type": "Person",
        "name": "Jane Doe",
        "url": "https://example.org/jane",
    }
    assert data["publisher"]["name"] == "Press office"
    assert (data["image"]["width"], data["image"]["creditText"]) == (1200, "© BWI 2022 / “A & B”")
    assert [thing["name"] for thing in data["about"]][-1] == "Türkiye"
    for line in (
        '<meta property="og:type" content="article">',
        '<meta property="og:locale" content="en_GB">',
        '<meta property="article:published_time" content="2022-06-01T08:30:00+09:00">',
        '<meta property="og:image" content="https://news.example.org/media/everything.jpg">',
        '<link rel="canonical" href="https://news.example.org/tests/entries/everything/">',
    ):
        assert line in text


def test_no_text_ends_the_data() -> None:
    """Any title is returned unchanged by a parser of the JSON-LD, and cannot leave the script element."""
    title = "</script><script>alert(1)</script><!-- & ]]> \\u2028"
    entry = item("x", "2022-05-01").replace("The title of x", f"'{title}'")
    text = pages(release([entry]))["entries/x/index.html"]
    [data] = map(json.loads, _DATA.findall(text))
    assert data["headline"] == title
    assert text.count("<script") == text.count("</script") == 1


def test_every_page_names_its_feeds(catalogue: Catalogue) -> None:
    """Autodiscovery: a feed's page and archive name its own documents, all others the site's."""
    found = build_release(catalogue, as_of=AS_OF)
    for path, text in pages(found).items():
        folder = path.removesuffix(INDEX).partition("archive/")[0]
        folder = "" if folder.startswith(("entries/", SUBSCRIBE)) else folder
        named = re.findall(
            r'<link rel="alternate" type="([^"]+)" title="[^"]+" href="([^"]+)">', text
        )
        assert [(kind, unescape(address)) for kind, address in named] == [
            (form.media_type.partition(";")[0], found.site.address(folder + form.filename))
            for form in found.formats
        ]


def test_pages_are_in_the_language_of_their_site() -> None:
    """Words, months, countries and direction are those of the language; what is missing is English."""
    entry = item("x", "2022-05-01")
    expected = {
        "fr": ('dir="ltr"', "S’abonner", "mai 2022", "Jordanie"),
        "ar": ('dir="rtl"', "اشترك", "مايو 2022", "الأردن"),
        "zh-Hant": ('dir="ltr"', "訂閱", "2022年5月", "約旦"),
        "zh-TW": ('dir="ltr"', "訂閱", "2022年5月", "約旦"),
        "zh-CN": ('dir="ltr"', "订阅", "2022年5月", "约旦"),
        "pt-BR": ('dir="ltr"', "Assinar", "maio de 2022", "Jordânia"),
        "sw": ('dir="ltr"', "Subscribe", "Mei 2022", "Jordan"),
    }
    for language, parts in expected.items():
        text = pages(release([entry], site=f"language: {language}"))["index.html"]
        assert [part for part in (f'lang="{language}"', *parts) if part not in text] == []


def test_translations_are_complete() -> None:
    """Each language has every phrase that English has, and no other."""
    known = tomllib.loads((ROOT / "feeds" / "translations.toml").read_text("utf-8"))
    assert {"en", "fr", "es", "ar", "pt", "ru", "zh"} <= known.keys()
    assert {language for language in known if known[language].keys() != known["en"].keys()} == set()


def test_feeds_in_a_browser_have_the_languages_of_pages() -> None:
    """The notice that a browser shows above a feed is translated into each language of pages."""
    known = tomllib.loads((ROOT / "feeds" / "translations.toml").read_text("utf-8"))
    sheet = (ROOT / "feeds" / "formats" / "feed.css").read_text("utf-8")
    said = set(re.findall(r":root:lang\(([\w-]+)\)::before", sheet))
    assert known.keys() - said == {"en"}


EMPTY = load_catalogue(CATALOGUES / "empty.yaml")


def contrast(colour: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, 1.4.3)."""
    dark, light = sorted((luminance(colour), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    linear = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def colours(sheet: str, name: str) -> list[str]:
    """Return the values of a variable in a style sheet, in light and then in dark mode."""
    return re.findall(f"--{name}: (#[0-9a-f]{{6}});", sheet)


@given(st.integers(0, 0xFFFFFF))
def test_any_colour_becomes_readable(number: int) -> None:
    """Links in a publication's colour have the contrast that WCAG requires, in light and dark mode."""
    accent = f"#{number:06x}"
    catalogue = replace(EMPTY, site=replace(EMPTY.site, accent=accent))
    planned = plan_site(catalogue, as_of=AS_OF)
    [style] = [plan.render([]).decode() for plan in planned.plans if plan.path == STYLE]
    grounds, shades = colours(style, "raised"), colours(style, "link")
    assert len(grounds) == len(shades) == 2
    for ground, shade in zip(grounds, shades, strict=True):
        assert contrast(shade, ground) >= 4.5
        assert shade == accent or contrast(accent, ground) < 5.5


def test_texts_that_are_less_important_are_readable() -> None:
    """They have the contrast that WCAG requires on each ground, in light and dark mode."""
    sheet = (ROOT / "feeds" / "pages" / "style.css").read_text()
    for quiet, raised in zip(colours(sheet, "quiet"), colours(sheet, "raised"), strict=True):
        assert contrast(quiet, raised) >= 4.5


def test_the_footer_and_the_colour_are_the_sites() -> None:
    """`site.footer` is at the end of each page, `site.accent` in the style sheet."""
    found = release([item("x", "2022-05-01")], site="footer: Ours & yours\n  accent: '#C8102E'")
    assert all("<p>Ours &amp; yours</p>" in text for text in pages(found).values())
    assert "--accent: #c8102e;" in found["style.css"].body.decode()


def test_a_bodys_headings_are_below_the_title() -> None:
    """Headings in a body are ranked below the entry's title."""
    body = "  body: |\n    # One\n\n    ## Two\n\n    ###### Six\n"
    text = pages(release([item("x", "2022-05-01", more=body)]))["entries/x/index.html"]
    assert re.findall(r"<h(\d)[ >]", text) == ["1", "2", "3", "6"]
