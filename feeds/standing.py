"""What is published at this moment, whoever builds it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from feeds.errors import FeedsError, MissingCatalogueError
from feeds.release import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A catalogue that could not be published: since when, and where the first problem is.

    `place` is `file:line:column`; it is empty, and `problems` 0, where the cause
    is no problem in the catalogue. Then `reason` is `missing`, `unreadable` or
    `internal`: it names no file.
    """

    at: datetime
    problems: int
    place: str
    reason: str = ""


def reason_of(error: Exception) -> str:
    """Return the reason of a failure that is not a problem in the catalogue."""
    if isinstance(error, MissingCatalogueError):
        return "missing"
    return "unreadable" if isinstance(error, FeedsError) else "internal"


class Standing(Protocol):
    """The current release, and how its publisher is.

    `current` is None until there has been a good catalogue. It is replaced as a
    whole: whoever takes it holds one release. `since` is when it was put there.
    `failure` is the last failure, and `degraded` tells that it lasts. `clock`
    gives the moment.
    """

    current: Release | None
    since: datetime | None
    failure: Failure | None
    degraded: bool
    clock: Callable[[], datetime]
