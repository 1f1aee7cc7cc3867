"""Which feeds lead to which: from everything to topics and countries, and from there to both."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from feeds.directory import letters
from feeds.model import Country, Feed, Topic
from feeds.urls import feed_folder

# More topics would make a page heavy; all are on the page of subscriptions. There are
# not many more countries, and some of their feeds are named on no other page.
_MOST = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A feed as another one's page names it, with its number of entries."""

    name: str
    path: str
    entries: int


@dataclass(slots=True, kw_only=True)
class Neighbours:
    """The feeds around one: narrower ones of topics and of countries, and the wider ones."""

    topics: list[Neighbour] = field(default_factory=list)
    countries: list[Neighbour] = field(default_factory=list)
    # Of these the name and the path: their numbers change without this feed.
    wider: list[tuple[str, str]] = field(default_factory=list)
    more: bool = False


def neighbours_of(feeds: Sequence[Feed]) -> dict[str, Neighbours]:
    """Return the neighbours of each feed, by its path."""
    near = {feed.path: Neighbours() for feed in feeds}
    for feed in feeds:
        topic, country = feed.topic, feed.country
        of_topic = feed_folder(topic.slug) if topic else ""
        of_country = feed_folder("", country.slug) if country else ""
        if topic and of_country in near:
            near[of_country].topics.append(_neighbour(feed, topic))
        if country and of_topic in near:
            near[of_topic].countries.append(_neighbour(feed, country))
        if topic and country and of_topic in near and of_country in near:
            near[feed.path].wider = [(topic.name, of_topic), (country.name, of_country)]
    for found in near.values():
        found.more = len(found.topics) > _MOST
        found.topics = _in_order(sorted(found.topics, key=lambda near: -near.entries)[:_MOST])
        found.countries = _in_order(found.countries)
    return near


def _neighbour(feed: Feed, label: Topic | Country) -> Neighbour:
    return Neighbour(name=label.name, path=feed.path, entries=len(feed.entries))


def _in_order(found: Iterable[Neighbour]) -> list[Neighbour]:
    """Return neighbours in the order of their names."""
    return sorted(found, key=lambda neighbour: (letters(neighbour.name), neighbour.path))
