"""The items of a source → entries, as the mappings that a catalogue has.

An id is made of what the source has for it: a slug, the path of a page, or else the date
and the title. So it is the same in a second import.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from feeds.catalogue.additions import numbered, taken_ids
from feeds.catalogue.attachments import described_by
from feeds.catalogue.countries import Countries
from feeds.catalogue.country_names import SETS, displayed_names, exact_key, united_nations
from feeds.catalogue.dates import MANY_DAYS, NO_DAY, read_date
from feeds.catalogue.known_keys import DOCUMENT, SILENT
from feeds.catalogue.reader import InvalidValue, ValueWarning
from feeds.catalogue.text_fields import slug_of, slug_or_blank
from feeds.catalogue.web_addresses import is_iri
from feeds.errors import FeedsError
from feeds.importer.html_to_markdown import on_one_line
from feeds.importer.items import Item, Label, Remark
from feeds.licenses import license_address
from feeds.model import Catalogue, Entry, Site, Topic
from feeds.urls import FEEDS, INDEX, WEB_SCHEMES, entry_folder, web_host

# RFC 5141; in feeds, the vocabulary of countries.
_COUNTRY_SCHEME = "urn:iso:std:iso:3166:-1"
# A shorter label may be anything else: IT, PR, ML.
_MIN_COUNTRY_LENGTH = 4
# Each has feeds and pages.
_MAX_TOPICS = 10_000
# WordPress's word for no category.
_NO_CATEGORY = "uncategorized"
_PAGE_ENDINGS = (".html", ".htm", ".php", ".aspx", ".asp", ".jsp", ".md")


class Candidate(NamedTuple):
    """An item, and the entry that it becomes, if that is valid. `moment` is its date."""

    item: Item
    moment: datetime
    fields: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What items become in a catalogue, newest first.

    `new` are newer than the newest item that the catalogue has already, `missing` are other
    items that it does not have, and `known` are the entries of those that it has. `topics` has
    the name of each new topic, or a mapping, by its slug. `countries` has names by code,
    where the source has another than the usual one. `moved` are the paths of pages.
    `unread` are items whose date is in a form or a language that is not known.
    """

    new: list[Candidate] = field(default_factory=list)
    missing: list[Candidate] = field(default_factory=list)
    known: list[Entry] = field(default_factory=list)
    topics: dict[str, object] = field(default_factory=dict)
    countries: dict[str, str] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    unread: list[Item] = field(default_factory=list)


def convert(items: Iterable[Item], catalogue: Catalogue, *, now: datetime) -> Converted:
    """Return what items become in a catalogue.

    Entries dated after `now` are not the newest that the catalogue has. Items without a
    title or a valid date, and those with the id of another item, are left out with a
    remark.
    """
    result, site = Converted(), catalogue.site
    labels = _Labels(site, catalogue.topics, result)
    known = _Known(catalogue)
    later: list[Candidate] = []
    for item, moment in _dated(items, site, result):
        base = _own_name(item, site) or _base_name(item, moment)
        name = known.name_for(item, base)
        if entry := known.entry_of(name):
            # What is older than an item that is there was left out, or removed. An item that
            # is held back came before others that will be public earlier.
            if moment <= now:
                result.missing.extend(later)
                later.clear()
            result.known.append(entry)
            continue
        fields = _fields(item, name, site, result) | labels.of(item) | _rest(item, name, site)
        later.append(Candidate(item, moment, fields))
        result.remarks.extend(Remark(item.place, message) for message in item.remarks)
    result.new.extend(reversed(later))
    result.missing.reverse()
    return result


class _Known:
    """The entries that a catalogue has, by their ids in feeds, and the names that are taken."""

    def __init__(self, catalogue: Catalogue) -> None:
        site = catalogue.site
        self._entries = {entry.id.casefold(): entry for entry in catalogue.entries}
        self._by_guid = {
            site.entry_id(entry, form): entry for entry in self._entries.values() for form in FEEDS
        }
        self._taken = taken_ids(catalogue, ()) - self._entries.keys()
        # The further names of each, from where the last one was found.
        self._names: dict[tuple[str, bool], Iterator[str]] = {}

    def entry_of(self, name: str) -> Entry | None:
        """Return the entry of an id."""
        return self._entries.get(name.casefold())

    def name_for(self, item: Item, base: str) -> str:
        """Return the id of the entry that an item is, or a new one that no other has."""
        guids = [str(item.guid[key]) for key in ("id", *FEEDS) if key in item.guid]
        found = next((self._by_guid[guid] for guid in guids if guid in self._by_guid), None)
        if found:
            self._taken.add(found.id.casefold())
            return found.id
        has_guid = bool(guids)
        names = self._names.setdefault((base, has_guid), numbered(base))
        name = next(
            name for name in names if not self._is_taken(name.casefold(), has_guid=has_guid)
        )
        self._taken.add(name.casefold())
        return name

    def _is_taken(self, name: str, *, has_guid: bool) -> bool:
        entry = self._entries.get(name)
        # Two different ids in feeds are two entries.
        return name in self._taken or bool(entry and has_guid and any(entry.guid))


