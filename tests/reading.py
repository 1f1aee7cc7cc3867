"""Catalogues in memory: what is read of them, and what is said of them."""

import json
from collections.abc import Mapping

from babel import Locale, UnknownLocaleError

from feeds import Catalogue, CatalogueError
from feeds.catalogue import read_catalogue

SITE = {"title": "T", "url": "https://news.example.org/", "id": "tag:news.example.org,2021:t"}
ENTRY = {"id": "a", "title": "A", "date": "2022-05-24", "summary": "S"}

# CLDR's two-letter codes that are not countries: reserved ones, unions and test locales.
NOT_COUNTRIES = {*"AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ".split()}


def countries_of(language: str) -> dict[str, str]:
    """Return the names of all countries that CLDR has in a language, by code."""
    try:
        names = Locale.parse(language, sep="-").territories
    except UnknownLocaleError:
        return {}
    return {
        code: name for code, name in names.items() if len(code) == 2 and code not in NOT_COUNTRIES
    }


def read(text: str) -> Catalogue:
    """Read a catalogue, which may have what is not valid UTF-8."""
    return read_catalogue([("f", text.encode("utf-8", "surrogatepass"))])


def read_or_none(text: str) -> Catalogue | None:
    """Read a catalogue; None if it is refused."""
    try:
        return read(text)
    except CatalogueError:
        return None


def messages(text: str) -> list[str]:
    """Return the messages of a catalogue's Problems, or of its notes if it has no Problem."""
    try:
        return [note.message for note in read(text).notes]
    except CatalogueError as error:
        return [problem.message for problem in error.problems]


def quoted(value: object) -> str:
    """Return a value as JSON, which is YAML."""
    return json.dumps(value, ensure_ascii=False)


def site(**values: object) -> str:
    """Return the section of a site, each value quoted."""
    return f"site: {quoted(SITE | values)}\n"


def entries(*items: Mapping[str, object]) -> str:
    """Return the section of entries, each an item of a list, with its values quoted."""
    return "entries:\n" + "".join(f"- {quoted(ENTRY | {**item})}\n" for item in items)
