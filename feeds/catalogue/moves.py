"""`site.moved` and `site.retired` → the addresses that a publication has given up."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import accumulate, chain, product

from feeds.catalogue.nearest import Nearest
from feeds.catalogue.reader import Fault, join
from feeds.catalogue.reader import MappingReader as Fields
from feeds.model import Entry, Site, Topic
from feeds.paths import (
    ALL_OPML,
    ARCHIVE,
    CHOICE,
    FEED_KINDS,
    FEED_STYLE,
    FEEDS,
    GONE,
    HEALTH,
    INDEX,
    LOST,
    OPML,
    ROBOTS,
    SITEMAP,
    STYLE,
    SUBSCRIBE,
    entry_folder,
    feed_folder,
    is_for_hosts,
    moved_to,
    sitemap_parts,
)

_LONGEST = 500
# What every site publishes, whatever its catalogue has.
_ALWAYS = {STYLE, FEED_STYLE, HEALTH, ALL_OPML, SITEMAP, ROBOTS, LOST, GONE}
# What ends or encodes a path in an address, and so cannot stand in one.
_NO_PATH = "?#%\\"
# What an export may have beside a document: the same, compressed.
_COMPRESSED = {"br", "gz"}
# The path of the site itself, as an editor writes it.
_OWN_PAGE = "./"
# What lies here and has no ending is a folder.
_OF_FOLDERS = ("topics/", "countries/", "entries/")
_ENDING = re.compile(r"[^/]\.[A-Za-z]\w{0,5}\Z")


def read_moves(fields: Fields, live: frozenset[str]) -> tuple[Mapping[str, str], frozenset[str]]:
    """Read the moved paths, each with its new one, and the retired paths.

    `live` are the paths that the catalogue publishes: none of them may be given
    up, and each new path must lead to one. Without any, neither is checked.
    """
    reading = fields.reading
    around = frozenset(folder for path in live for folder in _folders(path)) - live
    given_up = partial(_given_up, live, around)
    retired = fields.list("retired", given_up)
    moved: dict[str, str] = {}
    places = []
    pairs = reading.pairs(fields.node("moved"), "site.moved") if "moved" in fields else ()
    for name, key, value in pairs:
        path = join("site.moved", name)
        old = reading.value(key, path, given_up, "")
        new = reading.value(value, path, _taking_over, None)
        if old in retired:
            reading.problem(key, path, "stands under 'retired' too")
        if old and new is not None:
            moved[old] = new
            places.append((old, value, path))
    for old, value, path in places:
        leads = partial(_leads, old, moved, live, reading.nearest)
        reading.value(value, path, leads, None)
    return moved, frozenset(retired)


def live_paths(site: Site, topics: Iterable[Topic], entries: Iterable[Entry]) -> frozenset[str]:
    """Give every path that a catalogue publishes or will once an embargo ends, with the folders."""
    of_topics = {feed_folder(topic.slug) for topic in topics}
    of_countries: set[str] = set()
    of_both: set[str] = set()
    pages = {SUBSCRIBE}
    for entry in entries:
        pages.add(entry_folder(entry.id))
        slugs = [topic.slug for topic in entry.topics]
        countries = [country.slug for country in entry.countries]
        of_topics.update(map(feed_folder, slugs))
        of_countries.update(feed_folder("", country) for country in countries)
        of_both.update(feed_folder(*pair) for pair in product(slugs, countries))
    of_kinds = zip(FEED_KINDS, (of_topics, of_countries, of_both), strict=True)
    kinds = {kind: found for kind, found in of_kinds if found and kind in site.feeds}
    folders = {feed_folder()}.union(*kinds.values())
    files = {folder + FEEDS[name] for folder in folders for name in site.formats}
    files.update(folder + INDEX for folder in chain(folders, pages))
    files.update(OPML[kind] for kind in kinds if kind in OPML)
    files.update({CHOICE} if FEED_KINDS[-1] in kinds else ())
    files.update(sitemap_parts(len(folders) + len(pages)))
    return frozenset(files | folders | pages | _ALWAYS) - {""}


def _site_path(text: str) -> str:
    """Read a path under the site, as people read it: not encoded; a folder ends in `/`."""
    if "://" in text or text.startswith("/"):
        raise Fault("is a path under the site, such as topics/health/ or news.xml")
    bad = next((character for character in text if character in _NO_PATH), None)
    if bad is not None:
        raise Fault(f"a path has no {bad!r}; write each character as it is read")
    if len(text) > _LONGEST or {"", ".", ".."} & {*text.removesuffix("/").split("/")}:
        raise Fault(f"has parts that are empty, '.' or '..', or over {_LONGEST} characters")
    return text


def _folders(path: str) -> Iterator[str]:
    """Give the folders that a path lies in."""
    parts = path.split("/")[:-1]
    return (f"{folder}/" for folder in accumulate(parts, "{}/{}".format))


def _given_up(live: frozenset[str], around: frozenset[str], text: str) -> str:
    path = _site_path(text)
    if is_for_hosts(path):
        raise Fault("is never published: such names are those of a server's own files")
    # A folder's address without its slash is the folder's too.
    for found in (path, path.removesuffix("/")):
        if found in live:
            raise Fault(f"{found!r} is still published")
    # Without its slash, a folder's address leads to the folder.
    if f"{path}/" in live:
        raise Fault(f"'{path}/' is still published")
    if path.startswith(_OF_FOLDERS) and not path.endswith("/") and not _ENDING.search(path):
        raise Fault(f"a folder ends in '/'; did you mean {path}/?")
    beside, _, ending = path.rpartition(".")
    if ending in _COMPRESSED and beside in live:
        raise Fault(f"lies beside {beside!r}, which is still published")
    if path in around:
        raise Fault(f"what lies in {path!r} is still published")
    feed, archive, _ = f"{path}/".partition(ARCHIVE)
    if archive and (not feed or feed in live):
        raise Fault(f"what lies in '{feed}{ARCHIVE}' comes and goes with older entries")
    return path


def _taking_over(text: str) -> str:
    if text in {"/", "."}:
        raise Fault(f"the site's own page is written {_OWN_PAGE!r}")
    return "" if text == _OWN_PAGE else _site_path(text)


def _leads(
    old: str, moved: dict[str, str], live: frozenset[str], nearest: Nearest, _text: str
) -> None:
    last = moved_to(old, moved)
    if last is None:
        raise Fault("leads round in a circle")
    if live and last and last not in live:
        depth = last.removesuffix("/").count("/")
        alike = [path for path in live if path.removesuffix("/").count("/") == depth]
        slash = f"; did you mean {last}/?" if f"{last}/" in live else ""
        raise Fault(f"nothing is published at {last!r}{slash or nearest.hint(last, alike)}")