def _dated(items: Iterable[Item], site: Site, result: Converted) -> list[tuple[Item, datetime]]:
    """Return the items that can be imported, the oldest first, each with its moment."""
    found: list[tuple[Item, datetime]] = []
    first: dict[str, str] = {}
    for item in items:
        fault = moment = None
        guid = str(item.guid.get("id", ""))
        if guid and first.setdefault(guid, item.place) != item.place:
            fault = f"has the same id as the item at {first[guid]}: {guid!r}"
        elif not item.title.strip():
            fault = "has no title"
        elif not item.date.strip():
            fault = "has no date"
        else:
            try:
                moment = _moment(item.date, site.timezone, site.language)
            except InvalidValue as error:
                fault = f"date: {item.date!r}: {error}"
                if str(error) not in {MANY_DAYS, NO_DAY}:
                    result.unread.append(item)
        if fault:
            result.remarks.append(Remark(item.place, fault, left_out=True))
        elif moment:
            found.append((item, moment))
    is_oldest_first = bool(found) and found[0][1] < found[-1][1]
    return sorted(found if is_oldest_first else found[::-1], key=lambda pair: pair[1].timestamp())


def _moment(text: str, zone: ZoneInfo, language: str) -> datetime:
    try:
        return read_date(text, zone, language)[0]
    except ValueWarning as warning:
        value: tuple[datetime, bool] = warning.value  # type: ignore[assignment]  # what read_date returns
        return value[0]


def _own_name(item: Item, site: Site) -> str:
    """Return the id of an entry that this program published before, or ''."""
    prefix = f"{site.id}:"
    guid = str(item.guid.get("atom") or item.guid.get("id", ""))
    return slug_or_blank(unquote(guid.removeprefix(prefix))) if guid.startswith(prefix) else ""


def _base_name(item: Item, moment: datetime) -> str:
    """Return the id that an item would have if no other had it."""
    for path in (item.slug, urlsplit(item.page).path):
        name = slug_of(_last_part(path), words=None)
        if name and not name.isdigit():
            return name
    day = f"{moment:%Y-%m-%d}"
    return f"{day}-{slug_of(item.title)}".removesuffix("-")


def _last_part(path: str) -> str:
    """Return the last part of a path that is not the name of an index, without an extension."""
    parts = [part for part in unquote(path).split("/") if part and not part.startswith("index.")]
    last = parts[-1] if parts else ""
    ending = next((ending for ending in _PAGE_ENDINGS if last.lower().endswith(ending)), "")
    return last[: len(last) - len(ending)]


def _fields(item: Item, name: str, site: Site, result: Converted) -> dict[str, object]:
    """Return an entry's fields up to its link, and note where its page moved."""
    fields: dict[str, object] = {"id": name, "title": item.title, "date": item.date}
    if item.updated and item.updated != item.date:
        try:
            moments = [
                _moment(text, site.timezone, site.language) for text in (item.updated, item.date)
            ]
        except InvalidValue as fault:
            result.remarks.append(Remark(item.place, f"updated: {item.updated!r}: {fault}"))
        else:
            if moments[0] > moments[1]:
                fields["updated"] = item.updated
    fields |= {"summary": item.summary} if item.summary else {}
    fields |= {"body": item.body} if item.body else {}
    path = path_below(site.url, item.page)
    own = entry_folder(name)
    if path in {own, own + INDEX}:
        # The page that it has here.
        is_moved = item.link in {"", item.page}
    else:
        # Without a text, the page is not replaced by the entry's own.
        is_moved = bool(path and item.body) and item.link in {"", item.page}
        if is_moved:
            result.moved[path] = own
    link = item.link or item.page
    if link and not is_moved:
        fields["link"] = link
    return fields


def _rest(item: Item, name: str, site: Site) -> dict[str, object]:
    fields: dict[str, object] = {}
    if item.photo:
        fields["photo"] = dict(item.photo)
    people = [*map(person, item.authors)]
    if len(people) > 1:
        fields["authors"] = people
    elif any(
        getattr(site.author, key) != text for one in item.authors for key, text in one.items()
    ):
        fields["author"] = people[0]
    guid = dict(item.guid)
    if [*guid] == ["id"]:
        default = site.tag(name)
        if guid["id"] != default:
            fields["guid"] = guid["id"]
    elif guid:
        fields["guid"] = guid
    if item.documents:
        fields["documents"] = [*map(_document, item.documents)]
    language = item.language.replace("_", "-")
    if language.casefold() not in {"", site.language.casefold()}:
        fields["language"] = language
    if (license_address(item.license) or item.license) not in {"", site.license}:
        fields["license"] = item.license
    return fields


