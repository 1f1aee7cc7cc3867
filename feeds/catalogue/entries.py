"""An item of `entries:` → a Draft."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from feeds.catalogue import known_keys
from feeds.catalogue.addresses import photo_address, web_address
from feeds.catalogue.countries import Countries
from feeds.catalogue.dates import EPOCH, read_date
from feeds.catalogue.fields import Values
from feeds.catalogue.reader import Fault
from feeds.catalogue.site import read_person
from feeds.catalogue.slugs import fitting
from feeds.catalogue.texts import (
    line,
    markdown,
    media_type,
    surely_published,
    surely_shows,
    whole_number,
)
from feeds.catalogue.vocabulary import Vocabulary
from feeds.paths import ENTRIES, MEDIA

# Our own table: the machine's would make its documents differ from another's.
_IMAGE_TYPES = {
    "avif": "image/avif",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webp": "image/webp",
}
# What is often meant to be linked to.
_NO_IMAGES = frozenset(
    "csv doc docx epub htm html mov mp3 mp4 odt pdf ppt pptx rtf txt webm xls xlsx xml zip".split()
)
_PIXELS = 100_000
_BYTES = 10**11
# Refused in every text of a catalogue.
_ITEM = "\x1e"


class Draft(NamedTuple):
    """An entry as its item says it, before it is told apart from others: in texts alone.

    `published` and `updated` are in ISO 8601. `whole_day` is not empty where
    the date is a day alone: then `published` is its noon; `updated_day` is the
    same for `updated`. The labels, the photo, the author, the links that may lead
    from the body into the site, and the notes on it are lists of texts. A note has
    its line of the body in front.
    """

    id: str
    published: str
    whole_day: str
    updated: str
    updated_day: str
    title: str
    summary: str
    body: str
    links: str
    notes: str
    link: str
    topics: str
    countries: str
    photo: str
    author: str


def listed(texts: str) -> list[str]:
    """Give the texts of a list within a draft."""
    return texts.split(_ITEM) if texts else []


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryReader:
    """Reads an item by itself; what the others say changes nothing."""

    zone: ZoneInfo
    language: str
    vocabulary: Vocabulary
    countries: Countries

    def read(self, fields: Values) -> Draft:
        """Read one entry; what is wrong in it becomes Problems."""
        if not any(name in fields for name in ("summary", "body", "link")):
            message = "has no 'summary', 'body' or 'link': readers see the title alone"
            fields.problem("", message, note=True)
        published, whole_day, updated, updated_day = self._dates(fields)
        body = _body(fields)
        topics = fields.list("topics", self.vocabulary.read(fields.nearest))
        countries = fields.list("countries", self.countries.code(fields.nearest))
        return Draft(
            fields.value("id", fitting, ""),
            published.isoformat(),
            "day" if whole_day else "",
            updated.isoformat() if updated else "",
            "day" if updated_day else "",
            fields.value("title", line, ""),
            fields.value("summary", line, ""),
            body,
            _links(body),
            _notes(body),
            fields.value("link", web_address, ""),
            _ITEM.join(topics),
            _ITEM.join(countries),
            _photo(fields),
            _author(fields),
        )

    def _dates(self, fields: Values) -> tuple[datetime, bool, datetime | None, bool]:
        """Return `date` and `updated`, each with whether it is a day without a time."""
        convert = partial(read_date, zone=self.zone, language=self.language)
        published, whole_day = fields.value("date", convert, (EPOCH, False))
        if "updated" not in fields:
            return published, whole_day, None, False
        updated, updated_day = fields.value("updated", convert, (published, False))
        if updated_day and updated.date() == published.date():
            updated = max(updated, published)
        if updated < published:
            fields.problem("updated", "is before 'date'")
        return published, whole_day, updated, updated_day


def _body(fields: Values) -> str:
    body = fields.value("body", markdown, "")
    if body and "summary" not in fields and not surely_shows(body):
        # Loaded for the few bodies of which it cannot be told otherwise.
        from feeds.markdown import shows_nothing  # noqa: PLC0415

        if shows_nothing(body):
            fields.problem(
                "body",
                "shows nothing: comments, scripts and the like are not published;"
                " write a text, or a 'summary'",
            )
    return body


def _links(body: str) -> str:
    if MEDIA not in body and ENTRIES not in body:
        return ""
    from feeds.markdown import links_in  # noqa: PLC0415  # for few bodies, as above

    return _ITEM.join(link for link in links_in(body) if MEDIA in link or ENTRIES in link)


def _notes(body: str) -> str:
    if not body or surely_published(body):
        return ""
    from feeds.markdown import notes_on  # noqa: PLC0415  # for few bodies, as above

    return _ITEM.join(f"{note.line} {note.message}" for note in notes_on(body))


def _photo(fields: Values) -> str:
    if "photo" not in fields:
        return ""
    if fields.is_text("photo"):
        return fields.value("photo", _as_mapping, "")
    photo = fields.inner("photo", known_keys.PHOTO)
    if not photo:
        return ""
    url = photo.value("url", photo_address, "")
    credit = photo.value("credit", line, "")
    if "url" not in photo and "credit" not in photo:
        fields.problem("photo", "has neither a 'url' nor a 'credit'")
    ending = _ending(url)
    _note_photo(photo, ending)
    numbers = (
        photo.value("width", _pixels, 0),
        photo.value("height", _pixels, 0),
        photo.value("length", _length, 0),
    )
    return _ITEM.join(
        (
            url,
            credit,
            photo.value("alt", line, ""),
            photo.value("type", media_type, _IMAGE_TYPES.get(ending, "")),
            *map(str, numbers),
        )
    )


def _as_mapping(text: str) -> str:
    """Raise the Fault for a photo that is a text, with the mapping to write."""
    name = "url" if "/" in text or _ending(text) in _IMAGE_TYPES else "credit"
    raise Fault(f"must be a mapping: {{{name}: {text}}}")


def _note_photo(photo: Values, ending: str) -> None:
    """Tell what is said of a picture that is not named, or seems to be none."""
    notes = {}
    if "url" not in photo:
        notes = dict.fromkeys(
            ("width", "height", "length", "type"), "tells nothing without a 'url'"
        )
    elif ending in _NO_IMAGES:
        notes = {"url": f"seems to be no picture: it ends in '.{ending}'"}
    for name, message in notes.items():
        if name in photo:
            photo.problem(name, message, note=True)


_pixels = partial(whole_number, 1, _PIXELS)
_length = partial(whole_number, 1, _BYTES)


def _author(fields: Values) -> str:
    author = read_person(fields, "author")
    return _ITEM.join((author.name, author.email, author.uri)) if author else ""


def _ending(url: str) -> str:
    ending = url.partition("#")[0].partition("?")[0].rpartition("/")[2].rpartition(".")
    return ending[2].lower() if ending[0] else ""
