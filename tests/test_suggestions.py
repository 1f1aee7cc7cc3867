"""Suggestions for mistyped words."""

import pytest

from feeds.catalogue.known_keys import Suggester

CHOICES = ("max_age", "topics", "media/big.jpg", "Europe/Rome", "social-health-protection")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("maxage", "max_age"),
        ("topik", "topics"),
        ("media/bigg.jpg", "media/big.jpg"),
        ("Europe/Roma", "Europe/Rome"),
        ("social-helth-protection", "social-health-protection"),
        ("socialhealth-protection", "social-health-protection"),
        ("media/missing.jpg", ""),
        ("Europe", ""),
        ("Europe/Prague", ""),
        ("social-wealth", ""),
    ],
)
def test_each_part_of_a_word_is_similar(word: str, meant: str) -> None:
    """A choice that is similar only in a common part, such as a folder, is not suggested."""
    assert Suggester().hint(word, CHOICES) == (f"; did you mean {meant}?" if meant else "")
