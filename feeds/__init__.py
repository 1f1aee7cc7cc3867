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

from collections.abc import Collection
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feeds.errors import CatalogueError, FeedsError, Problem
    from feeds.export import Report
    from feeds.export.folder import export_folder
    from feeds.formats import FORMATS, Format
    from feeds.model import (
        Attachment,
        Catalogue,
        Country,
        Document,
        Entry,
        Feed,
        Guid,
        MediaFile,
        Person,
        Photo,
        Site,
        Topic,
    )
    from feeds.release import Release, build_release
    from feeds.server import SiteApp, create_app

__all__ = [
    "FORMATS",
    "Attachment",
    "Catalogue",
    "CatalogueError",
    "Country",
    "Document",
    "Entry",
    "Feed",
    "FeedsError",
    "Format",
    "Guid",
    "MediaFile",
    "Person",
    "Photo",
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

__version__ = "0.2.0.dev0"

_NAMES_BY_MODULE = {
    "feeds.errors": "CatalogueError FeedsError Problem",
    "feeds.export": "Report",
    "feeds.export.folder": "export_folder",
    "feeds.formats": "FORMATS Format",
    "feeds.model": (
        "Attachment Catalogue Country Document Entry Feed Guid MediaFile Person Photo Site Topic"
    ),
    "feeds.release": "Release build_release",
    "feeds.server": "SiteApp create_app",
}
_MODULES = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names.split()}


def load_catalogue(
    path: str | Path,
    *,
    url: str | None = None,
    as_of: datetime | None = None,
    published: Collection[str] = (),
    strict: bool = False,
) -> "Catalogue":
    """Load and validate a catalogue.

    Args:
        path: a YAML file, or a folder of YAML files, of which one has `site`.
        url: the public address of the site, instead of `site.url`; ends in `/`.
        as_of: an aware datetime for notes that depend on the time, such as on entries
            dated far in the future. None for no such notes.
        published: absolute addresses that were public before; a note reports each
            that no longer exists.
        strict: True to treat notes as problems.

    Raises:
        CatalogueError: with every Problem, if the catalogue is not valid.
        FeedsError: if there is no catalogue, or `url` is not a valid address.
    """
    from feeds import catalogue

    return catalogue.load_catalogue(path, url=url, as_of=as_of, published=published, strict=strict)


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'feeds' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
