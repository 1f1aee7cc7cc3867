"""Jinja templates: the shipped ones, those of a publication that override them, and their links.

An item is rendered once and shown on pages of different depth. So a relative address
begins with `ROOT`, which is replaced in each whole page.
"""

import errno
import json
import os
import re
from collections.abc import Iterator, Mapping, MutableMapping
from functools import lru_cache
from pathlib import Path
from traceback import walk_tb
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote, urlsplit

from jinja2 import (
    BytecodeCache,
    ChoiceLoader,
    Environment,
    FunctionLoader,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.bccache import Bucket
from markupsafe import escape

from feeds.errors import FeedsError
from feeds.formats.json_feed import present
from feeds.model import Site

# The site's folder, relative to the page. No text contains this character.
ROOT = "\x1c"
# `feeds/` and a name is the shipped template, even if it is overridden.
_SHIPPED = "feeds"
# A start tag with attributes; no attribute contains a quote.
_TAG = re.compile(r'<[a-z][a-z0-9]*(?: [a-z-]+="[^"]*")+ ?/?>')
# Of the structured data of pages, in the vocabulary of schema.org. It has no cycles.
_to_json = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
SCHEMA_ORG = "https://schema.org"


class Link(NamedTuple):
    """A link, and the language and direction of its name; '' if they are the page's."""

    address: str
    name: str
    language: str = ""
    direction: str = ""


class Templates:
    """The templates of a site. `values` are known to all of them.

    The folder is read once, when this is created.
    """

    def __init__(self, folder: Path | None, values: Mapping[str, Any], site: Site) -> None:
        self._files = template_files(folder) if folder else {}
        self._paths = {name: str((folder or Path()) / name) for name in self._files}
        self.links = SiteLinks(site)
        shipped = PackageLoader("feeds.pages")
        environment = _Environment(
            loader=ChoiceLoader(
                [PrefixLoader({_SHIPPED: shipped}), FunctionLoader(self._override), shipped]
            ),
            bytecode_cache=_CodeInMemory(),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            # Keep all templates: there are few.
            cache_size=-1,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.globals |= values
        environment.filters |= {"href": relative_address, "relative": self.links.relative}
        environment.policies["json.dumps_function"] = _to_json
        environment.policies["json.dumps_kwargs"] = {}
        self._environment = environment

    def render(self, name: str, /, **values: object) -> bytes:
        """Return the output of a template, without the line break at its end.

        Raises:
            FeedsError: There is an error in a template of the folder.
        """
        try:
            text = self._environment.get_template(name).render(values)
        except Exception as error:
            if place := self._place(error):
                raise FeedsError(f"{place}: {_message(error)}") from error
            raise
        return text.removesuffix("\n").encode()

    def page(self, name: str, path: str, /, **values: object) -> bytes:
        """Return the page at a path by a template, with addresses relative to that page."""
        html = self.render(name, **values)
        return html.replace(ROOT.encode(), b"../" * path.count("/") or b"./")

    def _override(self, name: str) -> tuple[str, str, None] | None:
        """Return the source and path of a template of the folder; None if there is none."""
        body = self._files.get(name)
        if body is None:
            return None
        path = self._paths[name]
        try:
            return body.decode(), path, None
        except UnicodeDecodeError as error:
            line = body.count(b"\n", 0, error.start) + 1
            raise TemplateSyntaxError("not UTF-8", line, name, path) from None

    def _place(self, error: Exception) -> str:
        """Return `FILE:LINE` of an error's innermost place in the folder; '' if it has none."""
        ours = {*self._paths.values()}
        if isinstance(error, TemplateSyntaxError):
            # For some errors, Jinja's lexer gives the file as their name.
            file = error.filename or error.name
            if file in ours:
                return f"{file}:{error.lineno}"
        # In a traceback, Jinja writes the file and line of each template.
        calls = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
        return next((f"{file}:{line}" for file, line in reversed(calls) if file in ours), "")


class _CodeInMemory(BytecodeCache):
    """Keeps the code of templates: to compile them takes as long as to build a small site."""

    # By the template's key: a digest of its source, and its code.
    _known: ClassVar[dict[str, tuple[str, Any]]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._known.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key] = bucket.checksum, bucket.code


class _Environment(Environment):
    """An environment in which all templates have the same globals."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        # Jinja's own ChainMap is copied for each page, which takes as long as rendering an item.
        return self.globals if d is None else super().make_globals(d)


def _message(error: Exception) -> str:
    if isinstance(error, TemplateNotFound):
        return f"template '{error}' not found"
    if isinstance(error, RecursionError):
        return f"extends, includes or calls itself; a shipped template is '{_SHIPPED}/…'"
    text = " ".join(str(error).split())
    return text if isinstance(error, TemplateError) else f"{type(error).__name__}: {text}"


def template_files(folder: Path) -> dict[str, bytes]:
    """Return the content of each template in a folder, by its name, sorted.

    The name of a file in a subfolder is its path, such as `parts/logo.html`.
    Hidden files, files that are not regular and symbolic links out of the folder are
    skipped. Links to folders are not followed. A missing folder has no templates.

    Raises:
        FeedsError: The folder or a file in it cannot be read.
    """
    try:
        if not folder.exists():
            return {}
        inside = folder.resolve()
        files = sorted((file.relative_to(folder).as_posix(), file) for file in _files(folder))
        return {name: file.read_bytes() for name, file in files if _is_inside(file, inside)}
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise FeedsError(f"{error.filename or folder}: {reason}") from None


def _files(folder: Path) -> Iterator[Path]:
    def fail(error: OSError) -> None:
        raise error

    for root, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(root, name) for name in names if not name.startswith("."))


def _is_inside(file: Path, folder: Path) -> bool:
    """Check whether a file, or the target of a link, is a regular file in a folder."""
    try:
        target = Path(os.path.realpath(file, strict=True))
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ELOOP}:
            return False
        raise
    return target.is_relative_to(folder) and target.is_file()


def publisher_of(site: Site) -> dict[str, Any]:
    """Return who publishes a site, in the vocabulary of schema.org."""
    return present(
        {
            "@type": "Organization",
            "name": site.author.name,
            "url": site.author.uri or site.url,
            "logo": site.logo and {"@type": "ImageObject", "url": site.logo},
        }
    )


@lru_cache(maxsize=10_000)
def relative_address(path: str) -> str:
    """Return the address of a path under the site, relative to a page that is not known yet."""
    return ROOT + quote(path)


def with_absolute_links(html: bytes, site: Site) -> bytes:
    """Return the HTML of a page that is shown at any path, with absolute addresses."""
    return html.replace(ROOT.encode(), escape(site.url).encode())


class SiteLinks:
    """Makes addresses under a site's URL relative."""

    def __init__(self, site: Site) -> None:
        scheme, host, path, *_ = urlsplit(site.url)
        # The host's case has no meaning. The address of the site's own page may lack the slash.
        start = f"(?i:{re.escape(f'{scheme}://{host}')}){re.escape(path.removesuffix('/'))}"
        start = rf'{start}(?:/|(?=[?#"]|$))'
        self._start = re.compile(start)
        self._host = host.lower()
        in_html = start.replace("&", "&amp;")
        self._attribute = re.compile(rf'(?<= )(href|src)="{in_html}([^"]*)"')

    def relative(self, address: str) -> str:
        """Return an address, relative if it is under the site's URL."""
        found = self._start.match(address)
        return ROOT + address[found.end() :] if found else address

    def relative_in(self, html: str, page: str) -> str:
        """Return the HTML of a body with relative links and pictures.

        A link to a part of the same `page` is the fragment alone, which works from disk too.
        """
        if self._host not in html.lower():
            return html
        own = f"{quote(page)}#"

        def attribute(found: re.Match[str]) -> str:
            name, rest = found.groups()
            address = f"#{rest.removeprefix(own)}" if rest.startswith(own) else ROOT + rest
            return f'{name}="{address}"'

        return _TAG.sub(lambda tag: self._attribute.sub(attribute, tag[0]), html)
