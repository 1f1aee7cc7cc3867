"""The sets of countries' names: those of the United Nations, of ISO 3166-1 and of CLDR."""

import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.core import get_global

# The sets that a site can choose from.
SETS = ("un", "iso", "cldr")

_ALPHA_2_LENGTH = 2
_SCRIPT_LENGTH = 4
# CLDR's two-letter codes that are not countries of ISO 3166-1: reserved ones, unions and test
# locales. Kosovo's XK, which is not in ISO 3166-1 either, is a country here: news is about it.
_NOT_COUNTRY_CODES = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ".split())
# The translations of ISO 3166-1 that are not named by a language and a region alone.
_TRANSLATIONS = {
    "nb": "nb_NO",
    "no": "nb_NO",
    "sr-Latn": "sr@latin",
    "zh-Hans": "zh_CN",
    "zh-Hant": "zh_TW",
    "zh-Hant-HK": "zh_HK",
}


def displayed_names(chosen: str, language: str) -> dict[str, str]:
    """Return the name of each country in a set and a language, by alpha-2 code.

    A country that has none is displayed with CLDR's name in the language; if CLDR has
    none either, with the English one of ISO 3166-1, or else of CLDR. No two names are
    the same.
    """
    names = territories("en") | territories(language)
    if chosen == "un":
        names |= united_nations_names(language)
    if chosen == "iso":
        names = territories("en") | iso_names("en") | territories(language) | iso_names(language)
    return names


@lru_cache(maxsize=2)  # English, and the site's language
def territories(language: str) -> dict[str, str]:
    """Return CLDR's names in a language by alpha-2 code; none in an unknown language."""
    return {
        code: name
        for code, name in cldr_names(language).items()
        if len(code) == _ALPHA_2_LENGTH and code not in _NOT_COUNTRY_CODES
    }


def cldr_names(language: str) -> Mapping[str, str]:
    """Return what CLDR names in a language by its codes: countries, their parts, and continents."""
    with suppress(UnknownLocaleError):
        return dict(Locale.parse(language, sep="-").territories)
    return {}


def united_nations_names(language: str) -> dict[str, str]:
    """Return the short names of the United Nations by alpha-2 code, in one of its six languages.

    A region does not matter; a script does. There are none in another language.
    """
    name, script, _ = _subtags(language)
    return united_nations().get(name, {}) if script == _subtags(name)[1] else {}


@cache
def united_nations() -> dict[str, dict[str, str]]:
    """Return the short names of the United Nations by language and alpha-2 code."""
    text = files("feeds.catalogue").joinpath("united_nations.tsv").read_text("utf-8")
    (_, *languages), *rows = (
        line.split("\t") for line in text.splitlines() if not line.startswith("#")
    )
    return {
        language: {code: names[column] for code, *names in rows}
        for column, language in enumerate(languages)
    }


@lru_cache(maxsize=2)  # English, and the site's language
def iso_names(language: str) -> dict[str, str]:
    """Return the short names of ISO 3166-1 by alpha-2 code, where they are translated.

    A few translations are the name or the code of another country, by mistake. These are
    left out.
    """
    english = {code: name for code, name, *_ in iso_in_english()}
    if _subtags(language)[0] == "en":
        return english
    translation = _translation(language)
    found = {code: translation.gettext(name) for code, name in english.items()}
    codes = {code: code for code in english}
    called: dict[str, set[str]] = {}
    for names in (found, codes, english, territories("en"), territories(language)):
        for code, name in names.items():
            called.setdefault(exact_key(name), set()).add(code)
    return {
        code: name for code, name in found.items() if name and len(called[exact_key(name)]) == 1
    }


@cache
def iso_in_english() -> list[tuple[str, ...]]:
    """Return each country of ISO 3166-1: its alpha-2 code, its short name, and its other names."""
    from pycountry import countries  # noqa: PLC0415  # loaded only if a name needs it

    fields = ("alpha_2", "name", "official_name", "common_name")
    return [
        tuple(getattr(country, field) for field in fields if hasattr(country, field))
        for country in countries
    ]


class _Untranslated(NullTranslations):
    """Translates nothing, to ''; a GNUTranslations alone returns the English text instead."""

    def gettext(self, message: str) -> str:  # noqa: ARG002  # the signature of the class above
        return ""


def _translation(language: str) -> NullTranslations:
    """Return the translation of the names of ISO 3166-1 into a language."""
    from pycountry import LOCALES_DIR  # noqa: PLC0415  # loaded only if a name needs it

    for folder in _translation_folders(language):
        file = Path(LOCALES_DIR, folder, "LC_MESSAGES", "iso3166-1.mo")
        if file.is_file():
            with file.open("rb") as opened:
                translation = GNUTranslations(opened)
            translation.add_fallback(_Untranslated())
            return translation
    return _Untranslated()


def _translation_folders(language: str) -> Iterator[str]:
    """Yield the folders that may have a translation into a language, the best first."""
    name, script, region = _subtags(language)
    tags = [f"{name}-{script}-{region}", f"{name}-{script}"]
    if script == _subtags(name)[1]:
        tags += [f"{name}_{region}", name]
    return (_TRANSLATIONS.get(tag, tag) for tag in tags)


def _subtags(language: str) -> tuple[str, str, str]:
    """Return the language, the script and the region of a tag; the script is its usual one."""
    name, *others = language.split("-")
    usual = get_global("likely_subtags")
    likely = usual.get(language.replace("-", "_")) or usual.get(name) or ""
    scripts = (part for part in (*others, *likely.split("_")) if len(part) == _SCRIPT_LENGTH)
    regions = (part for part in others if len(part) < _SCRIPT_LENGTH)
    return name, next(scripts, ""), next(regions, "")


def exact_key(name: str) -> str:
    """Return a name without differences of case and of Unicode normalisation."""
    return unicodedata.normalize("NFC", " ".join(name.split())).casefold()
