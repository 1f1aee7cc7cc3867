"""Names of countries: those of CLDR in every language, and other names that editors write."""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator

import pytest
from babel.localedata import locale_identifiers
from conftest import ROOT
from reading import countries_of, entries, messages, read_or_none, site

NAMES = tomllib.loads((ROOT / "feeds" / "catalogue" / "countries.toml").read_text())
# Babel's names of variants, which the language of a site cannot have.
NOT_TAGS = {"be-TARASK", "el-POLYTON"}
UNITED_NATIONS = [(code, countries_of(code)) for code in ("ar", "en", "es", "fr", "ru", "zh")]


def languages() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield a language for each list of countries' names in Babel, with its names by code."""
    seen = set()
    for identifier in sorted(locale_identifiers()):
        language = identifier.replace("_", "-")
        if language in NOT_TAGS:
            continue
        names = countries_of(language)
        if tuple(names.items()) not in seen:
            seen.add(tuple(names.items()))
            yield language, names


@pytest.mark.heavy
def test_displayed_names_are_understood_in_every_language() -> None:
    """In each language, a country's displayed name and its code are read as that country."""
    assert not misunderstood(languages())


def test_displayed_names_are_understood_in_the_languages_of_the_un() -> None:
    """In these six languages, a country's displayed name and its code are read as that country."""
    assert not misunderstood(UNITED_NATIONS)


def understood(language: str, *named: Iterable[str]) -> list[str]:
    """Return the codes of the countries that entries name; none if one is not understood."""
    items = ({"id": f"e{number}", "countries": [*names]} for number, names in enumerate(named))
    found = read_or_none(site(language=language) + entries(*items))
    return [country.code for entry in found.entries for country in entry.countries] if found else []


def misunderstood(named: Iterable[tuple[str, dict[str, str]]]) -> list[str]:
    """Return the languages in which a country's name or code is not read as that country."""
    english = countries_of("en")
    wrong = []
    for language, names in named:
        known = english | names
        codes = [*known]
        if not understood(language, known.values()) == understood(language, codes) == codes:
            wrong.append(language)
    return wrong


@pytest.mark.heavy
def test_displayed_names_are_accepted_as_own_names_in_every_language() -> None:
    """In every language, a site may declare the names that countries already have, all or some."""
    assert not refused_as_own(languages())


def test_displayed_names_are_accepted_as_own_names_in_the_languages_of_the_un() -> None:
    """In these six languages, a site may declare the names that countries already have, all or some."""
    assert not refused_as_own(UNITED_NATIONS)


def refused_as_own(named: Iterable[tuple[str, dict[str, str]]]) -> list[str]:
    """Return the languages in which a site may not declare its countries' names, or some of them."""
    wrong = []
    for language, names in named:
        rows = [*names.items()]
        for some in (rows, rows[::2], rows[1::2], rows[:1]):
            declared = "".join(f"  {code}: {json.dumps(name)}\n" for code, name in some)
            text = f"{site(language=language)}countries:\n{declared}entries: []\n"
            if declared and read_or_none(text) is None:
                wrong.append(language)
    return wrong


def refusals(names: Iterable[str], language: str = "en") -> list[str]:
    """Return the message for each name that is not understood as a country."""
    items = ({"id": f"e{number}", "countries": [name]} for number, name in enumerate(names))
    return messages(site(language=language) + entries(*items))


def test_every_other_name_is_of_its_own_country() -> None:
    """No other name of a country is taken by another country, or is the code of one."""
    for code, names in NAMES["names"].items():
        assert {*understood("en", *([name] for name in names))} == {code}
    for names in NAMES["united_nations"].values():
        assert understood("en", names.values()) == [*names]


def test_doubtful_names_are_asked_about() -> None:
    """A name that several countries share is refused; the message names each of them."""
    said = refusals(NAMES["ask"])
    for message, (name, codes) in zip(said, NAMES["ask"].items(), strict=True):
        assert message.startswith(f"unknown country {name!r}; did you mean ")
        assert re.findall(r"\(([A-Z]{2})\)", message) == codes


def test_parts_of_countries_say_which_country_to_write() -> None:
    """A part of a country is refused; the message names the country."""
    english = countries_of("en")
    for code, names in NAMES["parts"].items():
        whole = english[code]
        assert refusals(names) == [
            f"{name!r} is part of {whole} ({code}); write {whole}" for name in names
        ]


def test_other_places_and_groups_say_what_to_do() -> None:
    """No region, group or organisation is understood as a country."""
    names = NAMES["not_countries"]["names"]
    assert refusals(names) == [
        f"{name!r} is not a country; name the countries, or use a topic" for name in names
    ]


@pytest.mark.parametrize("language", ["en", "fr", "es", "ar", "zh", "ru", "hi", "vi", "de"])
def test_names_in_data_are_not_displayed_for_another_country(language: str) -> None:
    """No additional name hides the name of another country in the language of a site."""
    for code, names in NAMES["names"].items():
        known = ([name] for name in names if name != "America" or not refusals([name], language))
        assert {*understood(language, *known)} == {code}
