"""An RSS or Atom document as the source of an import, through feedparser."""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, cast
from urllib.parse import urljoin

import feedparser
from lxml import etree

from feeds.catalogue.web_addresses import is_iri
from feeds.errors import FeedsError
from feeds.importer.documents import Document as Attached
from feeds.importer.documents import is_picture, merged, without_documents
from feeds.importer.fetch import Fetched
from feeds.importer.html_to_markdown import on_one_line, to_text
from feeds.importer.item_texts import as_html, distinct, guid_of, iso_date, texts_of
from feeds.importer.items import MAX_ITEMS, Document, Item, Label, Remark, Source
from feeds.urls import web_host

_MEDIA = "{http://search.yahoo.com/mrss/}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_ATOM = "{http://www.w3.org/2005/Atom}"
# The elements of an author in Atom, by the names that feedparser has for them.
_PERSON = {"name": "name", "email": "email", "href": "uri"}
# Elements of entries in all versions of RSS and Atom; that of RSS 1.0 is in a namespace.
_ENTRY = re.compile(r"(?:\{.*\})?(?:item|entry)")
# Links to further entries: paged feeds and archives (RFC 5005 §3, §4).
_MORE = ("next", "prev-archive")


_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")
# Reading takes some 30 microseconds for each element; a tag may also be one of HTML, as text.
_MAX_ELEMENTS = 500_000
_MAX_TAGS = 2_000_000
# lxml compares each with all others.
_MANY_ATTRIBUTES = re.compile(rb"<[^<>!](?:[^<>=]*=){1000}")


class _Raw(NamedTuple):
    """What feedparser changes or leaves out of an entry: its line, its id, its files, its language.

    `authors` are those in Atom: feedparser takes the address of one for that of the next.

    `permalink` is whether the id is called an address, and `is_address` whether it is one to
    readers of RSS: without the attribute, too.
    """

    line: int = 0
    guid: str = ""
    permalink: bool = False
    is_address: bool = False
    photo: Mapping[str, str] = {}
    authors: Sequence[Mapping[str, str]] = ()
    documents: Sequence[Attached] = ()
    language: str = ""


def read_xml(page: Fetched) -> Document:
    """Return what a document says; raises FeedsError if it is not a feed."""
    data, raw, fault = _without_media(page)
    headers = {"content-location": page.url} if page.url else {}
    try:
        found = feedparser.parse(io.BytesIO(data), sanitize_html=False, response_headers=headers)
    except Exception as error:  # noqa: BLE001  # it raises errors of many kinds for strange XML
        raise FeedsError(f"{page.name} cannot be read: {error}") from None
    if not found.version and not found.entries:
        raise FeedsError(f"{page.name} is not a feed{_feeds_of_page(page)}")
    raws: Sequence[_Raw] = raw if len(raw) == len(found.entries) else [_Raw()] * len(found.entries)
    is_atom = found.version.startswith("atom")
    has_lines = len({extra.line for extra in raws} - {0}) == len(raws)
    items = []
    for number, (entry, extra) in enumerate(zip(found.entries, raws, strict=True), 1):
        place = f"{page.name}:{extra.line}" if has_lines else f"{page.name}: item {number}"
        items.append(_item(entry, extra, place, is_atom=is_atom))
    remarks = [fault] if fault else []
    if message := _lost_ids(raws, is_atom=is_atom):
        remarks.append(Remark(page.name, message))
    feed, form = found.feed, "atom" if is_atom else "rss"
    own = [link.get("href", "") for link in feed.get("links", ()) if link.get("rel") == "self"]
    more = [
        link.get("href", "")
        for rel in _MORE
        for link in feed.get("links", ())
        if link.get("rel") == rel
    ]
    source = Source(
        name=page.name,
        items=tuple(items),
        site=_site(feed, is_atom=is_atom),
        feeds={address: form for address in (page.url, *own[:1]) if web_host(address)},
        feed_id=feed.get("id", "") if is_atom else "",
        remarks=tuple(remarks),
    )
    return Document(source, next(iter(more), ""))


def _lost_ids(raws: Sequence[_Raw], *, is_atom: bool) -> str:
    """Return a remark on ids by which some feed readers do not recognise items, or ''."""
    lost = [raw for raw in raws if raw.guid and not is_iri(raw.guid)]
    if is_atom and lost:
        return (
            f"has ids that are not IRIs, such as {lost[0].guid!r}: Atom cannot keep them, and its"
            " readers show these items once more"
        )
    if relative := next((raw.guid for raw in lost if raw.is_address), ""):
        return (
            f'has ids without isPermaLink="false" that are not addresses, such as {relative!r}:'
            " readers that complete them, such as rss2email, show these items once more"
        )
    return ""


def _without_media(page: Fetched) -> tuple[bytes, list[_Raw], Remark | None]:
    """Return a document without the texts of Media RSS, and what feedparser changes of each entry.

    feedparser takes the title and the description of a picture for those of the entry,
    and resolves ids as if they were addresses. A document that is not well-formed is
    left to it as it is, with a remark.
    """
    _check_tags(page, _MAX_TAGS)
    root, fault = _parsed(page, recover=False)
    dtd = None if root is None else root.getroottree().docinfo.internalDTD
    has_entities = any("<!ENTITY".encode(code) in page.data for code in _ENCODINGS)
    if has_entities or (dtd is not None and [*cast("Any", dtd).iterentities()]):
        raise FeedsError(f"{page.name} declares XML entities, which no feed needs; remove them")
    if root is None:
        # It takes longer to read.
        _check_tags(page, _MAX_ELEMENTS)
    elif sum(1 for _ in root.iter()) > _MAX_ELEMENTS:
        raise FeedsError(f"{page.name} has more than {_MAX_ELEMENTS:,} elements; divide it")
    recovered = _parsed(page, recover=True)[0] if root is None else root
    tags = () if recovered is None else recovered.iter("*")
    entries = [tag for tag in tags if _ENTRY.fullmatch(str(tag.tag))]
    if len(entries) > MAX_ITEMS:
        raise FeedsError(f"{page.name} has more than {MAX_ITEMS:,} items; divide it")
    raw = [*map(_raw, entries)]
    if root is None:
        return page.data, raw, fault
    for tag in [*root.iter(f"{_MEDIA}title", f"{_MEDIA}description")]:
        parent = tag.getparent()
        if parent is not None:
            parent.remove(tag)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True), raw, None


