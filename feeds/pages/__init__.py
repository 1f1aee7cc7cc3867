"""The HTML that a person reads: the news by month, and a page for each entry."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from importlib.resources import files
from itertools import groupby

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from feeds.model import Entry, Feed, Site
from feeds.paths import INDEX, STYLE, feed_folder

HTML = "text/html; charset=utf-8"
CSS = "text/css; charset=utf-8"


class Pages:
    """The pages of a site.

    `formats` are the name, file name and media type of what each feed is also
    published as.
    """

    def __init__(self, site: Site, formats: Sequence[tuple[str, str, str]]) -> None:
        self._site = site
        locale = _locale(site.language)
        self._month_name = partial(_month_name, site, locale)
        self._environment = Environment(
            loader=PackageLoader("feeds.pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "site": site,
            "formats": formats,
            "style": site.address(STYLE),
            "direction": locale.text_direction,
            "long_date": partial(_long_date, site, locale),
            "month": self._month_name,
        }

    def items(self, entries: Sequence[tuple[Entry, str]], _site: Site) -> list[bytes]:
        """Give each entry as it stands in the page of a feed."""
        template = self._environment.get_template("item.html")
        return [f"{template.render(entry=entry)}\n".encode() for entry, _ in entries]

    def entry_pages(self, entries: Sequence[tuple[Entry, str]], site: Site) -> list[bytes]:
        """Give each entry's own page; the HTML of each body is safe already."""
        template = self._environment.get_template("entry.html")
        return [
            template.render(
                entry=entry,
                body=Markup(body),  # noqa: S704  # sanitised by feeds.content
                labels=_label_folders(entry, site),
            ).encode()
            for entry, body in entries
        ]

    def place(self, folder: str) -> tuple[str, str]:
        """Give the path of a folder's page, and its media type."""
        return folder + INDEX, HTML

    def feed_pages(
        self, feeds: Sequence[Feed], items: Mapping[str, str]
    ) -> Iterator[tuple[str, str, bytes]]:
        """Give the path, media type and bytes of each feed's page, and of the style sheet.

        `items` are what `items` gave, by the entries' ids.
        """
        months = {entry.id: _month(self._site, entry) for entry in feeds[0].entries}
        page = self._environment.get_template("feed.html")
        for feed in feeds:
            groups = groupby(feed.entries, lambda entry: months[entry.id])
            sections = [self._section(list(entries), items) for _, entries in groups]
            text = page.render(feed=feed, months=sections, neighbours=_neighbours(feed, feeds))
            yield feed.path + INDEX, HTML, text.encode()
        yield STYLE, CSS, files("feeds.pages").joinpath(STYLE).read_bytes()

    def _section(self, entries: Sequence[Entry], items: Mapping[str, str]) -> tuple[str, Markup]:
        name = self._month_name(entries[0].published)
        return name, Markup("".join(items[entry.id] for entry in entries))  # noqa: S704  # ours


def _label_folders(entry: Entry, site: Site) -> list[tuple[str, str]]:
    """Give the name and the folder of each feed that is about one of the entry's labels."""
    topics = [(topic.name, feed_folder(topic.slug)) for topic in entry.topics]
    countries = [(country.name, feed_folder("", country.slug)) for country in entry.countries]
    return topics * ("topics" in site.feeds) + countries * ("countries" in site.feeds)


def _neighbours(feed: Feed, feeds: Sequence[Feed]) -> list[Feed]:
    """Give the feeds one step narrower: from everything to topics and countries, and so on."""
    if feed.topic and feed.country:
        return []
    if feed.topic:
        return [other for other in feeds if other.topic == feed.topic and other.country]
    if feed.country:
        return [other for other in feeds if other.country == feed.country and other.topic]
    return [other for other in feeds if bool(other.topic) != bool(other.country)]


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except UnknownLocaleError:
        return Locale("en")


def _local_day(site: Site, moment: datetime) -> date:
    return moment.astimezone(site.timezone).date()


def _month(site: Site, entry: Entry) -> tuple[int, int]:
    day = _local_day(site, entry.published)
    return day.year, day.month


def _month_name(site: Site, locale: Locale, moment: datetime) -> str:
    return format_skeleton("yMMMM", _local_day(site, moment), locale=locale)


def _long_date(site: Site, locale: Locale, moment: datetime) -> str:
    return format_date(_local_day(site, moment), "long", locale=locale)
