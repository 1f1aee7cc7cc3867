"""The topics that entries may name."""

from collections.abc import Callable, Iterable

from feeds.catalogue.nearest import Nearest
from feeds.catalogue.reader import Fault
from feeds.catalogue.slugs import slug_of
from feeds.catalogue.texts import folded, line
from feeds.model import Topic


class Vocabulary:
    """The topics an entry may name; an open vocabulary takes up each new one.

    An item names a topic of a closed vocabulary by its slug, and one of an open
    vocabulary by its name.
    """

    def __init__(self, declared: Iterable[Topic] | None, scheme: str) -> None:
        self._open = declared is None
        self._scheme = scheme
        self._topics = {topic.slug: topic for topic in declared or ()}

    def read(self, nearest: Nearest) -> Callable[[str], str]:
        """Give what reads a topic's name or slug, and raises Fault."""

        def declared(text: str) -> str:
            if text not in self._topics:
                choices = {topic.name: topic.slug for topic in self._topics.values()}
                hint = nearest.hint(text, choices | {slug: slug for slug in self._topics})
                raise Fault(f"there is no topic {text!r} under 'topics'{hint}", cause=text)
            return text

        return _name if self._open else declared

    def topic(self, text: str) -> Topic:
        """Give the topic that an item names; another name for the same slug gives the first one's."""
        if not self._open:
            return self._topics[text]
        slug = slug_of(text, words=None)
        return self._topics.setdefault(slug, Topic(slug=slug, name=text, scheme=self._scheme))


def _name(text: str) -> str:
    name = folded(text)
    if not slug_of(name, words=None):
        raise Fault(f"{name!r} has no letter and no digit to make an address of")
    return line(text)
