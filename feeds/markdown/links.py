"""Addresses in a body: what is wrong with them, what is published, and links for bare ones."""

import re
from collections.abc import Sequence
from html import escape
from typing import NamedTuple
from unicodedata import category
from urllib.parse import unquote, urljoin, urlsplit

from feeds.markdown.content_model import Element
from feeds.urls import WEB_SCHEMES, to_uri

# For a link without an address.
_PLACEHOLDER = "https://…"
_QUOTES = "\"'`“”„‟‘’‚‛«»‹›″′"
_WHITE_SPACE = " \t\r\n\f\v"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
# `https://` and what is written for it: a letter, a sign or a slash missing, or one too many.
_WEB = re.compile(
    r"(?P<scheme>h{0,2}t{1,3}ps{0,2}|h{1,2}ps{0,2})"
    r"(?:(?P<sign>:)(?P<slashes>[/\\]*)|[:;.,]*[/\\]{2,}|[;.,][/\\]+|:;?[/\\]+|[;,](?=\w))"
    r"(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_EMAIL = re.compile(r"[^\s@/:?#,]+@[^\s@/:?#,]+\.[^\s@/:?#,]+")
# A host's name at the beginning of an address, maybe with a port.
_HOST = re.compile(r"(?:[\w-]+\.)+([^\W\d_]{2,}|xn--[\w-]+)(?::\d+)?(?=[/?#]|\Z)")
_LOCAL_HOST = re.compile(r"(?:localhost|[\w-]+(?:\.[\w-]+)+):\d")
# Endings of files' names, and not of hosts'.
_FILE_ENDINGS = frozenset(
    "asp aspx atom avif bmp cfm csv css doc docm docx epub geojson gif gz heic htm html ico ics"
    " jpeg jpg js json jsp kml m4a m4v mov mp3 mp4 odp ods odt ogg ogv opus pdf php png pps ppsx"
    " ppt pptx rss rtf shtml svg tar tif tiff tsv txt vcf wav webm webp xhtml xls xlsm xlsx xml"
    " zip".split()
)
# An address as nearly all are written: to publish as it is.
ORDINARY = re.compile(
    r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/(?:[A-Za-z0-9\-._~!$&*+,;=:@/?]|%[0-9A-F]{2})*)?"
    r"(?<!%[0-9A-F][0-9A-F])"
)
_ENCODED_HOST = re.compile(r"\Ahttps?://[^/?#]*%[^/?#]*", re.IGNORECASE)
# In scripts without spaces between words, text follows an address directly.
_UNSPACED_SCRIPTS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef"
)
_NOT_IN_ADDRESS = r'\s<>"“”«»'
_BARE_ADDRESS = re.compile(
    # Not in a word, another address, or a link that Markdown printed as it is. The scripts have
    # no case; to compile them without it takes a thousandth of the time.
    rf"(?<![A-Za-z0-9_/:=@.-])(?<!\]\()(?i:https?)://"
    rf"(?:(?=[{_UNSPACED_SCRIPTS}])[^{_NOT_IN_ADDRESS}]+|[^{_NOT_IN_ADDRESS}{_UNSPACED_SCRIPTS}]+)"
)
_WITH_HOST = re.compile(r"https?://[^/?#]*[^/?#.]\.[^/?#.]", re.IGNORECASE)
# What ends a sentence, or encloses an address, is not part of it.
_TRAILING = "?!.,:;*_~'’‘…·|"
_PAIRS = {")": "(", "]": "[", "}": "{", "）": "（"}
_MAX_SHOWN = 80  # characters
_ANY_SITE = "https://example.org/"


class Kind(NamedTuple):
    """What an address is of: its noun, its element, the schemes that it may have.

    `consequence` is what a message says of a faulty one.
    """

    noun: str
    element: str
    schemes: frozenset[str]
    consequence: str = ""


LINK = Kind("link", "a", WEB_SCHEMES | {"mailto", "tel"}, ", only its text")
PICTURE = Kind("picture", "img", WEB_SCHEMES)


def cleaned(address: str) -> str:
    """Return an address without white space and invisible characters at its ends."""
    if address.isascii() and address.isprintable() and address[:1] != " " != address[-1:]:
        return address
    visible = [
        place
        for place, sign in enumerate(address)
        if not sign.isspace() and category(sign) not in {"Cc", "Cf"}
    ]
    return re.sub(r"[\t\r\n]", "", address[visible[0] : visible[-1] + 1]) if visible else ""


def fault_in(address: str, kind: Kind) -> str:
    """Return what is wrong with an address, and what to write; '' for one to publish.

    It is read as an editor wrote it, so a relative one must not look like anything else.
    """
    if ORDINARY.fullmatch(address):
        return ""
    text = cleaned(unquote(cleaned(address)))
    if not text:
        return f"write its address, such as {_PLACEHOLDER}"
    bare = text.strip(_QUOTES + _WHITE_SPACE)
    if text[0] in _QUOTES or text[-1] in _QUOTES.replace("'", ""):
        return f"quotation marks are not part of an address; write {bare or _PLACEHOLDER}"
    if text.endswith("…"):
        return "it is cut off; write the whole address"
    if kind is PICTURE and text[:5].lower() == "data:":
        return (
            "save it as a file in media/, name it in a 'photo', and write"
            " ![description](media/name.png)"
        )
    return (
        _web_fault(text) or _local_fault(text) or _scheme_fault(text, kind) or _host_fault(address)
    )


