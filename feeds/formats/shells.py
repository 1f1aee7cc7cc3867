"""A feed's document without its entries, laid out once for each shape of feed."""

from collections.abc import Callable, Sequence
from datetime import datetime

from feeds.formats import sampling
from feeds.formats.plain_text import as_html
from feeds.formats.sampling import MARKUP, ZONE, Places, places, set_in
from feeds.model import Feed, Site

# Takes a feed and its document's address.
Write = Callable[[Feed, str], str]
Text = Callable[[Feed, str], str]

# Of the two samples: no text of one is a text of the other.
_SAMPLES = (("sample", 1803), ("other", 1813))


def feed_texts(site: Site) -> tuple[Text, ...]:
    """Return what gives each text of a feed that stands in its document as it is."""
    return (
        lambda feed, _: feed.id,
        lambda feed, _: feed.title,
        lambda feed, _: feed.description,
        lambda feed, _: feed.updated.isoformat(),
        lambda feed, _: site.address(feed.path),
        lambda _, address: address,
    )


class Shells:
    """Writes shells as `write` does, which is asked once for each shape of feed.

    `texts` give all the texts that it takes from a feed and its document's
    address; `end` is what follows the entries in a document; and `fixed` gives
    what else decides what is written.
    """

    def __init__(
        self, write: Write, texts: Sequence[Text], end: str, fixed: Callable[[Feed], object]
    ) -> None:
        self._write = write
        self._texts = texts
        self._end = end
        self._fixed = fixed
        self._shells: dict[object, Places[Feed] | None] = {}

    def document(self, feed: Feed, address: str, elements: Sequence[bytes]) -> bytes:
        """Return a feed's document with its entries' elements in it."""
        head = self._shell(feed, address).removesuffix(self._end)
        return b"".join([head.encode(), *elements, self._end.encode()])

    def _shell(self, feed: Feed, address: str) -> str:
        shape = (feed.path.count("/"), bool(feed.description), *_is_html(feed), self._fixed(feed))
        if shape not in self._shells:
            self._shells[shape] = self._laid_out(feed, address) if sampling.ENABLED else None
        found = self._shells[shape]
        return set_in(found, feed, address) if found else self._write(feed, address)

    def _laid_out(self, feed: Feed, address: str) -> Places[Feed] | None:
        """Lay out the shell of feeds like this one; None where a site's text is like a sample's."""
        found, other = (self._places(feed, *sample) for sample in _SAMPLES)
        right = found == other and set_in(found, feed, address) == self._write(feed, address)
        return found if right else None

    def _places(self, feed: Feed, word: str, year: int) -> Places[Feed]:
        """Find the places of a sample's texts, each of which differs from all others."""
        title, description = _is_html(feed)
        address = f"https://{word}-address.invalid/"
        sample = Feed(
            id=f"{word}-feed-id",
            path=f"{word}-folder/" * feed.path.count("/"),
            title=f"{word}-feed-title" + MARKUP * title,
            description=f"{word}-feed-text" + MARKUP * description if feed.description else "",
            updated=datetime(year, 4, 5, 6, 7, 8, tzinfo=ZONE),
            entries=(),
            latest=feed.latest,
        )
        samples = {text(sample, address): text for text in self._texts}
        return places(self._write(sample, address), samples)


def _is_html(feed: Feed) -> tuple[bool, bool]:
    """Tell whether a feed's title, and its description, are written otherwise as HTML."""
    return as_html(feed.title) != feed.title, as_html(feed.description) != feed.description
