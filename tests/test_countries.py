"""Names of countries: the three sets in every language, and other names that editors write."""

import json
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path

import pycountry
import pytest
from babel.localedata import locale_identifiers
from conftest import ROOT
from reading import countries_of, entries, messages, read_or_none, site

from feeds.catalogue.countries import Countries
from feeds.catalogue.country_names import displayed_names
from feeds.catalogue.known_keys import SILENT
from feeds.catalogue.reader import InvalidValue

NAMES = tomllib.loads((ROOT / "feeds" / "catalogue" / "countries.toml").read_text())
# Babel's names of variants, which the language of a site cannot have.
NOT_TAGS = {"be-TARASK", "el-POLYTON"}
SIX = ("ar", "en", "es", "fr", "ru", "zh")
UNITED_NATIONS = [(code, countries_of(code)) for code in SIX]
SETS = ("un", "iso", "cldr")
SIX_AND_SETS = [*product(SIX, SETS)]
FOOTNOTE_OR_ARTICLE = re.compile(r"[*_]|\((the|el|l[aeo]s?|l')\)")


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


def united_nations() -> dict[str, dict[str, str]]:
    """Return the names in the data file of the United Nations, by language and code."""
    file = ROOT / "feeds" / "catalogue" / "united_nations.tsv"
    lines = [line.split("\t") for line in file.read_text().splitlines() if line[0] != "#"]
    assert {len(line) for line in lines} == {len(SIX) + 1}
    columns = {column: names for column, *names in zip(*lines, strict=True)}
    return {code: dict(zip(columns["code"], columns[code], strict=True)) for code in SIX}


@pytest.mark.parametrize(("language", "chosen"), SIX_AND_SETS)
def test_each_country_has_a_name_of_its_own_in_each_set(language: str, chosen: str) -> None:
    """In each set and language, each displayed name is unique, and is read as its country."""
    codes = sorted(countries_of("en"))
    own_site = site(language=language, country_names=chosen)
    found = read_or_none(own_site + entries({"countries": codes}))
    assert found
    names = [country.name for country in found.entries[0].countries]
    assert len({unicodedata.normalize("NFKC", name).casefold() for name in names}) == len(codes)
    again = read_or_none(own_site + entries({"countries": names}))
    assert again
    assert [country.code for country in again.entries[0].countries] == codes


def test_displayed_names_are_those_of_the_chosen_set() -> None:
    """A country has the name of the chosen set; where that has none, CLDR's."""
    alpha_2 = {country.alpha_2: country.name for country in pycountry.countries}
    for language, names in united_nations().items():
        usual = countries_of(language)
        assert displayed_names("cldr", language) == usual
        assert displayed_names("un", language) == usual | names
        assert usual.keys() - names.keys() == {"TW", "XK"}
    assert displayed_names("iso", "en") == countries_of("en") | alpha_2


def test_names_of_the_united_nations_are_as_they_are_printed() -> None:
    """No name has a footnote sign, its article in brackets, or stray characters."""
    for language, names in united_nations().items():
        assert len(set(names.values())) == len(names)
        for name in names.values():
            assert name == unicodedata.normalize("NFC", " ".join(name.split())), name
            assert not FOOTNOTE_OR_ARTICLE.search(name), name
            assert name[0] == name[0].upper(), name
            scripts = {unicodedata.name(letter).split()[0] for letter in name if letter.isalpha()}
            expected = {"ar": "ARABIC", "ru": "CYRILLIC", "zh": "CJK"}.get(language, "LATIN")
            assert scripts == {expected}, name


def names_of_all_sets(language: str) -> dict[tuple[str, str], None]:
    """Return the names that the sets have, each with its country's code.

    They are those of CLDR and ISO 3166-1 in English and in a language, and those of the
    United Nations in all of theirs.
    """
    found = [(name, code) for names in united_nations().values() for code, name in names.items()]
    for country in pycountry.countries:
        fields = ("name", "official_name", "common_name")
        found += [
            (getattr(country, field), country.alpha_2)
            for field in fields
            if hasattr(country, field)
        ]
    for chosen, code in product(SETS, ("en", language)):
        found += [(name, code) for code, name in displayed_names(chosen, code).items()]
    return dict.fromkeys(found)


