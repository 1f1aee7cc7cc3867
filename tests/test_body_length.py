"""A body that would take too long to render is refused."""

import pytest

from feeds import CatalogueError
from feeds.catalogue import read_catalogue

HEAD = """site: {title: T, url: https://news.example.org/, id: 'tag:news.example.org,2021:t'}
entries:
- {id: a, title: A, date: 2022-05-24, body: '"""


@pytest.mark.parametrize("text", ["&", "a ", "[a](b) ", "<b>x</b>"])
def test_a_body_has_at_most_a_hundred_thousand_characters(text: str) -> None:
    """A body over the limit is a Problem that names its length; a body at the limit is accepted."""
    longest = (text * 100_000)[:100_000]
    with pytest.raises(CatalogueError, match="has 100,001 characters; a body has at most 100,000"):
        read_catalogue([("f", f"{HEAD}{longest}.'}}\n".encode())])
    read_catalogue([("f", f"{HEAD}{longest[:2000]}.'}}\n".encode())])
