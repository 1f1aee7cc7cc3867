"""Netlify: `_headers` and `_redirects` at the top of the folder, which is the top of the site."""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from feeds.export.hosts.serving import Serving
from feeds.paths import HOST_HEADERS, HOST_REDIRECTS

_INDEX = "index.html"


def files(serving: Serving) -> Mapping[str, bytes]:
    """Give both files. What is retired answers 404, which needs no word."""
    return {
        HOST_HEADERS: "\n".join([*headers(serving), ""]).encode(),
        HOST_REDIRECTS: "\n".join([*redirects(serving, "301!"), ""]).encode(),
    }


def headers(serving: Serving) -> Iterator[str]:
    """Give what goes with the documents at each shape of path; `:name` stands for one part."""
    yield "# Written by feeds export."
    yield "/*"
    for name, value in (*serving.everywhere, serving.fresh):
        yield f"  {name}: {value}"
    for kind in serving.kinds:
        for shape in sorted({_shape(path) for path in serving.release if _is(path, kind.ending)}):
            shown = [shape]
            if kind.page and shape.endswith(f"/{_INDEX}"):
                shown.insert(0, shape.removesuffix(_INDEX))
            for path in shown:
                yield path
                for name, value in (("Content-Type", kind.media_type), *kind.headers):
                    yield f"  {name}: {value}"


def redirects(serving: Serving, status: str) -> Iterator[str]:
    """Give a line for each address that moved."""
    yield "# Written by feeds export."
    for move in serving.moves:
        if move.new is None:
            continue
        old, new = f"/{quote(move.old)}", serving.address(move.new)
        if move.folder:
            yield f"{old.removesuffix('/')} {new} {status}"
            yield f"{old}* {new}{':splat' * move.to_folder} {status}"
        else:
            yield f"{old} {new} {status}"


def _is(path: str, ending: str) -> bool:
    return path.endswith(ending) if ending.startswith(".") else path.rpartition("/")[2] == ending


def _shape(path: str) -> str:
    """Give a path with a placeholder for each part that names something of the catalogue's."""
    *folders, name = path.split("/")
    shown = [f":part{depth}" if depth % 2 else part for depth, part in enumerate(folders)]
    return "/" + "/".join([*shown, quote(name)])
