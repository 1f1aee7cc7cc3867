"""Configurations for web servers and hosts, with which they serve a folder like `feeds serve`."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from feeds.errors import FeedsError
from feeds.formats import FORMATS
from feeds.headers import (
    CORS,
    FEED_POLICY,
    NOSNIFF,
    PAGE,
    PREFLIGHT,
    Header,
    cache_control,
    is_page,
)
from feeds.inputs import digest
from feeds.model import Site
from feeds.plans import Plan
from feeds.urls import ERROR_PAGES, covering_rule, is_folder, moved_to

# A file server cannot distinguish a browser from a feed reader. So feeds get the media
# type with which a browser shows them; every reader accepts it.
_SHOWN_AS = {form.media_type: form.shown_as for form in FORMATS if form.shown_as}
# Folders that move into one another could be followed without end.
_MAX_MOVES = 3


class FileRule(NamedTuple):
    """Files of one media type, recognised by the end of the name, such as `atom.xml` or `.html`."""

    ending: str
    media_type: str

    @property
    def is_page(self) -> bool:
        """Whether the files are HTML pages."""
        return is_page(self.media_type)

    @property
    def is_extension(self) -> bool:
        """Whether the ending is a file name extension, and not a whole name."""
        return self.ending.startswith(".")

    @property
    def address_pattern(self) -> str:
        """A regular expression for the end of the address, which for a page may be its folder's."""
        end = ("" if self.is_extension else "/") + re.escape(self.ending)
        return f"(/|{end})$" if self.is_page else f"{end}$"

    @property
    def headers(self) -> tuple[Header, ...]:
        """The headers of such a file, beside its media type."""
        if self.media_type in _SHOWN_AS.values():
            return (FEED_POLICY,)
        return PAGE if self.is_page else ()


class RedirectRule(NamedTuple):
    """A path that is no longer used, and its replacement; `new` is None if there is none.

    A path that ends in `/` covers all paths below it, and with `without_slash` the
    same address without the slash.
    """

    old: str
    new: str | None
    without_slash: bool

    @property
    def is_folder(self) -> bool:
        """Whether the rule covers all paths below the old one."""
        return is_folder(self.old)

    @property
    def keeps_rest(self) -> bool:
        """Whether a path below the old folder leads to the same path below the new one."""
        return self.is_folder and self.new is not None and is_folder(self.new)


