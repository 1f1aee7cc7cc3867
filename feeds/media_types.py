"""The media types of the files that entries can have: pictures, documents, audio and video."""

# By the ending of a file's name. The table of the machine may differ from machine to machine.
PICTURE_TYPES = {
    "avif": "image/avif",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}
# HTML and SVG are not among them: they can contain scripts.
DOCUMENT_TYPES = {
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "epub": "application/epub+zip",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "opus": "audio/ogg",
    "pdf": "application/pdf",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "rtf": "application/rtf",
    "txt": "text/plain",
    "wav": "audio/wav",
    "webm": "video/webm",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
FILE_TYPES = {**PICTURE_TYPES, **DOCUMENT_TYPES}


def ending_of(address: str) -> str:
    """Return the ending of a file's name in an address or a path, in lower case, or ''."""
    name = address.partition("#")[0].partition("?")[0].rpartition("/")[2]
    stem, _, ending = name.rpartition(".")
    return ending.lower() if stem else ""


def kind_of(address: str, media_type: str) -> str:
    """Return the short name of a type, such as `PDF`; '' if it is not known.

    Of several endings for a type, that of the address is taken.
    """
    endings = [ending for ending, known in FILE_TYPES.items() if known == media_type]
    own = ending_of(address)
    return (own if own in endings else next(iter(endings), "")).upper()


def with_charset(media_type: str) -> str:
    """Return a media type as it is sent: texts are in UTF-8."""
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type
