"""Publishes a YAML catalogue of news as Atom, RSS and JSON feeds.

    catalogue = load_catalogue("entries.yaml")
    release = Release(catalogue, as_of=datetime.now(UTC))

    publisher = Publisher("entries.yaml")
    publisher.start()
    app = create_app(publisher)

`load_catalogue` reads and checks; a `Release` maps each path to its Document; a
`Publisher` keeps the release of a catalogue current, and `create_app` serves it
over WSGI. Each name is imported when it is first used, so that reading a
catalogue costs neither Flask nor lxml.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feeds.catalogue import load_catalogue
    from feeds.publisher import Publisher
    from feeds.release import Release
    from feeds.web import create_app

__all__ = ["Publisher", "Release", "__version__", "create_app", "load_catalogue"]

__version__ = "0.1.0"

_HOMES = {
    "Publisher": "feeds.publisher",
    "Release": "feeds.release",
    "create_app": "feeds.web",
    "load_catalogue": "feeds.catalogue",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'feeds' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
