"""Files in `media/`, beside the catalogue, that entries use: they are measured, and published with them."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from feeds.catalogue.attachments import document_address, photo_address
from feeds.catalogue.entries import EntryRecord
from feeds.catalogue.media_checks import InvalidFile, Measures, measure
from feeds.catalogue.reader import InvalidValue, ValueWarning
from feeds.catalogue.sections import Item
from feeds.catalogue.text_fields import DIGITS
from feeds.catalogue.web_addresses import path_under
from feeds.errors import Problem
from feeds.media_types import FILE_TYPES, PICTURE_TYPES, ending_of
from feeds.model import Entry, MediaFile
from feeds.selection import public_from
from feeds.storage import Stamp, media_files
from feeds.urls import MEDIA

# Comparing a name with more takes long.
_MAX_SUGGESTIONS = 1000
_NUMBERS = ("length", "width", "height")
_NOT_A_PICTURE = "is not a picture that feed readers show; save it as AVIF, GIF, JPEG, PNG or WebP"

Records = Sequence[tuple[Item, EntryRecord | None]]


class Media(NamedTuple):
    """The files in `media/`.

    `used` are those to publish, and `faults` says what is wrong with others that entries
    use, both by path. `names` are the paths of all files.
    """

    used: Mapping[str, MediaFile]
    faults: Mapping[str, str]
    names: Collection[str]

    def meant(self, path: str) -> Sequence[str]:
        """Return the paths that a path of no file may have been meant to be."""
        same = [name for name in self.names if name.casefold() == path.casefold()]
        return same or [*self.names][:_MAX_SUGGESTIONS]


class _Claim(NamedTuple):
    """What an item says of a file: its path, and the file's measures; '' and 0 if it does not.

    `number` is that of the document; None for the photo.
    """

    item: Item
    number: int | None
    url: str
    media_type: str
    length: int
    width: int = 0
    height: int = 0


def read_media(
    records: Records, folder: Path | None, site_url: str, problems: list[Problem]
) -> Media:
    """Return the files that photos, documents and bodies use.

    What is wrong with a photo or a document becomes a Problem, also where the item has
    another Problem, and so no record.
    """
    claims = list(_claims(records))
    wanted = {claim.url for claim in claims}
    users: dict[str, list[Entry]] = defaultdict(list)
    for record in filter(None, (record for _, record in records)):
        for path in _paths(record, site_url):
            users[path].append(record.entry)
    wanted |= users.keys()
    if not wanted:
        return Media({}, {}, ())
    files = _by_composed_name(media_files(folder)) if folder else {}
    used: dict[str, MediaFile] = {}
    faults: dict[str, str] = {}
    for path in sorted(wanted & files.keys()):
        if ending_of(path) not in FILE_TYPES:
            continue
        found = _measured(folder or Path(), files[path])
        if isinstance(found, str):
            faults[path] = found
        else:
            file = _file(folder or Path(), files[path])
            first = min(map(public_from, users[path]), default=None)
            used[path] = MediaFile(path, file, files[path], *found, first)
    media = Media(used, faults, files)
    for claim in claims:
        _check(claim, media, problems)
    return media


def _paths(record: EntryRecord, site_url: str) -> Iterator[str]:
    """Yield the paths in `media/` that an entry uses."""
    entry = record.entry
    if entry.photo:
        yield from filter(_is_in_media, [entry.photo.url])
    yield from filter(_is_in_media, (document.url for document in entry.documents))
    yield from filter(_is_in_media, (path_under(site_url, link) for link in record.links))


def _is_in_media(address: str) -> bool:
    return address.startswith(MEDIA)


def _by_composed_name(files: Mapping[str, Stamp]) -> dict[str, Stamp]:
    """Return files by their paths in NFC, as catalogues name them; some systems store NFD.

    Of two files whose names differ only in that, the one in NFC is taken.
    """
    composed = {normalize("NFC", path): found for path, found in files.items()}
    return composed | {path: files[path] for path in composed if path in files}


def _claims(records: Records) -> Iterator[_Claim]:
    """Yield what items say of photos and documents that are files in `media/`."""
    for item, record in records:
        said = _of_entry(item, record.entry) if record else _of_node(item, item.open([])[1])
        yield from (claim for claim in said if _is_in_media(claim.url))


def _of_entry(item: Item, entry: Entry) -> Iterator[_Claim]:
    if photo := entry.photo:
        sides = photo.width, photo.height
        yield _Claim(item, None, photo.url, photo.media_type, photo.length, *sides)
    for number, document in enumerate(entry.documents):
        yield _Claim(item, number, document.url, document.media_type, document.length)


def _of_node(item: Item, node: Node) -> Iterator[_Claim]:
    """Yield what an item with a Problem says, as far as it can be read."""
    values = _values(node)
    listed = values.get("documents")
    documents = listed.value if isinstance(listed, SequenceNode) else ()
    for number, at in ((None, values.get("photo")), *enumerate(documents)):
        if number is None and not isinstance(at, MappingNode):
            continue
        said = {name: value.value for name, value in _values(at).items()}
        read = photo_address if number is None else document_address
        try:
            url = read(str(said.get("url", "")))
        except (InvalidValue, ValueWarning):
            continue
        numbers = (
            int(text) if DIGITS.fullmatch(text := str(said.get(name, ""))) else 0
            for name in _NUMBERS
        )
        yield _Claim(item, number, url, str(said.get("type", "")), *numbers)


def _values(node: Node | None) -> dict[str, Node]:
    """Return the values of a mapping by their keys; a text alone is the address of a file."""
    if isinstance(node, ScalarNode):
        return {"url": node}
    if not isinstance(node, MappingNode):
        return {}
    return {name.value: value for name, value in node.value if isinstance(name, ScalarNode)}


@lru_cache(maxsize=10_000)
def _measured(folder: Path, stamp: Stamp) -> Measures | str:
    """Return the measures of a file, or what is wrong with it.

    Cached, because a server calls this after each edit.
    """
    _, _, length, *_ = stamp
    file = _file(folder, stamp)
    try:
        if not file.resolve().is_relative_to(folder.resolve()):
            return f"is a link to a file outside {MEDIA}"
        return measure(file, length)
    except InvalidFile as fault:
        return str(fault)
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _file(folder: Path, stamp: Stamp) -> Path:
    return folder / stamp[0].removeprefix(MEDIA)


def _check(claim: _Claim, media: Media, problems: list[Problem]) -> None:
    """Report what is wrong with a file, or with what is said of it, at the key that says it."""
    meant: Sequence[str] = ()
    found = media.used.get(claim.url)
    if claim.url not in media.names:
        faults = {"url": f"there is no file {claim.url!r} beside the catalogue"}
        meant = media.meant(claim.url)
    elif claim.number is None and ending_of(claim.url) not in PICTURE_TYPES:
        faults = {"url": _NOT_A_PICTURE}
    elif found:
        faults = _contradictions(claim, found)
    else:
        faults = {"url": media.faults[claim.url]}
    if not faults:
        return
    reader, node = claim.item.open(problems)
    path = f"{claim.item.path}.photo"
    at: Node | None = _values(node).get("photo")
    if claim.number is not None:
        path = f"{claim.item.path}.documents[{claim.number}]"
        at = _values(node)["documents"].value[claim.number]
    for name, value in _values(at).items():
        if name in faults:
            hint = reader.suggester.hint(str(value.value), meant) if meant else ""
            here = f"{path}.{name}" if value is not at else path
            reader.problem(value, here, faults[name] + hint)


def _contradictions(claim: _Claim, found: MediaFile) -> dict[str, str]:
    """Return a message for each field that differs from the file, by the field's name.

    The length is that of the file, and not of what is published of it.
    """
    _, _, length, *_ = found.stamp
    true = {
        "type": found.media_type,
        "length": length,
        "width": found.width,
        "height": found.height,
    }
    said = {"type": claim.media_type, **{name: getattr(claim, name) for name in _NUMBERS}}
    return {
        name: f"is {said[name]}, but the file's is {true[name]}"
        for name in said
        if said[name] and said[name] != true[name]
    }
