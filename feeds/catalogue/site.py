"""The sections `site:`, `topics:` and `countries:`, and the addresses that a site gave up."""

import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from functools import partial
from itertools import accumulate, chain, product
from urllib.parse import unquote
from zoneinfo import ZoneInfo, available_timezones

from yaml.nodes import MappingNode, Node

from feeds import urls
from feeds.catalogue import known_keys
from feeds.catalogue.countries import country_code, namesakes
from feeds.catalogue.country_names import SETS, united_nations, united_nations_names
from feeds.catalogue.dates import EPOCH
from feeds.catalogue.known_keys import Suggester
from feeds.catalogue.reader import InvalidValue, MappingReader, NodeReader, join
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
    iri,
    relative_path,
    site_address,
    tag_date,
    tag_uri,
    web_address,
)
from feeds.licenses import license_address
from feeds.model import Entry, Person, Site, Topic
from feeds.urls import web_host

_MAX_ITEMS = 1000
_MIN_AGE_SECONDS = 60
_MAX_AGE_SECONDS = 86_400
# Names in the folder of zones on some machines: links to a zone, and placeholders.
_NOT_ZONES = {"localtime", "posixrules", "Factory", "Etc/Unknown"}
_VARIANT_FOLDERS = ("posix/", "right/")
_OFFSET = re.compile("(?:GMT|UTC)? *[+-] *[0-9]{1,2}(?::?[0-9]{2})?", re.IGNORECASE)

# Every site publishes these, whatever its catalogue has.
_ALWAYS_PUBLISHED = {
    *(urls.STYLE, urls.FEED_STYLE, urls.HEALTH, urls.METRICS),
    *(urls.ALL_OPML, urls.SITEMAP, urls.ROBOTS),
    *urls.ERROR_PAGES.values(),
}
# How an editor writes the path of the home page.
_HOME = "./"
# A path below these without an ending is that of a folder.
_PARENTS_OF_FOLDERS = ("topics/", "countries/", "entries/")
_ENDING = re.compile(r"[^/]\.[A-Za-z]\w{0,5}\Z")
# The folder of an entry, of a topic or of a country; not that of a topic in a country.
_FOLDER = re.compile(r"(entries|topics|countries)/([^/]+)/(?!countries/)")
_TOPICS = "topics"

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
    language = fields.value("language", language_tag, "en")
    names = partial(country_names, fields.suggester, language)
    return Site(
        title=title,
        url=fields.value("url", site_address, ""),
        id=permanent,
        founded=tag_date(permanent) if permanent else EPOCH,
        author=read_person(fields, "author") or Person(name=title),
        timezone=fields.value("timezone", partial(time_zone, fields.suggester), ZoneInfo("UTC")),
        language=language,
        description=fields.value("description", line, ""),
        rights=fields.value("rights", line, ""),
        logo=fields.value("logo", web_address, ""),
        icon=fields.value("icon", web_address, ""),
        hub=fields.value("hub", web_address, ""),
        items=fields.value("items", partial(whole_number, 1, _MAX_ITEMS), 50),
        max_age=fields.value("max_age", max_age, 900),
        formats=_chosen(fields, "formats", tuple(urls.FEEDS)),
        feeds=_chosen(fields, "feeds", urls.FEED_KINDS),
        accent=fields.value("accent", colour, NO_SITE.accent),
        footer=fields.value("footer", line, ""),
        license=read_license(fields),
        country_names=fields.value("country_names", names, NO_SITE.country_names),
    )


def read_person(fields: MappingReader, name: str) -> Person | None:
    """Return an author, who is given as a name, or a mapping of name, email and uri."""
    if name not in fields:
        return None
    if fields.is_text(name):
        return _named(fields.value(name, line, ""))
    return _described(fields.inner(name, known_keys.PERSON))


def _named(name: str) -> Person | None:
    return Person(name=name) if name else None


