"""Feeds → the directory of them all, in the order of their names."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from feeds.model import Feed, Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Every feed of a site: of everything, of each topic, of each country, and of both.

    Those of a topic in a country stand with their topic. In each list they are in
    the order of what tells them apart: the topic's name, or the country's.
    """

    everything: Feed
    topics: tuple[Feed, ...]
    countries: tuple[Feed, ...]
    in_countries: tuple[tuple[Topic, tuple[Feed, ...]], ...]


def directory_of(feeds: Sequence[Feed]) -> Directory:
    """Give the directory of a release's feeds, of which the first is of everything."""
    topics: list[tuple[str, Feed]] = []
    countries: list[tuple[str, Feed]] = []
    in_countries: dict[str, tuple[Topic, list[tuple[str, Feed]]]] = {}
    for feed in feeds:
        topic, country = feed.topic, feed.country
        if topic and country:
            in_countries.setdefault(topic.slug, (topic, []))[1].append((country.name, feed))
        elif topic:
            topics.append((topic.name, feed))
        elif country:
            countries.append((country.name, feed))
    both = sorted(in_countries.values(), key=lambda found: (letters(found[0].name), found[0].slug))
    return Directory(
        everything=feeds[0],
        topics=_in_order(topics),
        countries=_in_order(countries),
        in_countries=tuple((topic, _in_order(found)) for topic, found in both),
    )


def letters(name: str) -> str:
    """Give a name without case and accents, which do not count in an index."""
    parts = unicodedata.normalize("NFKD", name.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def _in_order(named: Iterable[tuple[str, Feed]]) -> tuple[Feed, ...]:
    found = sorted(named, key=lambda pair: (letters(pair[0]), pair[1].path))
    return tuple(feed for _, feed in found)
