"""An item of `entries:` → an EntryRecord: what its text alone determines."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache, partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from yaml.nodes import MappingNode

from feeds.catalogue import known_keys
from feeds.catalogue.attachments import read_documents, read_photo
from feeds.catalogue.countries import Countries
from feeds.catalogue.dates import EPOCH, read_date
from feeds.catalogue.known_keys import Suggester
from feeds.catalogue.plain_lines import PlainMapping, Unsupported, plain_lines
from feeds.catalogue.reader import InvalidValue, MappingReader, ValueWarning
from feeds.catalogue.sections import Item
from feeds.catalogue.site import read_authors, read_license
from feeds.catalogue.text_fields import (
    folded,
    language_tag,
    line,
    markdown,
    slug_of,
    slug_or_blank,
    surely_published,
    surely_shows,
)
from feeds.catalogue.web_addresses import guid_text, iri, is_iri, web_address
from feeds.errors import Problem
from feeds.model import Entry, Guid, Topic
from feeds.urls import ENTRIES, MEDIA, web_host


class EntryRecord(NamedTuple):
    """An entry as its item describes it.

    A date without a time is noon, and `entry.photo` may name a file in `media/`.
    `links` are the links of the body that may lead into the site. `notes` are
    those on the body, each with its line, from 0.
    """

    entry: Entry
    links: tuple[str, ...] = ()
    notes: tuple[tuple[int, str], ...] = ()


class Vocabulary:
    """The topics that entries may have.

    An item names a topic of a closed vocabulary by its slug. Without declared topics
    the vocabulary is open, and an item names a topic by its name.
    """

    def __init__(self, declared: Iterable[Topic] | None, scheme: str) -> None:
        self._is_open = declared is None
        self._scheme = scheme
        # By the text that names a topic in an item.
        self._topics = {topic.slug: topic for topic in declared or ()}

    def read(self, suggester: Suggester) -> Callable[[str], str]:
        """Return the function that checks the text for a topic, and raises InvalidValue."""

        def declared(text: str) -> str:
            if text not in self._topics:
                choices = {topic.name: topic.slug for topic in self._topics.values()}
                hint = suggester.hint(text, choices | {slug: slug for slug in self._topics})
                raise InvalidValue(f"there is no topic {text!r} under 'topics'{hint}", cause=text)
            return text

        return _topic_name if self._is_open else declared

    def topic(self, text: str) -> Topic:
        """Return the topic that an item names."""
        if text not in self._topics and self._is_open:
            slug = slug_of(text, words=None)
            self._topics[text] = Topic(slug=slug, name=text, scheme=self._scheme)
        return self._topics[text]


def _topic_name(text: str) -> str:
    name = folded(text)
    if not slug_of(name, words=None):
        raise InvalidValue(f"{name!r} has no letter and no digit to make an address of")
    return line(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryReader:
    """Reads each item by itself."""

    zone: ZoneInfo
    language: str
    vocabulary: Vocabulary
    countries: Countries

    def read_item(self, item: Item, problems: list[Problem]) -> EntryRecord | None:
        """Return the record of an item; None if it has a Problem that is not a note.

        Raises SplitError.
        """
        try:
            record = self._read(PlainMapping(plain_lines(item.data, item.column), known_keys.ENTRY))
        except (Unsupported, InvalidValue, ValueWarning):
            record = None
        if record and record.entry.id:
            return record
        own: list[Problem] = []
        reader, node = item.open(own)
        if isinstance(node, MappingNode):
            record = self._read(reader.mapping(node, item.path, known_keys.ENTRY))
        else:
            message = "an entry is a mapping: 'id: …', 'title: …', 'date: …'"
            reader.problem(node, item.path, message)
        is_wrong = any(not problem.note for problem in own)
        problems += own
        return record if record and record.entry.id and not is_wrong else None

    def _read(self, fields: MappingReader) -> EntryRecord:
        if not any(name in fields for name in ("summary", "body", "link")):
            message = "has no 'summary', 'body' or 'link': readers see the title alone"
            fields.problem("", message, note=True)
        published, whole_day, updated, whole_updated_day = self._dates(fields)
        body = _body(fields)
        topics = fields.list("topics", self.vocabulary.read(fields.suggester))
        countries = fields.list("countries", self.countries.code(fields.suggester))
        entry = Entry(
            fields.value("id", slug_or_blank, ""),
            fields.value("title", line, ""),
            published,
            updated,
            fields.value("summary", line, ""),
            body,
            fields.value("link", web_address, ""),
            tuple(map(self.vocabulary.topic, topics)),
            tuple(map(self.countries.country, countries)),
            read_photo(fields),
            read_authors(fields),
            _midnight(published.date(), self.zone) if whole_day else None,
            _midnight(updated.date(), self.zone) if whole_updated_day else None,
            _guid(fields),
            read_documents(fields),
            fields.value("language", language_tag, ""),
            read_license(fields),
        )
        return EntryRecord(entry, _links(body), _notes(body))

    def _dates(self, fields: MappingReader) -> tuple[datetime, bool, datetime, bool]:
        """Return `date` and `updated`, each with whether it is a day without a time."""
        convert = partial(read_date, zone=self.zone, language=self.language)
        published, whole_day = fields.value("date", convert, (EPOCH, False))
        updated, updated_day = fields.value("updated", convert, (published, False))
        if updated_day and updated.date() == published.date():
            updated = max(updated, published)
        if updated < published:
            fields.problem("updated", "is before 'date'")
        return published, whole_day, max(updated, published), updated_day


@lru_cache(maxsize=10_000)
def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the beginning of a day in a zone, with the zone's offset."""
    begins = datetime.combine(day, time(), zone)
    return begins.replace(tzinfo=timezone(begins.utcoffset() or timedelta()))


def _body(fields: MappingReader) -> str:
    body = fields.value("body", markdown, "")
    if body and "summary" not in fields and not surely_shows(body):
        # Only few bodies need it.
        from feeds.markdown import shows_nothing  # noqa: PLC0415

        if shows_nothing(body):
            fields.problem(
                "body",
                "has no visible content: comments, scripts and the like are not published;"
                " write a text, or a 'summary'",
            )
    return body


def _links(body: str) -> tuple[str, ...]:
    if MEDIA not in body and ENTRIES not in body:
        return ()
    from feeds.markdown import links_in  # noqa: PLC0415  # only few bodies need it

    return tuple(link for link in links_in(body) if MEDIA in link or ENTRIES in link)


def _notes(body: str) -> tuple[tuple[int, str], ...]:
    if not body or surely_published(body):
        return ()
    from feeds.markdown import notes_on  # noqa: PLC0415  # only few bodies need it

    return tuple(notes_on(body))


def _guid(fields: MappingReader) -> Guid:
    if "guid" not in fields:
        return Guid()
    if fields.is_text("guid"):
        text = fields.value("guid", guid_text, "")
        return Guid(text if is_iri(text) else "", text, text)
    ids = fields.inner("guid", known_keys.GUID)
    common = ids.value("id", guid_text, "")
    guid = Guid(
        ids.value("atom", iri, "") or (common if is_iri(common) else ""),
        ids.value("rss", guid_text, "") or common,
        ids.value("json", guid_text, "") or common,
        ids.value("permalink", _yes_or_no, False),  # noqa: FBT003  # the value without the key
    )
    if guid.permalink and not (is_iri(guid.rss) and web_host(guid.rss)):
        ids.problem("permalink", "is true only if the id in RSS is a web address")
    return guid


def _yes_or_no(text: str) -> bool:
    if text not in {"true", "false"}:
        raise InvalidValue("must be true or false")
    return text == "true"