def _web_fault(text: str) -> str:
    """Return what is wrong with an address that begins like `https://`."""
    found = _WEB.fullmatch(text)
    if not found:
        return ""
    rest = found["rest"].lstrip("/\\:; \t")
    right = found["scheme"].lower() in WEB_SCHEMES and found["slashes"] == "//"
    inner = _WEB.fullmatch(rest)
    beginnings = ("http:", "https:", "http//", "https//")
    if inner and (not right or rest.lower().startswith(beginnings)):
        return f"write {_https(inner['rest'].lstrip('/:;'))}"
    if right and rest == found["rest"] and "\\" not in re.split("[?#]", rest)[0]:
        return ""
    return f"write {_https(rest)}"


def _https(rest: str) -> str:
    return f"https://{rest.replace(chr(92), '/')}"[:_MAX_SHOWN] if rest else _PLACEHOLDER


def _local_fault(text: str) -> str:
    path = re.split("[?#]", text)[0]
    if re.match(r"file:|[A-Za-z]:(?![^\\/]*@)|\\", text, re.IGNORECASE) or "\\" in path:
        return "it leads to a file on your own computer or network; publish the file, and write its web address"
    return ""


def _scheme_fault(text: str, kind: Kind) -> str:
    found = _SCHEME.match(text)
    scheme = found[1].lower() if found else ""
    host = _HOST.match(text)
    if _LOCAL_HOST.match(text) or (
        host and (host[1].lower() not in _FILE_ENDINGS or text[:4].lower() == "www.")
    ):
        return f"write https://{text}"
    if not scheme and _EMAIL.fullmatch(text.partition("?")[0]):
        return f"write mailto:{text}"
    if text.startswith("@") or (scheme and scheme not in kind.schemes):
        others = ", or mailto: or tel:" if kind is LINK else ""
        return f"write a web address, which begins with https://{others}"
    rest = text[len(scheme) + 1 :].strip()
    if scheme == "mailto" and not _is_mail(rest):
        return "write an e-mail address after mailto:, such as mailto:name@example.org"
    if scheme == "tel" and not any(map(str.isdecimal, rest)):
        return "write a telephone number after tel:, such as tel:+41227996111"
    return ""


def _is_mail(text: str) -> bool:
    addresses, question, _ = text.partition("?")
    # A message to forward has no address yet (RFC 6068).
    return (not addresses and bool(question)) or all(
        _EMAIL.fullmatch(part.strip()) for part in addresses.split(",")
    )


def _host_fault(address: str) -> str:
    try:
        found = absolute(address, _ANY_SITE)
    except ValueError as error:
        return f"it {error}" if not str(error).startswith("the ") else str(error)
    if urlsplit(found).username is not None:
        return "it has a user's name or password, which would be published; write it without"
    return ""


def absolute(address: str, site_url: str) -> str:
    """Return an address as an absolute ASCII URI; raise ValueError for an invalid host."""
    if ORDINARY.fullmatch(address):
        return address
    text = cleaned(address)
    found = _SCHEME.match(text)
    if found and found[1].lower() == "tel":
        text = "".join(text.split())
    elif found and found[1].lower() == "mailto":
        text = f"mailto:{text[len('mailto:') :].strip()}"
    joined = text if found else urljoin(site_url, text)
    if text.startswith("//") and not urlsplit(text).netloc:
        raise ValueError("names no host")
    # cmark percent-encodes a host, too.
    return to_uri(_ENCODED_HOST.sub(lambda host: unquote(host[0]), joined))


def shown(address: str) -> str:
    """Return an address as a message shows it."""
    text = unquote(address)
    return f"'{text[:_MAX_SHOWN]}…'" if len(text) > _MAX_SHOWN else f"'{text}'"


def possible_texts(address: str) -> tuple[str, ...]:
    """Return how an address may be written in a body."""
    return (address, escape(address, quote=False), unquote(address))


def linked(text: str, *, joined: bool) -> Sequence[Element | str]:
    """Return a text with a link for each http or https address in it.

    If `joined`, emphasis follows directly: an address at the text's end is then left as
    it is, because Markdown has taken some of its characters for markers.
    """
    found: list[Element | str] = []
    end = 0
    for match in _BARE_ADDRESS.finditer(text):
        address = _without_trailing(match[0])
        cut = joined and match.end() == len(text)
        if cut or not _WITH_HOST.match(address) or fault_in(address, LINK):
            continue
        found += [
            text[end : match.start()],
            Element("a", {"href": absolute(address, "")}, [address]),
        ]
        end = match.start() + len(address)
    return [node for node in (*found, text[end:]) if node]


def _without_trailing(address: str) -> str:
    while True:
        last = address[-1]
        opening = _PAIRS.get(last, "")
        if last not in _TRAILING and not (opening and address.count(last) > address.count(opening)):
            return address
        address = address[:-1]
