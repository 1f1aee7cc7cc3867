"""The sections `site:`, `topics:` and `countries:`."""

import re
from contextlib import suppress
from functools import partial
from zoneinfo import ZoneInfo, available_timezones

from yaml.nodes import MappingNode, Node

from feeds.catalogue import known_keys
from feeds.catalogue.countries import country_code, namesakes
from feeds.catalogue.dates import EPOCH
from feeds.catalogue.known_keys import Suggester
from feeds.catalogue.reader import InvalidValue, MappingReader, NodeReader
from feeds.catalogue.text_fields import (
    colour,
    language_tag,
    line,
    slug,
    slug_warnings,
    whole_number,
)
from feeds.catalogue.web_addresses import (
    email,
    site_address,
    tag_date,
    tag_uri,
    web_address,
)
from feeds.model import Person, Site, Topic
from feeds.urls import FEED_KINDS, FEEDS

_MAX_ITEMS = 1000
_MIN_AGE_SECONDS = 60
_MAX_AGE_SECONDS = 86_400
# Names in the folder of zones on some machines: links to a zone, and placeholders.
_NOT_ZONES = {"localtime", "posixrules", "Factory", "Etc/Unknown"}
_VARIANT_FOLDERS = ("posix/", "right/")
_OFFSET = re.compile("(?:GMT|UTC)? *[+-] *[0-9]{1,2}(?::?[0-9]{2})?", re.IGNORECASE)

# Used if the section is missing, so that the rest can be checked.
NO_SITE = Site(
    title="untitled",
    url="",
    id="",
    founded=EPOCH,
    author=Person(name="untitled"),
    timezone=ZoneInfo("UTC"),
    language="en",
)


def read_site(fields: MappingReader) -> Site:
    """Return the site, without `moved` and `retired`, which depend on the entries."""
    if "formats" in fields and fields.node("formats").value == []:
        fields.problem("formats", "is empty: name a format, or remove the line")
    title = fields.value("title", line, "untitled")
    permanent = fields.value("id", tag_uri, "")
    max_age = partial(whole_number, _MIN_AGE_SECONDS, _MAX_AGE_SECONDS)
    return Site(
        title=title,
        url=fields.value("url", site_address, ""),
        id=permanent,
        founded=tag_date(permanent) if permanent else EPOCH,
        author=read_person(fields, "author") or Person(name=title),
        timezone=fields.value("timezone", partial(_time_zone, fields.suggester), ZoneInfo("UTC")),
        language=fields.value("language", language_tag, "en"),
        description=fields.value("description", line, ""),
        rights=fields.value("rights", line, ""),
        logo=fields.value("logo", web_address, ""),
        icon=fields.value("icon", web_address, ""),
        hub=fields.value("hub", web_address, ""),
        items=fields.value("items", partial(whole_number, 1, _MAX_ITEMS), 50),
        max_age=fields.value("max_age", max_age, 900),
        formats=_chosen(fields, "formats", tuple(FEEDS)),
        feeds=_chosen(fields, "feeds", FEED_KINDS),
        accent=fields.value("accent", colour, NO_SITE.accent),
        footer=fields.value("footer", line, ""),
    )


def read_person(fields: MappingReader, name: str) -> Person | None:
    """Return an author, who is given as a name, or a mapping of name, email and uri."""
    if name not in fields:
        return None
    if fields.is_text(name):
        written = fields.value(name, line, "")
        return Person(name=written) if written else None
    person = fields.inner(name, known_keys.PERSON)
    if not person:
        return None
    if "name" not in person:
        fields.problem(name, "has no 'name'")
    return Person(
        name=person.value("name", line, ""),
        email=person.value("email", email, ""),
        uri=person.value("uri", web_address, ""),
    )


def read_topics(reader: NodeReader, node: Node, own_scheme: str) -> tuple[Topic, ...]:
    """Return the declared topics; `own_scheme` is for those without a `scheme`."""
    topics = []
    named: dict[str, str] = {}
    places: dict[str, tuple[Node, str]] = {}
    for key, key_node, value in reader.pairs(node, "topics", "a mapping ('slug: name' lines)"):
        path = f"topics.{key}"
        # A key that is not a slug is reported here, and not again by each entry that names it.
        topic_slug = reader.value(key_node, path, slug, key)
        if isinstance(value, MappingNode):
            fields = reader.mapping(value, path, known_keys.TOPIC)
            name = fields.value("name", line, "")
            description = fields.value("description", line, "")
            scheme = fields.value("scheme", web_address, own_scheme)
        else:
            name = reader.value(value, path, line, "")
            description, scheme = "", own_scheme
        if name and name in named:
            reader.problem(value, path, f"has the same name as {named[name]}")
        named.setdefault(name, path)
        places[topic_slug] = key_node, path
        topics.append(Topic(slug=topic_slug, name=name, scheme=scheme, description=description))
    for topic_slug, messages in slug_warnings(places).items():
        for message in messages:
            reader.problem(*places[topic_slug], message, note=True)
    return tuple(topics)


def read_country_names(reader: NodeReader, node: Node, language: str) -> dict[str, str]:
    """Return the publication's own names of countries, by alpha-2 code.

    None may be the name of another country in `language`.
    """
    names: dict[str, str] = {}
    places: dict[str, tuple[Node, str]] = {}
    for key, key_node, value in reader.pairs(node, "countries", "a mapping ('code: name' lines)"):
        path = f"countries.{key}"
        code = reader.value(key_node, path, country_code, "")
        if code in names:
            reader.problem(key_node, path, f"{code} is already named, as {names[code]!r}")
        name = reader.value(value, path, line, "")
        if code and name:
            names[code] = name
            places[code] = value, path
    for code, other in namesakes(names, language).items():
        message = f"is the name of {other} too; give each a name of its own"
        if other in places:
            message = f"has the same name as {places[other][1]}"
        reader.problem(*places[code], message)
    return names


def _chosen(fields: MappingReader, name: str, choices: tuple[str, ...]) -> tuple[str, ...]:
    """Return the choices that a field lists; all if the field is absent."""
    if name not in fields:
        return choices

    def choice(text: str) -> str:
        if text not in choices:
            hint = fields.suggester.hint(text, choices)
            raise InvalidValue(f"is one of {', '.join(choices)}, not {text!r}{hint}")
        return text

    taken = fields.list(name, choice)
    return tuple(choice for choice in choices if choice in taken)


def _time_zone(suggester: Suggester, text: str) -> ZoneInfo:
    if text not in _NOT_ZONES and not text.startswith(_VARIANT_FOLDERS):
        with suppress(KeyError, ValueError, OSError):
            return ZoneInfo(text)
    hint = ""
    if not _OFFSET.fullmatch(text):
        known = available_timezones() - _NOT_ZONES
        hint = suggester.hint(text.removeprefix("posix/").removeprefix("right/"), known)
    raise InvalidValue(f"unknown time zone {text!r}{hint or '; write it like Asia/Jakarta'}")
