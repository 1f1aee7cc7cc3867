"""Drafts → Entries: what can be told only of all of them together."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone

from yaml.nodes import MappingNode, Node, ScalarNode

from feeds.catalogue.confusables import remarks
from feeds.catalogue.countries import Countries
from feeds.catalogue.drafts import Drafts, Place
from feeds.catalogue.entries import Draft, listed
from feeds.catalogue.reader import Reading
from feeds.catalogue.slugs import fitting, slug_of, unfit
from feeds.catalogue.source import forbidden_character
from feeds.catalogue.texts import folded
from feeds.catalogue.vocabulary import Vocabulary
from feeds.catalogue.wrong_values import is_blank
from feeds.errors import Problem
from feeds.model import Country, Entry, Person, Photo, Picture, Site, Topic

_DAY = len("2022-05-24")
_YEAR_DIGITS = 4
_YEAR = timedelta(days=366)


class Assembly:
    """Makes entries, from the last to the first, so that those of one day can be told apart.

    Entries that give a day without a time are noon, and one second more for
    each that stands below on the same day: adding one above moves none.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        countries: Countries,
        pictures: Mapping[str, Picture],
        site: Site,
    ) -> None:
        self._vocabulary = vocabulary
        self._countries = countries
        self._pictures = pictures
        self._site = site
        self._same_day: Counter[str] = Counter()
        # Many entries are about the same, and share what they are about.
        self._topics: dict[str, tuple[Topic, ...]] = {}
        self._places: dict[str, tuple[Country, ...]] = {}
        self._midnights: dict[str, datetime] = {}

    def entries(self, drafts: Sequence[Draft]) -> tuple[Entry, ...]:
        """Return the entries of drafts, in their order."""
        made = [
            self._entry(draft, self._above(draft) if draft.whole_day else 0)
            for draft in reversed(drafts)
        ]
        return tuple(reversed(made))

    def _above(self, draft: Draft) -> int:
        """Give how many entries below give the same day alone: so many seconds it is after noon."""
        day = draft.published[:_DAY]
        self._same_day[day] += 1
        return self._same_day[day] - 1

    def _entry(self, draft: Draft, seconds: int) -> Entry:
        published = datetime.fromisoformat(draft.published)
        if seconds:
            published += timedelta(seconds=seconds)
        updated, updated_from = published, None
        if draft.updated:
            updated = max(datetime.fromisoformat(draft.updated), published)
            updated_from = self._midnight(draft.updated) if draft.updated_day else None
        topics = self._topics.get(draft.topics)
        if topics is None:
            found = tuple(self._vocabulary.topic(text) for text in listed(draft.topics))
            topics = self._topics[draft.topics] = found
        countries = self._places.get(draft.countries)
        if countries is None:
            named = tuple(self._countries.country(code) for code in listed(draft.countries))
            countries = self._places[draft.countries] = named
        return Entry(
            draft.id,
            draft.title,
            published,
            updated,
            draft.summary,
            draft.body,
            draft.link,
            topics,
            countries,
            self._photo(draft) if draft.photo else None,
            _person(draft.author) if draft.author else None,
            self._midnight(draft.published) if draft.whole_day else None,
            updated_from,
        )

    def _midnight(self, noon: str) -> datetime:
        """Return the beginning of a day in the site's zone, with its offset alone."""
        day = noon[:_DAY]
        if day not in self._midnights:
            begin = datetime.combine(date.fromisoformat(day), time(), self._site.timezone)
            offset = begin.utcoffset() or timedelta()
            self._midnights[day] = begin.replace(tzinfo=timezone(offset))
        return self._midnights[day]

    def _photo(self, draft: Draft) -> Photo:
        url, credit, alt, media_type, width, height, length = listed(draft.photo)
        picture = self._pictures.get(url)
        if picture is None:
            return Photo(url, credit, alt, media_type, int(width), int(height), int(length))
        size = (picture.width, picture.height, picture.length)
        return Photo(self._site.address(url), credit, alt, picture.media_type, *size)


def note_far_dates(drafts: Drafts, as_of: datetime, problems: list[Problem]) -> None:
    """Note each `date` and `updated` that is more than a year ahead of a moment."""
    limit = as_of + _YEAR
    for number, draft in enumerate(drafts.found):
        dates = {"date": draft.published, "updated": draft.updated} if draft else {}
        for name, text in dates.items():
            # Most are in the past, which their years tell.
            if text[:_YEAR_DIGITS] >= str(limit.year) and datetime.fromisoformat(text) > limit:
                place = drafts.place(number)
                reading, node = _node(place, name, problems)
                message = "is more than a year ahead; is the year right?"
                reading.problem(node, f"{place.path}.{name}", message, note=True)


