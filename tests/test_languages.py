"""Language tags: known ones, unknown ones and invalid ones."""

import pytest
from babel import Locale

from feeds.catalogue.countries import territories
from feeds.catalogue.reader import InvalidValue, ValueWarning
from feeds.catalogue.text_fields import language_tag

LANGUAGES = sorted(code for code in map(str, Locale("en").languages) if len(code) <= 3)


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
    assert language_tag(written) == tag


def test_every_language_and_country_of_cldr_is_known() -> None:
    """No language and no country of CLDR causes a note."""
    assert [language_tag(code) for code in LANGUAGES] == LANGUAGES
    tags = [f"en-{code}" for code in territories("en")]
    assert [language_tag(tag) for tag in tags] == tags


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
    with pytest.raises(ValueWarning) as raised:
        language_tag(tag)
    assert (raised.value.value, str(raised.value)) == (tag, note)


@pytest.mark.parametrize("tag", ["", "e", "english", "en_GB", "en-", "en-GB-oed", "419"])
def test_an_invalid_tag_is_refused(tag: str) -> None:
    """A text that does not have the form of a tag is refused."""
    with pytest.raises(InvalidValue):
        language_tag(tag)
