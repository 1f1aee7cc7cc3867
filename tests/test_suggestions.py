"""Suggestions for mistyped words."""

from pathlib import Path

import pytest
from reading import entries, messages, site
from work import work

from feeds import CatalogueError
from feeds.catalogue import read_catalogue

TOPICS = "topics: {social-health-protection: A}\n"


def suggestion(said: list[str]) -> str:
    """Return what the only message suggests; '' if nothing."""
    [message] = said
    return message.partition("; did you mean ")[2].removesuffix("?")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (site(maxx_age=60) + entries({}), "max_age"),
        (site() + entries({"topik": ["A"]}), "topics"),
        (site(timezone="Europe/Roma") + entries({}), "Europe/Rome"),
        (site(timezone="Europe") + entries({}), ""),
        (site() + TOPICS + entries({"topics": ["social-helth-protection"]}), TOPICS[9:33]),
        (site() + TOPICS + entries({"topics": ["socialhealth-protection"]}), TOPICS[9:33]),
        (site() + TOPICS + entries({"topics": ["social-wealth"]}), ""),
    ],
)
def test_each_part_of_a_word_is_similar(text: str, meant: str) -> None:
    """A choice that is similar only in a common part, such as a folder, is not suggested."""
    assert suggestion(messages(text)) == meant


def test_mistakes_beyond_the_first_hundred_cost_little() -> None:
    """Once nothing is suggested any more, an unknown country costs no comparison with all names."""

    def read(count: int) -> None:
        names = (f"Qwertzuiop {number:04}" for number in range(count))
        messages(site() + entries(*({"countries": [name]} for name in names)))

    # What is computed once, is done.
    read(110)
    first, more = (work(lambda: read(count)) for count in (110, 150))  # noqa: B023  # at once
    # Reading such an entry runs 4,000 lines of Python; comparing all names, 13,000 more.
    assert (more - first) / 40 < 8000


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("media/bigg.jpg", "media/big.jpg"),
        ("media/missing.jpg", ""),
        ("media/Europe/Roma.jpg", "media/Europe/Rome.jpg"),
        ("media/Europe/Prague.jpg", ""),
    ],
)
def test_a_file_in_the_same_folder_is_not_similar_for_that(
    path: str, meant: str, tmp_path: Path
) -> None:
    """A picture is suggested for its name, not for its folder and its ending."""
    (tmp_path / "Europe").mkdir()
    for name in ("big.jpg", "Europe/Rome.jpg"):
        (tmp_path / name).touch()
    text = site() + entries({"photo": {"url": path}})
    with pytest.raises(CatalogueError) as raised:
        read_catalogue([("f", text.encode())], media=tmp_path)
    assert suggestion([problem.message for problem in raised.value.problems]) == meant
