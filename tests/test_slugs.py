"""Slugs are safe as file names and in addresses, in any script."""

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reading import entries, messages, read, site


@settings(max_examples=1000)
@given(st.text(max_size=80))
@example("ﷺ" * 60)
@example("\U00010428" * 80)
@example("İstanbul ǅ ŉ ﬃ ß ẞ")
@example("e\u0301\u0301 \u0301x")
def test_a_made_slug_is_accepted_as_written(text: str) -> None:
    """The id that is proposed for any title is a valid id, and a valid file name everywhere."""
    nameless = entries({"id": "", "title": text})
    said = " ".join(messages(site() + nameless))
    found = re.search(r"write a permanent one: 'id: (.*)'", said)
    if found is None:
        assert "cannot be published" in said
        return
    made = found[1]
    assert read(site() + entries({"id": made})).entries[0].id == made
    assert len(made.encode()) <= 200
    assert made == unicodedata.normalize("NFC", made)
    assert not set(made) & set('/\\:*?"<>|\0 %#')
    assert made.strip(".-_") == made


@pytest.mark.parametrize("text", [".", "..", "-a", "a-", "A", "a b", "a/b", "é", "a--b", "\u0301"])
def test_an_invalid_slug_is_refused(text: str) -> None:
    """A slug with a capital letter, a space, a slash or a combining accent is refused."""
    [message] = messages(site() + entries({"id": text}))
    assert message.startswith("must consist of lower-case letters")
