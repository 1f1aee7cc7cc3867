"""Addresses that a site no longer publishes: `site.moved`, `site.retired`, and those in neither."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from itertools import accumulate, chain, product
from urllib.parse import unquote

from feeds import urls
from feeds.catalogue.known_keys import Suggester
from feeds.catalogue.reader import InvalidValue, MappingReader, join
from feeds.catalogue.web_addresses import relative_path
from feeds.model import Entry, Site, Topic

# Every site publishes these, whatever its catalogue has.
_ALWAYS_PUBLISHED = {
    *(urls.STYLE, urls.FEED_STYLE, urls.HEALTH, urls.ALL_OPML, urls.SITEMAP, urls.ROBOTS),
    *urls.ERROR_PAGES.values(),
}
_COMPRESSED_ENDINGS = ("br", "gz")
# How an editor writes the path of the home page.
_HOME = "./"
# A path below these without an ending is that of a folder.
_PARENTS_OF_FOLDERS = ("topics/", "countries/", "entries/")
_ENDING = re.compile(r"[^/]\.[A-Za-z]\w{0,5}\Z")
# The folder of an entry, of a topic or of a country; not that of a topic in a country.
_FOLDER = re.compile(r"(entries|topics|countries)/([^/]+)/(?!countries/)")
_TOPICS = "topics"


def read_moves(
    fields: MappingReader, live: frozenset[str]
) -> tuple[Mapping[str, str], frozenset[str]]:
    """Return the moved paths, each with its new one, and the retired urls.

    `live` are the paths that the catalogue publishes: they cannot be moved or retired,
    and each new path must lead to one. If it is empty, neither is checked.
    """
    reader = fields.reader
    parents = frozenset(folder for path in live for folder in _parents(path)) - live
    old_path = partial(_old_path, live, parents)
    retired = fields.list("retired", old_path)
    moved: dict[str, str] = {}
    targets = []
    pairs = reader.pairs(fields.node("moved"), "site.moved") if "moved" in fields else ()
    for name, key, value in pairs:
        path = join("site.moved", name)
        old = reader.value(key, path, old_path, "")
        new = reader.value(value, path, _new_path, None)
        if old in retired:
            reader.problem(key, path, "is also listed under 'retired'")
        if old and new is not None:
            moved[old] = new
            targets.append((old, value, path))
    for old, value, path in targets:
        fault = _target_fault(old, moved, live, reader.suggester)
        if fault:
            reader.problem(value, path, fault)
    return moved, frozenset(retired)


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


def _parents(path: str) -> Iterator[str]:
    """Return the folders around a path."""
    return (f"{folder}/" for folder in accumulate(path.split("/")[:-1], "{}/{}".format))


def _old_path(live: frozenset[str], parents: frozenset[str], text: str) -> str:
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
    if ending in _COMPRESSED_ENDINGS and original in live:
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
    before = _folders(
        unquote(address.removeprefix(site.url))
        for address in published
        if address.startswith(site.url)
    )
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
        place = "moved" if "moved" in fields else ""
        message = f"{folder!r} was public and is gone{_advice(folder, successor)}"
        fields.problem(place, message, note=True)


def _folders(documents: Iterable[str]) -> dict[str, str]:
    """Return the folders of entries, topics and countries among paths, with their kind."""
    found = map(_FOLDER.match, documents)
    return {match[0]: match[1] for match in found if match}


def _name(folder: str) -> str:
    return folder.split("/")[1]


def _advice(folder: str, successor: str) -> str:
    """Return what to do about an address that is gone, with the lines to add to `site`."""
    what = "the id " if folder.startswith(urls.ENTRIES) else ""
    moved = f", add '{folder}: {successor}' under 'moved'" if successor else ""
    return f": restore {what}{_name(folder)!r}{moved}, or add '- {folder}' under 'retired'"
