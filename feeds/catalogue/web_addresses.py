"""Web addresses, paths, tag URIs and e-mail addresses as editors write them."""

import re
from datetime import UTC, datetime
from unicodedata import category, normalize
from urllib.parse import quote, unquote, urljoin, urlsplit

from feeds.catalogue.reader import InvalidValue, ValueWarning
from feeds.catalogue.source import INVISIBLE, named
from feeds.urls import MEDIA, to_ascii_host, to_uri

_MAX_ADDRESS_LENGTH = 2000
_MAX_PATH_LENGTH = 500
# They end or encode a path in an address.
_NOT_IN_PATHS = "?#%\\"
# An address that needs no change, as nearly all are. A colon, and some characters at the end,
# are checked further.
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?"
_PATH = r"[A-Za-z0-9\-._~!$&'()*+,;=@/]"
_ORDINARY = re.compile(
    rf"https?://{_LABEL}(?:\.{_LABEL}){{1,8}}(?:/{_PATH}*(?:\?{_PATH}+)?)?(?<![.,;!'()*])"
)
# What YAML's blocks and quotes leave around a text.
_AROUND = " \t\r\n"
_TAG = re.compile(
    r"tag:(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
    r",\d{4}(?:-\d\d(?:-\d\d)?)?:(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})+"
)
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[^\s<>\"{}|\\^`%]|%[0-9A-Fa-f]{2})+")
_EMAIL = re.compile(r"(?<!\w)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")

# Everything that RFC 3986 allows in an address. Characters beyond ASCII are encoded later.
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
_MAX_QUOTE_LENGTH = 30
# What follows an address in a sentence; a closing bracket does where none is opened.
_SENTENCE_ENDS = frozenset(".,;:!'*")
_BRACKETS = {")": "(", "]": "["}
_OPENING_CATEGORY = {"Pe": "Ps", "Pf": "Pi"}


def web_address(text: str) -> str:
    """Return an http or https address as an ASCII URI (RFC 3986, RFC 3987 §3.1).

    Raises InvalidValue if it is not valid, and ValueWarning if its end is probably punctuation.
    """
    if _ORDINARY.fullmatch(text) and len(text) <= _MAX_ADDRESS_LENGTH:
        return text
    text = text.strip(_AROUND)
    uri = _uri(text)
    if end := _unlikely_end(text):
        encoded = "".join(f"%{byte:02X}" for byte in end.encode())
        raise ValueWarning(
            uri,
            f"ends in {_quoted(end)}, which is probably not part of the address;"
            f" remove it, or write {encoded} instead",
        )
    return uri


def file_address(kind: str, example: str, text: str) -> str:
    """Return the web address of a file, or its path in `media/`, in NFC.

    For the message, `kind` is what the file is, and `example` a path.
    """
    if "://" in text or _proposal(text):
        return web_address(text)
    _check_invisible(text)
    if not text.startswith(MEDIA):
        raise InvalidValue(
            "is not a web address: it must begin with https:// or http://;"
            f" for a {kind} beside the catalogue, write a path like {example}"
        )
    if not text.isprintable():
        raise InvalidValue("has a character that cannot be shown; remove it")
    return normalize("NFC", relative_path(text))


def path_under(site_url: str, link: str) -> str:
    """Return the decoded path under a site that a link leads to; '' if it leads elsewhere."""
    try:
        found, site = urlsplit(urljoin(site_url, link)), urlsplit(site_url)
    except ValueError:
        return ""
    if found.netloc.lower() != site.netloc.lower() or not found.path.startswith(site.path):
        return ""
    return unquote(found.path[len(site.path) :])


def relative_path(text: str) -> str:
    """Return a path below the site as people read it, not percent-encoded; raises InvalidValue."""
    if bad := next((character for character in text if character in _NOT_IN_PATHS), ""):
        raise InvalidValue(f"{bad!r} is not allowed in a path; write each character as it is read")
    if len(text) > _MAX_PATH_LENGTH or {"", ".", ".."} & {*text.split("/")}:
        raise InvalidValue(
            f"has a part that is empty, '.' or '..', or more than {_MAX_PATH_LENGTH} characters"
        )
    return text


def site_address(text: str) -> str:
    """Return the address below which a site is published; it ends in `/`."""
    address = _uri(text.strip(_AROUND))
    if "?" in address or "#" in address:
        raise InvalidValue("must have no '?' and no '#': the documents are published below it")
    if not address.endswith("/"):
        raise InvalidValue(f"must end in '/'; write {address}/")
    if {".", ".."} & {*unquote(urlsplit(address).path).split("/")}:
        raise InvalidValue(
            "must not have '.' or '..' between two '/'; write the path that this leads to"
        )
    return address


def tag_uri(text: str) -> str:
    """Return a permanent id: a tag URI with a date (RFC 4151)."""
    if not _TAG.fullmatch(text):
        raise InvalidValue("is not a tag URI; write it like tag:news.example.org,2021:name")
    tag_date(text)
    return text


def guid_text(text: str) -> str:
    """Return the id that another publisher gave an entry, as it is, without spaces around it."""
    found = text.strip()
    if not found.isprintable():
        raise InvalidValue("must be printable characters on one line, exactly as the feed had them")
    return found


