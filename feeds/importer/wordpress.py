"""A WordPress export as a source of an import."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import unquote

from feeds.importer.documents import is_picture, merged
from feeds.importer.html_to_markdown import MAX_LENGTH, to_markdown, to_text, without_comments
from feeds.importer.item_texts import guid_of, title_of
from feeds.importer.items import Item, Label, Remark, Source
from feeds.importer.paragraphs import with_paragraphs
from feeds.importer.shortcodes import Attachment, expand_shortcodes
from feeds.importer.wxr import ATTACHMENT, POST, Export, ExportItem, is_wordpress, read_export

__all__ = ["is_wordpress", "read_wordpress"]

# The taxonomies of a post; the second name of tags is that of WXR 1.0.
_TAXONOMIES = frozenset(("category", "post_tag", "tag"))
# Of WordPress, if nobody changed it. Readers of its feeds may not have older posts.
_FEED_LENGTH = "10"
_MAX_OFFSET = timedelta(hours=14)
_OFFSET_STEP = timedelta(minutes=15)
# A post that was saved twice when it was published is not updated.
_UPDATED_AFTER = timedelta(minutes=1)
# Of a date that it does not know, WordPress writes the year -0001.
_FEED_DATE = re.compile(r"\w{3}, \d\d? \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", re.ASCII)
# How a caption begins that is the credit of a picture, and not what it shows.
_CREDIT = re.compile(
    r"©|\(c\)|(?:photo|picture|image)s?\s+(?:by|courtesy|credits?)\b"
    r"|(?:photo|foto|credit|crédit|copyright)s?\s*:",
    re.IGNORECASE,
)
_BLOCK = re.compile(r"\s*wp:([a-z][\w/-]*)\s.*/\s*", re.DOTALL)
# Blocks that show no text.
_SILENT_BLOCKS = frozenset(("more", "nextpage", "separator", "spacer"))
# The feeds of WordPress, below its address; the first is that of the default format.
_FEEDS = {"": "rss", "atom": "atom", "rdf": "rss", "rss": "rss", "rss2": "rss"}


def read_wordpress(name: str, data: bytes) -> Source:
    """Return the posts of a WordPress export that are public or will be at their date.

    `name` is that of the file, as it is shown to the user. Raises FeedsError for a file
    that is not readable.
    """
    export = read_export(name, data)
    base = _site_address(export)
    media = _Media.of(export)
    posts = [item for item in export.items if item.type == POST and item.is_public]
    path = _feed_path([item for item in posts if item.status == "publish"], base)
    return Source(
        name=name,
        items=tuple(_item(name, post, export, media, base) for post in posts),
        site=_site(export, base),
        feeds={} if not path or "?" in path else dict(_feeds(base, path)),
        feed_id=_feed_address(base, path, "atom") if path else "",
        remarks=(*export.remarks, *_left_out(name, export)),
    )


class _Media(NamedTuple):
    """The files that posts can show: by their ids, and the ids of those that belong to a post."""

    files: Mapping[str, Attachment]
    credits: Mapping[str, str]
    of_post: Mapping[str, list[str]]

    @classmethod
    def of(cls, export: Export) -> "_Media":
        files: dict[str, Attachment] = {}
        owners: dict[str, str] = {}
        of_post: dict[str, list[str]] = defaultdict(list)
        for item in export.items:
            address = item.text("wp:attachment_url") or item.text("guid")
            if item.type == ATTACHMENT and address:
                one = item.text("wp:post_id")
                caption = item.text("excerpt:encoded")
                alt = to_text(item.meta.get("_wp_attachment_image_alt", ""))
                files[one] = Attachment(address, alt, caption)
                of_post[item.text("wp:post_parent")].append(one)
                text = to_text(caption)
                owners[one] = text if _CREDIT.match(text) else ""
        return cls(files, owners, of_post)


def _left_out(name: str, export: Export) -> Iterator[Remark]:
    """Yield a remark on each post that is not imported, and on each other type of item."""
    counts = Counter(item.type for item in export.items)
    seen = {POST}
    for item in export.items:
        place = f"{name}:{item.line}"
        if item.type == POST and item.is_protected:
            yield Remark(place, "needs a password", left_out=1)
        elif item.type == POST and not item.is_public:
            status = f"the status '{item.status}'" if item.status else "no status"
            yield Remark(place, f"has {status}", left_out=1)
        elif item.type not in seen:
            seen.add(item.type)
            count = counts[item.type]
            items = f"{count} items" if count > 1 else "1 item"
            kind = f"of the type '{item.type}'" if item.type else "without a type"
            yield Remark(place, f"{items} {kind}", left_out=count)


def _site_address(export: Export) -> str:
    stated = (export.site.get("wp:base_blog_url") or export.site.get("link", "")).strip()
    return f"{stated.rstrip('/')}/" if stated else ""


def _site(export: Export, base: str) -> dict[str, object]:
    site = {
        "title": to_text(export.site.get("title", "")),
        "url": base,
        "description": to_text(export.site.get("description", "")),
        "language": export.site.get("language", "").strip(),
        "items": _FEED_LENGTH,
    }
    return {key: text for key, text in site.items() if text}


def _feed_path(posts: list[ExportItem], base: str) -> str:
    """Return the path of the site's feeds, which follows from the form of its addresses.

    It is '' if the addresses of most posts do not show the form.
    """
    links = [post.text("link") for post in posts if post.text("wp:post_name")]
    forms = Counter(
        _feed_path_beside(link.removeprefix(base)) for link in links if link.startswith(base)
    )
    path, count = forms.most_common(1)[0] if base and forms else ("", 0)
    return path if count > len(links) / 2 else ""


def _feed_path_beside(page: str) -> str:
    """Return the path of the feeds of a site where a post has the path `page`."""
    if page.startswith("?"):
        return "?feed="
    if not page or "?" in page:
        return ""
    index = "index.php/" if page.startswith("index.php/") else ""
    return f"{index}feed/" if page.endswith("/") else f"{index}feed"


def _feed_address(base: str, path: str, kind: str) -> str:
    """Return the address of a feed, which ends like those of the posts."""
    if path.endswith("=") or not kind:
        return base + path + kind
    return f"{base}{path}{kind}/" if path.endswith("/") else f"{base}{path}/{kind}"


def _feeds(base: str, path: str) -> Iterator[tuple[str, str]]:
    for kind, format_name in _FEEDS.items():
        yield _feed_address(base, path, kind), format_name


def _item(name: str, post: ExportItem, export: Export, media: _Media, base: str) -> Item:
    page = post.text("link")
    summary = to_text(post.text("excerpt:encoded"))
    html, remarks = _html(post, media)
    body = to_markdown(html, page or base)
    if body.fault:
        remarks.append(f"the text is left out: it {body.fault}")
    photo, missing = _photo(post, media)
    date = _moment(post.text("wp:post_date"), post.text("wp:post_date_gmt"), post.text("pubDate"))
    modified = _moment(post.text("wp:post_modified"), post.text("wp:post_modified_gmt"))
    if date and date.tzinfo is None and post.status == "future":
        remarks.append("its date is in the future, and may be in another zone than the site's")
    return Item(
        place=f"{name}:{post.line}",
        slug=unquote(post.text("wp:post_name")),
        title=to_text(post.text("title")) or title_of(summary or to_text(html)),
        date=date.isoformat() if date else "",
        updated=_updated(modified, date),
        summary=summary,
        body=body.text,
        page=page,
        labels=tuple(dict.fromkeys(_labels(post))),
        photo=photo,
        authors=tuple(_authors(post.text("dc:creator"), export)),
        guid=guid_of(post.text("guid"), permalink=post.is_permalink),
        documents=merged(map(_enclosed, post.enclosures)),
        remarks=(*remarks, *missing),
    )


def _moment(local: str, utc: str, published: str = "") -> datetime | None:
    """Return a date in the site's time, with its offset if the date is also known in UTC."""
    here = _read_date(local)
    there = _read_date(utc) or _read_feed_date(published)
    if here is None or there is None:
        return there.replace(tzinfo=UTC) if there else here
    offset = here - there
    if abs(offset) > _MAX_OFFSET or offset % _OFFSET_STEP:
        return there.replace(tzinfo=UTC)
    return here.replace(tzinfo=timezone(offset))


