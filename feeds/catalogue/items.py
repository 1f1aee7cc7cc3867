"""The items of `entries:` in one file, each composed only when it is to be read."""

from collections.abc import Sequence
from functools import cached_property, partial

from yaml.nodes import Node, SequenceNode

from feeds.catalogue.cutting import Cut
from feeds.catalogue.nearest import Nearest
from feeds.catalogue.reading import Reading
from feeds.catalogue.source import Excerpt, Source
from feeds.catalogue.strict_yaml import Refused, compose_part
from feeds.errors import Problem


class Miscut(Exception):
    """A file was cut where no item begins, or is no YAML."""


class Items:
    """The items of one file: cut out of it, or the nodes of a file composed as a whole.

    `texts`, behind the `dash` that each was cut off, are what items are remembered
    by; there are none of a file composed as a whole.
    """

    def __init__(
        self,
        source: Source,
        nearest: Nearest,
        *,
        cut: Cut | None = None,
        nodes: Sequence[Node] = (),
    ) -> None:
        self.texts = cut.items if cut else ()
        self.dash = cut.dash if cut else b""
        self._source = source
        self._nearest = nearest
        self._cut = cut
        self._nodes = nodes

    def __len__(self) -> int:
        return len(self.texts) or len(self._nodes)

    def open(
        self, number: int, problems: list[Problem], nearest: Nearest | None = None
    ) -> tuple[Reading, Node]:
        """Give an item's node, and what takes up the Problems in it; raises Miscut.

        `nearest` is what makes proposals, where it is not that of the whole reading.
        """
        nearest = nearest or self._nearest
        if self._cut is None:
            return Reading(self._source.excerpt, problems, nearest), self._nodes[number]
        try:
            text = self._cut.text(number).decode()
            node = compose_part(text, within=1)
        except (UnicodeDecodeError, Refused):
            raise Miscut from None
        if type(node) is not SequenceNode or len(node.value) != 1:
            raise Miscut
        excerpt = Excerpt(self._source, text, partial(self._start_of, number))
        return Reading(excerpt, problems, nearest), node.value[0]

    def _start_of(self, number: int) -> int:
        return self._starts[number]

    @cached_property
    def _starts(self) -> list[int]:
        return self._cut.starts() if self._cut else []
