"""HTML of other publishers as Markdown and as plain text."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement
from lxml import etree
from markdownify import MarkdownConverter

from feeds.catalogue.source import forbidden_character
from feeds.markdown import to_unsafe_html
from feeds.urls import WEB_SCHEMES, to_uri

# Longer HTML becomes no body of at most 100,000 characters, and takes long to convert.
MAX_LENGTH = 500_000
_MAX_ELEMENTS = 20_000
# Each level takes two calls of functions, of which Python allows a thousand.
_MAX_DEPTH = 200
_PARSER = "lxml"
# A line break, until it is known what is around it.
_BREAK = "\ue000"
_PARAGRAPH = re.compile(rf"{_BREAK}\n([> ]*){_BREAK}\n")
_DROPPED = (
    "script style template noscript form button input select textarea svg object head meta link"
).split()
_PLAYERS = ("iframe", "video", "audio", "embed")
_BLOCKS = frozenset(
    "address article aside blockquote center dd details div dl dt figcaption figure footer h1 h2 h3"
    " h4 h5 h6 header hr li main nav ol p pre section summary table tbody td tfoot th thead tr"
    " ul".split()
)
# What a line break is between, and itself.
_FLOW = _BLOCKS | {"br", "img"}
# Where pictures that are loaded late have their address.
_LAZY_SOURCES = ("data-src", "data-lazy-src", "data-original", "src")
_TABLE_PARTS = ("thead", "tbody", "tfoot", "tr", "td", "th")
_EDGE_SPACES = re.compile("^\xa0+|\xa0+$")
_LANGUAGE = re.compile(r"^(?:language|lang)-(\w[\w+#-]*)$")
_SPACES = re.compile(r"[ \t\n\r\f]+")
_EMPTY_LINES = re.compile(r"\n(?=[ \t]*\n)")
_FENCE = re.compile("`{3,}")

# What Markdown would read as markup within a text: a backslash before a sign, an emphasis,
# code, HTML, a character reference, a footnote, struck text.
_MARKUP = re.compile(
    r"\\(?=[!-/:-@\[-`{-~]|\s*\Z)|\*|(?<![^\W_])_|_(?![^\W_])|`|<(?=[A-Za-z/!?])"
    r"|&(?=#?\w+;)|\[(?=\^)|~(?=~)|(?<=~)~|\[(?=[^\[\]]*\](?:[(\[:]|$))"
)
# The same at the beginning of a line: a heading, an item, a quotation, an underline, a fence.
_LINE_START = re.compile(r"^(\s*)(?=#{1,6}(?:\s|$)|[-+](?:\s|$)|-{2,}\s*$|=+\s*$|>|~{3})")
_NUMBER = re.compile(r"^(\s*\d{1,9})(?=[.)](?:\s|$))")
_IN_LINK = re.compile(r"[\[\]]")


class Markdown(NamedTuple):
    """A text in Markdown, and what is wrong with it if there is none; one of them is empty."""

    text: str
    fault: str = ""


def to_markdown(html: str, base: str = "") -> Markdown:
    """Return HTML as Markdown; links and pictures are relative to the address `base`.

    Scripts and forms are left out. A video or a frame becomes a link to it. What
    Markdown cannot say stays HTML, which it may contain.
    """
    if len(html) > MAX_LENGTH:
        return Markdown("", f"has {len(html):,} characters of HTML, at most {MAX_LENGTH:,}")
    tree = _parsed(without_comments(html))
    if fault := _fault_of(tree):
        return Markdown("", fault)
    _prepare(tree, base)
    text = _CONVERTER.convert_soup(tree)
    lines = _PARAGRAPH.sub(r"\n\1\n", text).replace(_BREAK, "\\").split("\n")
    text = "\n".join(line.rstrip(" ") for line in lines).strip("\n")
    prepared = (tree.body or tree).decode_contents().strip()
    if _shown(to_unsafe_html(text)) != _shown(prepared):
        # In HTML, an empty line would end it.
        text = f"<div>\n{_EMPTY_LINES.sub('&#10;', prepared)}\n</div>"
    return Markdown(text)


def _shown(html: str) -> tuple[str, Sequence[Mapping[str, str]]]:
    """Return the text and the pictures that HTML shows."""
    return to_text(html), pictures_in(html)


def without_comments(html: str) -> str:
    """Return HTML without comments; one that does not end lasts until the next one."""
    text, *comments = html.split("<!--")
    return text + "".join(comment.partition("-->")[2] for comment in comments)


def to_text(html: str) -> str:
    """Return the text that HTML shows, on one line."""
    if "<" not in html and "&" not in html:
        return on_one_line(html)
    # lxml refuses what cannot be published anyway.
    tree = etree.HTML(f"<div>{forbidden_character.sub('', html[:MAX_LENGTH])}</div>")
    etree.strip_elements(tree, etree.Comment, *_DROPPED, with_tail=False)
    for tag in tree.iter("br", *_BLOCKS):
        tag.text, tag.tail = f" {tag.text or ''}", f" {tag.tail or ''}"
    return on_one_line("".join(map(str, tree.itertext())))


def on_one_line(text: str) -> str:
    """Return a text as HTML shows it: other spaces than these are kept, except around it."""
    return _SPACES.sub(" ", text).strip()


def pictures_in(html: str, base: str = "") -> list[dict[str, str]]:
    """Return the address and the description of each picture in HTML, as keys of a photo."""
    if "<img" not in html.lower():
        return []
    tree = _parsed(html[:MAX_LENGTH])
    found = ((_source_of(tag, base), tag) for tag in tree.find_all("img"))
    return [{"url": url, "alt": _text_of(tag, "alt")} for url, tag in found if url]


def without_picture(html: str, url: str, base: str = "") -> str:
    """Return HTML without its first element, if that shows nothing but the picture at `url`."""
    tree = _parsed(html[:MAX_LENGTH])
    body: Any = tree.body or tree
    first = next((child for child in body.children if str(child).strip()), None)
    if len(html) > MAX_LENGTH or not isinstance(first, Tag):
        return html
    pictures = [first] if first.name == "img" else first.find_all("img")
    caption = first.find("figcaption")
    text = first.get_text().replace(caption.get_text() if caption else "", "", 1)
    if len(pictures) != 1 or text.strip() or _source_of(pictures[0], base) != url:
        return html
    first.decompose()
    return str(body.decode_contents())


def _parsed(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, _PARSER)


def _fault_of(tree: BeautifulSoup) -> str:
    """Return why a tree would take too long to convert, or ''."""
    level: list[Tag] = [tree]
    count = 0
    for _ in range(_MAX_DEPTH):
        level = [child for tag in level for child in tag.contents if isinstance(child, Tag)]
        count += len(level)
        if count > _MAX_ELEMENTS:
            return f"has more than {_MAX_ELEMENTS:,} HTML elements"
        if not level:
            return ""
    return "has HTML elements that are nested too deep"


def _text_of(tag: Tag, name: str) -> str:
    """Return an attribute, which may be a list of words."""
    value = tag.get(name) or ""
    return on_one_line(" ".join(value if isinstance(value, list) else [value]))


def _web_address(base: str, link: str) -> str:
    """Return a link as an absolute address, or a path if there is no base; '' if it is neither."""
    try:
        address = to_uri(urljoin(base, link.strip()))
        scheme = urlsplit(address).scheme
    except ValueError:
        return ""
    if scheme and scheme not in {*WEB_SCHEMES, "mailto", "tel"}:
        return ""
    return address


def _source_of(tag: Tag, base: str) -> str:
    sources = (_text_of(tag, name) for name in _LAZY_SOURCES)
    source = next((source for source in sources if source and not source.startswith("data:")), "")
    return _web_address(base, source) if source else ""


def _prepare(tree: BeautifulSoup, base: str) -> None:
    """Leave in a tree only what Markdown can say, with absolute addresses."""
    for tag in tree.find_all(_PLAYERS):
        _replace_by_link(tree, tag, base)
    _remove(tree.find_all(_DROPPED))
    _prepare_pictures(tree, base)
    _prepare_links(tree, base)
    _prepare_tables(tree)
    for tag in tree.find_all("ol"):
        for number, item in enumerate(tag.find_all("li", recursive=False), _start_of(tag)):
            item["value"] = str(number)
    for text in tree.find_all(string=_EDGE_SPACES):
        text.replace_with(_EDGE_SPACES.sub(" ", text))
    _prepare_breaks(tree)


def _prepare_breaks(tree: BeautifulSoup) -> None:
    """Leave line breaks between texts of one block alone: one, or two for a new paragraph."""
    block: PageElement | None = None
    breaks: list[Tag] = []
    is_begun = False
    for node in [*tree.descendants]:
        name = node.name if isinstance(node, Tag) else ""
        if name and name not in _FLOW:
            continue
        around = node if name in _BLOCKS else _block_around(node)
        if around is not block:
            _remove(breaks)
            block, breaks, is_begun = around, [], False
        if isinstance(node, Tag) and name == "br":
            breaks.append(node)
        elif name or str(node).strip():
            parents = {id(tag.parent) for tag in breaks}
            _remove(breaks[2 if is_begun and parents == {id(block)} else is_begun :])
            breaks, is_begun = [], True
    _remove(breaks)


def _block_around(node: PageElement) -> Tag | None:
    """Return the block or the root that a node is in."""
    around = node.parent
    while around and around.parent and around.name not in _BLOCKS:
        around = around.parent
    return around


def _remove(tags: Iterable[Tag]) -> None:
    """Leave elements without name and content: to take them out takes long among many siblings."""
    for tag in tags:
        tag.name, tag.attrs = "wbr", {}
        tag.clear()


def _prepare_pictures(tree: BeautifulSoup, base: str) -> None:
    for tag in tree.find_all("img"):
        source = _source_of(tag, base)
        if "emoji" in _text_of(tag, "class").split() or not source:
            tag.string = _text_of(tag, "alt")
            tag.name, tag.attrs = "span", {}
        else:
            tag.attrs = {"src": source, "alt": _text_of(tag, "alt")}


def _prepare_links(tree: BeautifulSoup, base: str) -> None:
    for tag in tree.find_all("a"):
        address = _web_address(base, _text_of(tag, "href"))
        if address and (tag.get_text().strip() or tag.find("img")):
            tag.attrs = {"href": address}
            _make_inline(tag)
        else:
            tag.name = "span"


def _replace_by_link(tree: BeautifulSoup, player: Tag, base: str) -> None:
    inner = player.find("source")
    source = _text_of(player, "src") or (_text_of(inner, "src") if inner else "")
    if address := _web_address(base, source):
        link = tree.new_tag("a", href=address)
        link.string = _text_of(player, "title") or address
        player.name, player.attrs = "p", {}
        player.clear()
        player.append(link)
    else:
        _remove([player])


def _prepare_tables(tree: BeautifulSoup) -> None:
    """Leave tables with data alone; one in the cell of another, too."""
    layouts: dict[int, Tag] = {}
    for table in tree.find_all("table"):
        if _is_layout(table):
            layouts[id(table)] = table
        else:
            _make_rows(table)
    for part in tree.find_all(_TABLE_PARTS):
        if id(part.find_parent("table")) in layouts:
            part.name = "div"
    for table in layouts.values():
        table.name = "div"


def _start_of(ordered: Tag) -> int:
    """Return the number of a list's first item."""
    text = _text_of(ordered, "start")
    return int(text) if re.fullmatch("[0-9]{1,8}", text) else 1


