"""Caddy: directives to import in a site block."""

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from feeds.errors import FeedsError
from feeds.export.hosts.serving import Kind, Move, Serving
from feeds.export.tree import OURS
from feeds.headers import PREFLIGHT, Header
from feeds.urls import INDEX

FILE = f"{OURS}/Caddyfile"

# What Caddy compares with a path however that is encoded; anything else stands encoded.
_COMPARED = "".join(sign for sign in map(chr, range(0x20, 0x7F)) if sign not in "%{}")

# A folder without a page is found by its address, and is not there for anybody.
_LOST = f"""\
    @feeds_lost {{
        not file {{path}}/{INDEX}
        not {{
            file {{path}}
            not path */
        }}
    }}
    error @feeds_lost 404"""

_HEADING = """\
# Written by feeds export. In the site block whose root holds this folder as {root}:
#     import …/{file}
"""


def files(serving: Serving) -> Mapping[str, bytes]:
    """Give the configuration; raises FeedsError for a site's path with braces."""
    root = serving.root
    if {*"{}"} & {*root}:
        raise FeedsError(f"{root!r}: Caddy cannot be told of such a path")
    lines = [
        _HEADING.format(root=root, file=FILE),
        f"route {_quoted(f'{root}*')} {{",
        *_headers("", serving.everywhere),
        "    @feeds_preflight method OPTIONS",
        *_headers("@feeds_preflight ", PREFLIGHT),
        "    respond @feeds_preflight 204",
        *(
            line
            for number, move in enumerate(serving.moves)
            for line in _move(f"@feeds_moved_{number}", move, serving)
        ),
        r"    @feeds_hidden path_regexp /\.",
        "    error @feeds_hidden 404",
        _LOST,
        *_headers("", [serving.fresh]),
        *(
            line
            for number, kind in enumerate(serving.kinds)
            for line in _kind(f"@feeds_kind_{number}", kind)
        ),
        *_files(serving),
        "}",
        *_errors(serving),
    ]
    return {FILE: "\n".join([*lines, ""]).encode()}


def _files(serving: Serving) -> Iterator[str]:
    if not serving.compressed:
        yield "    encode gzip"
    yield "    file_server {"
    yield from ["        precompressed br gzip"] * serving.compressed
    yield "    }"


def _errors(serving: Serving) -> Iterator[str]:
    """Give what answers where nothing is; other parts of the site are left to themselves."""
    pages = [kind for kind in serving.kinds if kind.page]
    if not serving.error_pages or not pages:
        return
    yield "handle_errors {"
    for status, path in serving.error_pages.items():
        name = f"@feeds_{status}"
        yield f"    {name} {{"
        yield f"        path {_quoted(f'{serving.root}*')}"
        yield f"        expression {{http.error.status_code}} == {status}"
        yield "    }"
        yield f"    handle {name} {{"
        yield f"        rewrite * {_quoted(serving.root + path)}"
        told = [("Content-Type", pages[0].media_type), *pages[0].headers]
        yield from (f"    {line}" for line in (*_headers("", told), *_files(serving)))
        yield "    }"
    yield "}"


def _kind(name: str, kind: Kind) -> Iterator[str]:
    yield f"    {name} path_regexp {_quoted(kind.addresses)}"
    yield from _headers(f"{name} ", [("Content-Type", kind.media_type), *kind.headers])


def _headers(matcher: str, headers: Iterable[Header]) -> Iterator[str]:
    for name, value in headers:
        yield f"    header {matcher}{name} {_quoted(value)}"


def _move(name: str, move: Move, serving: Serving) -> Iterator[str]:
    path = serving.root + move.old.removesuffix("/")
    old = _matched(path)
    end = "(/|$)" if move.bare else "/" if move.folder else "$"
    if move.new is None:
        yield f"    {name} path_regexp {_quoted(f'^{old}{end}')}"
        yield f"    error {name} 410"
        return
    new = serving.address(move.new)
    if move.bare or not move.to_folder:
        end = "$" if move.to_folder else end
        yield f"    {name} path_regexp {_quoted(f'^{old}{end}')}"
        yield f"    redir {name} {_quoted(new)} 301"
    if move.to_folder:
        yield f"    {name}_below path_regexp {_quoted(f'^{old}/')}"
        yield f"    route {name}_below {{"
        yield f"        uri strip_prefix {_quoted(quote(path, safe=_COMPARED))}"
        yield f"        redir {_quoted(new.removesuffix('/') + '{uri}')} 301"
        yield "    }"


def _matched(path: str) -> str:
    # From an imported file, Caddy takes the backslash before a brace away.
    return re.escape(path).replace(r"\{", r"\x7b").replace(r"\}", r"\x7d")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'
