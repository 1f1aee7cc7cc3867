"""Text, Markdown, slugs, language tags, numbers and colours as editors write them."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from html import unescape

from feeds.catalogue.reader import InvalidValue, ValueWarning
from feeds.catalogue.source import describe, forbidden_character

# No-break spaces are typography, and are kept.
_WHITE_SPACE = re.compile("[ \t\r\n\x85\u2028\u2029]+")
_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")

_BLOCK_ELEMENTS = frozenset(
    "address article aside blockquote br caption center dd details div dl dt figcaption figure footer"
    " form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tbody td tfoot th thead"
    " tr ul".split()
)
_INLINE_ELEMENTS = frozenset(
    "a abbr acronym audio b bdi bdo big button cite code del dfn em embed font i iframe img input"
    " ins kbd label mark noscript object q s samp script small span strike strong style sub sup svg"
    " tt u var video wbr o:p".split()
)
HTML_TAG = re.compile(
    rf"</?(?P<name>{'|'.join(sorted(_BLOCK_ELEMENTS | _INLINE_ELEMENTS))})(?:\s[^<>]*)?/?>"
    r"|<!--(?:(?!-->|<!--).)*+-->|<!\[CDATA\[|\]\]>",
    re.IGNORECASE,
)
_CHARACTER_REFERENCE = re.compile(
    r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][0-9A-Za-z]{1,31});"
)
# Some systems escape HTML several times.
_MAX_ESCAPINGS = 3
_MAX_PROPOSAL_LENGTH = 200

_MAX_DEPTH = 100
# Long reports are shorter. Some bodies take cmark quadratic time.
_MAX_BODY_LENGTH = 100_000
_ANY_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
_VOID_ELEMENTS = frozenset("area br col embed hr img input link meta source track wbr".split())
_NESTED_MARKERS = re.compile(
    rf"^(?:[ \t]*(?:[>*+-]|[0-9]{{1,9}}[.)])){{{_MAX_DEPTH}}}", re.MULTILINE
)
_NUMERIC_REFERENCE = re.compile(r"&#(?:[xX]0*([0-9A-Fa-f]{1,8})|0*([0-9]{1,8}))")
_UNICODE_END = 0x110000
# A letter after nothing but signs and harmless tags. Text in links, in code and in character
# references may be invisible.
_VISIBLE_TEXT = re.compile(
    r"(?:[^<\[&`~\w]++|[\d_]++"
    r'|<(?:a|b|blockquote|div|em|h[1-6]|i|li|ol|p|span|strong|ul)(?: [a-z]+="[^"<>]*")*>'
    r")*+[^\W\d_]"
)
# Links and pictures as nearly all are written.
_PATH = r"[A-Za-z0-9\-._~!$*+,;=:@/?&]*+"
_WEB_ADDRESS = (
    rf"https?://[a-z0-9-]++(?:\.[a-z0-9-]++)++(?:/{_PATH}(?:%[0-9A-F]{{2}}{_PATH})*+)?+"
    "(?<!%[0-9A-F][0-9A-F])"
)
_PLAIN_LINK = re.compile(rf'\[(?<!\\\[)[^\[\]\\`<>\n]*\]\({_WEB_ADDRESS}(?: "[^"\n\\]*")?\)')
# What may be lost otherwise: raw HTML, footnotes, definitions, tables, other links.
_MAY_BE_LOST = ("[^", "]:", "|", "](")
_MAY_BE_LOST_PATTERN = re.compile(r"<[A-Za-z/!?]|\]\s+\(")

# A file name has at most 255 bytes on every common file system; the rest is for the
# temporary name under which a file is written.
_MAX_SLUG_BYTES = 200
_MAX_TITLE_WORDS = 8
_SLUG_PUNCTUATION = "-_."
# Apostrophes and joiners are within words.
_LEFT_OUT_OF_SLUGS = "'’\u200c\u200d"
_ASCII_SLUG = re.compile("[a-z0-9]+(?:[-_.][a-z0-9]+)*")
_LATIN_ACCENTS = re.compile("(?<=[a-z])[\u0300-\u036f]+")

# Windows reserves these names, with any extension.
_WINDOWS_DEVICE = re.compile(r"(?:con|prn|aux|nul|(?:com|lpt)[0-9])(?=\.|$)", re.MULTILINE)
# Over slugs joined by line ends: few need a closer look.
_SUSPICIOUS_SLUG = re.compile(rf"^{_WINDOWS_DEVICE.pattern}|[^\x00-\x7f]", re.MULTILINE)
_SLUG_WORD = re.compile(r"[^-_.]+")
_CONFUSABLE_SCRIPTS = frozenset(("LATIN", "CYRILLIC", "GREEK", "ARMENIAN"))
# Characters that look the same in most fonts (UTS #39), and the one that replaces them.
_CONFUSABLES = str.maketrans(
    "аеорсухѕіјԁԛԝһѵӏк" + "οανρυικχγϲϳ" + "օսոհյցզ" + "ıɡɑɩ" + "یکەہھ" + "۰۱۲۳۷۸۹",
    "aeopcyxsijdqwhvlk" + "oavpuikxycj" + "ounhjgq" + "igai" + "يكههه" + "٠١٢٣٧٨٩",
)
_CONFUSABLE_LETTERS = {chr(letter) for pair in _CONFUSABLES.items() for letter in pair}

_LANGUAGE_TAG = re.compile(r"([A-Za-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|\d{3}))?")
# Of longer codes, there are too many to know them; the other codes of regions are numbers.
_KNOWN_CODE_LENGTH = 2
_PRIVATE_LANGUAGE = re.compile("q[a-t][a-z]")
# CLDR has a newer code for it.
_RETIRED_LANGUAGES = frozenset(("bh",))
# CLDR's codes for testing, and for what is not a region.
_NOT_REGIONS = frozenset("CQ QO XA XB ZZ".split())
# The code of a country instead of its language, and an unofficial code of a country.
_MEANT_CODES = {"cn": "zh", "cz": "cs", "dk": "da", "gr": "el", "jp": "ja", "ua": "uk", "UK": "GB"}


def line(text: str) -> str:
    """Return plain text on one line.

    Raises InvalidValue if none of it is visible, and ValueWarning if it contains HTML.
    """
    found = folded(text)
    if ("&" in found or "<" in found) and (markup := _markup_in(found)):
        meant = _without_markup(found)
        remedy = f"write '{meant}'" if meant else "write a text without it"
        raise ValueWarning(
            found, f"HTML such as '{markup}' is shown here as it is written; {remedy}"
        )
    return found


def folded(text: str) -> str:
    """Return a text with each run of white space as one space; raises InvalidValue if none is visible."""
    if text.isprintable() and "  " not in text:
        return text.strip(" ")
    found = _WHITE_SPACE.sub(" ", text).strip()
    if found and not any(map(str.isprintable, found.replace(" ", ""))):
        raise InvalidValue(f"has no visible content: U+{ord(found[0]):04X} is invisible")
    return found


def _markup_in(text: str) -> str:
    """Return a tag or a character reference of HTML in a text, or ''.

    `AT&T`, `a < b` and `<https://…>` are text.
    """
    if tag := HTML_TAG.search(text):
        return tag[0]
    references = (reference[0] for reference in _CHARACTER_REFERENCE.finditer(text))
    return next((found for found in references if unescape(found) != found), "")


def _without_markup(text: str) -> str:
    """Return the text that some HTML shows."""
    for _ in range(_MAX_ESCAPINGS):
        text = unescape(HTML_TAG.sub(_tag_text, text))
        if not _markup_in(text):
            break
    from feeds.formats.content import truncated  # noqa: PLC0415  # only few texts need it

    return truncated(re.sub(" {2,}", " ", text).strip(), _MAX_PROPOSAL_LENGTH)


def _tag_text(tag: re.Match[str]) -> str:
    return " " if (tag["name"] or "").lower() in _BLOCK_ELEMENTS else ""


def markdown(text: str) -> str:
    """Return a body in Markdown; raises InvalidValue if it is too long, too deep or not valid in XML.

    Deep nesting costs Markdown parsers quadratic time, and a character reference
    can name a character that XML does not allow.
    """
    text = _LINE_ENDS.sub("\n", text).strip("\n")
    if len(text) > _MAX_BODY_LENGTH:
        raise InvalidValue(f"has {len(text):,} characters; a body has at most {_MAX_BODY_LENGTH:,}")
    for hexadecimal, decimal in _NUMERIC_REFERENCE.findall(text):
        code = int(hexadecimal, 16) if hexadecimal else int(decimal)
        if code and code < _UNICODE_END and forbidden_character.match(chr(code)):
            raise InvalidValue(f"refers to {describe(chr(code))}, which cannot be published")
    if _NESTED_MARKERS.search(text):
        raise InvalidValue(f"quotes or lists are nested {_MAX_DEPTH} deep")
    depth = 0
    for closing, tag in _ANY_TAG.findall(text):
        if tag.lower() in _VOID_ELEMENTS:
            continue
        depth = max(depth - 1, 0) if closing else depth + 1
        if depth > _MAX_DEPTH:
            raise InvalidValue(f"opens {_MAX_DEPTH} HTML elements without closing them")
    return text


def surely_shows(body: str) -> bool:
    """Check quickly whether a body has visible text; False if only rendering can answer that."""
    return bool(_VISIBLE_TEXT.match(body))


def surely_published(body: str) -> bool:
    """Check quickly whether all of a body is published; False if only rendering can answer that."""
    text = _PLAIN_LINK.sub("x", body) if "](" in body else body
    return not (any(sign in text for sign in _MAY_BE_LOST) or _MAY_BE_LOST_PATTERN.search(text))


def slug(text: str) -> str:
    """Return an id or a topic's slug; raises InvalidValue with a valid one for any other text."""
    if not slug_or_blank(text):
        raise InvalidValue(slug_rules(slug_of(text, words=None)))
    return text


