"""The HTML that a person reads: the news by month with its archive, and a page for each entry."""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import groupby
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from feeds.formats import Format
from feeds.model import Entry, Feed, Site
from feeds.pages.colours import NIGHT, PAPER, readable
from feeds.pages.guides import CSS, HTML, Guides
from feeds.pages.linked_data import (
    article,
    article_properties,
    collection,
    collection_properties,
)
from feeds.pages.listings import NEWEST, Listing, Period, listings_of
from feeds.pages.neighbours import Neighbours, neighbours_of
from feeds.pages.wording import Wording
from feeds.paths import INDEX, STYLE, SUBSCRIBE, archive_folder, feed_folder

# Where an entry's page says which entries are around it: no text has this character.
_TURN = "\x1d"
# Of a longer summary, a list shows the beginning: that many bytes.
_SUMMARY = 900
_LABELS = 8
_HEADING = re.compile(r"(</?h)([1-6])(?=[ >])")


class Pages:
    """The pages of a site whose feeds are published in some formats too."""

    media_type = HTML
    neighbours = staticmethod(neighbours_of)

    def __init__(self, site: Site, formats: Sequence[Format]) -> None:
        self._site = site
        self._formats = formats
        self._wording = wording = Wording(site.language, site.timezone)
        self._environment = Environment(
            loader=PackageLoader("feeds.pages"),
            autoescape=True,
            undefined=StrictUndefined,
            # Templates do not change under a running program.
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
        self._environment.filters |= {"clipped": _clipped, "host": _host}
        self._environment.globals |= {
            "site": site,
            "style": site.address(STYLE),
            "subscribe": site.address(SUBSCRIBE),
            "direction": wording.direction,
            "open_graph_locale": wording.open_graph,
            "words": wording.words,
            "day": wording.day,
            "period_name": wording.period,
            "turn": _TURN,
        }
        # What stands on many pages is rendered once.
        for name in ("menu", "foot", "alternates"):
            template = self._environment.get_template(f"{name}.html")
            html = template.render(title=site.title, feeds=self._addresses(""))
            self._environment.globals[name] = Markup(html)  # noqa: S704  # of our template
        self.guides = Guides(self._environment, wording, site, formats)

    def path(self, folder: str) -> str:
        """Give the path of a folder's page."""
        return folder + INDEX

    def style(self) -> tuple[str, str, bytes]:
        """Give the path, media type and bytes of the style sheet, in the publication's colour."""
        sheet = files("feeds.pages").joinpath(STYLE).read_text("utf-8")
        day, night = (readable(self._site.accent, ground) for ground in (PAPER, NIGHT))
        own = self._environment.get_template("accent.css").render(day=day, night=night)
        return STYLE, CSS, f"{sheet}\n{own}\n".encode()

    def items(self, entries: Sequence[tuple[Entry, str]], site: Site) -> list[bytes]:
        """Give each entry as it stands in the pages that list it."""
        template = self._environment.get_template("item.html")
        return [
            f"{template.render(entry=entry, labels=_labels(entry, site)[:_LABELS])}\n".encode()
            for entry, _ in entries
        ]

    def entry_pages(self, entries: Sequence[tuple[Entry, str]], site: Site) -> list[bytes]:
        """Give each entry's own page, still without `turns`; the HTML of each body is safe already."""
        template = self._environment.get_template("entry.html")
        return [
            template.render(
                entry=entry,
                body=Markup(_lowered(body)),  # noqa: S704  # sanitised by feeds.content
                labels=_labels(entry, site),
                data=article(entry, site),
                properties=article_properties(entry, site),
            ).encode()
            for entry, body in entries
        ]

    def turned(self, page: bytes, newer: Entry | None, older: Entry | None) -> bytes:
        """Give an entry's page with the ways to the entries around it."""
        template = self._environment.get_template("turn.html")
        ways = template.render(newer=newer, older=older)
        return page.replace(_TURN.encode(), ways.encode(), 1)

    def listings(self, feed: Feed) -> list[Listing]:
        """Give the pages that list a feed's entries, and first that of the newest."""
        # Where there is less in a year, months would be many pages with little on each.
        everything = not (feed.topic or feed.country)
        return listings_of(feed.entries, self._site.timezone, months=everything)

    def listing_path(self, feed: Feed, listing: Listing) -> str:
        """Give the path of a page that lists entries of a feed."""
        return self.path(_folder(feed, listing.period))

    def listing_pages(
        self, items: Mapping[str, str], inputs: Sequence[tuple[Feed, Listing, Neighbours]]
    ) -> list[bytes]:
        """Give the pages that list entries of feeds; `items` are their pieces, by their ids."""
        return [self._listing_page(items, *each) for each in inputs]

    def _listing_page(
        self, items: Mapping[str, str], feed: Feed, listing: Listing, near: Neighbours
    ) -> bytes:
        site, period = self._site, listing.period
        archived = period != NEWEST
        subject = " · ".join(label.name for label in (feed.topic, feed.country) if label)
        heading = " – ".join(
            part for part in (subject, self._wording.period(period) if archived else "") if part
        )
        title = f"{heading} – {site.title}" if heading else site.title
        folder = _folder(feed, period)
        template = self._environment.get_template("archive.html" if archived else "feed.html")
        return template.render(
            feed=feed,
            feeds=self._addresses(feed.path),
            subject=subject,
            heading=heading or site.title,
            title=title,
            address=site.address(folder),
            months=list(self._by_month(listing.entries, items)),
            listing=listing,
            period_address=lambda inner: site.address(_folder(feed, inner)),
            near=near,
            data=collection(feed, site, title, folder),
            properties=collection_properties(feed, site, title, folder),
        ).encode()

    def _addresses(self, folder: str) -> list[tuple[str, str, str]]:
        """Give the name, media type and address of each document of a feed."""
        return [
            (
                form.name,
                form.media_type.partition(";")[0],
                self._site.address(folder + form.filename),
            )
            for form in self._formats
        ]

    def _by_month(
        self, entries: Sequence[Entry], items: Mapping[str, str]
    ) -> Iterator[tuple[str, Markup]]:
        """Give the name of each month, and the pieces of its entries."""
        for month, found in groupby(entries, lambda entry: self._wording.month_of(entry.published)):
            pieces = "".join(items[entry.id] for entry in found)
            yield self._wording.period(month), Markup(pieces)  # noqa: S704  # ours


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


def _folder(feed: Feed, period: Period) -> str:
    return feed.path if period == NEWEST else archive_folder(feed.path, *period)


def _labels(entry: Entry, site: Site) -> list[tuple[str, str]]:
    """Give the name and the folder of each feed that is about one of the entry's labels."""
    topics = [(topic.name, feed_folder(topic.slug)) for topic in entry.topics]
    countries = [(country.name, feed_folder("", country.slug)) for country in entry.countries]
    return topics * ("topics" in site.feeds) + countries * ("countries" in site.feeds)


def _lowered(body: str) -> str:
    """Give a body's HTML with no heading as high as the entry's title."""
    return _HEADING.sub(_lower, body) if "<h1" in body else body


def _lower(heading: re.Match[str]) -> str:
    return f"{heading[1]}{min(int(heading[2]) + 1, 6)}"


def _clipped(text: str) -> str:
    """Give a text, or the whole words at its beginning where it is very long."""
    data = text.encode()
    if len(data) <= _SUMMARY:
        return text
    beginning = data[:_SUMMARY].decode(errors="ignore")
    return f"{beginning.rpartition(' ')[0] or beginning}…"


def _host(address: str) -> str:
    """Give the host of a web address, as people read it."""
    return (urlsplit(address).hostname or "").removeprefix("www.")
