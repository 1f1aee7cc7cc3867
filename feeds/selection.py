"""Which feeds a catalogue has at a moment, and which entries each one carries."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from feeds.model import Catalogue, Country, Entry, Feed, Site, Topic
from feeds.urls import FEED_KINDS, feed_folder


def public_entries(catalogue: Catalogue, as_of: datetime) -> tuple[Entry, ...]:
    """Return the entries that are public at a moment, newest first; ties keep the catalogue's order.

    An entry dated later is held back. Until an `updated` that is dated later, `published` takes its place.
    """
    # Aware moments are slow to compare: each is turned into a number once.
    now = as_of.timestamp()
    dated = [(entry.published.timestamp(), entry) for entry in catalogue.entries]
    public = [pair for pair in dated if pair[0] <= now or public_from(pair[1]) <= as_of]
    public.sort(key=itemgetter(0), reverse=True)
    return tuple([_as_told(entry, as_of) for _, entry in public])


class HeldBack(NamedTuple):
    """The number of entries that are not public yet, the id of the next one, and when it is due."""

    entries: int
    next: str
    due: str


def held_back_summary(catalogue: Catalogue, as_of: datetime) -> HeldBack | None:
    """Return how many entries are held back at a moment; None if all are public."""
    later = held_back(catalogue, as_of)
    if not later:
        return None
    due = public_from(later[0]).isoformat(timespec="minutes")
    return HeldBack(len(later), later[0].id, due)


def held_back(catalogue: Catalogue, as_of: datetime) -> list[Entry]:
    """Return the entries that are not public yet at a moment, the next one due first."""
    later = [entry for entry in catalogue.entries if entry.published > as_of]
    return sorted((entry for entry in later if public_from(entry) > as_of), key=public_from)


def next_change(catalogue: Catalogue, as_of: datetime) -> datetime | None:
    """Return the moment after `as_of` at which something dated later becomes public; None for never."""
    dates = [
        *map(public_from, catalogue.entries),
        *(_updated_from(entry) for entry in catalogue.entries if entry.updated != entry.published),
    ]
    return min([date for date in dates if date > as_of], default=None)


def public_from(entry: Entry) -> datetime:
    """Return the moment from which an entry is public."""
    return entry.public_from or entry.published


def _updated_from(entry: Entry) -> datetime:
    return entry.updated_from or entry.updated


def _as_told(entry: Entry, as_of: datetime) -> Entry:
    if entry.updated == entry.published or _updated_from(entry) <= as_of:
        return entry
    return entry._replace(updated=entry.published)


def select(catalogue: Catalogue, as_of: datetime) -> tuple[Feed, ...]:
    """Give every feed of the kinds that the site has, and first that of everything.

    They are of each topic, each country, each topic in each country. A topic that
    the catalogue declares has its feed even without entries.
    """
    site = catalogue.site
    by_topic, by_country, by_both = (kind in site.feeds for kind in FEED_KINDS)
    entries = public_entries(catalogue, as_of)
    topics: dict[str, Topic] = {topic.slug: topic for topic in catalogue.topics or ()}
    countries: dict[str, Country] = {}
    # By slug and code, which are hashed once; '' is for all.
    chosen: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    chosen["", ""] = list(entries)
    if by_topic:
        chosen.update({(slug, ""): [] for slug in topics})
    for entry in entries:
        for topic in entry.topics:
            topics[topic.slug] = topic
            if by_topic:
                chosen[topic.slug, ""].append(entry)
            if by_both:
                for country in entry.countries:
                    chosen[topic.slug, country.code].append(entry)
        for country in entry.countries:
            countries[country.code] = country
            if by_country:
                chosen["", country.code].append(entry)
    feeds = (
        _feed(site, topics.get(slug), countries.get(code), found)
        for (slug, code), found in chosen.items()
    )
    return tuple(sorted(feeds, key=_rank))


def _feed(site: Site, topic: Topic | None, country: Country | None, found: list[Entry]) -> Feed:
    entries = tuple(found)
    latest = entries[: site.items]
    path = feed_folder(topic.slug if topic else "", country.slug if country else "")
    subject = " · ".join(part.name for part in (topic, country) if part)
    return Feed(
        id=site.tag(path.removesuffix("/")) if path else site.id,
        path=path,
        title=f"{subject} – {site.title}" if subject else site.title,
        description=topic.description if topic else "" if country else site.description,
        updated=_newest(latest, site),
        entries=entries,
        latest=latest,
        topic=topic,
        country=country,
    )


def _newest(entries: Iterable[Entry], site: Site) -> datetime:
    """Give the newest `updated` of some entries; of none, the date of the site's id."""
    return max((entry.updated for entry in entries), default=site.founded)


def _rank(feed: Feed) -> str:
    """Give what feeds are sorted by: their topic, then their country, none before each."""
    return f"{feed.topic.slug if feed.topic else ''}\0{feed.country.slug if feed.country else ''}"