# Names of a set that may also mean another country, or a part of the world.
DOUBTFUL = {"Congo", "Конго", "الكونغو", "刚果", "Южная Африка"}


@pytest.mark.parametrize(("language", "chosen"), SIX_AND_SETS)
def test_all_names_of_all_sets_are_understood(language: str, chosen: str) -> None:
    """Whatever the site displays, each name of each set is read as its country.

    Where it may mean something else, too, it is that of the country only if the site
    displays it. Otherwise it is refused, and the message names the country.
    """
    countries = Countries(language, {}, chosen)
    read = countries.code(SILENT)
    refused = set()
    for name, code in names_of_all_sets(language):
        try:
            assert read(name) == code, name
        except InvalidValue as error:
            assert f"({code})" in str(error)
            assert name != countries.country(code).name
            refused.add(name)
    assert refused <= DOUBTFUL


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("fr-CH", "Fédération de Russie"),
        ("es-419", "Federación de Rusia"),
        ("en-GB", "Russian Federation"),
        ("ar-EG", "الاتحاد الروسي"),
        ("zh-Hans", "俄罗斯联邦"),
        ("zh-SG", "俄罗斯联邦"),
        ("fr-XX", "Fédération de Russie"),
    ],
)
def test_a_variant_of_a_language_has_the_names_of_the_language(language: str, name: str) -> None:
    """The United Nations' names do not depend on the region of the site's language."""
    assert displayed_names("un", language)["RU"] == name


@pytest.mark.parametrize("language", ["pt", "de", "zh-Hant", "zh-TW", "zh-HK", "ru-Latn", "qqq"])
def test_other_languages_have_no_names_of_the_united_nations(language: str) -> None:
    """In another language, or another script, `un` is a Problem that names the six languages."""
    assert (
        "the names of the United Nations are in ar, en, es, fr, ru and zh (simplified),"
        f" not in {language!r}; write iso or cldr"
    ) in messages(site(language=language, country_names="un") + entries({}))


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("en-GB", "Korea, Republic of"),
        ("de", "Korea, Republik"),
        ("nb", "Korea, Republikken"),
        ("no", "Korea, Republikken"),
        ("pt-PT", "Coreia, República da"),
        ("pt-BR", "Coreia, República da"),
        ("sr-Latn", "Koreja, Republika"),
        ("zh", "大韩民国"),
        ("zh-Hant", "大韓民國"),
        ("zh-MO", "大韓民國"),
        ("zh-HK", "大韓民國"),
        # Not translated into these.
        ("kok", "दक्षिण कोरिया"),
        ("uz-Cyrl", "Жанубий Корея"),
        ("qqq", "Korea, Republic of"),
    ],
)
def test_names_of_iso_are_translated(language: str, name: str) -> None:
    """ISO's names are in the site's language; if not translated, CLDR's; if unknown, the English."""
    assert displayed_names("iso", language)["KR"] == name


def test_a_translation_that_two_countries_share_is_not_displayed() -> None:
    """In Turkmen, ISO's translation calls both Latvia and Lithuania the same: CLDR's is displayed."""
    usual, names = countries_of("tk"), displayed_names("iso", "tk")
    assert (names["LT"], names["LV"]) == (usual["LT"], usual["LV"])


def meaning_of(countries: Countries, text: str) -> str:
    """Return the code of the country that a text means, or why it means none."""
    try:
        return countries.code(SILENT)(text)
    except InvalidValue as error:
        return str(error)


@pytest.mark.heavy
def test_names_of_iso_are_understood_in_every_language() -> None:
    """In each language, ISO's displayed names are unique, and are read as their countries."""
    folders = Path(pycountry.LOCALES_DIR).iterdir()
    translated = {folder.name.replace("_", "-") for folder in folders if "@" not in folder.name}
    for language in sorted({language for language, _ in languages()} | translated | {"sr-Latn"}):
        countries = Countries(language, {}, "iso")
        for code in countries_of("en"):
            assert meaning_of(countries, code) == code
            assert meaning_of(countries, countries.country(code).name) == code
