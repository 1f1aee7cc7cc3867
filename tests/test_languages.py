"""Language tags: known ones, unknown ones and invalid ones."""

import pytest
from babel import Locale
from reading import messages, read, site

EMPTY = "entries: []\n"
LANGUAGES = sorted(code for code in map(str, Locale("en").languages) if len(code) <= 3)
# CLDR's codes for testing, and for what is not a region.
NOT_REGIONS = {"CQ", "QO", "XA", "XB", "ZZ"}
REGIONS = sorted(code for code in map(str, Locale("en").territories) if len(code) == 2)
TAGS = LANGUAGES + [f"en-{code}" for code in REGIONS if code not in NOT_REGIONS]


def written_and_read(tags: list[str]) -> list[tuple[str, str, int]]:
    """Return each tag, the language of a site that is written with it, and how many notes that has."""
    found = [(tag, read(site(language=tag) + EMPTY)) for tag in tags]
    return [(tag, catalogue.site.language, len(catalogue.notes)) for tag, catalogue in found]


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("EN", "en"),
        ("pt-br", "pt-BR"),
        ("ZH-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("haw", "haw"),
        ("sq-XK", "sq-XK"),
        ("en-EU", "en-EU"),
    ],
)
def test_a_tag_is_returned_in_its_usual_case(written: str, tag: str) -> None:
    """Language, script and region are each returned in canonical case."""
    assert written_and_read([written]) == [(written, tag, 0)]


def test_languages_and_countries_of_cldr_are_known() -> None:
    """Languages and countries of CLDR cause no note."""
    # Each language loads its names of countries.
    some = TAGS[::40]
    assert written_and_read(some) == [(tag, tag, 0) for tag in some]


@pytest.mark.heavy
def test_every_language_and_country_of_cldr_is_known() -> None:
    """The same, for every language and every country."""
    assert written_and_read(TAGS) == [(tag, tag, 0) for tag in TAGS]


@pytest.mark.parametrize(
    ("tag", "note"),
    [
        ("qqq", "no language has the code 'qqq'"),
        ("xx", "no language has the code 'xx'"),
        ("jp", "no language has the code 'jp'; did you mean ja?"),
        ("de-XX", "no country has the code 'XX'"),
        ("en-UK", "no country has the code 'UK'; did you mean GB?"),
    ],
)
def test_an_unknown_code_is_noted(tag: str, note: str) -> None:
    """A code that no language or no country has is kept, with a note."""
    text = site(language=tag) + EMPTY
    assert read(text).site.language == tag
    assert messages(text) == [note]


@pytest.mark.parametrize("tag", ["-", "e", "english", "en_GB", "en-", "en-GB-oed", "419"])
def test_an_invalid_tag_is_refused(tag: str) -> None:
    """A text that does not have the form of a tag is refused."""
    assert messages(site(language=tag) + EMPTY) == [
        "is not a valid language tag; write it like en, pt-BR or zh-Hant"
    ]
