"""Names of countries: those of CLDR in every language, and other names that editors write."""

import re
import tomllib
from collections.abc import Iterable, Iterator

import pytest
from babel.localedata import locale_identifiers
from conftest import ROOT

from feeds.catalogue.countries import Countries, namesakes, territories
from feeds.catalogue.known_keys import SILENT, Suggester
from feeds.catalogue.reader import InvalidValue

NAMES = tomllib.loads((ROOT / "feeds" / "catalogue" / "countries.toml").read_text())
ENGLISH = Countries("en", {})


def languages() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield a language for each list of countries' names in Babel, with its names by code."""
    seen = set()
    for identifier in sorted(locale_identifiers()):
        language = identifier.replace("_", "-")
        names = territories(language)
        if tuple(names.items()) not in seen:
            seen.add(tuple(names.items()))
            yield language, names


@pytest.mark.heavy
def test_displayed_names_are_understood_in_every_language() -> None:
    """In each language, a country's displayed name and its code are read as that country."""
    assert not misunderstood(languages())


def test_displayed_names_are_understood_in_the_languages_of_the_un() -> None:
    """In these six languages, a country's displayed name and its code are read as that country."""
    six = {"ar", "en", "es", "fr", "ru", "zh"}
    found = [(language, names) for language, names in languages() if language in six]
    assert len(found) == 6
    assert not misunderstood(found)


def misunderstood(named: Iterable[tuple[str, dict[str, str]]]) -> list[tuple[str, str, str]]:
    """Return the languages, codes and names that are not read as that code."""
    english = territories("en")
    wrong = []
    for language, names in named:
        find = Countries(language, {}).code(SILENT)
        for code, name in (english | names).items():
            if find(name) != code or find(code) != code:
                wrong.append((language, code, name))
    return wrong


def test_displayed_names_are_accepted_as_own_names_in_every_language() -> None:
    """In every language, a site may declare the names that countries already have."""
    for language, names in languages():
        assert not namesakes(names, language)
        assert not any(namesakes({code: name}, language) for code, name in names.items())


def refusal(text: str) -> str:
    """Return the message for a text that is not understood as a country in English."""
    with pytest.raises(InvalidValue) as raised:
        ENGLISH.code(Suggester())(text)
    return str(raised.value)


def test_every_other_name_is_of_its_own_country() -> None:
    """No other name of a country is taken by another country, or is the code of one."""
    find = ENGLISH.code(SILENT)
    for code, names in NAMES["names"].items():
        assert {find(name) for name in names} == {code}
    for names in NAMES["united_nations"].values():
        assert {name: find(name) for name in names.values()} == {
            name: code for code, name in names.items()
        }


def test_doubtful_names_are_asked_about() -> None:
    """A name that several countries share is refused; the message names each of them."""
    for name, codes in NAMES["ask"].items():
        message = refusal(name)
        assert message.startswith(f"unknown country {name!r}; did you mean ")
        assert re.findall(r"\(([A-Z]{2})\)", message) == codes


def test_parts_of_countries_say_which_country_to_write() -> None:
    """A part of a country is refused; the message names the country."""
    english = territories("en")
    for code, names in NAMES["parts"].items():
        for name in names:
            whole = english[code]
            assert refusal(name) == f"{name!r} is part of {whole} ({code}); write {whole}"


def test_other_places_and_groups_say_what_to_do() -> None:
    """No region, group or organisation is understood as a country."""
    for name in NAMES["not_countries"]["names"]:
        message = f"{name!r} is not a country; name the countries, or use a topic"
        assert refusal(name) == message


@pytest.mark.parametrize("language", ["en", "fr", "es", "ar", "zh", "ru", "hi", "vi", "de"])
def test_names_in_data_are_not_displayed_for_another_country(language: str) -> None:
    """No additional name hides the name of another country in the language of a site."""
    find = Countries(language, {}).code(SILENT)
    for code, names in NAMES["names"].items():
        for name in names:
            try:
                assert find(name) == code
            except InvalidValue as fault:
                assert name == "America", fault
