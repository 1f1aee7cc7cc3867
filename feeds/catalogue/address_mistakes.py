"""What is wrong with a web address, and which one is probably meant."""

import re
from unicodedata import category
from urllib.parse import quote

from feeds.catalogue.invisible import INVISIBLE, named
from feeds.catalogue.reader import Fault
from feeds.uris import to_uri

# Everything that RFC 3986 allows in an address; what lies beyond ASCII is encoded.
_ALLOWED = re.compile(r"(?:[!#$&'()*+,\-./0-9:;=?@A-Z_a-z~\[\]]|%[0-9A-Fa-f]{2}|[^\x00-\x9f])+")
_SCHEME = re.compile("https?:", re.IGNORECASE)
_WITHOUT_PATH = re.compile("https?://[^/?#]+")
# An address within other text: in Markdown, in quotes, after a word.
_LETTER = r"""[^\s<>"'()\[\]{}|\\^`“”„‘’«»‹›]"""
_WITHIN = re.compile(rf"https?://(?:{_LETTER}|\({_LETTER}*\))+", re.IGNORECASE)
# What is written for `https://`, or nothing, before what looks like a host.
_MISTYPED = re.compile(
    r"(?:(h{0,2}t{1,3}p{1,2})(s{0,2})\s*(?:[:;：]\s*|(?=[/\\／]))[/\\／]*"
    r"|[/\\]{2}|(?=www\.)|(?=[^/\\]+/))"
    r"(?=[^\W_][\w-]*(?:\.[\w-]+)*\.[^\W\d_]{2,}(?:[/\\:?#]|\Z))",
    re.IGNORECASE,
)
# One address pasted before another, or twice.
_SCHEME_TWICE = re.compile(r"https?:/*(?:www\.)?(https?(?::.*|/.*|\Z))", re.IGNORECASE)
_TWICE = re.compile(r"(https?://[^/?#]++)[^?#]*?(\1(?:[/?#].*|\Z))", re.IGNORECASE)
# Scripts that need them have them between or after their letters, as emoji do.
_JOINER = re.compile(
    "(?<=[^\x00-\xa0])(?:[\u200c\u200d](?=[^\x00-\xa0])"
    "|[\ufe0e\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef])"
)
_SHOWN = 30
# What follows an address in a sentence; a closing bracket does where none is opened.
_ENDS = frozenset(".,;:!'*")
_BRACKETS = {")": "(", "]": "["}
_PAIRS = {"Pe": "Ps", "Pf": "Pi"}


def check_invisible(text: str) -> None:
    """Raise Fault for the first character that cannot be seen, except where a script needs it."""
    for found in INVISIBLE.finditer(text):
        if _JOINER.match(text, found.start()):
            continue
        before, after = text[: found.start()], INVISIBLE.sub("", text[found.end() :])
        where = "at its beginning"
        if before:
            where = f"after {quoted(before[-_SHOWN:])}" if after else "at its end"
        raise Fault(f"has the invisible character {named(found[0])} {where}; remove it")


def check_beginning(text: str) -> None:
    """Raise Fault for an address that does not begin with http or https, or has a second one."""
    if not _SCHEME.match(text):
        raise Fault(f"is not a web address: it begins with https:// or http://{proposal(text)}")
    if found := _SCHEME_TWICE.fullmatch(text):
        raise Fault(f"begins with http:// or https:// twice{proposal(found[1])}")
    if found := _TWICE.fullmatch(text):
        raise Fault(f"has {found[1]} twice{proposal(found[2])}")


def check_characters(text: str) -> None:
    """Raise Fault for the first character that RFC 3986 does not allow."""
    if _ALLOWED.fullmatch(text):
        return
    for at, sign in enumerate(text):
        if sign == "%" or _ALLOWED.fullmatch(sign):
            continue
        if sign == " " and _WITHIN.match(text, at + 1):
            raise Fault("has more than one address; write one")
        remedy = f"write {quote(sign)} instead"
        if sign == "\\":
            remedy = f"write / instead{proposal(text)}"
        elif sign in "\t\r\n":
            remedy = "remove it"
        elif at + 1 == len(text):
            remedy = f"remove it, or {remedy}"
        raise Fault(f"{quoted(sign)} is not allowed in a URL; {remedy}")
    raise Fault("in an address, '%' stands before two hexadecimal digits")


def proposal(text: str) -> str:
    """Return a message's words that name the address that is probably meant, or ''."""
    meant = meant_address(text)
    return f"; did you mean {meant}?" if meant else ""


def meant_address(text: str) -> str:
    """Return the web address that is probably meant by a text that is not one, or ''."""
    within = _WITHIN.search(text)
    mistyped = _MISTYPED.match(text)
    if within and within[0] != text:
        meant = within[0].rstrip(".,;:!")
    elif mistyped:
        scheme = "http://" if mistyped[1] and not mistyped[2] else "https://"
        meant = scheme + text[mistyped.end() :].replace("\\", "/")
    else:
        return ""
    try:
        to_uri(meant)
    except ValueError:
        return ""
    if not _ALLOWED.fullmatch(meant):
        return ""
    return meant + "/" if _WITHOUT_PATH.fullmatch(meant) else meant


def unlikely_end(text: str) -> str:
    """Return what an address ends in that belongs to the sentence it was copied from, or ''."""
    end = len(text)
    while _is_unlikely_end(text[:end]):
        end -= 1
    return text[end:]


def _is_unlikely_end(text: str) -> bool:
    last = text[-1]
    kind = category(last)
    if last.isascii():
        opening = _BRACKETS.get(last)
        return last in _ENDS or bool(opening and text.count(last) > text.count(opening))
    if kind in _PAIRS:
        kinds = [category(sign) for sign in text if not sign.isascii()]
        return kinds.count(kind) > kinds.count(_PAIRS[kind])
    return kind[0] == "P"


def quoted(text: str) -> str:
    """Return a text between quotes, as it is where it can be shown."""
    return f"'{text}'" if text.isprintable() else repr(text)
