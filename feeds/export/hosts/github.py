"""GitHub Pages, which takes neither headers nor redirects: what can be done with files alone."""

from collections.abc import Iterator, Mapping
from html import escape

from feeds.errors import FeedsError
from feeds.export.hosts.serving import Move, Serving
from feeds.plans import Plan
from feeds.urls import INDEX, is_folder

_AS_IT_IS = ".nojekyll"
_PAGE = """\
<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<title>{address}</title>
<link rel="canonical" href="{address}">
<meta http-equiv="refresh" content="0; url={address}">
<a href="{address}">{address}</a>
</html>
"""


def files(serving: Serving) -> Mapping[str, bytes | Plan]:
    """Give a page that leads on at each moved page's address, and at a moved feed's the feed itself.

    Raises FeedsError where a file and a folder would have the same name.
    """
    found: dict[str, bytes | Plan] = {_AS_IT_IS: b""}
    # By each path, the address that is the reason for it.
    reasons = {path: path for path in serving.release}
    # The nearest comes first, and counts.
    for move in serving.moves:
        for old, document in _moved(move, serving):
            if old not in reasons:
                reasons[old] = move.old
                found[old] = _led_on(old, document, serving)
    _refuse_both(reasons)
    return found


def _refuse_both(reasons: Mapping[str, str]) -> None:
    for path, reason in reasons.items():
        folder = path
        while folder := folder.rpartition("/")[0]:
            if folder in reasons:
                raise FeedsError(
                    f"{reasons[folder]!r} and {reason!r}: GitHub Pages cannot have"
                    f" a file and a folder of the name {folder!r}"
                )


def _moved(move: Move, serving: Serving) -> Iterator[tuple[str, Plan]]:
    """Give each old path that a move stands for, with the document that is at its new one now."""
    if move.new is None:
        return
    if not move.to_folder:
        document = serving.release.get(move.new + INDEX * is_folder(move.new))
        if document:
            yield move.old + INDEX * move.folder, document
        return
    for path, document in serving.release.items():
        if path.startswith(move.new):
            yield move.old + path.removeprefix(move.new), document


def _led_on(old: str, document: Plan, serving: Serving) -> bytes | Plan:
    if not (document.media_type.startswith("text/html") or old.endswith(INDEX)):
        return document
    address = escape(serving.site.address(document.path.removesuffix(INDEX)))
    return _PAGE.format(language=escape(serving.site.language), address=address).encode()
