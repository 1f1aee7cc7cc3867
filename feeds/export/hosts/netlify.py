"""Netlify: `_headers` and `_redirects` at the top of the folder, which is the top of the site."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import quote

from feeds.errors import FeedsError
from feeds.export.hosts.serving import Kind, Serving
from feeds.urls import HOST_HEADERS, HOST_REDIRECTS, INDEX


def files(serving: Serving) -> Mapping[str, bytes]:
    """Give both files. What is retired answers 404, which needs no word.

    Raises FeedsError for a site whose URL has a path.
    """
    refuse_path(serving)
    return {
        HOST_HEADERS: "\n".join([*headers(serving, shapes), ""]).encode(),
        HOST_REDIRECTS: "\n".join([*redirects(serving, "301!"), ""]).encode(),
    }


def refuse_path(serving: Serving) -> None:
    """Raise FeedsError unless the site is the top of its host, as what is published here will be."""
    if serving.root != "/":
        raise FeedsError(
            f"{serving.site.url}: the folder becomes the top of a site, so its URL has no path;"
            " name another with --url"
        )


def headers(serving: Serving, addresses: Callable[[Kind, Serving], Iterable[str]]) -> Iterator[str]:
    """Give what goes with the documents of each kind, at the addresses that stand for them."""
    yield "# Written by feeds export."
    yield "/*"
    for name, value in (*serving.everywhere, serving.fresh):
        yield f"  {name}: {value}"
    for kind in serving.kinds:
        for address in addresses(kind, serving):
            yield address
            for name, value in (("Content-Type", kind.media_type), *kind.headers):
                yield f"  {name}: {value}"


def shapes(kind: Kind, serving: Serving) -> Iterator[str]:
    """Give each shape of path that such documents have; `:name` stands for one part."""
    for shape in sorted({_shape(path) for path in serving.release if _is(path, kind.ending)}):
        if kind.page and shape.endswith(f"/{INDEX}"):
            yield shape.removesuffix(INDEX)
        yield shape


def redirects(serving: Serving, status: str) -> Iterator[str]:
    """Give a line for each address that moved; those of folders come last, the nearest first."""
    yield "# Written by feeds export."
    below = []
    for move in serving.moves:
        if move.new is None:
            continue
        old, new = f"/{quote(move.old)}", serving.address(move.new)
        if move.bare or not move.folder:
            yield f"{old.removesuffix('/')} {new} {status}"
        if move.folder:
            below.append(f"{old}* {new}{':splat' * move.to_folder} {status}")
    # Else `feed` would be taken for what is below `feed/`; and Cloudflare wants it so.
    yield from below


def _is(path: str, ending: str) -> bool:
    return path.endswith(ending) if ending.startswith(".") else path.rpartition("/")[2] == ending


def _shape(path: str) -> str:
    """Give a path with a placeholder for each part that names something of the catalogue's."""
    *folders, name = path.split("/")
    shown = [f":part{depth}" if depth % 2 else part for depth, part in enumerate(folders)]
    return "/" + "/".join([*shown, quote(name)])
