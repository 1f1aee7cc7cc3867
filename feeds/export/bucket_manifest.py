"""The manifest of a bucket: which objects a publish owns, and whether one is at work.

It is one object, replaced by compare-and-swap alone; each version has a mark of
its own, so that no two are alike to the store, whatever they name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from typing import NamedTuple

from feeds.export.manifest import DamagedError, is_path, split_unpurged, unpurged_lines

# The publish's own folder among the objects: no document's path begins so.
FOLDER = ".feeds-publish"
MANIFEST = f"{FOLDER}/manifest.tsv"

_HEADING = (
    "# feeds bucket 2: path, bytes, hash, ETag there, since when it is stale, document, inputs"
)
# Of this version, a line has the first five columns alone.
_HEADING_OF_1 = "# feeds bucket 1: path, bytes, hash, ETag there, since when it is stale"
_FINISHED = "# finished"
_UNFINISHED = "# unfinished"
# No publisher asks to be waited for so long, in seconds.
_LONG = 1000


class Held(NamedTuple):
    """What is known of an object: bytes as stored, hash of all that it is, the store's ETag.

    The hash is empty where it is not known what is there. `stale` is since when
    nothing names the object any more. `document` is the ETag of the document that
    is stored, and `inputs` the digest of what it was made from.
    """

    size: int = 0
    digest: str = ""
    etag: str = ""
    stale: datetime | None = None
    document: str = ""
    inputs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The objects by path, and the state of the publish that wrote this.

    An unfinished one names what was there and what is to be. `lease` is for how
    many seconds its publisher may be believed to be at work: 0 where it gave up.
    `unpurged` are the paths of which caches may still have an older version.
    """

    objects: Mapping[str, Held]
    finished: bool = True
    lease: float = 0
    unpurged: Sequence[str] = ()
    mark: str = field(default_factory=lambda: token_hex(8))


def written(manifest: Manifest) -> bytes:
    """Give a manifest as text, a line for each object, sorted."""
    state = _FINISHED if manifest.finished else f"{_UNFINISHED} {manifest.lease:g}"
    lines = [
        f"{path}\t{held.size}\t{held.digest}\t{held.etag}"
        f"\t{held.stale.isoformat() if held.stale else ''}\t{held.document}\t{held.inputs}"
        for path, held in sorted(manifest.objects.items())
    ]
    head = [_HEADING, f"{state} {manifest.mark}", *unpurged_lines(manifest.unpurged)]
    return "\n".join([*head, *lines, ""]).encode()


def parsed(data: bytes) -> Manifest:
    """Read a manifest; raises DamagedError.

    No path of it leads out of the publication, or to the manifest itself.
    """
    try:
        heading, state, *lines, end = data.decode().split("\n")
        head, mark = state.rsplit(" ", 1)
        lease = 0.0 if head == _FINISHED else float(head.removeprefix(_UNFINISHED))
        unpurged, lines = split_unpurged(lines)
        objects = dict(map(_row, lines))
    except ValueError:
        raise DamagedError from None
    if (
        heading not in {_HEADING, _HEADING_OF_1}
        or end
        or not all(map(_is_ours, [*objects, *unpurged]))
        or not 0 <= lease < _LONG
    ):
        raise DamagedError
    return Manifest(
        objects=objects, finished=head == _FINISHED, lease=lease, unpurged=unpurged, mark=mark
    )


def _row(line: str) -> tuple[str, Held]:
    path, size, digest, etag, stale, *more = line.split("\t")
    document, inputs = more or ("", "")
    since = datetime.fromisoformat(stale) if stale else None
    if since and since.tzinfo is None:
        raise ValueError
    return path, Held(int(size), digest, etag, since, document, inputs)


def _is_ours(path: str) -> bool:
    return is_path(path) and not path.startswith(f"{FOLDER}/")
