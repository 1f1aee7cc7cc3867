"""Entries on pages: labels, dates, the link of the title, and writing direction."""

import tomllib
from string import Formatter
from typing import Any

import pytest
from conftest import AS_OF, ROOT
from lxml import html
from reading import countries_of

from feeds import build_release
from feeds.catalogue import read_catalogue
from feeds.urls import INDEX

CODES = sorted(countries_of("en"))
SOURCE = "https://www.example.org/report"


def shown(entry: str, *, site: str = "", title: str = "T") -> tuple[Any, Any]:
    """Return an entry as it is listed and as on its own page."""
    text = (
        f"site:\n  title: News\n  url: https://news.example.org/\n  {site}\n"
        f"  id: tag:news.example.org,2021:t\nentries:\n- id: x\n  title: '{title}'\n{entry}"
    )
    found = build_release(read_catalogue([("f", text.encode())]), as_of=AS_OF)
    listed, own = (html.fromstring(found[path + INDEX].body) for path in ("", "entries/x/"))
    return listed.find(".//article"), own.find(".//article")


def labels(article: Any) -> list[str]:
    return [item.text_content() for item in article.xpath("ul[@class='labels']/li")]


@pytest.mark.parametrize(("countries", "more"), [(20, 13), (8, 1), (7, 0), (240, 233)])
def test_a_list_says_how_many_labels_it_leaves_out(countries: int, more: int) -> None:
    """Of many labels, a list shows eight, and a link to the entry, which shows all."""
    codes = ", ".join(f"'{code}'" for code in CODES[:countries])
    listed, own = shown(
        f"  date: 2022-05-24\n  summary: S.\n  topics: [A]\n  countries: [{codes}]\n"
    )
    assert len(labels(own)) == 1 + countries
    assert labels(listed)[:8] == labels(own)[:8]
    assert labels(listed)[8:] == ([f"and {more} more"] if more else [])
    if more:
        assert listed.xpath("ul/li[9]/a/@href") == ["./entries/x/"]


def test_labels_are_counted_in_every_language() -> None:
    """The number of omitted labels is translated into each language."""
    known = tomllib.loads((ROOT / "feeds" / "translations.toml").read_text("utf-8"))
    for language, words in known.items():
        assert [name for _, name, _, _ in Formatter().parse(words["more"]) if name] == ["count"]
        codes = ", ".join(f"'{code}'" for code in CODES[:12])
        entry = f"  date: 2022-05-24\n  summary: S.\n  countries: [{codes}]\n"
        listed, _ = shown(entry, site=f"language: {language}")
        assert labels(listed)[8:] == [words["more"].format(count=4)], language


@pytest.mark.parametrize(
    ("dates", "site", "expected"),
    [
        ("date: 2022-05-24 10:00", "", "May 24, 2022, 10:00 AM"),
        ("date: 2022-05-24T00:00", "", "May 24, 2022, 12:00 AM"),
        ("date: 2022-05-24T12:00Z", "language: en-GB", "24 May 2022, 12:00"),
        ("date: 2022-05-24", "", "May 24, 2022"),
        ("date: 24 May 2022", "language: fr", "24 mai 2022"),
        ("date: 2022-05-24 10:00", "language: fr", "24 mai 2022, 10:00"),
        ("date: 2022-05-24 22:05", "language: ar", "24 مايو 2022، 10:05 م"),
        ("date: 2022-05-24 22:05", "language: zh", "2022年5月24日 22:05"),
        ("date: 2022-05-24 22:05", "language: de", "24. Mai 2022, 22:05"),
        # In the site's zone, in which it may be another day.
        (
            "date: 2022-05-24T22:30Z",
            "timezone: Asia/Jakarta\n  language: en-GB",
            "25 May 2022, 05:30",
        ),
        (
            "date: 2022-05-24T22:30-04:00",
            "timezone: Europe/Zurich\n  language: en-GB",
            "25 May 2022, 04:30",
        ),
    ],
)
def test_a_time_of_day_is_shown_if_it_was_given(dates: str, site: str, expected: str) -> None:
    """Lists and the entry's page show a time only if the editor wrote one."""
    for article in shown(f"  {dates}\n  summary: S.\n", site=site):
        time = article.find(".//time").text_content()
        assert time.replace("\u202f", " ") == expected


