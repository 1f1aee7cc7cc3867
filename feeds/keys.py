"""Surrogate keys: the names under which a cache can be told to forget documents together."""

from urllib.parse import quote

# On every document, so that a whole site can be forgotten.
EVERYTHING = "everything"
# On those that are about nothing in particular.
FRONT = "front"
_KINDS = {"topics": "topic", "countries": "country", "entries": "entry"}


def keys_of(path: str) -> tuple[str, ...]:
    """Give the keys of the document at a path: `everything`, then what it is about.

    `topics/x/countries/ke/atom.xml` has `topic-x` and `country-ke`, so that each
    of the two takes it. What lies elsewhere is `front`. Keys consist of
    ASCII letters, digits and `_.-~`, so that they are the same in a header, in an
    address and in a command.
    """
    parts = path.split("/")
    about = [
        f"{_KINDS[kind]}-{_plain(name)}"
        for kind, name in zip(parts[:-1:2], parts[1:-1:2], strict=False)
        if kind in _KINDS
    ]
    return EVERYTHING, *(about or [FRONT])


def _plain(name: str) -> str:
    """Write what is no plain character as its UTF-8 in hexadecimal, each byte after a `~`."""
    return quote(name, safe="").replace("~", "%7E").replace("%", "~")
