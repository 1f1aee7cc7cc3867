"""Characters that cannot be seen, and how a message names them."""

import re
from unicodedata import name

# Spaces other than the ordinary one, and ends of lines that no editor shows.
_SPACES = "\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# What Unicode calls default ignorable, but for what has yet to be assigned.
_NOTHING = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff"
)
SIGNS = _SPACES + _NOTHING
SPACE = re.compile(f"[{_SPACES}]")
INVISIBLE = re.compile(f"[{SIGNS}]")


def named(character: str) -> str:
    """Return a character's code point and Unicode name, such as `U+00A0 NO-BREAK SPACE`."""
    return f"U+{ord(character):04X} {name(character, '')}".rstrip()
