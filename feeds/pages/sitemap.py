"""Pages → the sitemap, in the protocol of sitemaps.org, with Google's extension for news.

The oldest entry comes first, so that of a sitemap in parts a new one changes the
last alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple
from xml.sax.saxutils import escape

from feeds.model import Entry, Site
from feeds.urls import SITEMAP, SITEMAP_PAGES, sitemap_parts

MEDIA_TYPE = "application/xml; charset=utf-8"

# Google takes news for news for two days, and at most a thousand of them. What is
# no longer new by its date it passes over, so they are counted from the newest
# entry: what a release holds does not depend on the hour.
_NEW = timedelta(days=2)
_MOST_NEWS = 1000

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_NEWS = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'


class Located(NamedTuple):
    """A page's path, when it was changed, as W3C's date and time, and its news, as XML."""

    path: str
    changed: str = ""
    news: str = ""


def entry_pages(entries: Sequence[Entry], site: Site) -> Iterator[Located]:
    """Yield the pages of entries, which come newest first, with the oldest first."""
    since = entries[0].published - _NEW if entries else None
    new = {
        entry.id for entry in entries[:_MOST_NEWS] if since is not None and entry.published > since
    }
    for entry in reversed(entries):
        news = _news(entry, site) if entry.id in new else ""
        yield Located(entry.path, entry.updated.isoformat(), news)


def sitemap_documents(pages: Iterable[Located], site: Site) -> Iterator[tuple[str, bytes]]:
    """Yield the documents of a sitemap by their paths: one, or an index and its parts."""
    found = list(pages)
    paths = sitemap_parts(len(found))
    if not paths:
        yield SITEMAP, _part(found, site)
        return
    for number, path in enumerate(paths):
        yield path, _part(found[number * SITEMAP_PAGES : (number + 1) * SITEMAP_PAGES], site)
    rows = (f"<sitemap><loc>{_address(path, site)}</loc></sitemap>\n" for path in paths)
    yield SITEMAP, f"{_HEAD}<sitemapindex {_SPACE}>\n{''.join(rows)}</sitemapindex>\n".encode()


def _part(pages: Iterable[Located], site: Site) -> bytes:
    rows = (
        f"<url><loc>{_address(page.path, site)}</loc>{_changed(page)}{page.news}</url>\n"
        for page in pages
    )
    return f"{_HEAD}<urlset {_SPACE} {_NEWS}>\n{''.join(rows)}</urlset>\n".encode()


def _address(path: str, site: Site) -> str:
    return escape(site.address(path))


def _changed(page: Located) -> str:
    return f"<lastmod>{page.changed}</lastmod>" if page.changed else ""


def _news(entry: Entry, site: Site) -> str:
    return (
        f"<news:news><news:publication><news:name>{escape(site.title)}</news:name>"
        f"<news:language>{_language(site.language)}</news:language></news:publication>"
        f"<news:publication_date>{entry.published.isoformat()}</news:publication_date>"
        f"<news:title>{escape(entry.title)}</news:title></news:news>"
    )


def _language(tag: str) -> str:
    """Return a language (BCP 47) as Google has it: ISO 639, but for the two ways to write Chinese."""
    language, *more = tag.lower().split("-")
    if language != "zh":
        return language
    return "zh-tw" if {"hant", "tw", "hk", "mo"} & {*more} else "zh-cn"
