"""nginx: locations to include in a server block."""

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from feeds.compression import pays
from feeds.export.hosts.serving import Kind, Move, Serving
from feeds.export.tree import OURS
from feeds.headers import PREFLIGHT, Header
from feeds.urls import INDEX

FILE = f"{OURS}/nginx.conf"

# What reads files refuses it by itself; whatever is refused, `_errors` has it answered.
_ASKED = "if ($request_method = OPTIONS) { return 405; }"
_HEADING = """\
# Written by feeds export. In the server block whose root holds this folder as {root}:
#     include …/{file};
"""


def files(serving: Serving) -> Mapping[str, bytes]:
    """Give the configuration."""
    lines = [
        _HEADING.format(root=serving.root, file=FILE),
        f"location {_preflight(serving)} {{",
        "    if ($request_method != OPTIONS) { return 405; }",
        *_headers([*serving.everywhere, *PREFLIGHT], "    ", always=True),
        "    return 204;",
        "}",
        f"location {_quoted(serving.root)} {{",
        *_compression(serving),
        *_headers(serving.everywhere, "    ", always=True),
        *_errors(serving),
        "    location ~ /\\. { return 404; }",
        *(line for kind in serving.kinds for line in _kind(kind, serving)),
        f"    {_ASKED}",
        f"    if (-f $request_filename/{INDEX}) {{",
        f"        {_rewrite(serving.root, '(.*[^/])', serving.address(''), '$1/')}",
        "    }",
        "    try_files $uri =404;",
        "}",
        *(line for move in serving.moves for line in _move(move, serving)),
    ]
    return {FILE: "\n".join([*lines, ""]).encode()}


def _compression(serving: Serving) -> list[str]:
    found = {kind.media_type.partition(";")[0] for kind in serving.kinds if pays(kind.media_type)}
    # It compresses pages unasked, and complains when asked.
    types = sorted(found - {"text/html"})
    how = (
        ["gzip_static on;"]
        if serving.compressed
        else ["gzip on;", f"gzip_types {' '.join(types)};"]
    )
    return [f"    {line}" for line in (*how, "gzip_vary on;", "gzip_proxied any;")]


def _preflight(serving: Serving) -> str:
    """Give the name of what answers OPTIONS: of each site in a server block another."""
    return f"@feeds:{quote(serving.root)}"


def _errors(serving: Serving) -> Iterator[str]:
    yield f"    error_page 405 = {_preflight(serving)};"
    # It knows no way to write a dollar here.
    if "$" not in serving.root:
        for status, path in serving.error_pages.items():
            yield f"    error_page {status} {_quoted(serving.root + path)};"


def _kind(kind: Kind, serving: Serving) -> Iterator[str]:
    yield f"    location ~ {_quoted(kind.addresses)} {{"
    if kind.page:
        yield f"        {_ASKED}"
        yield f"        try_files $uri ${{uri}}{INDEX} =404;"
    yield "        types {}"
    yield f"        default_type {_quoted(kind.media_type)};"
    yield from _headers(serving.everywhere, "        ", always=True)
    yield from _headers(kind.headers, "        ", always=kind.page)
    yield from _headers([serving.fresh], "        ")
    yield "    }"


def _headers(headers: Iterable[Header], indent: str, *, always: bool = False) -> Iterator[str]:
    for name, value in headers:
        yield f"{indent}add_header {name} {_quoted(value)}{' always' if always else ''};"


def _move(move: Move, serving: Serving) -> Iterator[str]:
    old = serving.root + move.old
    told = [
        *_headers(serving.everywhere, "    ", always=True),
        *_errors(serving),
        f"    {_ASKED}",
    ]
    if move.new is None:
        does = answer = "return 410;"
    else:
        does = answer = f"return 301 {_quoted(serving.address(move.new))};"
        if move.to_folder:
            does = _rewrite(old, "(.*)", serving.address(move.new), "$1")
    if move.folder:
        yield from (f"location ^~ {_quoted(old)} {{", *told, f"    {does}", "}")
    if move.bare or not move.folder:
        yield from (f"location = {_quoted(old.removesuffix('/'))} {{", *told, f"    {answer}", "}")


def _rewrite(folder: str, rest: str, address: str, led: str) -> str:
    """Give what leads on whatever lies below a folder."""
    new = address.replace("$", "%24") + led
    return f"rewrite {_quoted(f'^{re.escape(folder)}{rest}$')} {_quoted(f'{new}?')} permanent;"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'
