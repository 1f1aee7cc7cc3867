"""Tells a WebSub hub which feeds are new, once everybody can read them as they are now.

The W3C's Recommendation leaves to publisher and hub how the one tells the other
(WebSub §6). What hubs take is a form with `hub.mode=publish` and the feed's
address, as `hub.url` or as `hub.topic`: here as both, and in a request of its
own for each feed, which all of them understand.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple
from urllib.parse import urlencode

from feeds.model import etag_of
from feeds.notify.http import PrivateError, UnreachedError, ask, check_reach, host_of
from feeds.notify.ledger import Ledger

# Requests at once, and addresses between two notes of what was told.
_AT_ONCE = 4
_BATCH = 100
# In seconds: how long until a first and, at most, any other attempt.
_FIRST = 0.5
_LONGEST = 300.0


class Trouble(NamedTuple):
    """Why feeds are still to be told: the reason of one of them, and how many they are.

    It `waits` where nothing is wrong yet: the feed is not public as it is now.
    """

    reason: str
    left: int
    waits: bool


class _Waits(Exception):
    """A feed's address gives other bytes."""


class _Refused(Exception):
    """The hub answered, and did not take it."""


def tell_hub(
    hub: str,
    left: dict[str, str],
    ledger: Ledger,
    *,
    wait: Callable[[float], bool],
    troubled: Callable[[Trouble], None] = lambda _: None,
) -> int:
    """Tell a hub of the feeds at these addresses, and take from them those that it was told of.

    A feed's turn comes when its public address gives the bytes of its ETag. What
    fails is tried again, later and later, as long as `wait` lets time pass; it
    takes seconds. No request begins once `wait` lets not even 0 seconds pass. Gives
    how many were told. Raises OSError where that cannot be remembered.
    """
    all_of_them = len(left)
    for pause in _pauses():
        reasons = _round(hub, left, ledger, wait)
        if not left or not wait(0):
            break
        reason = min(reasons, key=lambda one: isinstance(one, _Waits))
        troubled(Trouble(str(reason), len(left), isinstance(reason, _Waits)))
        # Time does not change what is refused.
        if isinstance(reason, PrivateError) or not wait(pause):
            break
    return all_of_them - len(left)


def _round(
    hub: str, left: dict[str, str], ledger: Ledger, wait: Callable[[float], bool]
) -> list[Exception]:
    """Try each feed once, and take away those that were told; give why others were not."""
    reasons: list[Exception] = []
    rest = iter([*left.items()])
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while wait(0) and not any(isinstance(one, UnreachedError) for one in reasons):
            batch = dict(islice(rest, _BATCH))
            if not batch:
                break
            told = _told(pool, hub, batch, reasons, wait)
            ledger.note(hub, {address: batch[address] for address in told})
            for address in told:
                del left[address]
    return reasons


def _told(
    pool: ThreadPoolExecutor,
    hub: str,
    batch: Mapping[str, str],
    reasons: list[Exception],
    wait: Callable[[float], bool],
) -> list[str]:
    """Try some feeds at once, and give the addresses that were told; where nobody answers, stop."""
    attempts = {pool.submit(_attempt, hub, *feed): feed[0] for feed in batch.items()}
    told = []
    for attempt, address in attempts.items():
        if attempt.cancelled():
            continue
        error = attempt.exception()
        if error is None:
            told.append(address)
        elif isinstance(error, UnreachedError | _Waits | _Refused):
            reasons.append(error)
        else:
            raise error
        if isinstance(error, UnreachedError) or not wait(0):
            for other in attempts:
                other.cancel()
    return told


def _attempt(hub: str, address: str, etag: str) -> None:
    """Tell a hub of one feed; raises _Waits where that is not public yet, _Refused, Unreached."""
    check_reach(hub, address)
    found = ask("GET", address)
    if not found.good or etag_of(found.body) != etag:
        raise _Waits(f"{address} does not give yet what was published (HTTP {found.status})")
    form = {"hub.mode": "publish", "hub.url": address, "hub.topic": address}
    answer = ask("POST", hub, urlencode(form).encode(), site=address)
    if not answer.good:
        raise _Refused(f"{host_of(hub)} answers {answer.status}")


def _pauses() -> Iterator[float]:
    pause = _FIRST
    while True:
        # So that those who failed together do not come back together.
        yield pause * random.uniform(0.5, 1)  # noqa: S311  # no secret
        pause = min(2 * pause, _LONGEST)
