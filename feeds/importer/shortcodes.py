"""Shortcodes in a post of WordPress, such as `[gallery ids="1,2"]`, as the HTML that they show."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape, unescape
from typing import NamedTuple

_TOKEN = re.compile(
    r"^[ \t]*+(?P<url>https?://[^\s<>\"\[\]]++)[ \t]*+$"
    r"|(?<=<p>)(?P<only>https?://[^\s<>\"\[\]]++)(?=</p>)"
    r"|<(?P<tag>/?[A-Za-z][A-Za-z0-9]*)[^<>]*+>"
    r"|\[(?P<escaped>\[/?[A-Za-z][\w-]*+[^\[\]]*+\])\]"
    r"|\[/(?P<end>[A-Za-z][\w-]*+)\s*+\]"
    r"|\[(?P<name>[A-Za-z][\w-]*+)(?P<attributes>(?:[\s=][^\[\]]*+)?)/?\]",
    re.MULTILINE,
)
_ATTRIBUTE = re.compile(r"(?:([\w-]++)\s*+=\s*+)?+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"']++))")
_CURLY_QUOTES = str.maketrans("“”„″’‘′", '""""\'\'\'')
# What follows the name of a shortcode that has attributes, and hardly that of another word.
_HAS_ATTRIBUTES = re.compile(r"\s+[A-Za-z][\w-]*=[\"'\w#/.-]")
_URL = re.compile(r"https?://[^\s\"'<>\[\]|]+")
# Nothing in these is a shortcode: elements of HTML, and shortcodes.
_VERBATIM = frozenset(("<code", "<pre", "<script", "<style", "<textarea", "[code", "[sourcecode"))
_MAX_DEPTH = 20
_CAPTIONS = frozenset(("caption", "wp_caption"))
_CODE = frozenset(("code", "sourcecode"))
# Where players and embedded pages have their address.
_SOURCES = "src mp3 mp4 m4a m4v ogg ogv wav webm flv wma wmv url href link".split()
_EMBEDS = frozenset(
    "audio dailymotion embed facebook flickr googlevideo iframe instagram slideshare soundcloud"
    " spotify ted tweet twitter video videopress vimeo wpvideo youtube".split()
)
# Where a video is that is named by its id alone.
_VIDEO_PAGES = {
    "youtube": (re.compile(r"[\w-]{11}"), "https://www.youtube.com/watch?v="),
    "vimeo": (re.compile(r"\d{5,12}"), "https://vimeo.com/"),
}
_PICTURE = re.compile(r"\.(?:avif|bmp|gif|jpe?g|png|svg|webp)(?:\?.*)?$", re.IGNORECASE)
_IMAGE_TAG = re.compile(r"(?:<a\s[^<>]*+>\s*+)?<img\s[^<>]*+>(?:\s*+</a>)?", re.IGNORECASE)


class Attachment(NamedTuple):
    """A file of the media library: its address, description and caption (HTML)."""

    url: str
    alt: str
    caption: str


class Expanded(NamedTuple):
    """The HTML of a post without shortcodes, and remarks on what of it is left out."""

    html: str
    remarks: tuple[str, ...]


@dataclass(slots=True)
class _Shortcode:
    """A shortcode whose end is not found yet, with the HTML after it."""

    name: str
    attributes: str
    written: str
    is_alone: bool
    is_closed: bool = False
    parts: list[str] = field(default_factory=list)

    def values(self) -> tuple[dict[str, str], list[str]]:
        """Return the attributes with a name, and those without."""
        text = unescape(self.attributes).translate(_CURLY_QUOTES).lstrip("=: \n\t")
        found = [
            (match[1], match[2] or match[3] or match[4]) for match in _ATTRIBUTE.finditer(text)
        ]
        named = {name.lower(): value or "" for name, value in found if name}
        return named, [value for name, value in found if value and not name]


def expand_shortcodes(
    html: str, attachments: Mapping[str, Attachment], children: Sequence[str] = ()
) -> Expanded:
    """Return HTML with its shortcodes replaced by pictures, links and texts.

    `attachments` are by their ids, and `children` the ids of those of the post. An address
    alone in a line, which WordPress embeds, becomes a link. What cannot be shown is left
    out; the text that an unknown shortcode encloses is kept.
    """
    expander = _Expander(attachments, children)
    position = 0
    unclosed: set[str] = set()
    while found := _TOKEN.search(html, position):
        expander.add(html[position : found.start()])
        expander.add_token(found)
        position = found.end()
        begin = f"<{found['tag'].lower()}" if found["tag"] else f"[{found['name']}"
        if begin in _VERBATIM - unclosed:
            closing = re.compile(rf"\{begin[0]}/{begin[1:]}", re.IGNORECASE).search(html, position)
            if closing:
                expander.add(html[position : closing.start()])
                position = closing.start()
            else:
                unclosed.add(begin)
    expander.add(html[position:])
    return expander.result()


