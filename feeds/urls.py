"""The path grammar: where each document of a release lies under the site.

A folder ends in `/`; the empty path is the site's own. In a feed's folder lies
a document of each format, and a page in every folder but the bare `archive/`.
`HEALTH` is no document: the server answers there for itself. `FEED_STYLE` is how
a browser shows a feed. Pictures lie in `MEDIA`, as they do beside the catalogue.
"""

from collections.abc import Collection, Mapping

INDEX = "index.html"
STYLE = "style.css"
FEED_STYLE = "feed.css"
MEDIA = "media/"
# Beside the catalogue: files that are published as they are, and templates in place of ours.
STATIC = "static"
TEMPLATES = "templates"
ENTRIES = "entries/"
HEALTH = "healthz"
SUBSCRIBE = "subscribe/"
ARCHIVE = "archive/"
# What the page of subscriptions does when somebody picks a topic and a country.
CHOICE = SUBSCRIBE + "choice.css"
# Lists of feeds to import: of all, and by the names that `site.feeds` has.
ALL_OPML = "feeds.opml"
OPML = {"topics": "topics.opml", "countries": "countries.opml"}
SITEMAP = "sitemap.xml"
# What sitemaps.org allows in one document.
SITEMAP_PAGES = 50_000
ROBOTS = "robots.txt"
# What a web server answers with where nothing is, or is any more.
LOST = "404.html"
GONE = "410.html"
# By the status of such an answer.
ERROR_PAGES = {404: LOST, 410: GONE}
# What Netlify and Cloudflare Pages read at the top of a site, and do not show.
HOST_HEADERS = "_headers"
HOST_REDIRECTS = "_redirects"
# By the names that `site.formats` has for the formats.
FEEDS = {"atom": "atom.xml", "rss": "rss.xml", "json": "feed.json"}
# By the names that `site.feeds` has for the feeds, beside that of everything.
FEED_KINDS = ("topics", "countries", "topics-in-countries")

# Nobody moves house more often; whoever seems to goes round in a circle.
_MOVES = 20


def feed_folder(topic: str = "", country: str = "") -> str:
    """Give the folder of a feed, by the slugs of its topic and its country."""
    return (f"topics/{topic}/" if topic else "") + (f"countries/{country}/" if country else "")


def entry_folder(entry: str) -> str:
    """Give the folder of an entry's own page, by the entry's id."""
    return f"{ENTRIES}{entry}/"


def is_for_hosts(path: str) -> bool:
    """Tell whether a path is never a document's: hidden from everybody, or what a host is told by."""
    return path.startswith(".") or "/." in path or path in {HOST_HEADERS, HOST_REDIRECTS}


def is_folder(path: str) -> bool:
    """Tell whether a path is that of a folder, as the site's own is."""
    return not path or path.endswith("/")


def archive_folder(feed: str, year: int, month: int = 0, part: int = 0) -> str:
    """Give the folder of a feed's entries of a year, or of a month of it, or of a part of either."""
    months = f"{month:02}/" if month else ""
    return f"{feed}{ARCHIVE}{year:04}/{months}" + (f"{part}/" if part else "")


def sitemap_parts(pages: int) -> list[str]:
    """Give the paths of the parts of a sitemap of so many pages; of one that fits in one document, none."""
    if pages <= SITEMAP_PAGES:
        return []
    return [f"sitemap-{number}.xml" for number in range(1, -(-pages // SITEMAP_PAGES) + 1)]


def standing_for(path: str, given_up: Collection[str]) -> str | None:
    """Give which of the paths given up covers this one: itself, or the nearest folder around it."""
    here = path if given_up else ""
    while here and here not in given_up:
        here = here[: here.rfind("/", 0, -1) + 1]
    return here or None


def moved_to(path: str, moved: Mapping[str, str]) -> str | None:
    """Give the path that took a path's place, however often it moved.

    What lay in a folder has its place in the new one; where that is a document,
    everything leads to it. None where it never moved, or moved on and on.
    """
    here = path
    for _ in range(_MOVES):
        old = standing_for(here, moved)
        if old is None:
            return here if here != path else None
        new = moved[old]
        here = new + here.removeprefix(old) if is_folder(new) else new
    return None
