"""The HTML that a person reads: the news by month, and a page for each entry."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial
from importlib.resources import files
from itertools import groupby

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from feeds.formats import Format
from feeds.model import Entry, Feed, Site
from feeds.paths import INDEX, STYLE, feed_folder

HTML = "text/html; charset=utf-8"
CSS = "text/css; charset=utf-8"


# A feed's name, path, and number of entries.
Neighbour = tuple[str, str, int]


class Pages:
    """The pages of a site whose feeds are published in some formats too."""

    media_type = HTML

    def __init__(self, site: Site, formats: Sequence[Format]) -> None:
        self._site = site
        locale = _locale(site.language)
        self._month_name = partial(_month_name, site, locale)
        self._months: dict[tuple[int, int], str] = {}
        self._environment = Environment(
            loader=PackageLoader("feeds.pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "site": site,
            "formats": [
                (form.name, form.filename, form.media_type.partition(";")[0]) for form in formats
            ],
            "style": site.address(STYLE),
            "direction": locale.text_direction,
            "long_date": partial(_long_date, site, locale),
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

    def path(self, folder: str) -> str:
        """Give the path of a folder's page."""
        return folder + INDEX

    def style(self) -> tuple[str, str, bytes]:
        """Give the path, media type and bytes of the style sheet."""
        return STYLE, CSS, files("feeds.pages").joinpath(STYLE).read_bytes()

    def feed_page(
        self, feed: Feed, neighbours: Sequence[Neighbour], items: Mapping[str, str]
    ) -> tuple[str, str, bytes]:
        """Give the path, media type and bytes of a feed's page.

        `items` are what `items` gave, by the entries' ids.
        """
        months = [
            (name, Markup("".join(items[entry.id] for entry in entries)))  # noqa: S704  # ours
            for name, entries in groupby(feed.entries, self._month)
        ]
        template = self._environment.get_template("feed.html")
        text = template.render(feed=feed, months=months, neighbours=neighbours)
        return self.path(feed.path), HTML, text.encode()

    def neighbours(self, feeds: Sequence[Feed]) -> dict[str, list[Neighbour]]:
        """Give, for each feed's path, the feeds one step narrower.

        They lead from everything to topics and countries, and from there to
        both; each with its name, path, and number of entries.
        """
        near: dict[str, list[Neighbour]] = {feed.path: [] for feed in feeds}
        for feed in feeds:
            labels = [label for label in (feed.topic, feed.country) if label]
            name = " · ".join(label.name for label in labels)
            neighbour = name, feed.path, len(feed.entries)
            wider = _wider(feed) if len(labels) > 1 else [""] * len(labels)
            for path in wider:
                if path in near:
                    near[path].append(neighbour)
        return near

    def _month(self, entry: Entry) -> str:
        """Give the name of an entry's month."""
        day = _local_day(self._site, entry.published)
        month = day.year, day.month
        if month not in self._months:
            self._months[month] = self._month_name(entry.published)
        return self._months[month]


class Printer:
    """Keeps the pages of a site ready from release to release: templates take their time."""

    def __init__(self) -> None:
        self._of: tuple[Site, tuple[Format, ...]] | None = None
        self._pages: Pages | None = None

    def pages(self, site: Site, formats: tuple[Format, ...]) -> Pages:
        """Give the pages of a site in some formats."""
        if self._pages is None or self._of != (site, formats):
            self._of, self._pages = (site, formats), Pages(site, formats)
        return self._pages


def _wider(feed: Feed) -> list[str]:
    """Give the paths of the feeds of a feed's topic, and of its country."""
    topic, country = feed.topic, feed.country
    return [
        feed_folder(topic.slug if topic else ""),
        feed_folder("", country.slug if country else ""),
    ]


def _label_folders(entry: Entry, site: Site) -> list[tuple[str, str]]:
    """Give the name and the folder of each feed that is about one of the entry's labels."""
    topics = [(topic.name, feed_folder(topic.slug)) for topic in entry.topics]
    countries = [(country.name, feed_folder("", country.slug)) for country in entry.countries]
    return topics * ("topics" in site.feeds) + countries * ("countries" in site.feeds)


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except UnknownLocaleError:
        return Locale("en")


def _local_day(site: Site, moment: datetime) -> date:
    return moment.astimezone(site.timezone).date()


def _month_name(site: Site, locale: Locale, moment: datetime) -> str:
    return format_skeleton("yMMMM", _local_day(site, moment), locale=locale)


def _long_date(site: Site, locale: Locale, moment: datetime) -> str:
    return format_date(_local_day(site, moment), "long", locale=locale)
