"""The sitemap of sitemaps.org, with Google's extension for news.

The oldest entry comes first: so a new entry changes only the last part of a sitemap
in parts.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple
from xml.sax.saxutils import escape

from feeds.model import Entry, Feed, Site
from feeds.urls import INDEX, SITEMAP, SITEMAP_PAGES, sitemap_parts

# Google accepts news of the last two days, and ignores what is older. The days are
# counted back from the newest entry, so that the sitemap does not depend on the hour.
_NEWS_AGE = timedelta(days=2)
_MAX_NEWS = 1000

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_NEWS_NAMESPACE = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'


class SitemapPage(NamedTuple):
    """A page's path, its last change as a W3C date and time, and its news as XML."""

    path: str
    changed: str = ""
    news: str = ""


def sitemap(site: Site, feeds: Sequence[Feed], paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the path and bytes of each document of the sitemap of the pages among some paths."""
    entries = [*entry_pages(feeds[0].entries, site)]
    changed = {feed.path: feed.updated.isoformat() for feed in feeds}
    known = {page.path for page in entries}
    folders = {path.removesuffix(INDEX) for path in paths if path.endswith(INDEX)}
    others = [SitemapPage(path, changed.get(path, "")) for path in sorted(folders - known)]
    return sitemap_documents([*entries, *others], site)


def entry_pages(entries: Sequence[Entry], site: Site) -> Iterator[SitemapPage]:
    """Yield the pages of entries, which are newest first, with the oldest first."""
    since = entries[0].published - _NEWS_AGE if entries else None
    new = {entry.id for entry in entries[:_MAX_NEWS] if since and entry.published > since}
    for entry in reversed(entries):
        news = _news(entry, site) if entry.id in new else ""
        yield SitemapPage(entry.path, entry.updated.isoformat(), news)


def sitemap_documents(pages: Sequence[SitemapPage], site: Site) -> Iterator[tuple[str, bytes]]:
    """Yield the path and bytes of each document of a sitemap: one, or an index and its parts."""
    paths = sitemap_parts(len(pages))
    if not paths:
        yield SITEMAP, _urls(pages, site)
        return
    for number, path in enumerate(paths):
        yield path, _urls(pages[number * SITEMAP_PAGES : (number + 1) * SITEMAP_PAGES], site)
    rows = (f"<sitemap><loc>{_address(path, site)}</loc></sitemap>\n" for path in paths)
    yield SITEMAP, f"{_HEAD}<sitemapindex {_NAMESPACE}>\n{''.join(rows)}</sitemapindex>\n".encode()


def _urls(pages: Iterable[SitemapPage], site: Site) -> bytes:
    rows = []
    for path, changed, news in pages:
        lastmod = f"<lastmod>{changed}</lastmod>" if changed else ""
        rows.append(f"<url><loc>{_address(path, site)}</loc>{lastmod}{news}</url>\n")
    return f"{_HEAD}<urlset {_NAMESPACE} {_NEWS_NAMESPACE}>\n{''.join(rows)}</urlset>\n".encode()


def _address(path: str, site: Site) -> str:
    return escape(site.address(path))


def _news(entry: Entry, site: Site) -> str:
    return (
        f"<news:news><news:publication><news:name>{escape(site.title)}</news:name>"
        f"<news:language>{_language(entry.language or site.language)}</news:language></news:publication>"
        f"<news:publication_date>{entry.published.isoformat()}</news:publication_date>"
        f"<news:title>{escape(entry.title)}</news:title></news:news>"
    )


def _language(tag: str) -> str:
    """Return a language as Google names it: ISO 639, except for the two scripts of Chinese."""
    language, *more = tag.lower().split("-")
    if language != "zh":
        return language
    return "zh-tw" if {"hant", "tw", "hk", "mo"} & {*more} else "zh-cn"
