"""WebSub publishing: a hub is notified of each changed feed once its public URL returns the new bytes.

WebSub §6 leaves to publisher and hub how a publisher notifies. Hubs take a form
with `hub.mode=publish` and the feed's URL, as `hub.url` or as `hub.topic`: both are
sent, in a request for each feed, which every hub understands.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode

from feeds.errors import FeedsError
from feeds.log import log_event, log_exception
from feeds.model import Site, etag_of
from feeds.notify import http
from feeds.storage import StateFolder, held, take_lock
from feeds.urls import FEEDS

_CONCURRENT_REQUESTS = 4
_RECORD_SECONDS = 5.0
_MIN_RETRY_SECONDS = 0.5
_MAX_RETRY_SECONDS = 300.0
_POLL_SECONDS = 0.5
# How long a release is tried in the background; what is left is tried with the next one.
_MAX_NOTIFY_SECONDS = 86_400
# For so long a cache in front may return old bytes without a warning.
_CACHE_SECONDS = 60
_LOG, _LOCK = "websub.tsv", "websub.lock"
_HEADING = "# feeds websub 1: hub, URL, the ETag that the hub was last notified of\n"


class NotTaken(Exception):
    """The hub responds with an error."""


class NotPublic(NotTaken):
    """The public URL of a feed does not return the new bytes yet."""


class Busy(FeedsError):
    """Another process is notifying the hub."""


class Result(NamedTuple):
    """How many feeds a hub was notified of, how many it knew, and how many are left for a reason."""

    notified: int
    known: int
    left: int
    failure: Exception | None


class NotificationLog:
    """What each hub was last notified of, in a state folder; every method raises OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = StateFolder(folder)

    def pending(self, hub: str, etags: Mapping[str, str]) -> dict[str, str]:
        """Return the feeds, with their ETags by URL, that a hub does not know as they are now."""
        known = self._read()
        return {url: etag for url, etag in etags.items() if known.get((hub, url)) != etag}

    def record(self, hub: str, etags: Mapping[str, str]) -> None:
        """Remember that a hub was notified; the caller holds the lock."""
        if not etags:
            return
        known = self._read() | {(hub, url): etag for url, etag in etags.items()}
        lines = [f"{hub}\t{url}\t{etag}\n" for (hub, url), etag in sorted(known.items())]
        self._folder.replace(_LOG, "".join([_HEADING, *lines]).encode())

    @contextmanager
    def locked(self, pause: Callable[[float], bool] = lambda _: False) -> Iterator[None]:
        """Keep other processes from notifying; raises Busy if `pause` returns False meanwhile."""
        self._folder.make()
        fd = self._folder.lock_file(_LOCK)
        with held(fd):
            while not take_lock(fd):
                if not pause(_POLL_SECONDS):
                    raise Busy("another process is notifying the hub")
            yield

    def _read(self) -> dict[tuple[str, str], str]:
        """Return the ETags by hub and URL; a damaged line costs one more notification."""
        try:
            lines = self._folder.read(_LOG).decode(errors="replace").splitlines()
        except FileNotFoundError:
            return {}
        rows = (line.split("\t") for line in lines if line.count("\t") == 2)  # noqa: PLR2004  # columns
        return {(hub, url): etag for hub, url, etag in rows}


def can_read(hub: str, url: str) -> bool:
    """Check whether there is a hub, and whether it can read a site, by their host names."""
    return bool(hub) and http.reach_of(url) >= http.reach_of(hub)


def notifiable_feeds(url: str, etags: Mapping[str, str]) -> dict[str, str]:
    """Return the ETags of a site's feeds by URL, from those of all its documents by path."""
    names = {*FEEDS.values()}
    found = (path for path in etags if path.rpartition("/")[2] in names)
    return {url + quote(path): etags[path] for path in found}


def notify_hub(  # noqa: PLR0913  # most are keywords
    url: str,
    hub: str,
    etags: Callable[[], Mapping[str, str]],
    folder: Path,
    *,
    deadline: float,
    is_cancelled: Callable[[], bool] = lambda: False,
    on_failure: Callable[[Exception, int], None] = lambda _failure, _left: None,
    every: bool = False,
) -> Result:
    """Notify a hub of the feeds of a site that it does not know as they are now, or of every one.

    `url` is that of the site, and `etags` returns those of its documents by path.
    Failures are tried again, with back-off, until `deadline` on the monotonic clock;
    after each round `on_failure` is called with one, and the number of feeds left. If
    it has passed already, each feed is tried once. No request begins once `is_cancelled`
    returns True. Raises Busy if another process notifies, and OSError for the log.
    """

    def pause(seconds: float) -> bool:
        """Sleep; return False if it is too late then."""
        until = min(time.monotonic() + seconds, deadline)
        while (left := until - time.monotonic()) > 0 and not is_cancelled():
            time.sleep(min(left, _POLL_SECONDS))
        return until < deadline and not is_cancelled()

    begun = time.monotonic()

    def is_over() -> bool:
        return is_cancelled() or begun < deadline <= time.monotonic()

    log = NotificationLog(folder)
    with log.locked(pause):
        feeds = notifiable_feeds(url, etags())
        pending = feeds.copy() if every else log.pending(hub, feeds)
        known = len(feeds) - len(pending)
        failure = None
        delay = _MIN_RETRY_SECONDS
        while pending:
            failures = _notify_each(hub, pending, log, is_over)
            for bug in failures:
                if not isinstance(bug, NotTaken | http.RequestError):
                    raise bug
            if not failures or is_cancelled():
                break
            failure = min(failures, key=lambda one: isinstance(one, NotPublic))
            on_failure(failure, len(pending))
            # With jitter: clients that failed together should not return together.
            jitter = random.uniform(0.5, 1)  # noqa: S311  # not a secret
            if isinstance(failure, http.PrivateNetworkError) or not pause(delay * jitter):
                break
            delay = min(2 * delay, _MAX_RETRY_SECONDS)
    return Result(len(feeds) - known - len(pending), known, len(pending), failure)


