"""A feed's document without its entries, laid out once for each shape of feed."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone

from feeds.formats.layouts import Places, places, set_in
from feeds.formats.plain_text import as_html
from feeds.model import Feed

# Takes a feed and its document's address.
Write = Callable[[Feed, str], str]
Text = Callable[[Feed, str], str]

# Every text differs from all others, and is written as it stands here.
_ADDRESS = "https://sample-address.invalid/"
_FOLDER = "sample-folder/"
_TITLE = "sample-feed-title"
_DESCRIPTION = "sample-feed-description"
_MARKUP = " <b>"
_UPDATED = datetime(1803, 4, 5, 6, 7, 8, tzinfo=timezone(timedelta(hours=1, minutes=23)))


class Shells:
    """Writes shells as `write` does, which is asked once for each shape of feed.

    `texts` give all the texts that it takes from a feed and its document's
    address; and `fixed` what else decides what is written.
    """

    def __init__(
        self, write: Write, texts: Sequence[Text], fixed: Callable[[Feed], object]
    ) -> None:
        self._write = write
        self._texts = texts
        self._fixed = fixed
        self._shells: dict[object, Places[Feed] | None] = {}

    def shell(self, feed: Feed, address: str) -> str:
        """Give a feed's shell."""
        shape = (feed.path.count("/"), bool(feed.description), *_is_html(feed), self._fixed(feed))
        if shape not in self._shells:
            self._shells[shape] = self._laid_out(feed, address)
        found = self._shells[shape]
        return set_in(found, feed, address) if found else self._write(feed, address)

    def _laid_out(self, feed: Feed, address: str) -> Places[Feed] | None:
        """Lay out the shell of feeds like this one; None where a site's text is like a sample's."""
        title, description = _is_html(feed)
        sample = Feed(
            id="sample-feed-id",
            path=_FOLDER * feed.path.count("/"),
            title=_TITLE + _MARKUP * title,
            description=(_DESCRIPTION + _MARKUP * description) if feed.description else "",
            updated=_UPDATED,
            entries=(),
            latest=feed.latest,
        )
        samples = {text(sample, _ADDRESS): text for text in self._texts}
        found = places(self._write(sample, _ADDRESS), samples)
        return found if set_in(found, feed, address) == self._write(feed, address) else None


def _is_html(feed: Feed) -> tuple[bool, bool]:
    """Tell whether a feed's title, and its description, are written otherwise as HTML."""
    return as_html(feed.title) != feed.title, as_html(feed.description) != feed.description
