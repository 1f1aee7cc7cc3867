"""Language tags: which are known, and which are only well made."""

import pytest
from babel import Locale

from feeds.catalogue.languages import language_tag
from feeds.catalogue.reader import Fault, Remark
from feeds.catalogue.territories import territories

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
def test_a_tag_is_given_in_its_usual_case(written: str, tag: str) -> None:
    """Language, script and region are each in the case in which they are written."""
    assert language_tag(written) == tag


def test_every_language_and_country_of_cldr_is_known() -> None:
    """No language and no country that there is makes a note."""
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
def test_a_code_that_nobody_has_is_noted(tag: str, note: str) -> None:
    """What is no code of a language or a country stays, with a note."""
    with pytest.raises(Remark) as told:
        language_tag(tag)
    assert (told.value.value, str(told.value)) == (tag, note)


@pytest.mark.parametrize("tag", ["", "e", "english", "en_GB", "en-", "en-GB-oed", "419"])
def test_what_is_no_tag_is_refused(tag: str) -> None:
    """What no program understands as a tag is a fault."""
    with pytest.raises(Fault):
        language_tag(tag)
