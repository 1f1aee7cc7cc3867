"""`python -m feeds.notify.telling`: tells a hub what a server published, until its input ends."""

import json
import logging
import os
import select
import sys
import threading
import time
from pathlib import Path

from feeds.logs import log_to, tell
from feeds.notify.http import host_of
from feeds.notify.ledger import Busy, Ledger
from feeds.notify.websub import Trouble, tell_hub

# In seconds. What is left is told of after the next change, or restart.
_PATIENCE = 86_400
# How long requests under way may take once nobody wants them any more.
_GRACE = 3.0
# Between two looks at the process that started this one.
_LOOK = 0.5
# Until then it may well be that a cache in front has not asked again.
_USUAL = 60


class Teller:
    """Tells one release's feeds, and logs how that goes: a trouble once, and its end."""

    def __init__(self, hub: str, ledger: Ledger) -> None:
        self._hub = hub
        self._ledger = ledger
        self._begun = time.monotonic()
        self._said = False

    def tell(self, feeds: dict[str, str]) -> None:
        """Tell what the hub does not know yet, until it does, the input ends, or a day is over."""
        with self._ledger.locked(self._wait):
            left = self._ledger.untold(self._hub, feeds)
            count = tell_hub(self._hub, left, self._ledger, wait=self._wait, troubled=self._log)
        if count:
            tell("hub-told", hub=host_of(self._hub), feeds=count, left=len(left))

    def _wait(self, seconds: float) -> bool:
        """Let time pass; false where whoever started this has something else to tell, or is gone."""
        return not _input_ended(seconds) and time.monotonic() - self._begun < _PATIENCE

    def _log(self, trouble: Trouble) -> None:
        waited = time.monotonic() - self._begun
        if not self._said and (not trouble.waits or waited > _USUAL):
            self._said = True
            tell("hub-not-told", logging.WARNING, first=trouble.reason, left=trouble.left)


def _input_ended(seconds: float) -> bool:
    """Wait for the input to end, at most for so many seconds; return whether it has."""
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def _end_with(parent: int) -> None:
    """End this process soon after its input or its parent has, whatever a request waits for."""
    while os.getppid() == parent and not _input_ended(_LOOK):
        pass
    time.sleep(_GRACE)
    os._exit(0)


def main() -> None:
    """Tell what the first line of the input says."""
    parent = os.getppid()
    log_to(sys.stderr)
    line = sys.stdin.readline()
    if not line:
        return
    threading.Thread(target=_end_with, args=[parent], daemon=True).start()
    message = json.loads(line)
    teller = Teller(message["hub"], Ledger(Path(sys.argv[1])))
    try:
        teller.tell(message["feeds"])
    except Busy:
        pass
    except OSError as error:
        tell("hub-not-told", logging.WARNING, first=error, left=len(message["feeds"]))


if __name__ == "__main__":
    main()
