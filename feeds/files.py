"""The files of a catalogue."""

from pathlib import Path

from feeds.errors import FeedsError


def catalogue_files(path: Path) -> list[Path]:
    """Give the files that a catalogue is read from, in order; raises OSError.

    Those of a folder are its `*.yaml` and `*.yml` files, by name.
    """
    return sorted(filter(_is_yaml, path.iterdir())) if path.is_dir() else [path]


def read_files(path: Path) -> list[tuple[str, bytes]]:
    """Give the name and the bytes of each file; raises FeedsError where there is nothing to read."""
    try:
        texts = [(str(file), file.read_bytes()) for file in catalogue_files(path)]
    except OSError as error:
        raise FeedsError(
            f"{error.filename or path}: {error.strerror or 'cannot be read'}"
        ) from None
    except ValueError:
        raise FeedsError(f"{str(path)!r} is no file name") from None
    if not texts:
        raise FeedsError(f"{path}: the folder has no .yaml or .yml file")
    return texts


def _is_yaml(file: Path) -> bool:
    # An editor's own lock and swap files begin with a dot.
    return file.suffix in {".yaml", ".yml"} and not file.name.startswith(".")