def check_ids(drafts: Drafts) -> list[Problem]:
    """Report each entry without a fitting id, with one to paste, and each id used twice."""
    problems: list[Problem] = []
    ids = {draft.id.casefold() for draft in drafts.found if draft}
    if len(ids) == len(drafts.found):
        return problems
    first: dict[str, Place] = {}
    nameless = []
    for number, draft in enumerate(drafts.found):
        place = drafts.place(number)
        texts = {"id": draft.id} if draft else _texts(place.open([])[1])
        if texts is None:
            continue
        if "id" not in texts or not (draft or fitting(texts["id"])):
            nameless.append((place, texts))
            continue
        name = texts["id"].casefold()
        if name in first:
            reading, at = _node(place, "id", problems)
            other, there = _node(first[name], "id", problems)
            message = f"the id {texts['id']!r} is taken, at {other.place(there)}"
            reading.problem(at, f"{place.path}.id", message)
        first.setdefault(name, place)
    _propose_ids(nameless, set(first), problems)
    return problems


def _propose_ids(
    nameless: Iterable[tuple[Place, dict[str, str]]], taken: set[str], problems: list[Problem]
) -> None:
    numbers: Counter[str] = Counter()

    def free(base: str) -> str:
        proposal = base
        while not proposal or proposal in taken:
            numbers[base] += 1
            proposal = f"{base or 'entry'}-{numbers[base] + 1}"
        taken.add(proposal)
        return proposal

    for place, texts in nameless:
        reading, node = place.open(problems)
        written = [value for key, value in node.value if key.value == "id"]
        if not any(value for value in written if not is_blank(value)):
            base = slug_of(texts.get("title", "")) or slug_of(texts.get("date", "entry"))
            message = f"has no 'id'; write a permanent one: 'id: {free(base)}'"
            reading.problem(node, place.path, message)
        elif "id" in texts and not forbidden_character.search(texts["id"]):
            # Any other that is no text to publish is told already.
            base = slug_of(texts["id"], words=None)
            reading.problem(written[0], f"{place.path}.id", unfit(base and free(base)))


def check_topics(drafts: Drafts, problems: list[Problem]) -> None:
    """Report topics of an open vocabulary whose names have the same slug."""
    slugs: dict[str, str] = {}
    first: dict[str, tuple[str, Place]] = {}
    for number, draft in reversed([*enumerate(drafts.found)]):
        for name in listed(draft.topics) if draft else ():
            if name in slugs:
                continue
            slug = slug_of(name, words=None)
            place = drafts.place(number)
            if slug not in first:
                slugs[name] = slug
                first[slug] = name, place
                continue
            other, before = first[slug]
            reading, node, path = _topic(place, name, problems)
            at, there, _ = _topic(before, other, problems)
            message = f"{name!r} and {other!r}, at {at.place(there)}, have the same slug {slug!r}"
            reading.problem(node, path, message)


def note_slugs(drafts: Drafts, problems: list[Problem], *, closed: bool) -> None:
    """Note ids that name no folder on Windows or look like another, and topics of an open vocabulary."""
    found = remarks(draft.id for draft in drafts.found if draft)
    names = dict.fromkeys(draft.topics for draft in drafts.found if draft and not closed)
    slugs = {name: slug_of(name, words=None) for text in names for name in listed(text)}
    about = remarks(slugs.values())
    # Each at the first entry that names it.
    topics = {name: about[slug] for name, slug in slugs.items() if slug in about}
    for number, draft in enumerate(drafts.found if found or topics else ()):
        place = drafts.place(number)
        for message in found.get(draft.id, ()) if draft else ():
            reading, node = _node(place, "id", problems)
            reading.problem(node, f"{place.path}.id", message, note=True)
        for name in {*listed(draft.topics)} & topics.keys() if draft else ():
            reading, node, path = _topic(place, name, problems)
            for message in topics.pop(name):
                reading.problem(node, path, message, note=True)


def _texts(node: Node) -> dict[str, str] | None:
    if not isinstance(node, MappingNode):
        return None
    return {
        key.value: value.value
        for key, value in reversed(node.value)
        if isinstance(key, ScalarNode) and isinstance(value, ScalarNode) and not is_blank(value)
    }


def _node(place: Place, name: str, problems: list[Problem]) -> tuple[Reading, Node]:
    """Give the node of a field that is there."""
    reading, item = place.open(problems)
    return reading, next(value for key, value in item.value if key.value == name)


def _topic(place: Place, name: str, problems: list[Problem]) -> tuple[Reading, Node, str]:
    """Give where in an item a topic is named."""
    reading, topics = _node(place, "topics", problems)
    number = [folded(node.value) for node in topics.value].index(name)
    return reading, topics.value[number], f"{place.path}.topics[{number}]"


def _person(texts: str) -> Person:
    name, email, uri = listed(texts)
    return Person(name=name, email=email, uri=uri)
