"""Publishes a YAML catalogue of news as Atom, RSS and JSON feeds.

    catalogue = load_catalogue("entries.yaml")
    export_folder(catalogue, "out")
    release = Release(catalogue, as_of=datetime.now(UTC))
    app = create_app("entries.yaml")

`load_catalogue` reads and checks; `export_folder` writes a catalogue's documents
into a folder; a `Release` maps each path to its Document; `create_app` serves
the catalogue at a path over WSGI, and keeps what is served current. Each name is
imported when it is first used, so that reading a catalogue costs neither Flask
nor lxml.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feeds.catalogue import load_catalogue
    from feeds.export.folder import export_folder
    from feeds.release import Release
    from feeds.server import create_app

__all__ = ["Release", "__version__", "create_app", "export_folder", "load_catalogue"]

__version__ = "0.1.0"

_HOMES = {
    "Release": "feeds.release",
    "create_app": "feeds.server",
    "export_folder": "feeds.export.folder",
    "load_catalogue": "feeds.catalogue",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'feeds' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