class _Expander:
    def __init__(self, attachments: Mapping[str, Attachment], children: Sequence[str]) -> None:
        self._attachments = attachments
        self._children = children
        self._done: list[str] = []
        self._open: list[_Shortcode] = []
        # Each once, in order.
        self._remarks: dict[str, None] = {}

    def add(self, html: str) -> None:
        (self._open[-1].parts if self._open else self._done).append(html)

    def add_token(self, found: re.Match[str]) -> None:
        if url := found["url"] or found["only"]:
            self.add(_link(url))
        elif found["escaped"]:
            self.add(found["escaped"])
        elif found["end"]:
            self._end(found)
        elif found["name"]:
            self._begin(found)
        else:
            self.add(found[0])

    def result(self) -> Expanded:
        while self._open:
            self._close_alone()
        return Expanded("".join(self._done), tuple(self._remarks))

    def _begin(self, found: re.Match[str]) -> None:
        if len(self._open) >= _MAX_DEPTH:
            self._close_alone()
        self._open.append(
            _Shortcode(
                name=found["name"],
                attributes=found["attributes"].removesuffix("/"),
                written=found[0],
                is_alone=_is_alone(found),
                is_closed=found[0].endswith("/]"),
            )
        )
        if self._open[-1].is_closed:
            self._close_alone()

    def _end(self, found: re.Match[str]) -> None:
        name = found["end"]
        if not any(shortcode.name == name for shortcode in self._open):
            self.add(found[0])
            return
        while self._open[-1].name != name:
            self._close_alone()
        shortcode = self._open.pop()
        content = "".join(shortcode.parts)
        render = self._renderer(shortcode)
        if render:
            self.add(render(shortcode, content))
        else:
            self._remark(f"the shortcode '{name}' is left out, and the text in it kept")
            # Such as columns, of which one ends where the next begins.
            self.add(f"{content}\n\n" if found.string.startswith("[", found.end()) else content)

    def _close_alone(self) -> None:
        """End a shortcode that encloses nothing: what follows it is not its content."""
        shortcode = self._open.pop()
        render = self._renderer(shortcode)
        if render and shortcode.name not in _CAPTIONS | _CODE:
            self.add(render(shortcode, ""))
        elif render or _is_shortcode(shortcode):
            self._remark(f"the shortcode '{shortcode.name}' is left out")
        else:
            self.add(shortcode.written)
            if shortcode.is_alone and shortcode.name.islower():
                self._remark(f"'{shortcode.written}' may be a shortcode, and is kept as text")
        self.add("".join(shortcode.parts))

    def _remark(self, text: str) -> None:
        self._remarks[text] = None

    def _renderer(self, shortcode: _Shortcode) -> Callable[[_Shortcode, str], str] | None:
        if shortcode.name in _CAPTIONS:
            return _captioned
        if shortcode.name in _CODE:
            return _code
        if shortcode.name in {"gallery", "playlist"}:
            return self._gallery
        return self._embedded if shortcode.name in _EMBEDS else None

    def _gallery(self, shortcode: _Shortcode, content: str) -> str:
        named, _ = shortcode.values()
        ids = re.findall(r"\d+", named.get("ids") or named.get("include", ""))
        excluded = re.findall(r"\d+", named.get("exclude", ""))
        is_playlist = shortcode.name == "playlist"
        shown = []
        for one in ids or self._children:
            attachment = self._attachments.get(one)
            if attachment and (ids or bool(_PICTURE.search(attachment.url)) is not is_playlist):
                shown += [] if one in excluded else [_shown(attachment)]
            elif not attachment:
                self._remark(f"the file {one} of a gallery is left out: it is not in the export")
        if not ids and not shown:
            self._remark(f"the shortcode '{shortcode.name}' is left out: it shows no known file")
        return "".join(shown) + content

    def _embedded(self, shortcode: _Shortcode, content: str) -> str:
        named, others = shortcode.values()
        address = next((named[key] for key in _SOURCES if named.get(key)), "")
        if not address and (found := _URL.search(" ".join([*others, unescape(content)]))):
            address = found[0]
        ids, page = _VIDEO_PAGES.get(shortcode.name, (None, ""))
        written = named.get("id") or content.strip() or "".join(others)
        if not address and ids and ids.fullmatch(written):
            address = page + written
        if not address:
            self._remark(f"the shortcode '{shortcode.name}' is left out: it has no address")
            return ""
        return _link(escape(address), escape(named.get("title", "")))


def _is_alone(found: re.Match[str]) -> bool:
    """Check whether a shortcode has a line or a paragraph for itself."""
    before = found.string[max(found.start() - 10, 0) : found.start()].rstrip(" \t")
    after = found.string[found.end() : found.end() + 10].lstrip(" \t")
    return (not before or before.endswith(("\n", "<p>", "</p>"))) and (
        not after or after.startswith(("\n", "</p>", "<p>"))
    )


def _is_shortcode(shortcode: _Shortcode) -> bool:
    """Check whether a word in brackets without an end is a shortcode, and not a part of a text."""
    if shortcode.is_closed or _HAS_ATTRIBUTES.match(shortcode.attributes):
        return True
    return "_" in shortcode.name or (shortcode.is_alone and "-" in shortcode.name)


def _link(address: str, text: str = "") -> str:
    """Return a paragraph with a link; the address and the text are escaped already."""
    return f'<p><a href="{address}">{text or address}</a></p>'


def _shown(attachment: Attachment) -> str:
    caption = f"<figcaption>{attachment.caption}</figcaption>" if attachment.caption else ""
    url = escape(attachment.url)
    if _PICTURE.search(attachment.url):
        return f'<figure><img src="{url}" alt="{escape(attachment.alt)}">{caption}</figure>'
    return _link(url, attachment.caption)


def _captioned(shortcode: _Shortcode, content: str) -> str:
    """Return the picture in a caption, and the text after it or, as earlier, in an attribute."""
    picture = _IMAGE_TAG.search(content)
    if not picture:
        return content
    rest = " ".join((content[: picture.start()] + content[picture.end() :]).split())
    caption = rest or shortcode.values()[0].get("caption", "")
    return f"<figure>{picture[0]}<figcaption>{caption}</figcaption></figure>"


def _code(shortcode: _Shortcode, content: str) -> str:
    named, _ = shortcode.values()
    language = named.get("language") or named.get("lang") or ""
    kind = f' class="language-{escape(language)}"' if language else ""
    return f"<pre><code{kind}>{escape(unescape(content.strip(chr(10))), quote=False)}</code></pre>"
