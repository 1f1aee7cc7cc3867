"""Slugs that name no folder on Windows, and those that look like another (UTS #39)."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

# Of devices, with or without an extension.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|(?:com|lpt)[0-9])(?=\.|$)", re.MULTILINE)
# What is worth a closer look in many slugs, a line each: few have it.
_SUSPICIOUS = re.compile(rf"^{_DEVICE.pattern}|[^\x00-\x7f]", re.MULTILINE)
_WORD = re.compile(r"[^-_.]+")
_SCRIPTS = {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN"}
# Letters that look the same in most fonts, each above the one that stands for both.
_ALIKE = str.maketrans(
    "аеорсухѕіјԁԛԝһѵӏк" + "οανρυικχγϲϳ" + "օսոհյցզ" + "ıɡɑɩ" + "یکەہھ" + "۰۱۲۳۷۸۹",
    "aeopcyxsijdqwhvlk" + "oavpuikxycj" + "ounhjgq" + "igai" + "يكههه" + "٠١٢٣٧٨٩",
)
_LETTERS = {chr(letter) for pair in _ALIKE.items() for letter in pair}


def remarks(slugs: Iterable[str]) -> Mapping[str, list[str]]:
    """Return what is worth a note about each of the slugs that lie in one folder."""
    slugs = dict.fromkeys(slugs)
    if not _SUSPICIOUS.search("\n".join(slugs)):
        return {}
    found: dict[str, list[str]] = {}
    first: dict[str, str] = {}
    for slug in slugs:
        messages = [*_remarks(slug)]
        other = first.setdefault(_skeleton(slug), slug)
        if other != slug:
            same = slug.casefold() == other.casefold()
            how = "is the same to file systems that ignore case as" if same else "looks the same as"
            messages.append(f"{slug!r} {how} {other!r}; change one of them")
        if messages:
            found[slug] = messages
    return found


def _remarks(slug: str) -> Iterator[str]:
    device = _DEVICE.match(slug)
    if device:
        yield (
            f"Windows allows no folder called {slug!r}, because {device[0]!r} is reserved there;"
            f" choose another, such as 'the-{slug}'"
        )
    for word in _WORD.findall(slug):
        scripts = Counter(filter(None, map(_script, word)))
        if len(scripts) > 1:
            # Of as many of each, the Latin ones are the usual ones.
            usual, *_, rare = sorted(
                scripts, key=lambda script: (-scripts[script], script != "Latin")
            )
            for strange in [sign for sign in word if _script(sign) == rare and sign in _LETTERS][
                :1
            ]:
                name = unicodedata.name(strange)
                yield f"{word!r} mixes {usual} and {rare} letters: {strange!r} is {name}; retype it"


def _script(sign: str) -> str:
    """Return the script of a letter, of those that look alike; '' for any other."""
    script = "LATIN" if sign.isascii() else unicodedata.name(sign, "").partition(" ")[0]
    return script.capitalize() if script in _SCRIPTS and sign.isalpha() else ""


def _skeleton(slug: str) -> str:
    """Return what slugs that look the same have in common, or that file systems take for the same."""
    return (
        slug if slug.isascii() else unicodedata.normalize("NFC", slug.casefold()).translate(_ALIKE)
    )
