"""Redirects for GitHub Pages, where headers and redirects cannot be configured: files alone."""

from collections.abc import Iterator, Mapping
from html import escape

from feeds.errors import FeedsError
from feeds.export.hosts.rules import RedirectRule, ServingRules
from feeds.plans import Plan
from feeds.urls import INDEX, is_folder

# Without this file, GitHub Pages leaves out files whose names begin with a dot or `_`.
_NO_JEKYLL = ".nojekyll"
_REDIRECT_PAGE = """\
<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<title>{address}</title>
<link rel="canonical" href="{address}">
<meta http-equiv="refresh" content="0; url={address}">
<a href="{address}">{address}</a>
</html>
"""


def files(rules: ServingRules) -> Mapping[str, bytes | Plan]:
    """Return a redirecting page for the address of each moved page, and a copy of each moved feed.

    Raises FeedsError where a file and a folder would have the same name.
    """
    found: dict[str, bytes | Plan] = {_NO_JEKYLL: b""}
    # For each path, the path in the catalogue or of the document that requires it.
    origins = {path: path for path in rules.documents}
    for redirect in rules.redirects:
        for old, document in _moved_documents(redirect, rules):
            # The first redirect is the one with the longest path.
            if old not in origins:
                origins[old] = redirect.old
                found[old] = _file_at(old, document, rules)
    for path, origin in origins.items():
        folder = path
        while folder := folder.rpartition("/")[0]:
            if folder in origins:
                raise FeedsError(
                    f"{origins[folder]!r} and {origin!r}: GitHub Pages cannot have"
                    f" a file and a folder of the name {folder!r}"
                )
    return found


def _moved_documents(redirect: RedirectRule, rules: ServingRules) -> Iterator[tuple[str, Plan]]:
    """Yield each old path that a redirect covers, with the document at the new path."""
    if redirect.new is None:
        return
    if not redirect.keeps_rest:
        document = rules.documents.get(redirect.new + INDEX * is_folder(redirect.new))
        if document:
            yield redirect.old + INDEX * redirect.is_folder, document
        return
    for path, document in rules.documents.items():
        if path.startswith(redirect.new):
            yield redirect.old + path.removeprefix(redirect.new), document


def _file_at(old: str, document: Plan, rules: ServingRules) -> bytes | Plan:
    if not (document.media_type.startswith("text/html") or old.endswith(INDEX)):
        return document
    address = escape(rules.site.address(document.path.removesuffix(INDEX)))
    return _REDIRECT_PAGE.format(language=escape(rules.site.language), address=address).encode()
