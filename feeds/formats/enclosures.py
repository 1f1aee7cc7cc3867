"""The documents of an entry: as enclosures, and as a list in its content."""

from html import escape

from feeds.i18n import Language, direction_of, language_of
from feeds.media_types import kind_of
from feeds.model import Attachment, Entry


def enclosures(entry: Entry) -> list[Attachment]:
    """Return the files that feeds enclose, whose types and lengths are known; the photo comes last."""
    photo = entry.photo
    files = [*entry.documents]
    if photo and all(photo.url != file.url for file in files):
        files.append(Attachment(photo.url, media_type=photo.media_type, length=photo.length))
    return [file for file in files if file.url and file.media_type and file.length]


def medium_of(media_type: str) -> str:
    """Return the kind of a document in Media RSS."""
    kind = media_type.partition("/")[0]
    return kind if kind in {"audio", "image", "video"} else "document"


def details(document: Attachment, language: Language) -> str:
    """Return what is known of a document, in words: `PDF, 1.2 MB, French, 24 p.`; or ''."""
    pages = language.words.pages.format(count=language.number(document.pages))
    known = (
        kind_of(document.url, document.media_type),
        language.size(document.length) if document.length else "",
        language.name_of(document.language) if document.language else "",
        pages if document.pages else "",
    )
    parts = [*filter(None, known)]
    if language.direction == "rtl":
        # Otherwise a number would be set beside the Latin word before it, away from its unit.
        parts = [*map(_isolated, parts)]
    comma: str = language.words.comma
    return comma.join(parts)


def _isolated(text: str) -> str:
    """Return a text between the characters that isolate its direction (UAX #9)."""
    return f"\u2068{text}\u2069"


def title_marks(document: Attachment, language: Language) -> dict[str, str]:
    """Return the attributes `dir` and `lang` of a title in another script than the text around it.

    A document in Arabic may have an English title: so its language is that of the title if
    both have the same direction.
    """
    direction = direction_of(document.title, language.direction)
    if direction == language.direction:
        return {}
    is_same = document.language and language_of(document.language).direction == direction
    return {"lang": document.language if is_same else "", "dir": direction}


def documents_list(entry: Entry, language: Language) -> str:
    """Return an entry's documents as HTML, a list of links; '' if it has none."""
    if not entry.documents:
        return ""
    items = "\n".join(f"<li>{_item(document, language)}</li>" for document in entry.documents)
    return f"<p>{escape(language.words.documents, quote=False)}</p>\n<ul>\n{items}\n</ul>"


def _item(document: Attachment, language: Language) -> str:
    attributes = {
        "href": escape(document.url),
        "hreflang": document.language,
        **title_marks(document, language),
    }
    start = "".join(f' {name}="{value}"' for name, value in attributes.items() if value)
    known = details(document, language)
    end = f" ({escape(known, quote=False)})" if known else ""
    return f"<a{start}>{escape(document.title, quote=False)}</a>{end}"
