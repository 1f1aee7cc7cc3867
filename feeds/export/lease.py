"""A lease on a bucket: while it is renewed, no other publisher writes there.

A lease is an unfinished manifest, put in place by compare-and-swap, and renewed in the
same way several times before it ends. A publisher that finds one waits until it would
have ended. If it is renewed, its publisher is at work; if not, that publisher is dead,
and the lease is taken over. The clocks of two machines are never compared. No request
is begun that could end after the lease.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from threading import Event, Thread
from typing import Self

from feeds.errors import FeedsError
from feeds.export.manifest import BUCKET_MANIFEST, BucketManifest, ObjectEntry, read_manifest
from feeds.export.object_store import Conflict, ObjectStore, Version

MANIFEST_HEADERS = {
    "Content-Type": "text/tab-separated-values; charset=utf-8",
    "Cache-Control": "no-store",
}
# Beside the store's own retries.
_SWAP_RETRIES = 2
_POLL_SECONDS = 0.05
_MAX_SECONDS = 3600
# A clock that continues while the machine sleeps, if there is one.
_now = partial(time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class LeaseLostError(FeedsError):
    """Another publisher is at work."""


def _lease_lost(store: ObjectStore) -> LeaseLostError:
    return LeaseLostError(
        f"{store.address}: another publish is at work there, and wins;"
        " publish again if this one is newer"
    )


def current_manifest(store: ObjectStore, *, force: bool) -> tuple[BucketManifest, Version | None]:
    """Return the manifest and its version; an empty one and None if there is none.

    Raises FeedsError if it is damaged; with `force` it is then taken as empty.
    """
    data, version = store.read(BUCKET_MANIFEST) or (None, None)
    place = f"{store.address}: {BUCKET_MANIFEST}"
    return read_manifest(BucketManifest, data, place, force=force), version


def wait_for_manifest(
    store: ObjectStore, on_progress: Callable[[str, float], None], *, force: bool
) -> tuple[BucketManifest, Version | None]:
    """Read the manifest after the end of its lease; raises LeaseLostError if that is renewed."""
    manifest, version = current_manifest(store, force=force)
    begun = _now()
    while manifest.lease and (passed := _now() - begun) < manifest.lease:
        on_progress("wait", passed / manifest.lease)
        time.sleep(min(store.deadline / 4, manifest.lease - passed))
        current, _ = current_manifest(store, force=force)
        if current.token != manifest.token:
            raise _lease_lost(store)
    return manifest, version


class Lease:
    """The lease of one publisher, and what it knows of the objects.

    `objects` may be changed by any thread: each renewal writes them, for a publisher
    that takes over.
    """

    def __init__(
        self,
        store: ObjectStore,
        version: Version | None,
        objects: Mapping[str, ObjectEntry],
        unpurged: Sequence[str] = (),
    ) -> None:
        self.objects = {**objects}
        self._unpurged = unpurged
        self._store = store
        self._version = version
        self._seconds = 1.5 * store.deadline
        self._ends = 0.0
        self._must_end = _now() + _MAX_SECONDS
        self._tokens: set[str] = set()
        self._error: FeedsError | None = None
        self._stopped = Event()
        self._thread = Thread(target=self._heartbeat, name="feeds-lease", daemon=True)

    def __enter__(self) -> Self:
        """Acquire the lease, and renew it from now on; raises LeaseLostError."""
        self._renew(_SWAP_RETRIES)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """After an error, allow the next publisher to begin at once; raises LeaseLostError."""
        self._stop()
        if kind and self._error is None:
            try:
                self._swap(self._unfinished(), 1)
            except FeedsError as error:
                self._error = error
        if kind and isinstance(self._error, LeaseLostError):
            raise self._error

    def wait(self) -> None:
        """Wait until a request that begins now ends within the lease; raises FeedsError."""
        while _now() + self._store.deadline > self._ends:
            if self._error:
                raise self._error
            time.sleep(_POLL_SECONDS)
        if _now() > self._must_end:
            raise FeedsError(
                f"{self._store.address}: this takes more than an hour, and was stopped;"
                " publish again to continue"
            )

    def finish(self, objects: Mapping[str, ObjectEntry]) -> tuple[BucketManifest, Version | None]:
        """Put the final manifest in place, and return it with its version.

        Raises LeaseLostError if another publisher took over.
        """
        self._stop()
        if self._error:
            raise self._error
        manifest = BucketManifest(objects, unpurged=self._unpurged)
        self._swap(manifest, _SWAP_RETRIES)
        return manifest, self._version

    def _stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _heartbeat(self) -> None:
        while not self._stopped.wait(self._store.deadline / 8):
            try:
                self._renew(1)
            except FeedsError as error:
                # Other errors are retried until the lease ends.
                if isinstance(error, LeaseLostError) or _now() > self._ends:
                    self._error = error
                    return

    def _renew(self, retries: int) -> None:
        begun = _now()
        self._swap(self._unfinished(self._seconds), retries)
        self._ends = begun + self._seconds

    def _unfinished(self, lease: float = 0) -> BucketManifest:
        objects = {**self.objects}
        return BucketManifest(objects, finished=False, lease=lease, unpurged=self._unpurged)

    def _swap(self, manifest: BucketManifest, retries: int) -> None:
        """Replace the manifest that this publisher has written; raises FeedsError.

        The response to a swap can be lost, and then the retry conflicts with it. So a
        token of this publisher in the store is not a conflict.
        """
        body = manifest.to_bytes()
        self._tokens.add(manifest.token)
        for left in reversed(range(retries + 1)):
            try:
                self._version = self._store.swap(
                    BUCKET_MANIFEST, body, MANIFEST_HEADERS, self._version
                )
            except Conflict:
                found, version = current_manifest(self._store, force=True)
                if found.token == manifest.token:
                    self._version = version
                    return
                if not left or (version != self._version and found.token not in self._tokens):
                    raise _lease_lost(self._store) from None
                self._version = version
            except FeedsError:
                if left <= 1:
                    raise
            else:
                return