class ServingRules:
    """Headers, media types, error pages and redirects of a site's documents.

    With `old_url`, they are those of a host from which the site has moved: it has none
    of the documents, and redirects all addresses below `old_url` to `site.url`.

    Raises FeedsError for a path that cannot be written in a line of a configuration.
    """

    preflight_headers = PREFLIGHT
    # The headers of every response.
    headers: tuple[Header, ...] = (NOSNIFF, *CORS)

    def __init__(
        self, documents: Mapping[str, Plan], site: Site, *, compressed: bool, old_url: str = ""
    ) -> None:
        self.documents = documents
        self.site = site
        self.compressed = compressed
        self.has_moved = bool(old_url)
        # Where the folder is served, and the path of that URL, decoded: it begins and ends
        # with `/`.
        self.served_url = old_url or site.url
        self.root = unquote(urlsplit(self.served_url).path)
        # Where redirects lead.
        self.new_root = unquote(urlsplit(site.url).path)
        self.origin = site.url.removesuffix(urlsplit(site.url).path)
        roots = (self.root, self.new_root)
        for text in (*roots, *site.moved, *site.moved.values(), *site.retired):
            if any(sign < " " or sign == "\x7f" for sign in text) or '"' in "".join(roots):
                raise FeedsError(f"{text!r}: no web server can be configured for such a path")
        self.cache_control = cache_control(site.max_age)

    @cached_property
    def error_pages(self) -> dict[int, str]:
        """The path of the page for each status, if there is one."""
        found = {code: path for code, path in ERROR_PAGES.items() if path in self.documents}
        if self.has_moved:
            is_needed = any(rule.new is None for rule in self.redirects)
            return {code: found[code] for code in found if code == HTTPStatus.GONE and is_needed}
        return found

    @cached_property
    def remaining(self) -> dict[str, Plan]:
        """The documents that a host still needs from which the site has moved."""
        paths = self.error_pages.values() if self.has_moved else ()
        return {path: self.documents[path] for path in paths}

    @cached_property
    def files(self) -> list[FileRule]:
        """A rule for each extension whose files have one media type, else one for each name."""
        found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for path, document in (self.remaining if self.has_moved else self.documents).items():
            name = path.rpartition("/")[2]
            extension = name[name.rfind(".") :] if "." in name else ""
            media_type = _SHOWN_AS.get(document.media_type, document.media_type)
            found[extension][name].add(media_type)
        rules = []
        for extension, names in sorted(found.items()):
            types = set().union(*names.values())
            if extension and len(types) == 1:
                rules.append(FileRule(extension, *types))
            else:
                rules += [FileRule(name, min(types)) for name, types in sorted(names.items())]
        return rules

    @cached_property
    def redirects(self) -> list[RedirectRule]:
        """A rule for each path that is no longer used, with its final target; longest paths first.

        A path below a moved folder that moved itself, or was retired, there or at
        the new place, has a rule of its own. So every redirect is one step. If the site
        has moved, the last rule covers all other paths.
        """
        old_paths = {*self.site.moved, *self.site.retired}
        found = old_paths
        for _ in range(_MAX_MOVES):
            found = set(self._moved_into(found)) - old_paths
            old_paths |= found
        rules = [
            RedirectRule(path, self._target(path), self._is_without_slash(path, old_paths))
            for path in old_paths
        ]
        if self.has_moved:
            rules.append(RedirectRule("", "", without_slash=False))
        return sorted(rules, key=lambda rule: (-len(rule.old), rule.old))

    def _moved_into(self, paths: Iterable[str]) -> Iterator[str]:
        """Yield the addresses from which a moved folder leads to these paths."""
        moved, retired = self.site.moved, self.site.retired
        for path in paths:
            for old, new in moved.items():
                below = old + path.removeprefix(new)
                folders = old.endswith("/") and is_folder(new)
                leads = folders and path.startswith(new) and not path.startswith(old)
                if leads and covering_rule(below, {*moved, *retired}) == old:
                    yield below

    def _target(self, path: str) -> str | None:
        """Return the final target of a path; None if it is retired."""
        moved, retired = self.site.moved, self.site.retired
        if len(covering_rule(path, retired) or "") > len(covering_rule(path, moved) or ""):
            return None
        new = moved_to(path, moved)
        new = path if new is None else new
        return None if covering_rule(new, retired) else new

    def _is_without_slash(self, path: str, old_paths: Collection[str]) -> bool:
        """Return whether the address of a folder without the slash has no meaning of its own."""
        bare = path.removesuffix("/")
        if bare == path or bare in old_paths:
            return False
        target = self._target(bare)
        return target is not None and target not in self.documents

    def url(self, path: str) -> str:
        """Return the absolute URL to which a redirect to a path leads, in ASCII."""
        return self.origin + quote(self.new_root + path)


# A media type that is not compressed: see `pays`. GitHub Pages would not send a
# compressed copy of a document at a moved address either.
_UNCOMPRESSED = "application/octet-stream"


def host_plans(
    host: str, plans: Iterable[Plan], site: Site, *, compressed: bool, old_url: str = ""
) -> list[Plan]:
    """Return the plans of the files that configure a host; none without a host.

    `plans` are those of the site's documents. With `old_url`, the host is the one that
    the site was on, and has none of them: what it still needs is returned, too. Raises
    FeedsError where the host cannot be configured for the site.
    """
    if not host:
        return []
    # This loads Jinja.
    from feeds.export.hosts.configurations import HOSTS  # noqa: PLC0415

    documents = {plan.path: plan for plan in plans}
    rules = ServingRules(documents, site, compressed=compressed, old_url=old_url)
    files = HOSTS[host](rules)
    for path in () if old_url else files.keys() & documents.keys():
        raise FeedsError(f"{path!r} is in static/, and --host {host} writes it; remove one of them")
    return [_plan(path, files[path]) for path in sorted(files)]


def _plan(path: str, file: bytes | Plan) -> Plan:
    """Return the plan of a file, which has given bytes or those of a document."""
    if isinstance(file, Plan):
        return file._replace(path=path, media_type=_UNCOMPRESSED)
    return Plan(path, _UNCOMPRESSED, digest(file), lambda _: file)