def _check_tags(page: Fetched, limit: int) -> None:
    """Raise FeedsError if the tags of a document would take too long to read."""
    if page.data.count(b"<") > limit:
        raise FeedsError(f"{page.name} has more than {limit:,} tags; divide it")
    if _MANY_ATTRIBUTES.search(page.data):
        raise FeedsError(f"{page.name} has a tag with more than a thousand attributes")


def _parsed(page: Fetched, *, recover: bool) -> tuple[etree._Element | None, Remark | None]:
    """Return the root, or a remark on where a document is not well-formed."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, recover=recover
    )
    try:
        return etree.fromstring(page.data, parser), None
    except etree.XMLSyntaxError as error:
        reason = error.msg.partition(", line ")[0].partition("\n")[0]
        place = f"{page.name}:{error.lineno}:{error.offset}"
        message = f"is not well-formed XML ({reason}); compare what is imported with it"
        return None, Remark(place, message)


def _raw(entry: etree._Element) -> _Raw:
    guid = entry.find("guid")
    found = guid if guid is not None else entry.find(f"{_ATOM}id")
    media = [*entry.iter(f"{_MEDIA}content", f"{_MEDIA}thumbnail")]
    pictures = map(_media_photo, media)
    line: Any = entry.sourceline
    photo: Mapping[str, str] = next((picture for picture in pictures if picture), {})
    if not photo:
        photo = _described(entry, {})
    return _Raw(
        line=line or 0,
        guid=("" if found is None else "".join(map(str, found.itertext()))).strip(),
        permalink=guid is not None and guid.get("isPermaLink") == "true",
        is_address=guid is not None and guid.get("isPermaLink", "true") == "true",
        photo=photo,
        authors=[
            {key: author.findtext(_ATOM + name, "").strip() for key, name in _PERSON.items()}
            for author in entry.iterfind(f"{_ATOM}author")
        ],
        documents=[*map(_media_document, media)],
        language=entry.get(_LANGUAGE, ""),
    )


def _media_photo(tag: etree._Element) -> Mapping[str, str]:
    """Return a photo of Media RSS; empty if it is audio or video."""
    url, kind = tag.get("url", ""), tag.get("type", "")
    if not web_host(url) or not _is_photo(tag):
        return {}
    values = {
        "url": url,
        "type": kind,
        "width": tag.get("width", ""),
        "height": tag.get("height", ""),
        "length": tag.get("fileSize", ""),
    }
    known = {name: value for name, value in values.items() if value}
    return _described(tag, known)


def _is_photo(tag: etree._Element) -> bool:
    is_image = tag.get("medium") == "image" or "thumbnail" in tag.tag
    return is_image or is_picture(tag.get("url", ""), tag.get("type", ""))


def _media_document(tag: etree._Element) -> Attached:
    """Return a file of Media RSS as a document; empty if it is a picture."""
    if _is_photo(tag):
        return {}
    names = {"url": "url", "language": "lang", "type": "type", "length": "fileSize"}
    title = tag.find(f"{_MEDIA}title")
    text = "" if title is None else title.text or ""
    is_html = title is not None and title.get("type") == "html"
    shown = to_text(text) if is_html else on_one_line(text)
    return {"title": shown} | {key: tag.get(name, "") for key, name in names.items()}


def _described(tag: etree._Element, photo: Mapping[str, str]) -> Mapping[str, str]:
    """Return a photo with the credit and the description that are in an element."""
    texts = {"credit": tag.findtext(f"{_MEDIA}credit"), "alt": tag.findtext(f"{_MEDIA}description")}
    found = {name: to_text(text) for name, text in texts.items() if text}
    return {**photo, **found} if photo or "credit" in found else {}


def _item(entry: Any, raw: _Raw, place: str, *, is_atom: bool) -> Item:  # noqa: ANN401  # feedparser has no types
    link = entry.get("link", "")
    # feedparser itself returns the date of publication for it.
    updated = dict.get(entry, "updated", "")
    enclosures = [found for found in entry.get("enclosures", ()) if found.get("href")]
    photo = raw.photo if raw.photo.get("url") else {**_enclosed_photo(enclosures), **raw.photo}
    remarks = [
        f"the picture {found.href} is not imported; show it in the body"
        for found in enclosures
        if is_picture(found.href, found.get("type", "image/")) and found.href != photo.get("url")
    ]
    language = raw.language or entry.get("language", "")
    documents: Sequence[Attached] = merged([*raw.documents, *map(_enclosed, enclosures)])
    content = _html(next(iter(entry.get("content", ())), None), is_atom=is_atom)
    summary = _html(entry.get("summary_detail"), is_atom=is_atom)
    whole = content if content.strip() else summary
    own, documents = without_documents(whole, documents, language)
    if own != whole:
        content, summary = own, summary if content.strip() else ""
    texts = texts_of(content, summary, photo, link)
    title = to_text(_html(entry.get("title_detail"), is_atom=is_atom)) or texts.title
    guid = raw.guid or entry.get("id", "") or link
    return Item(
        place=place,
        title=title,
        date=iso_date(entry.get("published", "") or updated),
        updated=iso_date(updated),
        # Atom requires a text: without one, the title is repeated.
        summary="" if is_atom and texts.summary == title else texts.summary,
        body=texts.body,
        link=link if web_host(link) else "",
        page=link if web_host(link) else "",
        labels=tuple(_labels(entry.get("tags", ()), is_atom=is_atom)),
        photo=photo,
        authors=distinct(map(_person, raw.authors or entry.get("authors", ()))),
        guid=guid_of(guid, permalink=raw.permalink),
        documents=tuple(documents),
        language=language,
        license=entry.get("license", ""),
        remarks=(*texts.remarks, *remarks),
    )


def _enclosed_photo(enclosures: Sequence[Any]) -> dict[str, str]:
    """Return the first picture among enclosures, as a photo."""
    for found in enclosures:
        kind = found.get("type", "")
        if is_picture(found.href, kind):
            values = {"url": found.href, "type": kind, "length": found.get("length", "")}
            return {name: value for name, value in values.items() if value and value != "0"}
    return {}


def _enclosed(found: Any) -> Attached:  # noqa: ANN401  # feedparser has no types
    """Return an enclosure as a document; empty if it is a picture."""
    if is_picture(found.href, found.get("type", "")):
        return {}
    names = {"url": "href", "language": "hreflang", "type": "type", "length": "length"}
    title = on_one_line(found.get("title", ""))
    return {"title": title} | {key: found.get(name, "") for key, name in names.items()}


def _html(detail: Any, *, is_atom: bool) -> str:  # noqa: ANN401  # feedparser has no types
    """Return a text as HTML."""
    if not detail:
        return ""
    value: str = detail.value
    # In RSS, everything may be HTML; feedparser guesses.
    return as_html(value) if is_atom and detail.get("type") == "text/plain" else value


def _labels(tags: Sequence[Any], *, is_atom: bool) -> Iterator[Label]:
    for tag in tags:
        term, label = tag.get("term") or "", tag.get("label") or ""
        name = to_text(label or term)
        if name:
            yield Label(name, term if is_atom else "", tag.get("scheme") or "")


def _person(found: Mapping[str, Any]) -> Mapping[str, str]:
    values = {
        "name": to_text(found.get("name") or found.get("email") or ""),
        "email": found.get("email") or "",
        "uri": found.get("href") or "",
    }
    return {name: value for name, value in values.items() if value} if values["name"] else {}


def _site(feed: Any, *, is_atom: bool) -> dict[str, object]:  # noqa: ANN401  # feedparser has no types
    title, description = feed.get("title_detail", {}), feed.get("subtitle_detail", {})
    rights = feed.get("rights_detail", {})
    # RSS requires a description: without one, the title is repeated.
    name, shown = (to_text(_html(detail, is_atom=is_atom)) for detail in (title, description))
    values = {
        "title": name,
        "url": feed.get("link", ""),
        "description": "" if shown == name else shown,
        "language": feed.get("language", ""),
        "author": _person(feed.get("author_detail") or feed.get("publisher_detail") or {}),
        "rights": to_text(_html(rights, is_atom=is_atom)),
        "logo": feed.get("logo") or (feed.get("image") or {}).get("href", ""),
        "icon": feed.get("icon", ""),
        "license": feed.get("license", ""),
    }
    return {name: value for name, value in values.items() if value}


def _feeds_of_page(page: Fetched) -> str:
    """Return the end of a message with the feeds that a web page names, or ''."""
    head = page.data[:200_000]
    found = []
    for link in re.findall(rb"<link\s[^<>]*+>", head, re.IGNORECASE):
        kind = re.search(rb"application/(?:rss\+xml|atom\+xml|feed\+json)", link, re.IGNORECASE)
        address = re.search(rb"href\s*=\s*[\"']?([^\"'\s>]+)", link, re.IGNORECASE)
        if kind and address:
            with suppress(ValueError):
                found.append(urljoin(page.url, address[1].decode(errors="replace")))
    if found:
        return f", but a web page with the feeds {', '.join(found[:5])}"
    return ", but a web page; name the address of its feed" if b"<html" in head.lower() else ""
