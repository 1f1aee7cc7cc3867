"""Whose a folder is: what earlier exports wrote there, and whether one may."""

from collections.abc import Iterable
from os.path import realpath
from pathlib import Path

from feeds.errors import FeedsError
from feeds.export import manifest
from feeds.export.manifest import Manifest
from feeds.export.safe_folder import OURS, Tree
from feeds.export.staging import Put

MANIFEST = f"{OURS}/manifest.tsv"

_CATALOGUE = "entries.yaml"


def admit(tree: Tree, *, force: bool) -> None:
    """Refuse a folder that is somebody else's; raises FeedsError."""
    # Looked at in this order, an export that has just begun there is seen.
    names = {*tree.names()} - {OURS}
    if _CATALOGUE in names:
        raise FeedsError(f"{tree.root}: holds {_CATALOGUE}; export into a folder of its own")
    if names and not force and tree.read(MANIFEST) is None:
        raise FeedsError(
            f"{tree.root}: is not empty, and no export wrote it; export into a folder of its own,"
            " or write among what is there with --force"
        )


def owned(tree: Tree, *, force: bool = False) -> Manifest:
    """Return the manifest of earlier exports; an unfinished one of no files where there is none."""
    found = tree.read(MANIFEST)
    if found is None:
        return Manifest({}, finished=False)
    try:
        return manifest.parsed(found.body)
    except manifest.DamagedError:
        if force:
            return Manifest({}, finished=False)
        raise FeedsError(
            f"{tree.root / MANIFEST}: is damaged; with --force a new one is written,"
            " and what only the old one knew is left alone"
        ) from None


def refuse_others(tree: Tree, puts: Iterable[Put], owned: Manifest) -> None:
    """Raise FeedsError where a file is to be replaced that no export wrote."""
    for put in puts:
        if put.replaces and put.path not in owned.files:
            raise FeedsError(
                f"{tree.root / put.path}: is there, and no export wrote it; take it away,"
                " or have it replaced with --force"
            )


def refuse_media(folder: Path, media: Path) -> None:
    """Raise FeedsError where a folder is that of a catalogue's pictures, around it or in it.

    What is written there would be published as pictures at the next time.
    """
    top, pictures = Path(realpath(folder)), Path(realpath(media))
    if top.is_relative_to(pictures) or pictures.is_relative_to(top):
        raise FeedsError(
            f"{folder}: the catalogue's files are in {media}; export into a folder of its own"
        )


def refuse_private(folder: Path, files: Iterable[Path]) -> None:
    """Raise FeedsError where a file that is not public lies anywhere below a folder.

    It may lie there itself, or a link to it.
    """
    top = Path(realpath(folder))
    for file in files:
        for place in (Path(realpath(file.parent), file.name), Path(realpath(file))):
            if place.is_relative_to(top):
                name = place.relative_to(top).as_posix()
                raise FeedsError(f"{folder}: holds {name}; export into a folder of its own")
