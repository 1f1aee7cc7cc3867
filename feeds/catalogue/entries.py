"""`entries:` → Entries."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from yaml.nodes import MappingNode, Node, ScalarNode

from feeds.catalogue.addresses import web_address
from feeds.catalogue.countries import Countries
from feeds.catalogue.dates import EPOCH, read_date
from feeds.catalogue.reading import Fault, Fields, Reading
from feeds.catalogue.site import read_person
from feeds.catalogue.slugs import slug, slug_of
from feeds.catalogue.texts import line, markdown, media_type, whole_number
from feeds.model import Entry, Photo, Site, Topic

_REQUIRED = ("id", "title", "date")
_OPTIONAL = (
    *("updated", "summary", "body", "link"),
    *("topics", "countries", "photo", "author"),
)
_PHOTO = ("url", "credit", "alt", "width", "height", "length", "type")
# Our own table: the machine's would make its documents differ from another's.
_IMAGE_TYPES = {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
_PIXELS = 100_000
_BYTES = 10**11


class Vocabulary:
    """The topics an entry may name; an open vocabulary takes up each new one."""

    def __init__(self, declared: Iterable[Topic] | None, scheme: str) -> None:
        self._open = declared is None
        self._scheme = scheme
        self._topics = {topic.slug: topic for topic in declared or ()}
        self._first_place: dict[str, str] = {}

    def find(self, reading: Reading, node: Node, text: str) -> Topic:
        """Give the topic a text names; raises Fault."""
        if not self._open:
            return self._declared(reading, text)
        name = line(text)
        topic_slug = slug_of(name, words=None)
        if not topic_slug:
            raise Fault(f"{name!r} has no letter and no digit to make an address of")
        topic = self._topics.setdefault(
            topic_slug, Topic(slug=topic_slug, name=name, scheme=self._scheme)
        )
        place = self._first_place.setdefault(topic_slug, reading.place(node))
        if topic.name != name:
            raise Fault(
                f"{name!r} and {topic.name!r}, at {place}, have the same slug {topic_slug!r}"
            )
        return topic

    def _declared(self, reading: Reading, text: str) -> Topic:
        if text not in self._topics:
            choices = {topic.name: topic.slug for topic in self._topics.values()}
            hint = reading.nearest.hint(text, choices | {slug: slug for slug in self._topics})
            raise Fault(f"there is no topic {text!r} under 'topics'{hint}")
        return self._topics[text]


@dataclass
class EntryReader:
    """Reads entries from the last to the first, so that those of one day can be told apart.

    Entries that give a day without a time are noon, and one second more for
    each that stands below on the same day: adding one above moves none.
    """

    site: Site
    vocabulary: Vocabulary
    countries: Countries
    _same_day: Counter[date] = field(default_factory=Counter)

    def read(self, reading: Reading, node: MappingNode, path: str) -> Entry:
        """Read one entry; what is wrong in it becomes Problems."""
        fields = reading.fields(node, path, known=_REQUIRED + _OPTIONAL, required=_REQUIRED[1:])
        if "summary" not in fields and "body" not in fields:
            reading.problem(node, path, "has neither a 'summary' nor a 'body'")
        published, updated = self._dates(fields)
        return Entry(
            id=fields.value("id", slug, ""),
            title=fields.value("title", line, ""),
            published=published,
            updated=updated,
            summary=fields.value("summary", line, ""),
            body=fields.value("body", markdown, ""),
            link=fields.value("link", web_address, ""),
            topics=self._topics(fields),
            countries=fields.list("countries", self.countries.find),
            photo=_photo(fields),
            author=read_person(fields, "author"),
        )

    def _dates(self, fields: Fields) -> tuple[datetime, datetime]:
        convert = partial(read_date, zone=self.site.timezone)
        published, whole_day = fields.value("date", convert, (EPOCH, False))
        if whole_day:
            day = published.date()
            published += timedelta(seconds=self._same_day[day])
            self._same_day[day] += 1
        if "updated" not in fields:
            return published, published
        updated, day_alone = fields.value("updated", convert, (published, False))
        if day_alone and updated.date() == published.date():
            updated = max(updated, published)
        if updated < published:
            fields.problem("updated", "is before 'date'")
        return published, updated

    def _topics(self, fields: Fields) -> tuple[Topic, ...]:
        topics: dict[Topic, str] = {}
        for path, node in fields.items("topics"):
            find = partial(self.vocabulary.find, fields.reading, node)
            topic = fields.reading.value(node, path, find, None)
            if topic in topics:
                fields.reading.problem(node, path, f"says the same as {topics[topic]}")
            elif topic:
                topics[topic] = path
        return tuple(topics)


def check_ids(found: Iterable[tuple[Reading, str, MappingNode]]) -> None:
    """Report each entry without an id, with one to paste, and each id used twice."""
    listed = [(reading, path, _texts(node), node) for reading, path, node in found]
    first: dict[str, str] = {}
    for reading, path, fields, node in listed:
        if "id" not in fields:
            continue
        name = fields["id"].casefold()
        at = next(value for key, value in node.value if key.value == "id")
        if name in first:
            message = f"the id {fields['id']!r} is taken, at {first[name]}"
            reading.problem(at, f"{path}.id", message)
        first.setdefault(name, reading.place(at))
    numbers: Counter[str] = Counter()
    for reading, path, fields, node in listed:
        if any(key.value == "id" for key, _ in node.value):
            continue
        proposal = base = slug_of(fields.get("title", "")) or slug_of(fields.get("date", "entry"))
        while not proposal or proposal in first:
            numbers[base] += 1
            proposal = f"{base or 'entry'}-{numbers[base] + 1}"
        first[proposal] = ""
        reading.problem(node, path, f"has no 'id'; write a permanent one: 'id: {proposal}'")


def _texts(node: MappingNode) -> dict[str, str]:
    return {
        key.value: value.value
        for key, value in node.value
        if isinstance(key, ScalarNode) and isinstance(value, ScalarNode)
    }


def _photo(fields: Fields) -> Photo | None:
    if "photo" not in fields:
        return None
    node = fields.node("photo")
    photo = fields.reading.fields(node, f"{fields.path}.photo", known=_PHOTO)
    url = photo.value("url", web_address, "")
    credit = photo.value("credit", line, "")
    if isinstance(node, MappingNode) and "url" not in photo and "credit" not in photo:
        fields.problem("photo", "has neither a 'url' nor a 'credit'")
    pixels = partial(whole_number, 1, _PIXELS)
    return Photo(
        url=url,
        credit=credit,
        alt=photo.value("alt", line, ""),
        media_type=photo.value("type", media_type, _guessed_type(url)),
        width=photo.value("width", pixels, 0),
        height=photo.value("height", pixels, 0),
        length=photo.value("length", partial(whole_number, 1, _BYTES), 0),
    )


def _guessed_type(url: str) -> str:
    suffix = PurePosixPath(urlsplit(url).path).suffix.lower()
    return _IMAGE_TYPES.get(suffix, "")