def _described(person: MappingReader) -> Person | None:
    if not person:
        return None
    if "name" not in person:
        person.problem("", "has no 'name'")
    return Person(
        name=person.value("name", line, ""),
        email=person.value("email", email, ""),
        uri=person.value("uri", web_address, ""),
    )


def read_authors(fields: MappingReader) -> tuple[Person, ...]:
    """Return the authors of an entry, from `author` or from `authors`, a list."""
    one = read_person(fields, "author")
    if "authors" not in fields:
        return (one,) if one else ()
    if "author" in fields:
        fields.problem("author", "is given beside 'authors'; write all of them in 'authors'")
    people: list[Person] = []
    for item in fields.each("authors", line, known_keys.PERSON):
        person = _named(item) if isinstance(item, str) else _described(item)
        if person in people:
            fields.problem("authors", f"has {person.name!r} twice")
        if person:
            people.append(person)
    return tuple(people)


def read_license(fields: MappingReader) -> str:
    """Return the address of a licence, which may be given as a name of Creative Commons."""
    return fields.value("license", _license, "")


def _license(text: str) -> str:
    if address := license_address(text):
        return address
    if web_host(text) or "/" in text:
        return web_address(text)
    raise InvalidValue(
        "must be the address of a licence, or one of Creative Commons with its version, such as"
        " 'CC BY 4.0' or 'CC BY-NC-SA 3.0 IGO'"
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


def read_country_names(reader: NodeReader, node: Node, site: Site) -> dict[str, str]:
    """Return the publication's own names of countries, by alpha-2 code.

    None may be the name of another country in the site's language.
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
    for code, other in namesakes(names, site.language, site.country_names).items():
        message = f"is the name of {other} too; give each a name of its own"
        if other in places:
            message = f"has the same name as {places[other][1]}"
        reader.problem(*places[code], message)
    return names


def _chosen(fields: MappingReader, name: str, choices: tuple[str, ...]) -> tuple[str, ...]:
    """Return the choices that a field lists; all if the field is absent."""
    if name not in fields:
        return choices

    taken = fields.list(name, partial(_choice, fields.suggester, choices))
    return tuple(choice for choice in choices if choice in taken)


def _choice(suggester: Suggester, choices: tuple[str, ...], text: str) -> str:
    if text not in choices:
        hint = suggester.hint(text, choices)
        raise InvalidValue(f"is one of {', '.join(choices)}, not {text!r}{hint}")
    return text


def country_names(suggester: Suggester, language: str, text: str) -> str:
    """Return a set of countries' names, which has names in the site's language."""
    chosen = _choice(suggester, SETS, text)
    if chosen == "un" and not united_nations_names(language):
        *others, last = united_nations()
        known = f"{', '.join(others)} and {last} (simplified)"
        raise InvalidValue(
            f"the names of the United Nations are in {known}, not in {language!r};"
            " write iso or cldr"
        )
    return chosen


def time_zone(suggester: Suggester, text: str) -> ZoneInfo:
    """Return a time zone by its name in the IANA database."""
    if text not in _NOT_ZONES and not text.startswith(_VARIANT_FOLDERS):
        with suppress(KeyError, ValueError, OSError):
            return ZoneInfo(text)
    hint = ""
    if not _OFFSET.fullmatch(text):
        known = available_timezones() - _NOT_ZONES
        hint = suggester.hint(text.removeprefix("posix/").removeprefix("right/"), known)
    raise InvalidValue(f"unknown time zone {text!r}{hint or '; write it like Asia/Jakarta'}")


def read_moves(
    fields: MappingReader, live: frozenset[str]
) -> tuple[Mapping[str, str], frozenset[str]]:
    """Return the moved paths, each with its new one, and the retired urls.

    `live` are the paths that the catalogue publishes: they cannot be moved or retired,
    and each new path must lead to one. If it is empty, neither is checked.
    """
    reader = fields.reader
    folders = chain.from_iterable(accumulate(path.split("/")[:-1], "{}/{}".format) for path in live)
    parents = {f"{folder}/" for folder in folders} - live
    old_path = partial(_old_path, live, parents)
    retired = fields.list("retired", old_path)
    moved: dict[str, str] = {}
    places = {}
    pairs = reader.pairs(fields.node("moved"), "site.moved") if "moved" in fields else ()
    for name, key, value in pairs:
        path = join("site.moved", name)
        old = reader.value(key, path, old_path, "")
        new = reader.value(value, path, _new_path, None)
        if old in retired:
            reader.problem(key, path, "is also listed under 'retired'")
        if old and new is not None:
            moved[old] = new
            places[old] = value, path
    for old, place in places.items():
        if fault := _target_fault(old, moved, live, reader.suggester):
            reader.problem(*place, fault)
    return moved, frozenset(retired)


def read_feed_ids(fields: MappingReader, site: Site, live: Collection[str]) -> Mapping[str, str]:
    """Return the Atom ids of feeds that were taken over, by the feed's folder.

    In the catalogue they are by the Atom document's path. `live` are the paths that the
    catalogue publishes; if it is empty, the document is not checked.
    """
    if "feed_ids" not in fields:
        return {}
    reader, document = fields.reader, urls.FEEDS["atom"]
    documents = [path for path in live if path.rpartition("/")[2] == document]

    def folder(path: str) -> str:
        if live and path not in documents:
            hint = reader.suggester.hint(path, documents)
            raise InvalidValue(f"is not the path of an Atom feed, such as {document}{hint}")
        return path.removesuffix(document)

    ids: dict[str, str] = {}
    owners = {site.feed_id(path.removesuffix(document)): path for path in documents}
    for name, key, value in reader.pairs(fields.node("feed_ids"), "site.feed_ids"):
        path = join("site.feed_ids", name)
        feed = reader.value(key, path, folder, None)
        kept = reader.value(value, path, iri, "")
        if owners.setdefault(kept, name) != name:
            reader.problem(value, path, f"is also the id of the feed {owners[kept]!r}")
        elif feed is not None and kept:
            ids[feed] = kept
    return ids


def live_paths(site: Site, topics: Iterable[Topic], entries: Iterable[Entry]) -> frozenset[str]:
    """Return all paths that a catalogue publishes, now or after an embargo, with their folders."""
    of_topics = {urls.feed_folder(topic.slug) for topic in topics}
    of_countries: set[str] = set()
    of_both: set[str] = set()
    pages = {urls.SUBSCRIBE}
    for entry in entries:
        pages.add(urls.entry_folder(entry.id))
        slugs = [topic.slug for topic in entry.topics]
        countries = [country.slug for country in entry.countries]
        of_topics.update(map(urls.feed_folder, slugs))
        of_countries.update(urls.feed_folder("", country) for country in countries)
        of_both.update(urls.feed_folder(*pair) for pair in product(slugs, countries))
    of_kinds = zip(urls.FEED_KINDS, (of_topics, of_countries, of_both), strict=True)
    kinds = {kind: found for kind, found in of_kinds if found and kind in site.feeds}
    folders = {urls.feed_folder()}.union(*kinds.values())
    files = {folder + urls.FEEDS[name] for folder in folders for name in site.formats}
    files.update(folder + urls.INDEX for folder in chain(folders, pages))
    files.update(urls.OPML[kind] for kind in kinds if kind in urls.OPML)
    files.update({urls.CHOICE_STYLE} if urls.FEED_KINDS[-1] in kinds else ())
    files.update(urls.sitemap_parts(len(folders) + len(pages)))
    return frozenset(files | folders | pages | _ALWAYS_PUBLISHED) - {""}


def _site_path(text: str) -> str:
    """Return a path below the site; that of a folder ends in `/`."""
    if "://" in text or text.startswith("/"):
        raise InvalidValue("must be a path below the site, such as topics/health/ or news.xml")
    relative_path(text.removesuffix("/"))
    return text


def _old_path(live: Collection[str], parents: Collection[str], text: str) -> str:
    """Return a path to move or to retire; raises InvalidValue if it is still published."""
    path = _site_path(text)
    if urls.is_for_hosts(path):
        raise InvalidValue(
            "is never published: such names are reserved for the files of a web server"
        )
    # With or without its slash, an address leads to the same folder.
    for found in (path, path.removesuffix("/"), f"{path}/"):
        if found in live:
            raise InvalidValue(f"{found!r} is still published")
    if path.startswith(_PARENTS_OF_FOLDERS) and not path.endswith("/") and not _ENDING.search(path):
        raise InvalidValue(f"the path of a folder must end in '/'; did you mean {path}/?")
    original, _, ending = path.rpartition(".")
    if ending in {"br", "gz"} and original in live:
        raise InvalidValue(f"is the compressed form of {original!r}, which is still published")
    if path in parents:
        raise InvalidValue(f"the documents in {path!r} are still published")
    feed, archive, _ = f"{path}/".partition(urls.ARCHIVE)
    if archive and (not feed or feed in live):
        raise InvalidValue(f"the pages in '{feed}{urls.ARCHIVE}' depend on which entries there are")
    return path


def _new_path(text: str) -> str:
    if text in {"/", "."}:
        raise InvalidValue(f"the home page of the site is written {_HOME!r}")
    return "" if text == _HOME else _site_path(text)


def _target_fault(
    old: str, moved: Mapping[str, str], live: frozenset[str], suggester: Suggester
) -> str:
    """Return what is wrong with a moved path that does not lead to one that is published, or ''."""
    last = urls.moved_to(old, moved)
    if last is None:
        return "leads into a loop"
    if not live or not last or last in live:
        return ""
    depth = last.removesuffix("/").count("/")
    alike = [path for path in live if path.removesuffix("/").count("/") == depth]
    slash = f"; did you mean {last}/?" if f"{last}/" in live else ""
    return f"nothing is published at {last!r}{slash or suggester.hint(last, alike)}"


def note_gone(
    fields: MappingReader, site: Site, live: Collection[str], published: Collection[str]
) -> None:
    """Note each entry, topic and country that had a public address and has none now.

    `published` are the absolute addresses that were public; those of other sites are
    ignored. `live` are the paths that the catalogue publishes. What is covered by
    `moved` or `retired` is not noted.
    """
    paths = (
        address.removeprefix(site.url) for address in published if address.startswith(site.url)
    )
    before = _folders(map(unquote, paths))
    given_up = {*site.moved, *site.retired}
    gone = {
        folder: kind
        for folder, kind in before.items()
        if folder not in live and not urls.covering_rule(folder, given_up)
    }
    new = _folders(live if gone else ()).items() - before.items()
    for folder, kind in sorted(gone.items()):
        others = {_name(other): other for other, of_kind in new if of_kind == kind}
        # One new topic is the one that is gone, renamed; a new entry may be any.
        if kind == _TOPICS and len(others) == list(gone.values()).count(_TOPICS) == 1:
            [successor] = others.values()
        else:
            successor = fields.suggester.find(_name(folder), others)
        what = "the id " if folder.startswith(urls.ENTRIES) else ""
        moved = f", add '{folder}: {successor}' under 'moved'" if successor else ""
        message = (
            f"{folder!r} was public and is gone: restore {what}{_name(folder)!r}{moved},"
            f" or add '- {folder}' under 'retired'"
        )
        fields.problem("moved" if "moved" in fields else "", message, note=True)


def _folders(documents: Iterable[str]) -> dict[str, str]:
    """Return the folders of entries, topics and countries among paths, with their kind."""
    found = map(_FOLDER.match, documents)
    return {match[0]: match[1] for match in found if match}


def _name(folder: str) -> str:
    return folder.split("/")[1]
