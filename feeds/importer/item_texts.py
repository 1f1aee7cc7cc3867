"""The texts, dates and ids of an item in a feed, as an entry has them."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import escape
from typing import NamedTuple

from feeds.formats.content import truncated
from feeds.importer.html_to_markdown import to_markdown, to_text, without_picture
from feeds.markdown import shows_nothing

# A longer description is a text of its own.
MAX_SUMMARY_LENGTH = 500
_MAX_TITLE = 80
_RICH = re.compile(
    r"<(?:a|blockquote|figure|h[1-6]|iframe|img|li|pre|table|video)[\s>/]", re.IGNORECASE
)
_PARAGRAPH = re.compile(r"<(?:br|p)[\s>/]", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_EMPTY_LINES = re.compile(r"\n\s*\n")


class Texts(NamedTuple):
    """The summary and the body of an item, and a title for one that has none."""

    title: str
    summary: str
    body: str
    remarks: tuple[str, ...] = ()


def texts_of(content: str, summary: str, photo: Mapping[str, str], base: str) -> Texts:
    """Return the texts of an item, without the photo and the credit that the content repeats."""
    html = content if content.strip() else summary
    if photo.get("url"):
        html = without_picture(html, photo["url"], base)
    html = _without_credit(html, photo.get("credit", ""))
    text, short = to_text(html), to_text(summary)
    title = title_of(short or text)
    if not content.strip():
        is_short = len(text) <= MAX_SUMMARY_LENGTH and not _RICH.search(html)
        if is_short and len(_PARAGRAPH.findall(html)) <= 1:
            return Texts(title, text, "")
    # Where there is no summary, some publishers repeat the whole text.
    if not content.strip() or content == summary:
        short = ""
    if text == short:
        return Texts(title, short, "")
    body = to_markdown(html, base)
    if not text and shows_nothing(body.text):
        return Texts(title, short, "")
    remarks = (f"the text {body.fault}",) if body.fault else ()
    return Texts(title, short, body.text, remarks)


def title_of(text: str) -> str:
    """Return the beginning of a text, which is the title of an item that has none."""
    return truncated(text, _MAX_TITLE)


def _without_credit(html: str, credit: str) -> str:
    """Return HTML without a last line that is the credit of its photo."""
    line = f"<p><small>{escape(credit, quote=False)}</small></p>" if credit else ""
    return html.rstrip().removesuffix(line) if line else html


def as_html(text: str) -> str:
    """Return a plain text as HTML, with its paragraphs."""
    paragraphs = _EMPTY_LINES.split(escape(text, quote=False).strip())
    return (
        "".join(f"<p>{part}</p>" for part in paragraphs) if len(paragraphs) > 1 else paragraphs[0]
    )


def distinct(people: Iterable[Mapping[str, str]]) -> tuple[Mapping[str, str], ...]:
    """Return people, each once by name; RSS has several elements for an author."""
    found: dict[str, Mapping[str, str]] = {}
    for person in people:
        if name := person.get("name", ""):
            found[name] = {**person, **found.get(name, {})}
    return tuple(found.values())


def guid_of(text: str, *, permalink: bool) -> Mapping[str, str]:
    """Return the `guid` of an entry that keeps an id; empty if there is none."""
    if not text:
        return {}
    return {"id": text, "permalink": "true"} if permalink else {"id": text}


def iso_date(text: str) -> str:
    """Return a date of a feed (RFC 3339, RFC 822) in ISO 8601; any other as it is written."""
    text = text.strip()
    if _DAY.fullmatch(text):
        return text
    moment = None
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(text)
    with suppress(ValueError, TypeError, OverflowError, IndexError):
        moment = moment or parsedate_to_datetime(text)
        if text.endswith("-0000"):
            moment = moment.replace(tzinfo=UTC)
    if moment is None or moment.tzinfo is None:
        return text
    return moment.replace(microsecond=0).isoformat()