def _is_layout(table: Tag) -> bool:
    """Check whether a table has another one in it, or no row with several cells."""
    if table.find("table"):
        return True
    cells = (row.find_all(["td", "th"]) for row in table.find_all("tr"))
    return max(map(len, cells), default=0) <= 1


def _make_rows(table: Tag) -> None:
    """Leave nothing in a table but its rows, of which the first is the head in Markdown."""
    for caption in table.find_all("caption"):
        caption.name = "p"
        table.insert_before(caption.extract())
    for foot in table.find_all("tfoot"):
        table.append(foot.extract())
    for group in table.find_all(["thead", "tbody", "tfoot", "colgroup", "col"]):
        group.unwrap()


def _escaped(text: str, *, in_link: bool) -> str:
    """Return a text with a backslash before each sign that would be markup."""
    escaped = _MARKUP.sub(r"\\\g<0>", text)
    return _IN_LINK.sub(r"\\\g<0>", escaped.replace("\\[", "[")) if in_link else escaped


def _destination(address: str) -> str:
    """Return an address as it is written between the brackets of a link."""
    return address.replace("(", "\\(").replace(")", "\\)")


def _make_inline(link: Tag) -> None:
    """Remove the blocks in a link, which Markdown cannot have there."""
    for block in link.find_all([*_BLOCKS, "br"]):
        block.name, block.attrs = "span", {}
        block.insert(0, " ")
        block.append(" ")


