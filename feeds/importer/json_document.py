"""A JSON Feed document (https://www.jsonfeed.org/version/1.1/) as the source of an import."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from feeds.errors import FeedsError
from feeds.importer.fetch import Fetched
from feeds.importer.html_to_markdown import on_one_line, pictures_in
from feeds.importer.item_texts import as_html, guid_of, iso_date, texts_of
from feeds.importer.items import MAX_ITEMS, Document, Item, Label, Remark, Source
from feeds.importer.json_nodes import read_json as read_nodes
from feeds.importer.nodes import Fields, Items, decoded
from feeds.urls import web_host


def is_json_feed(value: object) -> bool:
    """Check whether a JSON value is a JSON Feed of any version."""
    return isinstance(value, dict) and "jsonfeed.org/version/" in str(value.get("version", ""))


def read_json(page: Fetched) -> Document:
    """Return what a document says; raises FeedsError if it is not a JSON Feed."""
    text = decoded(page.name, page.data)
    # Tells lines and refuses what is nested too deep.
    nodes = read_nodes(page.name, text)
    feed = json.loads(text)
    listed = nodes.values.get("items") if isinstance(nodes, Fields) else None
    if not isinstance(listed, Items) or not is_json_feed(feed):
        raise FeedsError(f"{page.name} is not a JSON Feed: it has no 'version', or no 'items'")
    if len(listed.values) > MAX_ITEMS:
        raise FeedsError(f"{page.name} has more than {MAX_ITEMS:,} items; divide it")
    items, remarks = [], []
    for number, (found, node) in enumerate(zip(feed["items"], listed.values, strict=True)):
        place = f"{page.name}:{node.line}"
        if node.line == listed.line:
            place = f"{page.name}: items[{number}]"
        if isinstance(found, dict):
            items.append(_json_item(found, place))
        else:
            remarks.append(Remark(place, "is not an item", left_out=True))
    own = [address for address in (page.url, _text(feed, "feed_url")) if web_host(address)]
    values = {
        "title": _text(feed, "title"),
        "url": _text(feed, "home_page_url"),
        "description": _text(feed, "description"),
        "language": _text(feed, "language"),
        "author": _json_author(feed)[0],
        "logo": _text(feed, "icon"),
        "icon": _text(feed, "favicon"),
    }
    source = Source(
        name=page.name,
        items=tuple(items),
        site={name: value for name, value in values.items() if value},
        feeds=dict.fromkeys(own, "json"),
        remarks=tuple(remarks),
    )
    return Document(source, _text(feed, "next_url"))


def _json_item(found: Mapping[str, Any], place: str) -> Item:
    link, external = _text(found, "url"), _text(found, "external_url")
    photo = _json_photo(found)
    author, others = _json_author(found)
    plain = _text(found, "content_text")
    html = _text(found, "content_html")
    summary, title = escape(_text(found, "summary"), quote=False), _text(found, "title")
    if not html and summary in {"", escape(plain, quote=False)}:
        # All that there is, and so no more than a summary; or the title, as a text is required.
        summary = "" if plain == title and not summary else as_html(plain)
    elif not html:
        html = as_html(plain)
    texts = texts_of(html, summary, photo, link)
    attachments = [part for part in found.get("attachments") or () if isinstance(part, dict)]
    remarks = [
        f"the file {_text(part, 'url')} is not imported; link to it in the body"
        for part in attachments
        if _text(part, "url") != photo.get("url")
    ]
    if others:
        remarks.append(f"has more than one author; not imported: {', '.join(others)}")
    tags = found.get("tags")
    return Item(
        place=place,
        title=on_one_line(title) or texts.title,
        date=iso_date(_text(found, "date_published") or _text(found, "date_modified")),
        updated=iso_date(_text(found, "date_modified")),
        summary=texts.summary,
        body=texts.body,
        link=next(filter(web_host, (external, link)), ""),
        page=link if web_host(link) else "",
        labels=tuple(Label(str(tag)) for tag in tags if str(tag).strip())
        if isinstance(tags, list)
        else (),
        photo=photo,
        author=author,
        guid=guid_of(_text(found, "id") or link, permalink=False),
        remarks=(*texts.remarks, *remarks),
    )


def _text(found: Mapping[str, Any], name: str) -> str:
    """Return a member as a text; a number is allowed as an id."""
    value = found.get(name)
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _json_photo(found: Mapping[str, Any]) -> Mapping[str, str]:
    url = next(filter(web_host, (_text(found, "image"), _text(found, "banner_image"))), "")
    own = found.get("_photo")
    known = {"url": url} if url else {}
    for part in found.get("attachments") or ():
        if isinstance(part, dict) and url and _text(part, "url") == url:
            known |= {"type": _text(part, "mime_type"), "length": _text(part, "size_in_bytes")}
    if isinstance(own, dict):
        known |= {name: _text(own, name) for name in ("credit", "alt")}
    if url and not known.get("alt"):
        pictures = pictures_in(_text(found, "content_html"), _text(found, "url"))
        known["alt"] = next((picture["alt"] for picture in pictures if picture["url"] == url), "")
    return {name: value for name, value in known.items() if value}


def _json_author(found: Mapping[str, Any]) -> tuple[Mapping[str, str], list[str]]:
    """Return the first author, and the names of the others."""
    authors = found.get("authors") or [found.get("author")]
    known = [author for author in authors if isinstance(author, dict) and _text(author, "name")]
    if not known:
        return {}, []
    url = _text(known[0], "url")
    is_email = "@" in url and not web_host(url)
    key, value = ("email", url.removeprefix("mailto:")) if is_email else ("uri", url)
    person = {"name": _text(known[0], "name")} | ({key: value} if value else {})
    return person, [_text(author, "name") for author in known[1:]]