def person(author: Mapping[str, str]) -> object:
    """Return an author as a catalogue has one: a name alone is a text."""
    return {**author} if len(author) > 1 else author["name"]


def _document(found: Mapping[str, str]) -> object:
    """Return a document as a catalogue has one: what its address says is left out."""
    known = described_by(found["url"])
    defaults = {"title": known.title, "type": known.media_type}
    values = ((key, found.get(key, "")) for key in DOCUMENT.words)
    fields = {key: text for key, text in values if text and text != defaults.get(key)}
    return fields if len(fields) > 1 else found["url"]


def path_below(site_url: str, address: str) -> str:
    """Return the path below a site of an address, as people read it; '' if it has none or a query."""
    try:
        site, found = urlsplit(site_url), urlsplit(address)
        hosts = {(part.hostname or "").removeprefix("www.") for part in (site, found)}
    except ValueError:
        return ""
    is_here = (
        len(hosts) == 1 and found.scheme in WEB_SCHEMES and not (found.query or found.fragment)
    )
    if not is_here or not found.path.startswith(site.path) or site.port != found.port:
        return ""
    return unquote(found.path.removeprefix(site.path))


class _Labels:
    """Divides labels into countries and topics, and makes the slugs of topics."""

    def __init__(self, site: Site, topics: Sequence[Topic] | None, result: Converted) -> None:
        self._is_open = topics is None
        self._result = result
        self._countries = Countries(site.language, {}, site.country_names)
        self._find = self._countries.code(SILENT)
        self._foreign = _foreign_names(site.language)
        self._own_scheme = f"{site.id}:topics"
        # Slugs by the folded name, and the folded names that they are taken by.
        self._slugs = {topic.name.casefold(): topic.slug for topic in topics or ()}
        self._taken = {topic.slug for topic in topics or ()}
        self._names: dict[str, Iterator[str]] = {}

    def of(self, item: Item) -> dict[str, object]:
        """Return the topics and the countries of an item as fields."""
        topics: dict[str, None] = {}
        codes: dict[str, None] = {}
        for text in item.countries:
            if code := self._code(text):
                codes[code] = None
            else:
                self._report(item, f"countries: {text!r} is not the name or code of one country")
        for label in item.labels:
            name = on_one_line(label.name)
            if not name or _NO_CATEGORY in {name.casefold(), label.slug}:
                continue
            if code := self._country_of(label):
                codes[code] = None
                if name != self._countries.country(code).name and name.upper() != name:
                    self._result.countries.setdefault(code, name)
            elif topic := self._topic_of(label, name):
                topics[topic] = None
            else:
                self._report(item, f"topics: {name!r} has no letter and no digit")
        names = self._result.countries
        found: dict[str, Sequence[str]] = {
            "topics": [*topics],
            "countries": [names.get(code) or self._countries.country(code).name for code in codes],
        }
        return {key: texts for key, texts in found.items() if texts}

    def _report(self, item: Item, message: str) -> None:
        self._result.remarks.append(Remark(item.place, message))

    def _country_of(self, label: Label) -> str:
        if label.scheme == _COUNTRY_SCHEME:
            return self._code(label.slug) or self._code(label.name)
        if len(label.name) < _MIN_COUNTRY_LENGTH or exact_key(label.name) in self._foreign:
            return ""
        return self._code(label.name)

    def _code(self, text: str) -> str:
        try:
            return self._find(text)
        except InvalidValue:
            return ""

    def _topic_of(self, label: Label, name: str) -> str:
        """Return what an entry writes for a topic: its slug, or its name if any is allowed."""
        known = self._slugs.get(name.casefold())
        if known is None:
            known = slug_or_blank(label.slug) or slug_of(name, words=None)
            if not known:
                return ""
            names = self._names.setdefault(known, numbered(known))
            known = next(slug for slug in names if slug not in self._taken)
            self._taken.add(known)
            self._slugs[name.casefold()] = known
            if len(self._slugs) > _MAX_TOPICS:
                raise FeedsError(f"there are more than {_MAX_TOPICS:,} topics")
            if not self._is_open:
                self._result.topics[known] = self._declared(label, name)
        return name if self._is_open else known

    def _declared(self, label: Label, name: str) -> object:
        scheme = label.scheme
        is_foreign = web_host(scheme) and is_iri(scheme) and scheme != self._own_scheme
        return {"name": name, "scheme": scheme} if is_foreign else name


def _foreign_names(language: str) -> frozenset[str]:
    """Return the keys of names that are those of countries in other languages alone.

    The topic `Grenade` of an English site is not the French name of a country.
    """
    languages = ("en", language)
    known = (displayed_names(chosen, code) for chosen in SETS for code in languages)
    return frozenset(_keys(united_nations().values()) - _keys(known))


def _keys(tables: Iterable[Mapping[str, str]]) -> set[str]:
    return {exact_key(name) for names in tables for name in names.values()}