def _notify_each(
    hub: str, pending: dict[str, str], log: NotificationLog, is_over: Callable[[], bool]
) -> list[Exception]:
    """Try each feed, until a request has no response; remove those that succeed, return failures."""
    failures: list[Exception] = []
    done: list[str] = []
    urls = iter([*pending])
    stopped = threading.Event()

    def work() -> None:
        for url in urls:
            if stopped.is_set() or is_over():
                break
            try:
                _notify(hub, url, pending[url])
            except NotTaken as error:
                failures.append(error)
            except Exception as error:  # noqa: BLE001  # a bug is raised by the caller
                failures.append(error)
                stopped.set()
            else:
                done.append(url)

    # Daemons: the threads of an executor would delay the end of the process.
    threads = [threading.Thread(target=work, daemon=True) for _ in range(_CONCURRENT_REQUESTS)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive() or done:
                thread.join(_RECORD_SECONDS)
                notified = {url: pending.pop(url) for url in [*done]}
                del done[: len(notified)]
                log.record(hub, notified)
    finally:
        stopped.set()
    return failures


def _notify(hub: str, url: str, etag: str) -> None:
    """Notify a hub of one feed; raises NotTaken or RequestError."""
    http.check_not_private(hub, url)
    found = http.request("GET", url)
    if not found.is_success or etag_of(found.body) != etag:
        raise NotPublic(f"{url} does not give the published bytes yet (HTTP {found.status})")
    form = {"hub.mode": "publish", "hub.url": url, "hub.topic": url}
    response = http.request("POST", hub, urlencode(form).encode(), site=url)
    if not response.is_success:
        raise NotTaken(f"{http.origin_of(hub)} responds with {response.status}")


def ping(
    site: Site, etags: Mapping[str, str], folder: Path, *, seconds: float, every: bool = False
) -> str:
    """Notify a site's hub, and return a summary; raises FeedsError if some feeds are left.

    `etags` are those of all documents by path, and `folder` is the state folder.
    Waits so many seconds at most for feeds to be public, and for a hub that fails.
    """
    if not site.hub:
        raise FeedsError("the catalogue has no 'site.hub' to notify")
    if not can_read(site.hub, site.url):
        raise FeedsError(f"the hub cannot read {site.url}: name the public URL with --url")
    deadline = time.monotonic() + seconds
    try:
        notified, known, left, failure = notify_hub(
            site.url, site.hub, lambda: etags, folder, deadline=deadline, every=every
        )
    except OSError as error:
        raise FeedsError(f"{folder}: {error.strerror or error}") from None
    if left:
        raise FeedsError(
            f"{left} of {notified + known + left} feeds were not notified:"
            f" {failure or 'the time is over'}; run feeds ping to try again"
        )
    return f"notified {notified}, already up to date {known}"


# The URLs of a site and of its hub, what returns the ETags, and since when it is served.
_Release = tuple[str, str, Callable[[], Mapping[str, str]], float]


class BackgroundNotifier:
    """Notifies the hub of a served site from a daemon thread; of several processes, one at a time.

    The lock of a process that dies is released, and another process goes on.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._release: _Release | None = None
        self._stopped = threading.Event()

    def update(self, url: str, hub: str, etags: Callable[[], Mapping[str, str]]) -> None:
        """Notify of this release from now on; `etags` returns those of all documents by path."""
        self._release = (url, hub, etags, time.monotonic()) if can_read(hub, url) else None

    def start(self) -> None:
        """Start the thread; also in a process that was forked from the one that had it."""
        self._stopped = threading.Event()
        threading.Thread(target=self._run, args=[self._stopped], daemon=True).start()

    def stop(self) -> None:
        """End the thread soon, without waiting for its requests."""
        self._stopped.set()

    def _run(self, stopped: threading.Event) -> None:
        done = None
        while not stopped.wait(_POLL_SECONDS):
            release = self._release
            if release is None or release is done:
                continue
            try:
                self._notify(release, stopped)
            except OSError as error:
                log_event("hub-not-notified", logging.WARNING, first=error)
            except Exception:  # noqa: BLE001  # a bug must not end the thread
                log_exception("bug")
            done = release

    def _notify(self, release: _Release, stopped: threading.Event) -> None:
        """Notify until the hub knows everything, there is another release, or a day has passed."""
        url, hub, etags, since = release
        has_logged = False

        def log_failure(failure: Exception, left: int) -> None:
            nonlocal has_logged
            is_usual = isinstance(failure, NotPublic) and time.monotonic() - since < _CACHE_SECONDS
            if not has_logged and not is_usual:
                has_logged = True
                log_event("hub-not-notified", logging.WARNING, first=failure, left=left)

        with suppress(Busy):
            result = notify_hub(
                *(url, hub, etags, self._folder),
                deadline=since + _MAX_NOTIFY_SECONDS,
                is_cancelled=lambda: stopped.is_set() or self._release is not release,
                on_failure=log_failure,
            )
            if result.notified:
                origin = http.origin_of(hub)
                log_event("hub-notified", hub=origin, feeds=result.notified, left=result.left)
