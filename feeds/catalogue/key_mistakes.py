"""What is wrong with a key that is not known, where its own signs tell."""

import re
from collections.abc import Collection

from feeds.catalogue.cutting import SECTIONS
from feeds.catalogue.source import INVISIBLE, named

# What input methods and other notations write for a colon.
COLONS = "：﹕︓∶ː"
_SIGN = re.compile(rf"(?P<key>[a-z_]+)\s*(?P<sign>[{COLONS}=;]|=>|->|:(?=\S)|(?<=\s)(?=\S))")


def key_mistake(name: str, known: Collection[str]) -> str:
    """Return what is wrong with a key of a mapping that has the `known` ones, or ''.

    A colon further on in the line can make a key of what was written before it.
    """
    if invisible := INVISIBLE.search(name):
        return invisible_in_key(invisible[0])
    found = _SIGN.match(name)
    if found and found["key"] in known:
        return _wrong_colon(found["key"], found["sign"])
    if name in SECTIONS:
        return "is a section of its own: the line must begin without spaces"
    return ""


def invisible_in_key(sign: str) -> str:
    """Return what is wrong with a key that has a character that cannot be seen."""
    return f"the key has {named(sign)} in it; write an ordinary space instead, or remove it"


def _wrong_colon(key: str, sign: str) -> str:
    if sign == ":":
        return "a space after the ':' is missing"
    if sign:
        return f"after '{key}', write ': ' instead of '{sign}'"
    return f"the ':' after '{key}' is missing"
