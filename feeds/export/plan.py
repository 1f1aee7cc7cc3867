"""What an export is to do: which files differ from those that are there."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from feeds.export.manifest import CODINGS, File, Manifest, beside
from feeds.export.staging import Put
from feeds.export.tree import Tree
from feeds.model import Document, etag_of
from feeds.workshop import Workshop

_PAGE = "text/html"
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The files to put, in order; those that are there already; and all that are wanted."""

    puts: list[Put] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    wanted: dict[str, File] = field(default_factory=dict)
    # Since when what is there, or will be, has been public, in nanoseconds.
    times: dict[str, int] = field(default_factory=dict)


def make_plan(
    tree: Tree,
    release: Mapping[str, Document],
    extra: Mapping[str, bytes],
    workshop: Workshop,
) -> Plan:
    """Compare each document, and each file of the host's, with what is there.

    Feeds come before the pages that name them.
    """
    plan = Plan()
    ordered = sorted(release.values(), key=lambda document: document.media_type.startswith(_PAGE))
    for number, document in enumerate(ordered):
        workshop.told("compare", number / len(ordered))
        _compare(tree, plan, Put(document.path, document.body, _time(document)), document.etag)
    for path, body in sorted(extra.items()):
        _compare(tree, plan, Put(path, body), etag_of(body))
    return plan


def add_compressed(
    tree: Tree,
    plan: Plan,
    release: Mapping[str, Document],
    owned: Manifest,
    workshop: Workshop,
) -> None:
    """Add to a plan what stands beside each document under each coding that makes it smaller.

    What an export before put beside the same bytes, and is still there, stays.
    """
    # Loaded where it is asked for: an export without has no use for Brotli.
    from feeds.compression import pays  # noqa: PLC0415

    todo: list[tuple[Document, str]] = []
    for document in release.values():
        if not pays(document.media_type):
            continue
        before = [document.path + ending in owned for ending in CODINGS.values()]
        known = any(before) and owned.get(document.path) == _file(document)
        for coding, ending in CODINGS.items():
            path = document.path + ending
            if not known or (path in owned and not _stays(tree, plan, document, path, owned)):
                todo.append((document, coding))
    for (document, coding), body in zip(todo, _compressed(todo, workshop), strict=True):
        if body:
            put = Put(document.path + CODINGS[coding], body, plan.times[document.path])
            _compare(tree, plan, put, etag_of(body), paired=True)
    order = {path: number for number, path in enumerate(plan.wanted)}
    # Beside what it belongs to, and so in the same order.
    plan.puts.sort(key=lambda put: order[_leader(put.path, release)])


def _leader(path: str, release: Mapping[str, Document]) -> str:
    other = beside(path)
    return other if other is not None and other in release and path not in release else path


def _stays(tree: Tree, plan: Plan, document: Document, path: str, owned: Manifest) -> bool:
    found = tree.read(path)
    if (
        found is None
        or found.time != plan.times[document.path]
        or etag_of(found.body) != owned[path].etag
    ):
        return False
    plan.unchanged.append(path)
    plan.wanted[path] = owned[path]
    return True


def _compressed(todo: Sequence[tuple[Document, str]], workshop: Workshop) -> list[bytes]:
    """Give the bytes of each document under a coding; none where they would not be fewer."""
    from feeds.compression import compress  # noqa: PLC0415  # as above

    def work(some: Sequence[tuple[Document, str]]) -> list[bytes]:
        return [compress(document.body, coding) or b"" for document, coding in some]

    return workshop.spread("compress", work, todo)


def _compare(tree: Tree, plan: Plan, put: Put, etag: str, *, paired: bool = False) -> None:
    """Add a file to a plan, as one that is there already or as one to put.

    A changed file never keeps its time, nor gets an earlier one: servers make
    their validators from it. What is `paired` has the time of what it stands beside.
    """
    path, body, moment, _ = put
    found = tree.read(path)
    plan.wanted[path] = File(len(body), etag)
    if found and found.body == body and (not paired or found.time == moment):
        plan.unchanged.append(path)
        plan.times[path] = found.time
        return
    chosen = int(time.time()) * _SECOND if moment is None else moment
    if found and not paired and found.time >= chosen:
        chosen = found.time + _SECOND
    plan.times[path] = chosen
    plan.puts.append(Put(path, body, chosen, replaces=found is not None))


def _time(document: Document) -> int | None:
    return int(document.modified.timestamp()) * _SECOND if document.modified else None


def _file(document: Document) -> File:
    return File(len(document.body), document.etag)
