"""How a folder is to be served, in no host's words yet."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import groupby
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from feeds.errors import FeedsError
from feeds.formats import FORMATS
from feeds.headers import CORS, FEED_POLICY, NOSNIFF, PAGE, Header, cache_control
from feeds.model import Site
from feeds.plans import Plan
from feeds.urls import ERROR_PAGES, covering_rule, is_folder, moved_to

_PAGE = "text/html"
# No plain server can tell a person from a reader: so feeds have the type under
# which a browser shows them, and which every reader takes.
_SHOWN_AS = {form.media_type: form.shown_as for form in FORMATS if form.shown_as}
# Folders that move into one another could be followed without end.
_STEPS = 3


class Kind(NamedTuple):
    """Files of one media type, told by the end of their names, such as `atom.xml` or `.html`."""

    ending: str
    media_type: str

    @property
    def page(self) -> bool:
        """Whether people read it."""
        return self.media_type.startswith(_PAGE)

    @property
    def pattern(self) -> str:
        """A regular expression that the end of such a path matches."""
        return ("" if self.ending.startswith(".") else "/") + re.escape(self.ending) + "$"

    @property
    def addresses(self) -> str:
        """The same of the end of its address, which for a page may be its folder's."""
        return f"(/|{self.pattern[:-1]})$" if self.page else self.pattern

    @property
    def headers(self) -> list[Header]:
        """What goes with such a file alone, beside its media type."""
        if self.media_type in _SHOWN_AS.values():
            return [FEED_POLICY]
        return [*PAGE] if self.page else []


class Move(NamedTuple):
    """A path that was given up, and the one in its place; None where it is gone for good.

    One that ends in `/` stands for all that lay below it, and where `bare` for the
    same address without the slash.
    """

    old: str
    new: str | None
    bare: bool

    @property
    def folder(self) -> bool:
        """Whether it stands for all below it."""
        return self.old.endswith("/")

    @property
    def to_folder(self) -> bool:
        """Whether all below it has its own place in the new one, and does not lead to one document."""
        return self.folder and self.new is not None and is_folder(self.new)


class Serving:
    """What is to be said of the documents of a release and of the addresses it gave up.

    Raises FeedsError for a path that would end its line in a configuration.
    """

    def __init__(self, release: Mapping[str, Plan], site: Site, *, compressed: bool) -> None:
        self.release = release
        self.site = site
        self.compressed = compressed
        for text in (self.root, *site.moved, *site.moved.values(), *site.retired):
            if any(sign < " " or sign == "\x7f" for sign in text) or '"' in self.root:
                raise FeedsError(f"{text!r}: no web server can be told of such a path")

    @property
    def root(self) -> str:
        """The path of the site's URL, as people read it: it begins and ends with `/`."""
        return unquote(urlsplit(self.site.url).path)

    @property
    def origin(self) -> str:
        """The site's URL without its path."""
        return self.site.url.removesuffix(urlsplit(self.site.url).path)

    @property
    def everywhere(self) -> list[Header]:
        """What goes with every answer."""
        return [NOSNIFF, *CORS]

    @property
    def fresh(self) -> Header:
        """What goes with every document: how long it may be kept."""
        return "Cache-Control", cache_control(self.site.max_age)

    @property
    def error_pages(self) -> dict[int, str]:
        """The paths of the pages that answer where nothing is, or is any more, by status."""
        return {status: path for status, path in ERROR_PAGES.items() if path in self.release}

    @cached_property
    def kinds(self) -> list[Kind]:
        """What kinds of documents there are, by the end of their names where that tells it."""
        found = sorted({(_ending(path), path.rpartition("/")[2]) for path in self.release})
        types: dict[str, set[str]] = {}
        names: dict[str, set[str]] = {}
        for path, document in self.release.items():
            media_type = _SHOWN_AS.get(document.media_type, document.media_type)
            types.setdefault(_ending(path), set()).add(media_type)
            names.setdefault(path.rpartition("/")[2], set()).add(media_type)
        kinds = []
        for ending, group in groupby(found, lambda pair: pair[0]):
            if ending and len(types[ending]) == 1:
                kinds.append(Kind(ending, *types[ending]))
            else:
                kinds += [Kind(name, min(names[name])) for _, name in group]
        return kinds

    @cached_property
    def moves(self) -> list[Move]:
        """The addresses that were given up, each with its last new one; the nearest comes first.

        A path below a moved folder that has a fate of its own, there or at the
        new place, stands by itself, so that every move is one hop.
        """
        given_up = {*self.site.moved, *self.site.retired}
        found = given_up
        for _ in range(_STEPS):
            found = set(self._before(found)) - given_up
            given_up |= found
        moves = [Move(path, self._end(path), self._bare(path, given_up)) for path in given_up]
        return sorted(moves, key=lambda move: (-len(move.old), move.old))

    def _before(self, paths: Iterable[str]) -> Iterator[str]:
        """Give the addresses from which a moved folder leads to these."""
        moved, retired = self.site.moved, self.site.retired
        for path in paths:
            for old, new in moved.items():
                below = old + path.removeprefix(new)
                folders = old.endswith("/") and is_folder(new)
                led = folders and path.startswith(new) and not path.startswith(old)
                if led and covering_rule(below, {*moved, *retired}) == old:
                    yield below

    def _end(self, path: str) -> str | None:
        moved, retired = self.site.moved, self.site.retired
        if len(covering_rule(path, retired) or "") > len(covering_rule(path, moved) or ""):
            return None
        new = moved_to(path, moved)
        new = path if new is None else new
        return None if covering_rule(new, retired) else new

    def _bare(self, path: str, given_up: Collection[str]) -> bool:
        """Tell whether nothing but a folder is meant by its address without the slash."""
        bare = path.removesuffix("/")
        if bare == path or bare in given_up:
            return False
        end = self._end(bare)
        return end is not None and end not in self.release

    def address(self, path: str) -> str:
        """Give the absolute address of a path, as an ASCII URI."""
        return self.origin + quote(self.root + path)


def _ending(path: str) -> str:
    name = path.rpartition("/")[2]
    return name[name.rfind(".") :] if "." in name else ""
