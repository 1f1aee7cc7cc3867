"""The photo and the documents of an entry: addresses, or paths in `media/`."""

from functools import partial
from urllib.parse import unquote

from feeds.catalogue import known_keys
from feeds.catalogue.reader import InvalidValue, MappingReader
from feeds.catalogue.text_fields import image_type, language_tag, line, media_type, whole_number
from feeds.catalogue.web_addresses import file_address
from feeds.media_types import DOCUMENT_TYPES, FILE_TYPES, PICTURE_TYPES, ending_of
from feeds.model import Attachment, Photo
from feeds.urls import MEDIA

IMAGE_TYPES = {**PICTURE_TYPES, "svg": "image/svg+xml"}
# Files that editors often want to link to.
_NOT_IMAGES = DOCUMENT_TYPES.keys() | {"htm", "html", "xml"}
_MAX_PIXELS = 100_000
_MAX_BYTES = 10**11


def read_photo(fields: MappingReader) -> Photo | None:
    """Return the photo of an entry, or None."""
    if "photo" not in fields:
        return None
    if fields.is_text("photo"):
        return fields.value("photo", _refuse_photo_text, None)
    photo = fields.inner("photo", known_keys.PHOTO)
    if not photo:
        return None
    url = photo.value("url", photo_address, "")
    credit = photo.value("credit", line, "")
    if "url" not in photo and "credit" not in photo:
        fields.problem("photo", "has neither a 'url' nor a 'credit'")
    ending = ending_of(url)
    notes = {}
    if "url" not in photo:
        message = "has no effect without 'url'"
        notes = dict.fromkeys(("width", "height", "length", "type"), message)
    elif ending in _NOT_IMAGES:
        notes = {"url": f"does not seem to be a picture: it ends in '.{ending}'"}
    for name, message in notes.items():
        if name in photo:
            photo.problem(name, message, note=True)
    width = photo.value("width", _pixels, 0)
    height = photo.value("height", _pixels, 0)
    length = photo.value("length", partial(whole_number, 1, _MAX_BYTES), 0)
    alt = photo.value("alt", line, "")
    kind = photo.value("type", image_type, IMAGE_TYPES.get(ending, ""))
    return Photo(url, credit, alt, kind, width, height, length)


photo_address = partial(file_address, "picture", f"{MEDIA}market.jpg")
_pixels = partial(whole_number, 1, _MAX_PIXELS)


def _refuse_photo_text(text: str) -> None:
    """Raise InvalidValue for a photo that is a text, with the mapping to write."""
    name = "url" if "/" in text or ending_of(text) in IMAGE_TYPES else "credit"
    raise InvalidValue(f"must be a mapping: {{{name}: {text}}}")


def read_documents(fields: MappingReader) -> tuple[Attachment, ...]:
    """Return the documents of an entry: each is a path or an address, or a mapping."""
    documents: list[Attachment] = []
    for item in fields.each("documents", document_address, known_keys.DOCUMENT):
        found = Attachment(item) if isinstance(item, str) else _document(item)
        if found.url and any(found.url == other.url for other in documents):
            fields.problem("documents", f"has {found.url!r} twice")
        known = described_by(found.url)
        documents.append(
            found._replace(
                title=found.title or known.title,
                media_type=found.media_type or known.media_type,
            )
        )
    return tuple(documents)


def described_by(url: str) -> Attachment:
    """Return a document with the title and the type that it has by its address alone."""
    title = unquote(url.rpartition("/")[2]) or url
    return Attachment(url, title, media_type=FILE_TYPES.get(ending_of(url), ""))


def _document(fields: MappingReader) -> Attachment:
    return Attachment(
        fields.value("url", document_address, ""),
        fields.value("title", line, ""),
        fields.value("language", language_tag, ""),
        fields.value("type", media_type, ""),
        fields.value("length", partial(whole_number, 1, _MAX_BYTES), 0),
    )


def document_address(text: str) -> str:
    """Return the web address of a document, or its path in `media/`, in NFC."""
    address = file_address("document", f"{MEDIA}report.pdf", text)
    if address.startswith(MEDIA) and ending_of(address) not in FILE_TYPES:
        raise InvalidValue(unpublished_type(address))
    return address


def unpublished_type(path: str) -> str:
    """Return the message for a file in `media/` whose type is not published."""
    ending = ending_of(path)
    what = f"'.{ending}' files are" if ending else "a file without an ending is"
    return (
        f"{what} not published; use a PDF, an Office document, a '.txt', '.csv' or '.zip' file,"
        " a picture, audio or video"
    )
