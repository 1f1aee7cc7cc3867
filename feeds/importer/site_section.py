"""The section `site` of a catalogue, from what a source says of its site."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import PurePath
from urllib.parse import unquote, urlsplit

from feeds.catalogue import checked_url
from feeds.catalogue.reader import InvalidValue
from feeds.catalogue.text_fields import folded, slug_of, slug_or_blank
from feeds.catalogue.web_addresses import is_iri, site_address, tag_uri
from feeds.importer.conversion import path_below, person
from feeds.importer.items import Item, Remark, Source
from feeds.urls import FEEDS, to_ascii_host, web_host

_ORDER = ("title", "description", "url", "id", "language", "timezone", "author", "rights")
_EXAMPLE_URL = "https://example.org/"


def site_section(
    source: Source, url: str | None, year: int, remarks: list[Remark]
) -> dict[str, object]:
    """Return the keys of `site`, of which `title`, `url` and `id` are always there.

    `url` is the address that the site gets, if it is not that of the source. `year` is
    for a new tag URI. The language is that of all items, if the source names no other. What the source does not say gets an example, with a remark.
    """
    title = ""
    with suppress(InvalidValue):
        title = folded(str(source.site.get("title", "")))
    fields = {"title": title or _title_of(source.name)}
    fields["url"] = checked_url(url) if url else _site_url(source)
    if not fields["url"]:
        fields["url"] = _EXAMPLE_URL
        message = (
            f"does not name the site's address; replace {_EXAMPLE_URL} in 'site', or use --url"
        )
        remarks.append(Remark(source.name, message))
    fields["id"] = _site_id(source) or _new_id(str(fields["url"]), year)
    known = {**source.site, **fields}
    languages = {item.language for item in source.items}
    common = languages.pop() if len(languages) == 1 else ""
    language = str(known.get("language") or common).replace("_", "-")
    known |= {"language": language} if language else {}
    if isinstance(author := known.get("author"), Mapping):
        known["author"] = person(author)
    ordered = [*_ORDER, *(name for name in known if name not in _ORDER)]
    return {name: known[name] for name in ordered if known.get(name)}


def taken_over(
    source: Source, site: Mapping[str, object], remarks: list[Remark]
) -> dict[str, dict[str, str]]:
    """Return the Atom id of the feed, and where the feeds moved, as keys of `site`."""
    ids, moved = {}, {}
    if source.feed_id and source.feed_id != site["id"] and is_iri(source.feed_id):
        ids = {FEEDS["atom"]: source.feed_id}
    for address, form in source.feeds.items():
        path = path_below(str(site["url"]), address)
        if path and path != FEEDS[form]:
            moved[path] = FEEDS[form]
        elif not path:
            remarks.append(Remark(source.name, f"redirect the feed's address {address} yourself"))
    found = {"feed_ids": ids, "moved": moved}
    return {name: pairs for name, pairs in found.items() if pairs}


def _title_of(name: str) -> str:
    stem = "".join(filter(str.isprintable, PurePath(urlsplit(name).path).stem))
    parts = stem.lstrip("_").replace("-", " ").replace("_", " ")
    return parts[:1].upper() + parts[1:] if parts.strip(". ") else "News"


def _site_url(source: Source) -> str:
    """Return the address of the source's site, or of the folder that its address names."""
    for address in (str(source.site.get("url", "")), *source.feeds):
        parts = urlsplit(address) if web_host(address) else None
        if parts:
            path = parts.path if address in source.feeds else f"{parts.path.rstrip('/')}/"
            folder, _, last = path.rstrip("/").rpartition("/")
            if address in source.feeds or "." in last:
                path = f"{folder}/"
            with suppress(InvalidValue):
                return site_address(f"{parts.scheme}://{parts.netloc}{path}")
    return ""


def _site_id(source: Source) -> str:
    """Return the tag URI that the ids of the source begin with, or ''."""
    for text in (source.feed_id, _usual_prefix(source.items)):
        with suppress(InvalidValue):
            return tag_uri(text)
    return ""


def _usual_prefix(items: Sequence[Item]) -> str:
    """Return what is before the slug in the ids of half of the items, as this program writes them, or ''."""
    parts = (str(item.guid.get("id", "")).rpartition(":") for item in items)
    prefixes = Counter(prefix for prefix, _, name in parts if slug_or_blank(unquote(name)))
    return next((found for found, count in prefixes.most_common(1) if count * 2 >= len(items)), "")


def _new_id(url: str, year: int) -> str:
    parts = urlsplit(url)
    host = "example.org"
    with suppress(ValueError):
        host = to_ascii_host(parts.hostname or host)
    name = slug_of(parts.path.replace("/", "-"), words=None)
    name = name if name.isascii() and name else "news"
    return f"tag:{host},{year}:{name}"