def slug_or_blank(text: str) -> str:
    """Return a text that is a valid slug; '' for any other text."""
    if len(text) <= _MAX_SLUG_BYTES and _ASCII_SLUG.fullmatch(text):
        return text
    return text if text == slug_of(text, words=None) else ""


def slug_rules(proposal: str) -> str:
    """Return the message for an invalid slug, with a valid one if there is one to propose."""
    example = f"; write {proposal!r}" if proposal else ""
    return (
        "must consist of lower-case letters (without accents on Latin ones) and digits,"
        f" with '-', '_' or '.' between them but no '--', in at most {_MAX_SLUG_BYTES} bytes{example}"
    )


def slug_of(text: str, *, words: int | None = _MAX_TITLE_WORDS) -> str:
    """Make a slug of the first `words` words of a name or a title; '' if nothing is left."""
    kept = "".join(
        c if _is_letter(c) or c in _SLUG_PUNCTUATION else "-" * (c not in _LEFT_OUT_OF_SLUGS)
        for c in unicodedata.normalize("NFKD", text).lower()
    )
    kept = unicodedata.normalize("NFC", _LATIN_ACCENTS.sub("", unicodedata.normalize("NFKD", kept)))
    parts = re.split("-+", kept)
    if words is not None:
        # The full stop at the end of a sentence is not part of a name.
        parts = [part.strip("._") for part in parts]
    parts = [part for part in parts if any(map(_is_letter, part))]
    joined = "-".join(parts[:words]).encode()[:_MAX_SLUG_BYTES].decode(errors="ignore")
    while joined and not _is_letter(joined[-1]):
        joined = joined[:-1]
    while joined and unicodedata.category(joined[0])[0] not in "LN":
        joined = joined[1:]
    return joined


