"""Release → folder: each file whole or not there, identical ones left untouched."""

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from feeds.errors import FeedsError
from feeds.model import Document, etag_of

# As any web server's user may read it; a temporary file is its owner's alone.
_MODE = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The paths that an export wrote, left as they were, and removed."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (
            f"written {len(self.written)}, unchanged {len(self.unchanged)},"
            f" removed {len(self.removed)}"
        )


def up_to_date(etags: Mapping[str, str], folder: Path) -> bool:
    """Tell whether a folder has just these documents, known by path and ETag."""
    try:
        return all(etag_of((folder / path).read_bytes()) == tag for path, tag in etags.items())
    except OSError:
        return False


def export_folder(
    release: Mapping[str, Document],
    folder: Path,
    told: Callable[[float], None] = lambda _: None,
) -> Report:
    """Write each document whose bytes differ from the file's, under a temporary name first.

    A written file's time is the document's `modified`, from which a plain web
    server makes its validators. Raises FeedsError with the path where the
    folder cannot be written.
    """
    written, unchanged = [], []
    for number, (path, document) in enumerate(release.items()):
        told(number / len(release))
        target = folder / path
        try:
            if _same(target, document.body):
                unchanged.append(path)
                continue
            _write(target, document)
        except OSError as error:
            raise FeedsError(f"{target}: {error.strerror or 'cannot be written'}") from None
        written.append(path)
    return Report(written=tuple(written), unchanged=tuple(unchanged))


def _same(target: Path, body: bytes) -> bool:
    try:
        return target.read_bytes() == body
    except FileNotFoundError:
        return False


def _write(target: Path, document: Document) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".feeds-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), _MODE)
            file.write(document.body)
        if document.modified:
            seconds = document.modified.timestamp()
            os.utime(temporary, (seconds, seconds))
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
