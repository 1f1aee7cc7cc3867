"""Whose a folder is: what earlier exports wrote there, and whether one may."""

from collections.abc import Iterable
from pathlib import Path

from feeds.errors import FeedsError
from feeds.export import manifest
from feeds.export.manifest import File
from feeds.export.tree import OURS, Tree

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


def owned(tree: Tree, *, force: bool = False) -> tuple[dict[str, File], bool]:
    """Give what earlier exports wrote, and whether the last of them came to its end."""
    found = tree.read(MANIFEST)
    if found is None:
        return {}, False
    try:
        return manifest.parsed(found.body)
    except manifest.DamagedError:
        if force:
            return {}, False
        raise FeedsError(
            f"{tree.root / MANIFEST}: is damaged; with --force a new one is written,"
            " and what only the old one knew is left alone"
        ) from None


def refuse_catalogue(folder: Path, files: Iterable[Path]) -> None:
    """Raise FeedsError where a catalogue's own files lie right in a folder: they are not public."""
    for file in files:
        if file.parent.resolve() == folder.resolve():
            raise FeedsError(f"{folder}: holds {file.name}; export into a folder of its own")