def _read_date(text: str) -> datetime | None:
    """Return a date of WordPress; None for 0000-00-00 00:00:00, which a draft has."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007  # its zone is elsewhere
    except ValueError:
        return None


def _read_feed_date(text: str) -> datetime | None:
    if not _FEED_DATE.fullmatch(text):
        return None
    with suppress(ValueError, OverflowError):
        return parsedate_to_datetime(text).astimezone(UTC).replace(tzinfo=None)
    return None


def _updated(modified: datetime | None, date: datetime | None) -> str:
    """Return the date of the last change, if it is after the publication."""
    if modified is None or date is None or (modified.tzinfo is None) != (date.tzinfo is None):
        return ""
    return modified.isoformat() if modified - date > _UPDATED_AFTER else ""


def _labels(post: ExportItem) -> Iterator[Label]:
    for term in post.categories:
        slug = unquote(term.slug)
        if term.taxonomy in _TAXONOMIES:
            yield Label(to_text(term.name) or slug, slug)


def _photo(post: ExportItem, media: _Media) -> tuple[dict[str, str], list[str]]:
    """Return the featured image, and a remark if the export does not have it."""
    one = post.meta.get("_thumbnail_id", "").strip()
    if one in {"", "0", "-1"}:
        return {}, []
    if one not in media.files:
        return {}, ["the featured image is left out: it is not in the export"]
    file = media.files[one]
    photo = {"url": file.url, "credit": media.credits[one], "alt": file.alt}
    return {key: text for key, text in photo.items() if text}, []


def _authors(login: str, export: Export) -> Iterator[dict[str, str]]:
    """Yield the name of an author. WXR 1.0 has no logins and no list of authors."""
    name = export.authors.get(login, "") if export.authors else login
    if name and "@" not in name:
        yield {"name": to_text(name)}


def _enclosed(text: str) -> Mapping[str, str]:
    """Return an enclosure as a document: its lines are its address, its length and its type.

    Plugins for podcasts write more lines. It is empty for a picture.
    """
    document = dict(zip(("url", "length", "type"), map(str.strip, text.split("\n")), strict=False))
    return {} if is_picture(document["url"], document.get("type", "")) else document


def _html(post: ExportItem, media: _Media) -> tuple[str, list[str]]:
    """Return the text of a post as its page shows it, and remarks on what of it is left out."""
    content = post.texts.get("content:encoded", "")
    if len(content) > MAX_LENGTH:
        return content, []
    children = media.of_post.get(post.text("wp:post_id"), ())
    html, remarks = expand_shortcodes(without_comments(content), media.files, children)
    blocks = _blocks_without_html(content)
    if blocks:
        remarks = (*remarks, f"these blocks are left out: {', '.join(blocks)}")
    # WordPress adds no paragraphs to a text that has blocks.
    return html if "<!-- wp:" in content else with_paragraphs(html), [*remarks]


def _blocks_without_html(content: str) -> list[str]:
    """Return the names of the blocks that are a comment alone: WordPress makes their content."""
    comments = (comment.partition("-->")[0] for comment in content.split("<!--")[1:])
    found = dict.fromkeys(match[1] for match in map(_BLOCK.fullmatch, comments) if match)
    return [name for name in found if name not in _SILENT_BLOCKS]
