"""Texts that run as scripts if they are not escaped, in a catalogue."""

import json

from conftest import ROOT

from feeds import CatalogueError
from feeds.catalogue import read_catalogue

PAYLOADS = (ROOT / "tests" / "xss.txt").read_text("utf-8").splitlines()
# Some parts of a text are taken for others only where they come together.
BODIES = "\n\n".join(text for text in PAYLOADS if "&#14;" not in text)
_PLAIN = "'https://example.org/a.jpg'"


def hostile_entries(head: str) -> str:
    """Return the section `entries:` of payloads, each in every field that accepts it.

    The last entry has all bodies in one.
    """
    items = []
    for number, payload in enumerate(PAYLOADS):
        text, topic = json.dumps(payload), json.dumps(f"{number} {payload}")
        item = (
            f"- id: p{number}\n  title: {text}\n  date: 2022-05-24\n  summary: {text}\n"
            f"  author: {text}\n  guid: {{id: {text}, json: {topic}}}\n  topics: [{topic}]\n  countries: [Jordan]\n"
            f"  photo: {{credit: {text}, alt: {text}, url: {_PLAIN}}}\n"
        )
        for name in ("link", "body"):
            more = f"{item}  {name}: {text}\n"
            item = more if _accepted(head, more) else item
        photo = item.replace(_PLAIN, text)
        items.append(photo if _accepted(head, photo) else item)
    last = f"- id: bodies\n  title: Bodies\n  date: 2022-05-23\n  body: {json.dumps(BODIES)}\n"
    return f"entries:\n{''.join(items)}{last}"


def _accepted(head: str, item: str) -> bool:
    try:
        read_catalogue([("f", f"{head}entries:\n{item}".encode())])
    except CatalogueError:
        return False
    return True
