"""Photos that are files: they lie in `media/` beside the catalogue, and are published with it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from unicodedata import normalize

from yaml.nodes import MappingNode, Node, ScalarNode

from feeds.catalogue.addresses import photo_address
from feeds.catalogue.entries import EntryRecord
from feeds.catalogue.reader import Fault, Remark
from feeds.catalogue.sections import Item as Place
from feeds.errors import Problem
from feeds.files import Stamp, media_files
from feeds.model import Picture
from feeds.parallel import dealt, in_processes, usable_processes
from feeds.paths import MEDIA
from feeds.pictures import NoPicture, measure

# What an item says of its photo, by the names of the fields.
_Claim = Mapping[str, str]
_CLAIMED = ("type", "width", "height", "length")
_FAULT = "!"
# Comparing a name with more than so many takes long.
_MANY = 1000


def read_pictures(
    records: Iterable[tuple[Place, EntryRecord | None]],
    folder: Path | None,
    problems: list[Problem],
    processes: int,
) -> dict[str, Picture]:
    """Give the pictures that photos show, by their paths; what is wrong becomes Problems.

    An item with a Problem of its own, which has no record, has those of its photo too.
    """
    claims = list(_claims(records))
    return _claimed(claims, folder, problems, processes) if claims else {}


def _claimed(
    claims: Sequence[tuple[Place, _Claim]],
    folder: Path | None,
    problems: list[Problem],
    processes: int,
) -> dict[str, Picture]:
    files = _by_composed_name(media_files(folder)) if folder else {}
    wanted = {claim["url"] for _, claim in claims}
    seen = [files[path] for path in sorted(wanted & files.keys())]
    known = _measured(folder or Path(), seen, processes)
    pictures = {path: found for path, found in known.items() if isinstance(found, Picture)}
    folded = {path.casefold(): path for path in files}
    for place, claim in claims:
        path = claim["url"]
        if path in pictures:
            _report(place, _contradictions(claim, pictures[path]), (), problems)
        elif path in known:
            _report(place, {"url": str(known[path])}, (), problems)
        else:
            meant = [folded[path.casefold()]] if path.casefold() in folded else [*files][:_MANY]
            faults = {"url": f"there is no file {path!r} beside the catalogue"}
            _report(place, faults, meant, problems)
    return pictures


def _by_composed_name(files: Mapping[str, Stamp]) -> dict[str, Stamp]:
    """Return files by their paths in NFC, as catalogues name them; some systems store NFD.

    Of two files that differ in nothing else, that in NFC counts.
    """
    composed = {normalize("NFC", path): found for path, found in files.items()}
    return composed | {path: files[path] for path in composed if path in files}


def _claims(
    records: Iterable[tuple[Place, EntryRecord | None]],
) -> Iterator[tuple[Place, _Claim]]:
    for place, record in records:
        if record is None:
            claim = _claim(_photo(place.open([])[1]))
            if claim:
                yield place, claim
        elif (photo := record.entry.photo) and photo.url.startswith(MEDIA):
            said = (photo.media_type, *map(str, (photo.width, photo.height, photo.length)))
            yield place, {"url": photo.url, **dict(zip(_CLAIMED, said, strict=True))}


def _photo(item: Node) -> Node | None:
    return _values(item).get("photo")


def _claim(photo: Node | None) -> _Claim | None:
    """Give what is said of a picture in `media/`, where it can be told from the texts alone."""
    nodes = _values(photo)
    said = {name: node.value for name, node in nodes.items() if isinstance(node, ScalarNode)}
    try:
        path = photo_address(said.get("url", ""))
    except (Fault, Remark):
        return None
    return dict.fromkeys(_CLAIMED, "") | said | {"url": path} if path.startswith(MEDIA) else None


def _values(node: Node | None) -> dict[str, Node]:
    if not isinstance(node, MappingNode):
        return {}
    return {name.value: value for name, value in node.value if isinstance(name, ScalarNode)}


def _measured(folder: Path, seen: Sequence[Stamp], processes: int) -> dict[str, Picture | str]:
    """Return for each file's path what it is, or what is wrong with it."""
    count = usable_processes(len(seen), processes)

    def work(share: int) -> list[str]:
        return [_measured_text(folder, stamp) for stamp in dealt(seen, share, count)]

    texts = {
        stamp: text
        for share, some in enumerate(in_processes(work, count))
        for stamp, text in zip(dealt(seen, share, count), some, strict=True)
    }
    return {normalize("NFC", stamp[0]): _understood(folder, stamp, texts[stamp]) for stamp in seen}


@lru_cache(maxsize=10_000)
def _measured_text(folder: Path, stamp: Stamp) -> str:
    """Return what a picture is, or what is wrong with it; a server asks again after each edit."""
    path, _, length, *_ = stamp
    file = _file(folder, path)
    try:
        if not file.resolve().is_relative_to(folder.resolve()):
            return f"{_FAULT}leads out of {MEDIA}"
        found = measure(file, length)
    except NoPicture as fault:
        return f"{_FAULT}{fault}"
    except OSError as error:
        return f"{_FAULT}cannot be read: {error.strerror}"
    return f"{found.media_type} {found.width} {found.height}"


def _understood(folder: Path, stamp: Stamp, text: str) -> Picture | str:
    if text.startswith(_FAULT):
        return text.removeprefix(_FAULT)
    media_type, width, height = text.split(" ")
    return Picture(
        path=normalize("NFC", stamp[0]),
        file=_file(folder, stamp[0]),
        stamp=stamp,
        media_type=media_type,
        width=int(width),
        height=int(height),
    )


def _file(folder: Path, path: str) -> Path:
    return folder / path.removeprefix(MEDIA)


def _contradictions(claim: _Claim, picture: Picture) -> dict[str, str]:
    """Give, by the name of the field, what is said otherwise than it is."""
    faults = {}
    if claim["type"] not in {"", picture.media_type}:
        faults["type"] = f"is {claim['type']}, but the picture's is {picture.media_type}"
    true = {"width": picture.width, "height": picture.height, "length": picture.length}
    for name, value in true.items():
        # What is no number at all is told already.
        said = int(claim[name]) if claim[name].isdecimal() else 0
        if said not in {0, value}:
            faults[name] = f"is {said}, but the picture's is {value}"
    return faults


def _report(
    place: Place, faults: Mapping[str, str], meant: Sequence[str], problems: list[Problem]
) -> None:
    if not faults:
        return
    reading, item = place.open(problems)
    for name, node in _values(_photo(item)).items():
        if name in faults:
            hint = reading.nearest.hint(str(node.value), meant) if meant else ""
            reading.problem(node, f"{place.path}.photo.{name}", faults[name] + hint)
