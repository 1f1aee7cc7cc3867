"""Feeds → the choice of a topic and a country, which shows the address of their feed.

A folder of files has nobody to answer a form, and no script runs on these pages.
But a feed's address is put together of its topic's part and its country's: so each
part is in the page, and a style sheet shows those of the options that are chosen,
where they have a feed.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from feeds.directory import letters
from feeds.model import Feed
from feeds.urls import feed_folder


class Option(NamedTuple):
    """A topic or a country, and the part of an address that is its."""

    name: str
    part: str


class Choice(NamedTuple):
    """The topics and the countries to choose from, and which of them have a feed together.

    `feeds` gives for the number of a topic those of countries. Both count from 1;
    0 is any topic, or any country.
    """

    topics: tuple[Option, ...]
    countries: tuple[Option, ...]
    feeds: tuple[tuple[int, tuple[int, ...]], ...]


def choice_of(feeds: Sequence[Feed]) -> Choice | None:
    """Return the choice between feeds; None where none is of both a topic and a country."""
    if not any(feed.topic and feed.country for feed in feeds):
        return None
    topics = _in_order(
        Option(feed.topic.name, feed_folder(feed.topic.slug)) for feed in feeds if feed.topic
    )
    countries = _in_order(
        Option(feed.country.name, feed_folder("", feed.country.slug))
        for feed in feeds
        if feed.country
    )
    topic_numbers = {option.part: number for number, option in enumerate(topics, 1)}
    country_numbers = {option.part: number for number, option in enumerate(countries, 1)}
    found: dict[int, list[int]] = defaultdict(list)
    for feed in feeds:
        topic = topic_numbers[feed_folder(feed.topic.slug)] if feed.topic else 0
        country = country_numbers[feed_folder("", feed.country.slug)] if feed.country else 0
        found[topic].append(country)
    return Choice(
        topics, countries, tuple((topic, tuple(sorted(found[topic]))) for topic in sorted(found))
    )


def _in_order(options: Iterable[Option]) -> tuple[Option, ...]:
    return tuple(sorted({*options}, key=lambda option: (letters(option.name), option.part)))