def _is_letter(character: str) -> bool:
    """Check for a letter, a digit or a mark: Devanagari, for one, is not written without marks."""
    return unicodedata.category(character)[0] in "LMN"


def slug_warnings(slugs: Iterable[str]) -> Mapping[str, list[str]]:
    """Return messages on slugs of one folder that clash on some systems, or look alike."""
    slugs = dict.fromkeys(slugs)
    if not _SUSPICIOUS_SLUG.search("\n".join(slugs)):
        return {}
    found: dict[str, list[str]] = {}
    first: dict[str, str] = {}
    for name in slugs:
        messages = [*_own_warnings(name)]
        other = first.setdefault(_skeleton(name), name)
        if other != name:
            same = name.casefold() == other.casefold()
            how = "is the same to file systems that ignore case as" if same else "looks the same as"
            messages.append(f"{name!r} {how} {other!r}; change one of them")
        if messages:
            found[name] = messages
    return found


def _own_warnings(slug: str) -> Iterator[str]:
    if device := _WINDOWS_DEVICE.match(slug):
        yield (
            f"Windows allows no folder called {slug!r}, because {device[0]!r} is reserved there;"
            f" choose another, such as 'the-{slug}'"
        )
    for word in _SLUG_WORD.findall(slug):
        scripts = Counter(filter(None, map(_script, word)))
        if len(scripts) > 1:
            # Where there are as many letters of each, the Latin ones are the usual ones.
            usual, *_, rare = sorted(
                scripts, key=lambda script: (-scripts[script], script != "Latin")
            )
            letters = (c for c in word if _script(c) == rare and c in _CONFUSABLE_LETTERS)
            if letter := next(letters, ""):
                name = unicodedata.name(letter)
                yield f"{word!r} mixes {usual} and {rare} letters: {letter!r} is {name}; retype it"


