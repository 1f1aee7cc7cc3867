"""The items of `entries:` in one file, each composed only when it is to be read."""

from collections.abc import Sequence
from functools import cached_property, partial

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from feeds.catalogue.cutting import Cut
from feeds.catalogue.nearest import Nearest
from feeds.catalogue.reader import Reading
from feeds.catalogue.slugs import fitting
from feeds.catalogue.source import Excerpt, Source
from feeds.catalogue.wrong_values import is_blank
from feeds.catalogue.yaml_nodes import Refused, compose_part
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
            node = self._nodes[number]
            return Reading(self._source.excerpt, problems, nearest, id_of(node)), node
        try:
            text = self._cut.text(number).decode()
            root = compose_part(text, within=1)
        except (UnicodeDecodeError, Refused):
            raise Miscut from None
        if type(root) is not SequenceNode or len(root.value) != 1:
            raise Miscut
        excerpt = Excerpt(self._source, text, partial(self._start_of, number))
        [node] = root.value
        return Reading(excerpt, problems, nearest, id_of(node)), node

    def _start_of(self, number: int) -> int:
        return self._starts[number]

    @cached_property
    def _starts(self) -> list[int]:
        return self._cut.starts() if self._cut else []


def id_of(item: Node) -> str:
    """Return the id that an item has; '' if it has none, or one that is not valid."""
    pairs = item.value if isinstance(item, MappingNode) else ()
    ids = (value for key, value in pairs if isinstance(key, ScalarNode) and key.value == "id")
    found = next(ids, None)
    return fitting(found.value) if isinstance(found, ScalarNode) and not is_blank(found) else ""
