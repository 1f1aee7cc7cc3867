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
    "feeds.errors": "CatalogueError FeedsError Problem",
    "feeds.export": "Report",
    "feeds.formats": "FORMATS Format",
    "feeds.model": "Catalogue Country Document Entry Feed Person Photo Picture Site Topic",
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


def export_folder(  # noqa: PLR0913  # all but the first two are keywords
    catalogue: "Catalogue",
    folder: str | Path,
    *,
    as_of: datetime | None = None,
    pages: bool = True,
    host: str = "",
    compress: bool = False,
    prune: bool = True,
    force: bool = False,
    dry_run: bool = False,
) -> "Report":
    """Write a catalogue's documents into a folder, leaving identical files untouched.

    Each file is replaced as a whole. A file that changes gets the current time; only
    the command `feeds export` keeps a history of when each document changed.

    Args:
        catalogue: what to publish.
        folder: created if it is missing; files that no export wrote are left alone.
        as_of: an aware datetime; entries dated later are held back. None for now.
        pages: False to write only the feeds.
        host: also write a configuration for this web server or host, such as "nginx".
        compress: also write a `.br` and a `.gz` file beside each file.
        prune: remove files that an earlier export wrote and that are no longer published.
        force: write into a non-empty folder that no export wrote, overwriting files.
        dry_run: report what would change, without changing it.

    Returns:
        The paths that were written, left unchanged and removed.

    Raises:
        FeedsError: if the folder cannot be written, is being written by another
            process, or is not empty and no export wrote it.
    """
    from feeds.export import Options
    from feeds.export import folder as target

    options = Options(compress=compress, prune=prune, force=force, dry_run=dry_run)
    return target.export_folder(catalogue, folder, options, as_of=as_of, pages=pages, host=host)


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'feeds' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
