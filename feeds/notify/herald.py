"""Has the hub told of what a server publishes, by a process that keeps nobody waiting."""

import json
import logging
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from feeds.logs import tell
from feeds.model import Site
from feeds.notify.announced import announced


class Herald:
    """Starts a process for each release with other feeds; it ends when there is nothing left to tell.

    What it told is remembered in `folder`: after a restart it goes on with the rest.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._feeds: Mapping[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def tell(self, site: Site, etags: Mapping[str, str]) -> None:
        """Notify a site's hub in the background; `etags` are those of all documents by path."""
        if self._process:
            self._process.poll()
        feeds = announced(site, etags)
        if feeds and feeds != self._feeds:
            self._feeds = feeds
            self._send(json.dumps({"hub": site.hub, "feeds": feeds}).encode() + b"\n")

    def _send(self, message: bytes) -> None:
        self._dismiss()
        try:
            self._process = subprocess.Popen(  # noqa: S603  # this very program
                [sys.executable, "-P", "-m", "feeds.notify.telling", str(self._folder)],
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
            if self._process.stdin:
                self._process.stdin.write(message)
                self._process.stdin.flush()
        except OSError as error:
            tell("hub-not-told", logging.WARNING, first=error)

    def _dismiss(self) -> None:
        """Let the process end that tells of what is no longer there: it does when its input ends."""
        if self._process and self._process.stdin:
            with suppress(OSError):
                self._process.stdin.close()
