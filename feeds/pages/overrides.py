"""A folder of templates → the files in it that override or extend the shipped templates."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from feeds.errors import FeedsError


def template_files(folder: Path) -> dict[str, bytes]:
    """Return the content of each template in a folder, by its name, sorted.

    The name of a file in a subfolder is its path, such as `parts/logo.html`.
    Hidden files, files that are not regular and symbolic links that lead outside
    the folder are skipped. Links to folders are not followed. A folder that does
    not exist has no templates.

    Raises:
        FeedsError: The folder or a file in it cannot be read.
    """
    try:
        inside = folder.resolve(strict=True)
    except FileNotFoundError:
        return {}
    except (OSError, RuntimeError) as error:
        raise _unreadable(folder, error) from None
    return dict(sorted(_read(folder, inside)))


def _read(folder: Path, inside: Path) -> Iterator[tuple[str, bytes]]:
    def fail(error: OSError) -> None:
        raise _unreadable(Path(error.filename or folder), error) from None

    for root, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            file = Path(root, name)
            if name.startswith(".") or not file.resolve().is_relative_to(inside):
                continue
            try:
                if stat.S_ISREG(file.stat().st_mode):
                    yield file.relative_to(folder).as_posix(), file.read_bytes()
            except OSError as error:
                raise _unreadable(file, error) from None


def _unreadable(path: Path, error: Exception) -> FeedsError:
    reason = error.strerror if isinstance(error, OSError) else ""
    return FeedsError(f"{path}: {reason or 'cannot be read'}")