def _script(letter: str) -> str:
    """Return the script of a letter if it is one of those that look alike, or ''."""
    script = "LATIN" if letter.isascii() else unicodedata.name(letter, "").partition(" ")[0]
    return script.capitalize() if script in _CONFUSABLE_SCRIPTS and letter.isalpha() else ""


def _skeleton(slug: str) -> str:
    """Return the same text for slugs that look the same or differ in case only."""
    if slug.isascii():
        return slug
    return unicodedata.normalize("NFC", slug.casefold()).translate(_CONFUSABLES)


def language_tag(text: str) -> str:
    """Return a BCP 47 tag of language, script and region in its usual case, such as `zh-Hant-TW`.

    Raises ValueWarning if the language or the region is not known.
    """
    from babel import Locale  # noqa: PLC0415  # loaded for the countries, too

    found = _LANGUAGE_TAG.fullmatch(text)
    if not found:
        raise InvalidValue("is not a valid language tag; write it like en, pt-BR or zh-Hant")
    language, script, region = found[1].lower(), (found[2] or "").title(), (found[3] or "").upper()
    tag = "-".join(filter(None, (language, script, region)))
    english = Locale("en")
    languages = english.languages.keys() | _RETIRED_LANGUAGES
    regions = english.territories.keys() - _NOT_REGIONS
    for kind, code, known in (("language", language, languages), ("country", region, regions)):
        is_unknown = len(code) == _KNOWN_CODE_LENGTH and code not in known
        if is_unknown or _PRIVATE_LANGUAGE.fullmatch(code):
            hint = f"; did you mean {_MEANT_CODES[code]}?" if code in _MEANT_CODES else ""
            raise ValueWarning(tag, f"no {kind} has the code {code!r}{hint}")
    return tag


_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
# Python refuses to convert a text of thousands of digits.
DIGITS = re.compile("[0-9]{1,12}")


def whole_number(low: int, high: int, text: str) -> int:
    """Return a number between two bounds."""
    if not (DIGITS.fullmatch(text) and low <= int(text) <= high):
        raise InvalidValue(f"must be a whole number from {low} to {high}")
    return int(text)


def colour(text: str) -> str:
    """Return a colour as `#rrggbb`."""
    if not re.fullmatch("#?[0-9A-Fa-f]{6}", text):
        raise InvalidValue(
            "is not a valid colour; write its red, green and blue like '#00558c', in quotes"
        )
    return f"#{text.removeprefix('#').lower()}"


def media_type(text: str) -> str:
    """Return a media type without parameters (RFC 6838), in lower case."""
    found = text.lower()
    if not _MEDIA_TYPE.fullmatch(found):
        raise InvalidValue("must be a media type, such as application/pdf")
    return found


def image_type(text: str) -> str:
    """Return the media type of an image (RFC 6838)."""
    if not (_MEDIA_TYPE.fullmatch(text) and text.startswith("image/")):
        raise InvalidValue("must be the media type of an image, such as image/jpeg")
    return text
