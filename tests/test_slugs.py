"""Slugs are safe as file names and in addresses, in any script, and stay what they are."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feeds.catalogue.reader import Fault
from feeds.catalogue.slugs import slug, slug_of


@settings(max_examples=1000)
@given(st.text(max_size=80))
@example("ﷺ" * 60)
@example("İstanbul ǅ ŉ ﬃ ß ẞ")
@example("e\u0301\u0301 \u0301x")
def test_a_made_slug_is_accepted_as_written(text: str) -> None:
    """What is proposed for any title can be pasted as an id, and names a file anywhere."""
    made = slug_of(text)
    if not made:
        return
    assert slug(made) == made
    assert len(made.encode()) <= 200
    assert made == unicodedata.normalize("NFC", made)
    assert not set(made) & set('/\\:*?"<>|\0 %#')
    assert made.strip(".-_") == made


@pytest.mark.parametrize(
    "text", ["", ".", "..", "-a", "a-", "A", "a b", "a/b", "é", "a--b", "\u0301"]
)
def test_what_is_no_slug_is_refused(text: str) -> None:
    """A slug with a capital, a space, a stroke or a loose joiner is a fault."""
    with pytest.raises(Fault):
        slug(text)