def is_iri(text: str) -> bool:
    """Check whether a text is an IRI with a scheme (RFC 3987), as Atom requires of an id."""
    return bool(_IRI.fullmatch(text))


def iri(text: str) -> str:
    """Return the Atom id of an entry or a feed, which is an IRI (RFC 4287 §4.2.6)."""
    found = guid_text(text)
    if not is_iri(found):
        raise InvalidValue("is not an IRI, as Atom requires; write it like https://… or tag:…")
    return found


def tag_date(text: str) -> datetime:
    """Return the instant of the date in a tag URI (RFC 4151 §2.1)."""
    day = text.partition(",")[2].partition(":")[0]
    # A year or a month alone is its first day.
    day += "-01" * (2 - day.count("-"))
    try:
        return datetime.fromisoformat(day).replace(tzinfo=UTC)
    except ValueError:
        raise InvalidValue(f"{day} is not a valid date") from None


def email(text: str) -> str:
    """Return an e-mail address with its host in ASCII."""
    text = text.strip(_AROUND)
    if _EMAIL.fullmatch(text):
        return text
    _check_invisible(text)
    name, _, host = text.rpartition("@")
    try:
        address = f"{name}@{to_ascii_host(host)}"
    except ValueError:
        address = ""
    if not _EMAIL.fullmatch(address):
        within = _EMAIL.search(text)
        hint = f"; did you mean {within[0]}?" if within else ""
        raise InvalidValue(f"is not a valid e-mail address{hint}")
    return address


def _uri(text: str) -> str:
    if len(text) > _MAX_ADDRESS_LENGTH:
        raise InvalidValue(f"is longer than {_MAX_ADDRESS_LENGTH} characters")
    _check_invisible(text)
    _check_beginning(text)
    _check_characters(text)
    try:
        uri = to_uri(text)
    except ValueError as error:
        raise InvalidValue(f"{error}{_proposal(text)}") from None
    if "@" in urlsplit(uri).netloc:
        raise InvalidValue("must not contain a user name or a password: it is published")
    return uri


def _check_invisible(text: str) -> None:
    """Raise InvalidValue for the first invisible character that no script needs at its place."""
    for found in INVISIBLE.finditer(text):
        if _JOINER.match(text, found.start()):
            continue
        before, after = text[: found.start()], INVISIBLE.sub("", text[found.end() :])
        where = "at its beginning"
        if before:
            where = f"after {_quoted(before[-_MAX_QUOTE_LENGTH:])}" if after else "at its end"
        raise InvalidValue(f"has the invisible character {named(found[0])} {where}; remove it")


def _check_beginning(text: str) -> None:
    """Raise InvalidValue for an address that does not begin with http or https, or has a second one."""
    if not _SCHEME.match(text):
        raise InvalidValue(
            f"is not a web address: it must begin with https:// or http://{_proposal(text)}"
        )
    if found := _SCHEME_TWICE.fullmatch(text):
        raise InvalidValue(f"begins with http:// or https:// twice{_proposal(found[1])}")
    if found := _TWICE.fullmatch(text):
        raise InvalidValue(f"has {found[1]} twice{_proposal(found[2])}")


def _check_characters(text: str) -> None:
    """Raise InvalidValue for the first character that RFC 3986 does not allow."""
    if _ALLOWED.fullmatch(text):
        return
    for at, character in enumerate(text):
        if character == "%" or _ALLOWED.fullmatch(character):
            continue
        if character == " " and _WITHIN.match(text, at + 1):
            raise InvalidValue("has more than one address; write one")
        remedy = f"write {quote(character)} instead"
        if character == "\\":
            remedy = f"write / instead{_proposal(text)}"
        elif character in "\t\r\n":
            remedy = "remove it"
        elif at + 1 == len(text):
            remedy = f"remove it, or {remedy}"
        raise InvalidValue(f"{_quoted(character)} is not allowed in a URL; {remedy}")
    raise InvalidValue(
        "in a URL, two hexadecimal digits must follow a '%'; write %25 for the '%' itself"
    )


def _proposal(text: str) -> str:
    """Return `; did you mean …?` with the address that a text probably stands for, or ''."""
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
    return f"; did you mean {meant}{'/' if _WITHOUT_PATH.fullmatch(meant) else ''}?"


def _unlikely_end(text: str) -> str:
    """Return the end of an address that belongs to the sentence it was copied from, or ''."""
    end = len(text)
    while _ends_unlikely(text[:end]):
        end -= 1
    return text[end:]


def _ends_unlikely(text: str) -> bool:
    last = text[-1]
    kind = category(last)
    if last.isascii():
        opening = _BRACKETS.get(last)
        return last in _SENTENCE_ENDS or bool(opening and text.count(last) > text.count(opening))
    if kind in _OPENING_CATEGORY:
        kinds = [category(character) for character in text if not character.isascii()]
        return kinds.count(kind) > kinds.count(_OPENING_CATEGORY[kind])
    return kind[0] == "P"


def _quoted(text: str) -> str:
    """Return a text in quotes, with characters that cannot be shown as escapes."""
    return f"'{text}'" if text.isprintable() else repr(text)
