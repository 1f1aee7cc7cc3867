"""What a mistyped word was meant to be."""

import pytest

from feeds.catalogue.suggestions import Suggester

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
def test_all_of_a_word_is_near(word: str, meant: str) -> None:
    """What is alike only in a part that many share, such as a folder, is not proposed."""
    assert Suggester().hint(word, CHOICES) == (f"; did you mean {meant}?" if meant else "")
