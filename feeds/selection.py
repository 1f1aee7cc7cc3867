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
        id=site.feed_id(path),
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


# A feed with the name by which a list shows it.
NamedFeed = tuple[str, Feed]


class FeedIndex:
    """All feeds of a site by the feeds that contain them, each list in the order of names.

    `topics` has, by a feed's path, the feeds of each topic in it: for the path `''` those
    of topics, for that of a country those of topics in this country. `countries` has the
    feeds of each country in the same way.
    """

    def __init__(self, feeds: Iterable[Feed]) -> None:
        self.topics: dict[str, list[NamedFeed]] = defaultdict(list)
        self.countries: dict[str, list[NamedFeed]] = defaultdict(list)
        for feed in feeds:
            topic, country = feed.topic, feed.country
            if topic:
                around = feed_folder("", country.slug if country else "")
                self.topics[around].append((topic.name, feed))
            if country:
                around = feed_folder(topic.slug if topic else "")
                self.countries[around].append((country.name, feed))
        for named in (*self.topics.values(), *self.countries.values()):
            named.sort(key=lambda pair: (collation_key(pair[0]), pair[1].path))

    def topics_with_countries(self) -> list[tuple[str, list[NamedFeed]]]:
        """Return the name of each topic that has feeds of single countries, with these."""
        topics = {
            feed.topic: path
            for path, named in self.countries.items()
            for _, feed in named
            if feed.topic
        }
        ordered = sorted(topics, key=lambda topic: (collation_key(topic.name), topic.slug))
        return [(topic.name, self.countries[topics[topic]]) for topic in ordered]


def collation_key(name: str) -> str:
    """Return a name without case and accents, by which an index is sorted."""
    parts = unicodedata.normalize("NFKD", name.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedFeeds:
    """The feeds that a feed's page links to: the narrower ones, and the wider ones.

    `topics` and `countries` have the name, path and number of entries of each. `wider`
    has names and paths alone, because the numbers change while this feed stays the same.
    `more` is true if some topics are left out.
    """

    topics: Sequence[tuple[str, str, int]]
    countries: Sequence[tuple[str, str, int]]
    wider: Sequence[tuple[str, str]]
    more: bool


def related_feeds(feeds: Sequence[Feed]) -> dict[str, RelatedFeeds]:
    """Return the related feeds of each feed, by its path."""
    index = FeedIndex(feeds)
    paths = {feed.path for feed in feeds}
    related = {}
    for feed in feeds:
        wider = []
        if feed.topic and feed.country:
            of_topic, of_country = feed_folder(feed.topic.slug), feed_folder("", feed.country.slug)
            if {of_topic, of_country} <= paths:
                wider = [(feed.topic.name, of_topic), (feed.country.name, of_country)]
        topics = index.topics.get(feed.path, [])
        related[feed.path] = RelatedFeeds(
            topics=_counted(_largest(topics)),
            countries=_counted(index.countries.get(feed.path, [])),
            wider=wider,
            more=len(topics) > _MAX_RELATED_TOPICS,
        )
    return related


def _largest(named: list[NamedFeed]) -> list[NamedFeed]:
    """Return the topics with the most entries, in the same order."""
    if len(named) <= _MAX_RELATED_TOPICS:
        return named
    ranked = sorted(named, key=lambda pair: (-len(pair[1].entries), _slugs(pair[1])))
    largest = {feed.path for _, feed in ranked[:_MAX_RELATED_TOPICS]}
    return [pair for pair in named if pair[1].path in largest]


def _counted(named: Iterable[NamedFeed]) -> list[tuple[str, str, int]]:
    return [(name, feed.path, len(feed.entries)) for name, feed in named]
