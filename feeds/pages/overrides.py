"""A folder of templates → the files in it, which override or extend the shipped templates."""

import errno
import os
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
        if not folder.exists():
            return {}
        inside = folder.resolve()
        files = sorted((file.relative_to(folder).as_posix(), file) for file in _files(folder))
        return {name: file.read_bytes() for name, file in files if _is_inside(file, inside)}
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise FeedsError(f"{error.filename or folder}: {reason}") from None


def _files(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for root, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(root, name) for name in names if not name.startswith("."))


def _is_inside(file: Path, folder: Path) -> bool:
    """Return whether a file is regular, and in a folder even if it is a symbolic link."""
    try:
        target = file.resolve(strict=True)
    except RuntimeError:
        # A link that leads to itself, before Python 3.13.
        return False
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ELOOP}:
            return False
        raise
    return target.is_relative_to(folder) and target.is_file()
