"""What caches were to forget and did not: a small file beside the history, until they have."""

from pathlib import Path

from feeds.after.purging import Purge, Stale
from feeds.errors import FeedsError

_FILE = "unpurged.tsv"
_HEADING = "# feeds unpurged 1: an address, or a key"


def purge_all(purge: Purge, stale: Stale, folder: Path) -> int:
    """Purge what is stale, and what was owed before; give how many addresses that were.

    Until it is done, it is remembered in `folder`. Raises FeedsError.
    """
    file = folder / _FILE
    try:
        stale = _with(stale, file)
        if not stale.addresses:
            return 0
        folder.mkdir(parents=True, exist_ok=True)
        _write(stale, file)
        purge(stale)
        file.unlink()
    except OSError as error:
        raise FeedsError(f"{file}: {error.strerror or error}") from None
    except FeedsError as error:
        raise FeedsError(f"{error}; what was published stays, and --purge tries again") from None
    return len(stale.addresses)


def _with(stale: Stale, file: Path) -> Stale:
    try:
        lines = file.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return stale
    rows = [line.partition("\t") for line in lines]
    addresses = [thing for kind, _, thing in rows if kind == "address"]
    keys = [thing for kind, _, thing in rows if kind == "key"]
    return Stale(
        [*dict.fromkeys([*addresses, *stale.addresses])], [*dict.fromkeys([*keys, *stale.keys])]
    )


def _write(stale: Stale, file: Path) -> None:
    rows = [f"address\t{thing}" for thing in stale.addresses]
    rows += [f"key\t{thing}" for thing in stale.keys]
    temporary = file.with_suffix(".new")
    temporary.write_text("\n".join([_HEADING, *rows, ""]), "utf-8")
    temporary.replace(file)
