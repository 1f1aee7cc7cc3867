"""Publish a YAML catalogue of news as Atom, RSS and JSON feeds.

    catalogue = load_catalogue("entries.yaml")
    release = build_release(catalogue, as_of=datetime.now(UTC))
    export_folder(catalogue, "out")
    app = create_app("entries.yaml")

`load_catalogue` reads and validates a catalogue. `build_release` builds its documents
in memory, `export_folder` writes them into a folder, and `create_app` serves them over
WSGI and follows the catalogue's changes. Each name is imported on first use, so that
loading a catalogue needs neither Flask nor lxml.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feeds.api import export_folder, load_catalogue
    from feeds.errors import CatalogueError, FeedsError, Problem
    from feeds.export import Report
    from feeds.formats import FORMATS, Format
    from feeds.model import (
        Catalogue,
        Country,
        Document,
        Entry,
        Feed,
        Person,
        Photo,
        Picture,
        Site,
        Topic,
    )
    from feeds.release import Release, build_release
    from feeds.server import SiteApp, create_app

__all__ = [
    "FORMATS",
    "Catalogue",
    "CatalogueError",
    "Country",
    "Document",
    "Entry",
    "Feed",
    "FeedsError",
    "Format",
    "Person",
    "Photo",
    "Picture",
    "Problem",
    "Release",
    "Report",
    "Site",
    "SiteApp",
    "Topic",
    "__version__",
    "build_release",
    "create_app",
    "export_folder",
    "load_catalogue",
]

__version__ = "0.1.0"

_NAMES_BY_MODULE = {
    "feeds.api": "export_folder load_catalogue",
    "feeds.errors": "CatalogueError FeedsError Problem",
    "feeds.export": "Report",
    "feeds.formats": "FORMATS Format",
    "feeds.model": "Catalogue Country Document Entry Feed Person Photo Picture Site Topic",
    "feeds.release": "Release build_release",
    "feeds.server": "SiteApp create_app",
}
_MODULES = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'feeds' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
