"""Which feeds a catalogue has at a moment, which entries each one carries, and how they relate."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from feeds.model import Catalogue, Country, Entry, Feed, Site, Topic
from feeds.urls import FEED_KINDS, feed_folder

# More topics would make a page too long; the subscribe page has all of them.
_MAX_RELATED_TOPICS = 120


def public_entries(catalogue: Catalogue, as_of: datetime) -> tuple[Entry, ...]:
    """Return the entries that are public at a moment, newest first.

    Entries with the same date keep the catalogue's order. An entry dated later is
    held back. If `updated` is dated later, it is replaced by `published`.
    """
    # Comparing aware datetimes is slow: each is converted to a number once.
    now = as_of.timestamp()
    dated = [(entry.published.timestamp(), entry) for entry in catalogue.entries]
    public = [pair for pair in dated if pair[0] <= now or public_from(pair[1]) <= as_of]
    public.sort(key=itemgetter(0), reverse=True)
    return tuple([_without_future_update(entry, as_of) for _, entry in public])


class HeldBack(NamedTuple):
    """The number of entries that are not public yet, the next one's id, and its date."""

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
    """Return the entries that are not public yet at a moment, by the date they become public."""
    later = [entry for entry in catalogue.entries if entry.published > as_of]
    return sorted((entry for entry in later if public_from(entry) > as_of), key=public_from)


def next_change(catalogue: Catalogue, as_of: datetime) -> datetime | None:
    """Return the first moment after `as_of` at which something becomes public; None if there is none."""
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


def _without_future_update(entry: Entry, as_of: datetime) -> Entry:
    if entry.updated == entry.published or _updated_from(entry) <= as_of:
        return entry
    return entry._replace(updated=entry.published)


def select(catalogue: Catalogue, as_of: datetime) -> tuple[Feed, ...]:
    """Return every feed of the kinds that the site has, the feed of all entries first.

    There is a feed of each topic, of each country, and of each topic in each country.
    A topic that the catalogue declares has a feed even without entries.
    """
    site = catalogue.site
    by_topic, by_country, by_both = (kind in site.feeds for kind in FEED_KINDS)
    entries = public_entries(catalogue, as_of)
    topics: dict[str, Topic] = {topic.slug: topic for topic in catalogue.topics or ()}
    countries: dict[str, Country] = {}
    # By slug and code, which are hashed once; '' means any.
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
    return tuple(sorted(feeds, key=_slugs))


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
        updated=max((entry.updated for entry in latest), default=site.founded),
        entries=entries,
        latest=latest,
        topic=topic,
        country=country,
    )


def _slugs(feed: Feed) -> str:
    return f"{feed.topic.slug if feed.topic else ''}\0{feed.country.slug if feed.country else ''}"


# A feed with the name by which a list of feeds shows it.
NamedFeed = tuple[str, Feed]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedIndex:
    """All feeds of a site, those of each list in the order of their names.

    `in_countries` has each topic that has feeds of single countries, with these.
    """

    everything: Feed
    topics: Sequence[NamedFeed]
    countries: Sequence[NamedFeed]
    in_countries: Sequence[tuple[Topic, Sequence[NamedFeed]]]


def feed_index(feeds: Sequence[Feed]) -> FeedIndex:
    """Return the index of a site's feeds; the first of them must be that of all entries."""
    topics: list[NamedFeed] = []
    countries: list[NamedFeed] = []
    in_countries: dict[str, tuple[Topic, list[NamedFeed]]] = {}
    for feed in feeds:
        topic, country = feed.topic, feed.country
        if topic and country:
            in_countries.setdefault(topic.slug, (topic, []))[1].append((country.name, feed))
        elif topic:
            topics.append((topic.name, feed))
        elif country:
            countries.append((country.name, feed))
    both = sorted(
        in_countries.values(), key=lambda found: (collation_key(found[0].name), found[0].slug)
    )
    return FeedIndex(
        everything=feeds[0],
        topics=_by_name(topics),
        countries=_by_name(countries),
        in_countries=[(topic, _by_name(found)) for topic, found in both],
    )


def collation_key(name: str) -> str:
    """Return a name without case and accents, by which an index is sorted."""
    parts = unicodedata.normalize("NFKD", name.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def _by_name(named: Iterable[NamedFeed]) -> list[NamedFeed]:
    return sorted(named, key=lambda pair: (collation_key(pair[0]), pair[1].path))


class RelatedFeed(NamedTuple):
    """A feed that another feed's page links to, with its number of entries."""

    name: str
    path: str
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedFeeds:
    """The feeds that a feed's page links to: narrower ones by topic and by country, and wider ones.

    `wider` has names and paths alone: their numbers of entries change while this feed
    stays the same. `more` is true if some topics are left out.
    """

    topics: Sequence[RelatedFeed]
    countries: Sequence[RelatedFeed]
    wider: Sequence[tuple[str, str]]
    more: bool


def related_feeds(feeds: Sequence[Feed]) -> dict[str, RelatedFeeds]:
    """Return the related feeds of each feed, by its path."""
    topics: dict[str, list[NamedFeed]] = defaultdict(list)
    countries: dict[str, list[NamedFeed]] = defaultdict(list)
    wider: dict[str, list[tuple[str, str]]] = {}
    paths = {feed.path for feed in feeds}
    for feed in feeds:
        topic, country = feed.topic, feed.country
        of_topic = feed_folder(topic.slug) if topic else ""
        of_country = feed_folder("", country.slug) if country else ""
        if topic:
            topics[of_country].append((topic.name, feed))
        if country:
            countries[of_topic].append((country.name, feed))
        if topic and country and {of_topic, of_country} <= paths:
            wider[feed.path] = [(topic.name, of_topic), (country.name, of_country)]
    return {
        path: RelatedFeeds(
            topics=_related(_largest(topics[path])),
            countries=_related(countries[path]),
            wider=wider.get(path, ()),
            more=len(topics[path]) > _MAX_RELATED_TOPICS,
        )
        for path in paths
    }


def _largest(named: Iterable[NamedFeed]) -> list[NamedFeed]:
    return sorted(named, key=lambda pair: -len(pair[1].entries))[:_MAX_RELATED_TOPICS]


def _related(named: Iterable[NamedFeed]) -> list[RelatedFeed]:
    return [RelatedFeed(name, feed.path, len(feed.entries)) for name, feed in _by_name(named)]
