"""Apache: an `.htaccess` at the top of the folder."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

from feeds.export.hosts.serving import Kind, Move, Serving
from feeds.headers import PREFLIGHT
from feeds.urls import INDEX

FILE = ".htaccess"

_HEADING = """\
# Written by feeds export. Of the folder, which lies at {root}, the server must have
#     AllowOverride FileInfo
#     Options FollowSymLinks
# and the modules headers, mime and rewrite.
"""
# The client takes this coding, and the file is there under it.
_CODED = """\
RewriteCond %{{HTTP:Accept-Encoding}} "(^|[,\\s]){coding}\\s*(,|;\\s*q=(1|0?\\.0*[1-9])|$)"
RewriteCond %{{REQUEST_FILENAME}}{ending} -f
RewriteRule "^(.+)$" "$1{ending}" [L]"""
_QUOTE = r"\x22"
_ASKED = "\"expr=%{REQUEST_METHOD} == 'OPTIONS'\""
_BESIDE = """\
RemoveLanguage .br
RemoveType .br .gz
AddEncoding br .br
AddEncoding gzip .gz
Header always merge Vary Accept-Encoding"""


def files(serving: Serving) -> Mapping[str, bytes]:
    """Give the configuration."""
    lines = [
        _HEADING.format(root=serving.root),
        *(f'Header always set {name} "{value}"' for name, value in serving.everywhere),
        *(f'Header always set {name} "{value}" {_ASKED}' for name, value in PREFLIGHT),
        *(
            f"ErrorDocument {status} {quote(serving.root + path)}"
            for status, path in serving.error_pages.items()
        ),
        *(line for kind in serving.kinds for line in _kind(kind, serving)),
        "RewriteEngine On",
        f"RewriteBase {_quoted(serving.root)}",
        "RewriteCond %{REQUEST_METHOD} =OPTIONS",
        "RewriteRule ^ - [R=204,L]",
        *(_move(move, serving) for move in serving.moves),
        r'RewriteRule "(^|/)\." - [R=404,L]',
        *_folders(serving),
    ]
    if serving.compressed:
        for coding, ending in (("br", ".br"), ("gzip", ".gz")):
            lines.append(_CODED.format(coding=coding, ending=ending))
        lines.append(_BESIDE)
    return {FILE: "\n".join([*lines, ""]).encode()}


def _kind(kind: Kind, serving: Serving) -> Iterator[str]:
    beside = r"(\.br|\.gz)?" * serving.compressed
    pattern = kind.pattern.removeprefix("/").removesuffix("$")
    start = "" if kind.ending.startswith(".") else "^"
    yield f"<FilesMatch {_quoted(f'{start}{pattern}{beside}$')}>"
    yield f"    ForceType {_quoted(kind.media_type)}"
    for name, value in kind.headers:
        yield f"    Header set {name} {_quoted(value)}"
    name, value = serving.fresh
    # A page that answers where nothing is has the headers of its file.
    yield f'    Header set {name} {_quoted(value)} "expr=%{{REQUEST_STATUS}} -lt 400"'
    yield "</FilesMatch>"


def _folders(serving: Serving) -> Iterator[str]:
    """Give what answers for folders: by itself Apache forbids those without a page, and names itself."""
    yield "RewriteCond %{REQUEST_FILENAME} -d"
    yield f"RewriteCond %{{REQUEST_FILENAME}}/{INDEX} !-f"
    yield "RewriteRule ^ - [R=404,L]"
    yield "RewriteCond %{REQUEST_FILENAME} -d"
    yield f'RewriteRule "^(.*[^/])$" {_target("", serving, "$1/")}'


def _move(move: Move, serving: Serving) -> str:
    below = "(?:/(.*))?" if move.bare else "/(.*)" if move.folder else ""
    pattern = re.escape(move.old.removesuffix("/")) + below
    # Within its quotes, mod_rewrite knows no way to write one.
    start = 'RewriteRule "^' + pattern.replace('"', _QUOTE) + '$"'
    if move.new is None:
        return f"{start} - [G]"
    return f"{start} {_target(move.new, serving, '$1' * move.to_folder)}"


def _target(path: str, serving: Serving, led: str) -> str:
    # Given as people read it: Apache encodes the whole.
    escaped = re.sub(r"([\\$%])", r"\\\1", serving.root + path)
    return f"{_quoted(serving.origin + escaped + led)} [R=301,L,QSD]"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'
