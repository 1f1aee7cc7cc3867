"""Slugs: the part of an address that names an entry or a topic, in any script."""

import re
import unicodedata

from feeds.catalogue.reader import Fault

# A file name may have 255 bytes on every common file system; room is left for
# the temporary name it is written under.
_BYTES = 200
_WORDS = 8
_PUNCTUATION = "-_."
# Apostrophes and joiners stand within a word.
_DROPPED = "'’\u200c\u200d"
_ORDINARY = re.compile("[a-z0-9]+(?:[-_.][a-z0-9]+)*")
_LATIN_ACCENT = re.compile("(?<=[a-z])[\u0300-\u036f]+")


def slug(text: str) -> str:
    """Read an id or a topic's slug: lower-case letters and digits, joined by `-`, `_`, `.`.

    Raises Fault, with a slug that would do.
    """
    if not fitting(text):
        raise Fault(unfit(slug_of(text, words=None)))
    return text


def fitting(text: str) -> str:
    """Give a text that is a slug; '' for any other."""
    if len(text) <= _BYTES and _ORDINARY.fullmatch(text):
        return text
    return text if text == slug_of(text, words=None) else ""


def unfit(proposal: str) -> str:
    """Say what a slug is, and propose one where there is one to propose."""
    would_do = f": {proposal!r} would do" if proposal else ""
    return (
        "has lower-case letters (without accents on Latin ones) and digits,"
        f" with '-', '_' or '.' between them but no '--', in at most {_BYTES} bytes{would_do}"
    )


def slug_of(text: str, *, words: int | None = _WORDS) -> str:
    """Make a slug from a name or a title, of its first `words` words; '' where nothing is left."""
    kept = "".join(
        c if _letter(c) or c in _PUNCTUATION else "-" * (c not in _DROPPED)
        for c in unicodedata.normalize("NFKD", text).lower()
    )
    kept = unicodedata.normalize("NFC", _LATIN_ACCENT.sub("", unicodedata.normalize("NFKD", kept)))
    parts = [part for part in re.split("-+", kept) if any(map(_letter, part))]
    joined = "-".join(parts[:words]).encode()[:_BYTES].decode(errors="ignore")
    while joined and not _letter(joined[-1]):
        joined = joined[:-1]
    while joined and not _starts(joined[0]):
        joined = joined[1:]
    return joined


def _letter(character: str) -> bool:
    # Marks belong to the letters before them: Devanagari is not written without.
    return unicodedata.category(character)[0] in "LMN"


def _starts(character: str) -> bool:
    return unicodedata.category(character)[0] in "LN"
