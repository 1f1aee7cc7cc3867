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
from feeds.paths import INDEX, STYLE

HTML = "text/html; charset=utf-8"
CSS = "text/css; charset=utf-8"


def render_pages(
    site: Site,
    feeds: Sequence[Feed],
    bodies: Mapping[str, str],
    formats: Sequence[tuple[str, str, str]],
) -> Iterator[tuple[str, str, str]]:
    """Give each page's path, media type and text.

    `bodies` are the entries' HTML by id, already safe; `formats` are the name,
    file name and media type of what each feed is also published as.
    """
    environment = _environment(site, formats)
    by_label = {(feed.topic, feed.country): feed for feed in feeds}
    page = environment.get_template("feed.html")
    for feed in feeds:
        months = [list(group) for _, group in groupby(feed.entries, partial(_month, site))]
        yield (
            feed.path + INDEX,
            HTML,
            page.render(feed=feed, months=months, neighbours=_neighbours(feed, feeds)),
        )
    page = environment.get_template("entry.html")
    for entry in feeds[0].entries:
        labels = [by_label[topic, None] for topic in entry.topics]
        labels += [by_label[None, country] for country in entry.countries]
        body = Markup(bodies[entry.id])  # noqa: S704  # sanitised by feeds.content
        yield entry.path + INDEX, HTML, page.render(entry=entry, body=body, labels=labels)
    yield STYLE, CSS, files("feeds.pages").joinpath(STYLE).read_text("utf-8")


def _environment(site: Site, formats: Sequence[tuple[str, str, str]]) -> Environment:
    environment = Environment(
        loader=PackageLoader("feeds.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    locale = _locale(site.language)
    environment.globals |= {
        "site": site,
        "formats": formats,
        "style": site.address(STYLE),
        "direction": locale.text_direction,
        "long_date": partial(_long_date, site, locale),
        "month": partial(_month_name, site, locale),
    }
    return environment


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
