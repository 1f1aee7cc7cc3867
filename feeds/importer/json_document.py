"""A JSON Feed document (https://www.jsonfeed.org/version/1.1/) as the source of an import."""

from collections.abc import Iterator, Mapping
from html import escape

from feeds.errors import FeedsError
from feeds.importer.fetch import Fetched
from feeds.importer.html_to_markdown import on_one_line, pictures_in
from feeds.importer.item_texts import as_html, guid_of, iso_date, texts_of
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


def _json_item(found: _Members, place: str) -> Item:
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
    remarks = [
        f"the file {_text(part, 'url')} is not imported; link to it in the body"
        for part in _objects(found, "attachments")
        if _text(part, "url") != photo.get("url")
    ]
    if others:
        remarks.append(f"has more than one author; not imported: {', '.join(others)}")
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
        author=author,
        guid=guid_of(_text(found, "id") or link, permalink=False),
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


def _json_author(found: _Members) -> tuple[Mapping[str, str], list[str]]:
    """Return the first author, and the names of the others."""
    single = found.get("author")
    authors = [*_objects(found, "authors")] or (
        [single.values] if isinstance(single, Fields) else []
    )
    known = [author for author in authors if _text(author, "name")]
    if not known:
        return {}, []
    url = _text(known[0], "url")
    is_email = "@" in url and not web_host(url)
    key, value = ("email", url.removeprefix("mailto:")) if is_email else ("uri", url)
    person = {"name": _text(known[0], "name")} | ({key: value} if value else {})
    return person, [_text(author, "name") for author in known[1:]]