# Its types lack what is used here.
_Base: Any = MarkdownConverter


class _Converter(_Base):  # type: ignore[misc]  # see above
    """markdownify, where its result would be read as something else by CommonMark."""

    def process_text(self, el: NavigableString, parent_tags: set[str] | None = None) -> str:
        text: str = super().process_text(el, parent_tags=parent_tags)
        within = parent_tags or set()
        if "_noformat" in within:
            return text
        before, after = el.previous_sibling, el.next_sibling
        if before is None or (isinstance(before, Tag) and before.name in {"br", "wbr", *_BLOCKS}):
            text = text.lstrip(" ") if before and "_inline" not in within else text
            text = _NUMBER.sub(r"\1\\", _LINE_START.sub(r"\1\\", text))
        if text.endswith("!") and isinstance(after, Tag):
            # Before a link, it would make a picture of it.
            text = f"{text[:-1]}\\!"
        return text

    def escape(self, text: str, parent_tags: set[str]) -> str:
        escaped = _escaped(text, in_link="a" in parent_tags)
        return escaped.replace("|", "\\|") if {"td", "th"} & parent_tags else escaped

    def convert_a(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        href = _text_of(el, "href")
        linked: str = super().convert_a(el, text, parent_tags)
        return linked.replace(f"]({href})", f"]({_destination(href)})")

    def convert_img(self, el: Tag, _text: str, **_: object) -> str:
        alt = _escaped(_text_of(el, "alt"), in_link=True)
        return f"![{alt}]({_destination(_text_of(el, 'src'))})"

    def convert_br(self, _el: Tag, text: str, parent_tags: set[str]) -> str:
        if "_noformat" in parent_tags:
            return "\n" if "pre" in parent_tags else " "
        return f"{text} " if "_inline" in parent_tags else f"{_BREAK}\n{text}"

    def convert_b(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return _emphasized(el, text, parent_tags, "**", "strong")

    convert_strong = convert_b

    def convert_em(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return _emphasized(el, text, parent_tags, "*", "em")

    convert_i = convert_em

    def convert_li(self, el: Tag, text: str, **_: object) -> str:
        # markdownify counts the items before each one, which takes long if there are many.
        sign = f"{_text_of(el, 'value')}. " if el.parent and el.parent.name == "ol" else "- "
        lines = text.strip().split("\n")
        margin = " " * len(sign)
        indented = "\n".join(f"{margin}{line}" if line else "" for line in lines)
        return f"{sign}{indented.lstrip()}\n" if text.strip() else "\n"

    def convert_dt(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        bold = _emphasized(el, text.strip(), parent_tags, "**", "strong")
        return f"\n\n{bold}\n\n"

    def convert_pre(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        fenced: str = super().convert_pre(el, text, parent_tags)
        longest = max(map(len, _FENCE.findall(text)), default=0)
        if not longest:
            return fenced
        fence = "`" * (longest + 1)
        return f"\n\n{fence}{fenced.strip().removeprefix('```').removesuffix('```')}{fence}\n\n"


for (
    _name
) in "aside address article center dd details figure footer header main nav summary".split():
    setattr(_Converter, f"convert_{_name}", _Base.convert_div)


def _emphasized(el: Tag, text: str, parent_tags: set[str], sign: str, tag: str) -> str:
    """Return a text in bold or in italics, as CommonMark reads it between what is around it.

    Signs that touch both a punctuation mark within and a letter outside are no markup there.
    """
    inner = text.strip()
    same = {"b", "strong", "dt"} if tag == "strong" else {"i", "em"}
    if not inner or "_noformat" in parent_tags or same & parent_tags or "\n\n" in inner:
        return text
    start, end = text[: text.index(inner[0])], text[len(text.rstrip()) :]
    before, after = el.previous_sibling, el.next_sibling
    touches_before = not start and before is not None and not before.get_text()[-1:].isspace()
    touches_after = not end and after is not None and not after.get_text()[:1].isspace()
    is_word = inner[0].isalnum() or not touches_before, inner[-1].isalnum() or not touches_after
    if all(is_word):
        return f"{start}{sign}{inner}{sign}{end}"
    return f"{start}<{tag}>{inner}</{tag}>{end}"


def _language_of(pre: Tag) -> str:
    code = pre.find("code")
    words = [_text_of(tag, "class").split() for tag in (pre, code) if tag]
    found = (_LANGUAGE.match(word) for group in words for word in group)
    return next((match[1] for match in found if match), "")


_CONVERTER = _Converter(
    bullets="-",
    code_language_callback=_language_of,
    heading_style="atx",
    sub_symbol="<sub>",
    sup_symbol="<sup>",
    table_infer_header=True,
    wrap=True,
    wrap_width=None,
)
