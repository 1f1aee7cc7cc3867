"""A JSON Feed document (https://www.jsonfeed.org/version/1.1/) as the source of an import."""

from collections.abc import Iterator, Mapping
from html import escape

from feeds.errors import FeedsError
from feeds.importer.documents import Document as Attached
from feeds.importer.documents import is_picture, merged, without_documents
from feeds.importer.fetch import Fetched
from feeds.importer.html_to_markdown import on_one_line, pictures_in
from feeds.importer.item_texts import as_html, distinct, guid_of, iso_date, texts_of
from feeds.importer.items import MAX_ITEMS, Document, Item, Label, Remark, Source
from feeds.importer.json_nodes import read_json as read_nodes
from feeds.importer.nodes import Fields, Items, Node, Text, decoded
from feeds.urls import web_host

# The members of an object. A number is a text, too: it is allowed as an id.
_Members = Mapping[str, Node]


def is_json_feed(page: Fetched) -> bool:
    """Check whether a document is a JSON Feed of any version."""
    if b"jsonfeed.org/version/" not in page.data:
        return False
    try:
        return _is_feed(read_nodes(page.name, decoded(page.name, page.data)))
    except FeedsError:
        # The reader of data files reports where it is wrong.
        return False


def _is_feed(node: Node) -> bool:
    return isinstance(node, Fields) and "jsonfeed.org/version/" in _text(node.values, "version")


def read_json(page: Fetched) -> Document:
    """Return what a document says; raises FeedsError if it is not a JSON Feed."""
    root = read_nodes(page.name, decoded(page.name, page.data))
    feed = root.values if isinstance(root, Fields) and _is_feed(root) else {}
    listed = feed.get("items")
    if not isinstance(listed, Items):
        raise FeedsError(f"{page.name} is not a JSON Feed: it has no 'version', or no 'items'")
    if len(listed.values) > MAX_ITEMS:
        raise FeedsError(f"{page.name} has more than {MAX_ITEMS:,} items; divide it")
    items, remarks = [], []
    for number, node in enumerate(listed.values):
        is_on_own_line = node.line != listed.line
        place = f"{page.name}:{node.line}" if is_on_own_line else f"{page.name}: items[{number}]"
        if isinstance(node, Fields):
            items.append(_json_item(node.values, place))
        else:
            remarks.append(Remark(place, "is not an item", left_out=True))
    own = [address for address in (page.url, _text(feed, "feed_url")) if web_host(address)]
    values = {
        "title": _text(feed, "title"),
        "url": _text(feed, "home_page_url"),
        "description": _text(feed, "description"),
        "language": _text(feed, "language"),
        "author": next(iter(_json_authors(feed)), {}),
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


def _json_item(found: _Members, place: str) -> Item:
    link, external = _text(found, "url"), _text(found, "external_url")
    photo = _json_photo(found)
    plain = _text(found, "content_text")
    language = _text(found, "language")
    html, documents = without_documents(
        _text(found, "content_html"), merged(_json_documents(found)), language
    )
    summary, title = escape(_text(found, "summary"), quote=False), _text(found, "title")
    if not html and summary in {"", escape(plain, quote=False)}:
        # All that there is, and so no more than a summary; or the title, as a text is required.
        summary = "" if plain == title and not summary else as_html(plain)
    elif not html:
        html = as_html(plain)
    texts = texts_of(html, summary, photo, link)
    remarks = [
        f"the picture {_text(part, 'url')} is not imported; show it in the body"
        for part in _objects(found, "attachments")
        if _is_picture(part) and _text(part, "url") != photo.get("url")
    ]
    tags = found.get("tags")
    names = (
        [tag.value for tag in tags.values if isinstance(tag, Text)]
        if isinstance(tags, Items)
        else []
    )
    return Item(
        place=place,
        title=on_one_line(title) or texts.title,
        date=iso_date(_text(found, "date_published") or _text(found, "date_modified")),
        updated=iso_date(_text(found, "date_modified")),
        summary=texts.summary,
        body=texts.body,
        link=next(filter(web_host, (external, link)), ""),
        page=link if web_host(link) else "",
        labels=tuple(Label(name) for name in names if name.strip()),
        photo=photo,
        authors=_json_authors(found),
        guid=guid_of(_text(found, "id") or link, permalink=False),
        documents=tuple(documents),
        language=language,
        remarks=(*texts.remarks, *remarks),
    )


def _text(found: _Members, name: str) -> str:
    node = found.get(name)
    return node.value.strip() if isinstance(node, Text) else ""


def _objects(found: _Members, name: str) -> Iterator[_Members]:
    """Yield the objects in a list."""
    listed = found.get(name)
    for node in listed.values if isinstance(listed, Items) else ():
        if isinstance(node, Fields):
            yield node.values


def _json_photo(found: _Members) -> Mapping[str, str]:
    url = next(filter(web_host, (_text(found, "image"), _text(found, "banner_image"))), "")
    own = found.get("_photo")
    known = {"url": url} if url else {}
    for part in _objects(found, "attachments"):
        if url and _text(part, "url") == url:
            known |= {"type": _text(part, "mime_type"), "length": _text(part, "size_in_bytes")}
    if isinstance(own, Fields):
        known |= {name: _text(own.values, name) for name in ("credit", "alt")}
    if url and not known.get("alt"):
        pictures = pictures_in(_text(found, "content_html"), _text(found, "url"))
        known["alt"] = next((picture["alt"] for picture in pictures if picture["url"] == url), "")
    return {name: value for name, value in known.items() if value}


def _json_documents(found: _Members) -> Iterator[Attached]:
    for part in _objects(found, "attachments"):
        if not _is_picture(part):
            own = part.get("_document")
            yield {
                "url": _text(part, "url"),
                "title": on_one_line(_text(part, "title")),
                "language": _text(own.values, "language") if isinstance(own, Fields) else "",
                "type": _text(part, "mime_type"),
                "length": _text(part, "size_in_bytes"),
            }


def _is_picture(part: _Members) -> bool:
    return is_picture(_text(part, "url"), _text(part, "mime_type"))


def _json_authors(found: _Members) -> tuple[Mapping[str, str], ...]:
    single = found.get("author")
    authors = [*_objects(found, "authors")] or (
        [single.values] if isinstance(single, Fields) else []
    )
    return distinct(map(_person, authors))


def _person(found: _Members) -> Mapping[str, str]:
    url = _text(found, "url")
    is_email = "@" in url and not web_host(url)
    key, value = ("email", url.removeprefix("mailto:")) if is_email else ("uri", url)
    return {"name": _text(found, "name")} | ({key: value} if value else {})