@pytest.mark.parametrize(
    ("dates", "updated"),
    [
        ("date: 2022-05-24 10:00\n  updated: 2022-05-24 15:00", "24 May 2022, 15:00"),
        ("date: 2022-05-24 10:00\n  updated: 2022-05-25", "25 May 2022"),
        ("date: 2022-05-24\n  updated: 2022-05-24 15:00", "24 May 2022, 15:00"),
        ("date: 2022-05-24\n  updated: 2022-05-25 15:00", "25 May 2022, 15:00"),
        ("date: 2022-05-24 10:00\n  updated: 2022-05-24 10:00:30", None),
        ("date: 2022-05-24 10:00\n  updated: 2022-05-24", None),
        ("date: 2022-05-24\n  updated: 2022-05-24", None),
        ("date: 2022-05-24", None),
        ("date: 2022-05-24 10:00", None),
    ],
)
def test_an_update_is_shown_if_it_says_more(dates: str, updated: str | None) -> None:
    """The entry's page shows when it was updated, with the time if it was given."""
    _, own = shown(f"  {dates}\n  summary: S.\n", site="language: en-GB")
    found = [time.text_content() for time in own.xpath("p[@class='date']//time")[1:]]
    assert found == ([updated] if updated else [])


def test_an_entry_with_a_body_leads_to_its_page_and_that_to_the_source() -> None:
    """With a body, the title leads to the entry's own page, which names and links the source."""
    listed, own = shown(f"  date: 2022-05-24\n  body: The text.\n  link: {SOURCE}\n")
    assert listed.xpath("h3/a/@href") == ["./entries/x/"]
    assert listed.find("h3").text_content() == "T"
    assert not listed.xpath(f".//a[@href='{SOURCE}']")
    source = own.xpath("p[@class='original']")[0]
    assert source.text_content() == "Source: example.org"
    assert source.xpath("a/@href") == [SOURCE]


def test_an_entry_without_a_body_leads_to_the_source_and_says_so() -> None:
    """Without a body, the title leads to the source; the link's own text names its host."""
    listed, own = shown(f"  date: 2022-05-24\n  summary: S.\n  link: {SOURCE}\n")
    assert listed.xpath("h3/a/@href") == [SOURCE]
    assert listed.find("h3/a").text_content() == "T Source: example.org"
    assert listed.xpath("p[@class='date']/a/@href") == ["./entries/x/"]
    assert own.xpath("p[@class='original']/a/@href") == [SOURCE]
    assert own.xpath("p[@class='original']")[0].text_content().endswith("example.org")


def test_an_entry_without_a_link_leads_to_its_page() -> None:
    """Without a source, there is one link to the entry, and no source is named."""
    for more in ("summary: S.", "body: The text."):
        listed, own = shown(f"  date: 2022-05-24\n  {more}\n")
        assert listed.xpath(".//a/@href") == ["./entries/x/"]
        assert "Source" not in listed.text_content() + own.text_content()


@pytest.mark.parametrize(
    ("text", "default", "expected"),
    [
        ("An agreement", "ltr", "ltr"),
        ("An agreement", "rtl", "ltr"),
        ("الأردن", "ltr", "rtl"),
        ("הסכם חדש", "ltr", "rtl"),
        ("ދިވެހި", "ltr", "rtl"),
        ("2025", "rtl", "rtl"),
        ("2025", "ltr", "ltr"),
        ("–", "rtl", "rtl"),
        ("🎉 – 100 %", "rtl", "rtl"),
        ("UNICEF تطلق مشروعا جديدا", "ltr", "rtl"),
        ("Al-Jazeera (الجزيرة) reports on work", "rtl", "ltr"),
        ("«الأردن» 2025", "ltr", "rtl"),
        ("Обзор за год", "rtl", "ltr"),
        ("网络", "rtl", "ltr"),
        # As many words of each: the first one counts.
        ("WHO بيان", "rtl", "ltr"),
        ("بيان WHO", "ltr", "rtl"),
    ],
)
def test_a_direction_is_that_of_most_words(text: str, default: str, expected: str) -> None:
    """A text has the direction of most of its words; without letters, that of its surroundings."""
    site = f"language: {'he' if default == 'rtl' else 'en'}"
    entry = "  date: 2022-05-24\n  link: https://www.example.org/\n"
    for article in shown(entry, site=site, title=text):
        assert article.xpath("@dir") == ([] if expected == default else [expected])


@pytest.mark.parametrize(
    ("language", "title", "more", "expected"),
    [
        ("en", "الأردن يوقع اتفاقية", "summary: سيساعد المشروع", ["rtl"]),
        ("en", "An agreement", "summary: S.", []),
        ("ar", "An agreement", "summary: It helps.", ["ltr"]),
        ("ar", "الأردن", "summary: سيساعد المشروع", []),
        ("ar", "2025", "summary: سيساعد المشروع", []),
        ("en", "2025", "summary: سيساعد المشروع", ["rtl"]),
        ("en", "2025", "body: سيساعد المشروع", ["rtl"]),
        ("he", "2025", "link: https://www.example.org/", []),
    ],
)
def test_an_entry_has_its_own_direction(
    language: str, title: str, more: str, expected: list[str]
) -> None:
    """An entry in another direction than its page has the direction of its text as a whole."""
    entry = f"  date: 2022-05-24\n  {more}\n"
    for article in shown(entry, site=f"language: {language}", title=title):
        assert article.xpath("@dir") == expected
